//! Who a message is addressed to.

use std::fmt;

use serde::Serialize;
use tidings_rules::story::NotifierName;

/// One address of one notifier: what a message is addressed to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Receiver {
    /// The notifier that sends.
    pub notifier: NotifierName,
    /// The mail address; empty for notifiers that have one receiver.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub recipient: String,
}

impl Receiver {
    /// The receiver that stands for a whole notifier: its recipient is empty.
    #[must_use]
    pub fn whole_notifier(notifier: &NotifierName) -> Self {
        Self { notifier: notifier.clone(), recipient: String::new() }
    }

    /// The mail address; `None` for notifiers that have one receiver.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        Some(self.recipient.as_str()).filter(|recipient| !recipient.is_empty())
    }
}

impl fmt::Display for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.recipient.as_str() {
            "" => write!(f, "{}", self.notifier),
            recipient => write!(f, "{} ({recipient})", self.notifier),
        }
    }
}
