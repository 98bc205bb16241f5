//! The life of a message, from the alert that makes it to its last attempt.

use self::MessageStatus::{Dead, Held, Leased, Pending, Sent};
use self::PayloadChange::{Frozen, Kept, Opened};
use std::fmt;

use serde::Serialize;

/// The status of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageStatus {
    /// It waits until it is due. Its payload may be open: then later alerts of its event join it.
    Pending,
    /// An attempt is in flight. Its payload is frozen.
    Leased,
    /// Its receiver took it.
    Sent,
    /// It was given up.
    Dead,
    /// Its receiver is not in the configuration.
    Held,
}

/// What happens to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageEvent {
    /// It is due, its receiver has room, and its payload is ready.
    Leased,
    /// It is due, and its payload cannot be made.
    Unrenderable,
    /// Its receiver took it.
    Delivered,
    /// Its receiver refused it for good, or it was tried too often.
    Refused,
    /// The attempt failed, and the message is tried again.
    Retried {
        /// Whether an attempt may have delivered it, this one or one before.
        may_have_arrived: bool,
    },
    /// Its receiver refused it as too large, and it is a digest of several alerts.
    Halved,
    /// The run that leased it has ended, and the attempt with it.
    RunEnded,
    /// A run begins, and its receiver is not in the configuration.
    ReceiverLeft,
    /// A run begins, and its receiver is in the configuration.
    ReceiverKnown,
    /// A person asks for it to be sent again.
    SentAgain {
        /// Whether its receiver is in the configuration.
        is_known: bool,
    },
}

/// What becomes of the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PayloadChange {
    /// It stays as it is.
    Kept,
    /// Its bytes are frozen: every attempt from now on sends the same ones.
    Frozen,
    /// It is open again, and is made anew at the next lease. No attempt can have delivered it.
    Opened,
}

/// What follows from an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageTransition {
    /// The status that follows.
    pub status: MessageStatus,
    /// What becomes of the payload.
    pub payload: PayloadChange,
}

/// What follows when `event` happens to a message with that status; `None` if nothing does.
///
/// - A frozen payload stays the same, under the same id, as long as an attempt may have delivered
///   it.
/// - A message in flight stays in flight when its receiver leaves the configuration: the attempt
///   decides. If it is to be tried again, the next run holds it.
/// - A message that was sent never changes.
#[must_use]
pub fn next(status: MessageStatus, event: MessageEvent) -> Option<MessageTransition> {
    let (status, payload) = match (status, event) {
        (Pending, MessageEvent::Leased) => (Leased, Frozen),
        (Pending, MessageEvent::Unrenderable) => (Dead, Kept),
        (Leased, MessageEvent::Delivered) => (Sent, Kept),
        (Leased, MessageEvent::Refused) => (Dead, Kept),
        (Leased, MessageEvent::Retried { may_have_arrived: true } | MessageEvent::RunEnded) => {
            (Pending, Kept)
        }
        (Leased, MessageEvent::Retried { may_have_arrived: false } | MessageEvent::Halved) => {
            (Pending, Opened)
        }
        (Pending, MessageEvent::ReceiverLeft) => (Held, Kept),
        (Held, MessageEvent::ReceiverKnown) => (Pending, Kept),
        (Dead, MessageEvent::SentAgain { is_known: true }) => (Pending, Kept),
        (Dead, MessageEvent::SentAgain { is_known: false }) => (Held, Kept),
        _ => return None,
    };
    Some(MessageTransition { status, payload })
}

/// Whether a later alert of the event may join a message to the same receiver. After the first
/// lease, it makes the next message of the event. A copy whose rule has notified of the event
/// already makes none.
#[must_use]
pub fn takes_alerts(status: MessageStatus, is_frozen: bool) -> bool {
    status == Pending && !is_frozen
}

impl MessageStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [Pending, Leased, Sent, Dead, Held];

    /// Its word, in the store and for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Pending => "pending",
            Leased => "leased",
            Sent => "sent",
            Dead => "dead",
            Held => "held",
        }
    }
}

impl fmt::Display for MessageStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
