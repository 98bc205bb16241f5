//! One attempt at one delivery. Knows nothing of the store or of rules.

use std::time::Duration;

use crate::alert::{Letter, Receiver};
use crate::config::{Network, Notifier};
use jiff::Timestamp;
use jiff::tz::TimeZone;

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

/// Renders what `notifier` will send for `letter`: these bytes are frozen, and every retry sends the same.
///
/// # Errors
/// In words for a person, where the letter cannot be written (an address that does not parse).
pub fn render(notifier: &Notifier, receiver: &Receiver, letter: &Letter, zone: &TimeZone) -> Result<Vec<u8>, String> {
    let _ = (notifier, receiver, letter, zone);
    todo!()
}

/// Tries once to deliver `frozen`, the bytes that `render` made for the message `id`. Takes at most a minute.
pub async fn send(
    notifier: &Notifier,
    network: &Network,
    receiver: &Receiver,
    id: &str,
    frozen: &[u8],
    now: Timestamp,
) -> Outcome {
    let _ = (notifier, network, receiver, id, frozen, now);
    todo!()
}
