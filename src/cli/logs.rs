//! The log on standard error: for people, for the journal of systemd or as JSON Lines.

use std::env::VarError;
use std::fmt::{Debug, Result as Written};
use std::fs;
use std::io::IsTerminal;
use std::os::unix::fs::MetadataExt;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::field::{RecordFields, VisitOutput};
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::fmt::format::{DefaultVisitor, Writer};
use tracing_subscriber::fmt::{self, FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, registry};

use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::output;

/// The variable with the filter of the log.
const VARIABLE: &str = "TIDINGS_LOG";

/// The default filter.
const DEFAULT_FILTER: &str = "warn,tidings=info";

/// The target of the lines of Tidings, or its first part.
const TIDINGS_TARGET: &str = "tidings";

/// The variable with the device and inode of the journal's stream, which systemd sets.
const JOURNAL: &str = "JOURNAL_STREAM";

/// Standard error.
const STANDARD_ERROR: &str = "/proc/self/fd/2";

/// Starts the log. `TIDINGS_LOG` sets what is logged, such as `debug` or `tidings=trace`. Fails
/// with 64 if it is not a filter.
pub(super) fn start_log(format: OutputFormat) -> Result<(), Exit> {
    let asked = match std::env::var(VARIABLE) {
        Ok(asked) => Ok(asked),
        Err(VarError::NotPresent) => Ok(String::new()),
        Err(VarError::NotUnicode(_)) => Err("it is not UTF-8".to_owned()),
    };
    let filter = asked.and_then(|asked| parse_filter(&asked)).map_err(|why| {
        let help = "write error, warn, info, debug, trace or off, or a level for a part: tidings::daemon=debug";
        output::fail_with_help(format_args!("{VARIABLE} is not a filter of the log: {why}"), help, Exit::Usage)
    })?;
    let log =
        fmt::layer().with_writer(std::io::stderr).with_target(false).log_internal_errors(false);
    let text = log.with_ansi(std::io::stderr().is_terminal()).fmt_fields(Sentences);
    let log = match format {
        OutputFormat::Json => text.json().flatten_event(true).boxed(),
        OutputFormat::Text if is_read_by_journal() => text.event_format(JournalLines).boxed(),
        OutputFormat::Text => text.boxed(),
    };
    registry().with(log.with_filter(with_secrets_left_out(filter))).init();
    Ok(())
}

/// Whether the journal of systemd reads standard error.
fn is_read_by_journal() -> bool {
    let stream = std::env::var(JOURNAL).ok();
    let stream = stream.as_deref().and_then(|stream| stream.split_once(':'));
    let error = fs::metadata(STANDARD_ERROR).ok();
    stream.zip(error).is_some_and(|((device, inode), error)| {
        device.parse() == Ok(error.dev()) && inode.parse() == Ok(error.ino())
    })
}

/// Writes the sentence of a line of Tidings without its fields, and lines of libraries with theirs.
struct Sentences;

impl<'w> FormatFields<'w> for Sentences {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> Written {
        let writer = DefaultVisitor::new(writer, true);
        let mut visitor = SentenceVisitor { writer, is_tidings: false };
        fields.record(&mut visitor);
        visitor.writer.finish()
    }
}

/// Visits the sentence first, then `event`, which only lines of Tidings have, then other fields.
struct SentenceVisitor<'w> {
    writer: DefaultVisitor<'w>,
    is_tidings: bool,
}

impl Visit for SentenceVisitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.is_tidings |= field.name() == "event";
        if !self.is_tidings {
            self.writer.record_debug(field, value);
        }
    }
}

/// Begins each line with its priority, as `sd-daemon(3)` says. The journal has time and level.
struct JournalLines;

impl<S, N> FormatEvent<S, N> for JournalLines
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> Written {
        let mut text = String::new();
        context.format_fields(Writer::new(&mut text), event)?;
        let priority = priority(*event.metadata().level());
        text.lines().try_for_each(|line| writeln!(writer, "<{priority}>{line}"))
    }
}

/// The number of syslog for `level`.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

/// `filter`, less the lines of libraries that may hold secrets. It knows its most detailed level,
/// so a library that logs below it builds no line.
fn with_secrets_left_out(filter: EnvFilter) -> impl Filter<Registry> {
    filter.and(filter_fn(may_be_written).with_max_level_hint(LevelFilter::TRACE))
}

/// Below the level of warnings, only lines of Tidings are written, whatever the filter. Lines of
/// libraries may hold headers with secrets.
fn may_be_written(line: &Metadata<'_>) -> bool {
    *line.level() <= Level::WARN || is_tidings_target(line.target())
}

fn is_tidings_target(target: &str) -> bool {
    target
        .strip_prefix(TIDINGS_TARGET)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The filter of the text `asked`, with the default for Tidings where it sets none.
fn parse_filter(asked: &str) -> Result<EnvFilter, String> {
    let parts: Vec<&str> =
        asked.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let mut sets_tidings_level = false;
    for part in &parts {
        let (target, level) =
            part.split_once('=').map_or((*part, None), |(target, level)| (target, Some(level)));
        let is_level = target.parse::<LevelFilter>().is_ok() && level.is_none();
        if !is_level && level.is_none() && !is_tidings_target(target) {
            return Err(format!("`{part}` is neither a level nor a part of Tidings"));
        }
        if let Some(level) = level.filter(|level| level.parse::<LevelFilter>().is_err()) {
            return Err(format!("`{level}` is not a level"));
        }
        sets_tidings_level |= is_level || target == TIDINGS_TARGET;
    }
    let default = (!sets_tidings_level).then_some(DEFAULT_FILTER);
    let all: Vec<&str> = default.into_iter().chain(parts).collect();
    EnvFilter::try_new(all.join(",")).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", "tidings=info,warn")]
    #[case("debug", "debug")]
    #[case("tidings::daemon=debug", "tidings::daemon=debug,tidings=info,warn")]
    #[case("tidings=trace, hyper=off", "tidings=trace,hyper=off")]
    #[case("hyper=trace", "tidings=info,hyper=trace,warn")]
    #[case("tidings", "tidings=trace")]
    fn a_filter_is_read(#[case] asked: &str, #[case] expected: &str) {
        let sorted = |text: &str| {
            let mut parts: Vec<String> = text.split(',').map(str::to_owned).collect();
            parts.sort();
            parts
        };
        assert_eq!(sorted(&parse_filter(asked).unwrap().to_string()), sorted(expected));
    }

    #[rstest]
    #[case("", LevelFilter::INFO)]
    #[case("tidings=warn", LevelFilter::WARN)]
    #[case("hyper=trace", LevelFilter::TRACE)]
    fn the_most_detailed_level_is_known(#[case] asked: &str, #[case] expected: LevelFilter) {
        let filter = with_secrets_left_out(parse_filter(asked).unwrap());
        assert_eq!(filter.max_level_hint(), Some(expected));
    }

    #[rstest]
    #[case("verbose", "`verbose` is neither a level nor a part of Tidings")]
    #[case("tidings=lod", "`lod` is not a level")]
    #[case("info,hyper", "`hyper` is neither a level nor a part of Tidings")]
    #[case("tidingsx", "`tidingsx` is neither a level nor a part of Tidings")]
    fn what_is_no_filter_is_named(#[case] asked: &str, #[case] why: &str) {
        assert_eq!(parse_filter(asked).unwrap_err(), why);
    }
}
