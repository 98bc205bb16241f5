//! One attempt at one delivery. Uses neither the store nor rules.

mod console;
mod email;
#[cfg(test)]
mod fixture;
mod format;
mod outcome;
mod payload;
mod plain;
mod quote;
mod reply;
mod send_context;
mod template;
mod text;
mod view;
mod webhook;

pub(crate) use plain::{plain, printable};

pub use crate::alerts::breaker::{FailureCause, FailureScope};
pub use outcome::{Outcome, RetryReason};
pub use send_context::SendContext;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alerts::{Notification, Receiver};
use crate::config::{ConsoleFormat, Notifier, WebhookBody};

/// Renders what `notifier` will send for `letter`: these bytes are frozen, and every retry sends
/// the same.
///
/// # Errors
/// In words for a person, where the letter cannot be written (an address that does not parse).
pub fn render(
    notifier: &Notifier,
    receiver: &Receiver,
    letter: &Notification,
    zone: &TimeZone,
) -> Result<Vec<u8>, String> {
    match notifier {
        Notifier::Console(_) => payload::write(letter),
        Notifier::Webhook(webhook) => match &webhook.body {
            WebhookBody::Format(format) => format::render(*format, letter, zone),
            WebhookBody::Template(template) => template::render(template, receiver, letter, zone),
        },
        Notifier::Email(email) => email::render(email, receiver, letter, zone),
    }
}

/// What the console shows of `letter`: as JSON, or for people, in colour where standard output is a
/// terminal. Ends in a line break.
///
/// # Errors
/// Where the letter cannot be put into JSON.
pub fn on_console(
    format: ConsoleFormat,
    letter: &Notification,
    zone: &TimeZone,
) -> Result<String, String> {
    Ok(String::from_utf8_lossy(&console::shown(format, &payload::write(letter)?, zone))
        .into_owned())
}

/// Tries once to deliver `frozen`, the bytes that `render` made for the message `id`. Takes at most
/// half a minute, and by email as long as mail servers may take: minutes for each answer.
pub async fn send(
    notifier: &Notifier,
    means: &SendContext,
    receiver: &Receiver,
    id: &str,
    frozen: &[u8],
    now: Timestamp,
) -> Outcome {
    match notifier {
        Notifier::Console(format) => console::send(*format, frozen, &means.zone).await,
        Notifier::Email(email) => email::send(email, &means.mail, receiver, frozen, now).await,
        Notifier::Webhook(webhook) => {
            webhook::send(webhook, means, receiver, id, frozen, now).await
        }
    }
}
