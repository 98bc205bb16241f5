//! Letters for tests of notifiers: the same that their unit tests use.

use jiff::Timestamp;
use tidings::alerts::{Notification, Receiver};
use tidings_rules::story::NotifierName;

/// An alert with all that an alert can have.
pub fn alert() -> Notification {
    serde_json::from_str(include_str!("../../../src/notify/fixture.json"))
        .expect("fixture.json is a letter")
}

/// A moment at which it is sent.
pub fn now() -> Timestamp {
    "2026-03-12T13:20:10Z".parse().expect("a time")
}

/// Somebody whom the notifier `name` reaches; `recipient` is empty but for mail.
pub fn receiver(name: &str, recipient: &str) -> Receiver {
    Receiver { notifier: NotifierName(name.to_owned()), recipient: recipient.to_owned() }
}
