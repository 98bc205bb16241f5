//! One attempt at one delivery. Knows nothing of the store or of rules.

mod console;
mod email;
mod view;
mod webhook;

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alert::{Letter, Receiver};
use crate::config::{Network, Notifier};

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The first hop took responsibility; what it answered.
    Delivered(String),
    /// It may work later.
    Retry(Retry),
    /// It will never work as it is: why, as the receiver said it.
    Refused(String),
}

/// Why an attempt is to be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// What happened, for a person. Never holds a secret.
    pub why: String,
    /// Whether the receiver was reached at all: where it was not, the attempt does not count.
    pub reached: bool,
    /// How long the receiver asked us to wait.
    pub after: Option<Duration>,
}

/// What sending needs besides the message.
#[derive(Clone, Debug)]
pub struct Means {
    /// The client for webhooks, as [`crate::feed::fetch::client`] makes it: behind the guard, following no redirect.
    pub client: reqwest::Client,
    /// What webhooks may reach.
    pub network: Network,
    /// The zone that times are shown in.
    pub zone: TimeZone,
}

/// Renders what `notifier` will send for `letter`: these bytes are frozen, and every retry sends the same.
///
/// # Errors
/// In words for a person, where the letter cannot be written (an address that does not parse).
pub fn render(notifier: &Notifier, receiver: &Receiver, letter: &Letter, zone: &TimeZone) -> Result<Vec<u8>, String> {
    match notifier {
        Notifier::Email(settings) => email::render(settings, &receiver.recipient, letter, zone),
        Notifier::Console(_) | Notifier::Webhook(_) => {
            serde_json::to_vec(letter).map_err(|why| format!("the message cannot be written as JSON: {why}"))
        }
    }
}

/// Tries once to deliver `frozen`, the bytes that [`render`] made for the message `id`. Takes at most a minute.
pub async fn send(
    notifier: &Notifier,
    means: &Means,
    receiver: &Receiver,
    id: &str,
    frozen: &[u8],
    now: Timestamp,
) -> Outcome {
    match notifier {
        Notifier::Console(format) => console::send(*format, &means.zone, frozen),
        Notifier::Email(settings) => email::send(settings, &receiver.recipient, frozen).await,
        Notifier::Webhook(settings) => webhook::send(settings, means, id, frozen, now).await,
    }
}

/// A receiver that could not be reached at all.
fn unreachable(why: impl Into<String>) -> Outcome {
    Outcome::Retry(Retry { why: why.into(), reached: false, after: None })
}
