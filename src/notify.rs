//! One attempt at one delivery. Uses neither the store nor rules.

mod console;
mod email;
#[cfg(test)]
mod fixture;
mod format;
mod payload;
mod printable;
mod quote;
mod reply;
mod send_context;
mod template;
mod text;
mod view;
mod webhook;

pub(crate) use crate::notify::printable::escape_unprintable;

pub use crate::alerts::breaker::{FailureCause, FailureScope};
pub use crate::alerts::outcome::{Outcome, RetryReason};
pub use quote::{QuotePiece, Quotes, quotes_from_evidence, quotes_from_rules};
pub use send_context::SendContext;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alerts::{Notification, Receiver};
use crate::config::{ConsoleFormat, Notifier, WebhookBody};

/// Renders the bytes that `notifier` sends for `notification`. They are frozen: every retry sends
/// the same bytes.
///
/// # Errors
/// The notification cannot be written, for example because an address does not parse.
pub fn render(
    notifier: &Notifier,
    receiver: &Receiver,
    notification: &Notification,
    zone: &TimeZone,
) -> Result<Vec<u8>, String> {
    match notifier {
        Notifier::Console(_) => payload::to_json_line(notification),
        Notifier::Webhook(webhook) => match &webhook.body {
            WebhookBody::Format(format) => format::render(*format, notification, zone),
            WebhookBody::Template(template) => {
                template::render(template, receiver, notification, zone)
            }
        },
        Notifier::Email(email) => email::render(email, receiver, notification, zone),
    }
}

/// Renders `notification` for the console: as JSON or as text, in colour if standard output is a
/// terminal. The result ends in a line break.
///
/// # Errors
/// The notification cannot be put into JSON.
pub fn render_for_console(
    format: ConsoleFormat,
    notification: &Notification,
    zone: &TimeZone,
) -> Result<String, String> {
    Ok(String::from_utf8_lossy(&console::render_for_stdout(
        format,
        &payload::to_json_line(notification)?,
        zone,
    ))
    .into_owned())
}

/// The text that the console shows for the match of an expression, which has no severity.
#[must_use]
pub fn render_match_for_console(notification: &Notification, zone: &TimeZone) -> String {
    console::render_without_severity(notification, zone)
}

/// Tries once to deliver `frozen`, the bytes that `render` made for the message `id`. Takes at most
/// 30 seconds; by email up to ten minutes, because mail servers may take minutes to answer.
pub async fn send(
    notifier: &Notifier,
    context: &SendContext,
    receiver: &Receiver,
    id: &str,
    frozen: &[u8],
    now: Timestamp,
) -> Outcome {
    match notifier {
        Notifier::Console(format) => console::send(*format, frozen, &context.zone).await,
        Notifier::Email(email) => {
            email::send(email, &context.smtp_pools, receiver, frozen, now).await
        }
        Notifier::Webhook(webhook) => {
            webhook::send(webhook, context, receiver, id, frozen, now).await
        }
    }
}
