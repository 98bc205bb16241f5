//! The console notifier: writes alerts to standard output, for people or as JSON Lines.

use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use jiff::tz::TimeZone;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::alerts::Notification;
use crate::config::ConsoleFormat;
use crate::notify::{FailureCause, Outcome, payload, text};

/// How long standard output may block, for example because of a pager.
const DEADLINE: Duration = Duration::from_secs(30);

/// Writes the notification in `frozen` to standard output, as JSON or as text. The text is coloured
/// on a terminal unless `NO_COLOR` is set.
pub(super) async fn send(format: ConsoleFormat, frozen: &[u8], zone: &TimeZone) -> Outcome {
    write(tokio::io::stdout(), &render_for_stdout(format, frozen, zone)).await
}

/// The bytes that `send` writes.
pub(super) fn render_for_stdout(format: ConsoleFormat, frozen: &[u8], zone: &TimeZone) -> Vec<u8> {
    render(format, frozen, zone, is_stdout_coloured())
}

/// The text of a notification for standard output, without the severity of an alert.
pub(super) fn render_without_severity(notification: &Notification, zone: &TimeZone) -> String {
    text::render_without_severity(notification, zone, is_stdout_coloured())
}

fn is_stdout_coloured() -> bool {
    AutoStream::choice(&std::io::stdout()) != ColorChoice::Never
}

fn render(format: ConsoleFormat, frozen: &[u8], zone: &TimeZone, colour: bool) -> Vec<u8> {
    let notification = match format {
        ConsoleFormat::Json => None,
        ConsoleFormat::Text => payload::from_json_line(frozen),
    };
    match notification {
        Some(notification) => (text::render_text(&notification, zone, colour) + "\n").into_bytes(),
        None => [frozen, b"\n"].concat(),
    }
}

async fn write(mut out: impl AsyncWrite + Unpin, bytes: &[u8]) -> Outcome {
    let written = async {
        out.write_all(bytes).await?;
        out.flush().await
    };
    match tokio::time::timeout(DEADLINE, written).await {
        Ok(Ok(())) => Outcome::Delivered("written".to_owned()),
        Ok(Err(error)) => Outcome::retry(
            FailureCause::Unreached,
            format!("standard output cannot be written: {error}"),
        ),
        Err(_) => Outcome::retry(
            FailureCause::Failed,
            "standard output is blocked; is it paused?".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::{RetryReason, fixture};

    fn render_uncoloured(format: ConsoleFormat, frozen: &[u8]) -> String {
        String::from_utf8(render(format, frozen, &TimeZone::UTC, false)).unwrap()
    }

    #[test]
    fn json_is_the_frozen_line_and_text_is_for_people_with_an_empty_line_after_it() {
        let frozen = payload::to_json_line(&fixture::alert()).unwrap();
        let json = render_uncoloured(ConsoleFormat::Json, &frozen);
        assert_eq!(json.strip_suffix('\n').map(str::as_bytes), Some(frozen.as_slice()));
        let text = render_uncoloured(ConsoleFormat::Text, &frozen);
        assert!(text.starts_with("HIGH  Freight") && text.ends_with("freight?b\n\n"), "{text}");
    }

    #[test]
    fn what_another_version_froze_is_shown_as_it_is() {
        assert_eq!(
            render_uncoloured(ConsoleFormat::Text, b"{\"type\":\"digest\"}"),
            "{\"type\":\"digest\"}\n"
        );
    }

    #[tokio::test]
    async fn what_is_written_is_delivered() {
        let mut out = Vec::new();
        assert_eq!(write(&mut out, b"alert\n").await, Outcome::Delivered("written".to_owned()));
        assert_eq!(out, b"alert\n");
    }

    #[tokio::test]
    async fn a_closed_output_is_no_panic_and_burns_no_attempt() {
        let (out, reader) = tokio::io::duplex(1);
        drop(reader);
        let Outcome::Retry(RetryReason { cause: FailureCause::Unreached, why, .. }) =
            write(out, b"alert\n").await
        else {
            panic!("delivered")
        };
        assert!(why.starts_with("standard output cannot be written: "), "{why}");
    }
}
