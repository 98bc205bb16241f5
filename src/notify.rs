//! One attempt at one delivery. Uses neither the store nor rules.

mod console;
mod email;
#[cfg(test)]
mod fixture;
mod format;
mod outcome;
mod payload;
mod printable;
mod quote;
mod reply;
mod send_context;
mod template;
mod text;
mod view;
mod webhook;

pub(crate) use crate::notify::printable::{escape_unprintable, plain};

pub use crate::alerts::breaker::{FailureCause, FailureScope};
pub use outcome::{Outcome, RetryReason};
pub use send_context::SendContext;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alerts::{Notification, Receiver};
use crate::config::{ConsoleFormat, Notifier, WebhookBody};

/// Renders what `notifier` will send for `notification`: these bytes are frozen, and every retry sends
/// the same.
///
/// # Errors
/// In words for a person, where the notification cannot be written (an address that does not parse).
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

/// What the console shows of `notification`: as JSON, or for people, in colour where standard output is a
/// terminal. Ends in a line break.
///
/// # Errors
/// Where the notification cannot be put into JSON.
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

/// Tries once to deliver `frozen`, the bytes that `render` made for the message `id`. Takes at most
/// half a minute, and by email as long as mail servers may take: minutes for each answer.
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
