//! Notifications for tests of notifiers, the same as in their unit tests.

use jiff::Timestamp;
use tidings::alerts::{Notification, Receiver};
use tidings_rules::story::NotifierName;

/// An alert with all optional parts.
pub fn alert() -> Notification {
    serde_json::from_str(include_str!("../../../src/notify/fixture.json"))
        .expect("fixture.json is a notification")
}

/// The time at which it is sent.
pub fn now() -> Timestamp {
    "2026-03-12T13:20:10Z".parse().expect("a time")
}

/// A receiver of the notifier `name`. `recipient` is empty except for mail.
pub fn receiver(name: &str, recipient: &str) -> Receiver {
    Receiver { notifier: NotifierName(name.to_owned()), recipient: recipient.to_owned() }
}
