//! The life of a message, from the alert that makes it to its last attempt.

use self::MessageStatus::{Dead, Dropped, Held, Leased, Pending, Sent};
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
    /// It was given up. It is kept, and can be sent again.
    Dead,
    /// Its receiver is not in the configuration.
    Held,
    /// It was given up and a person wants it no more, or it was withdrawn. It is never sent.
    Dropped,
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
    /// A run or a changed configuration begins, and its receiver is not in the configuration.
    ReceiverLeft,
    /// A run or a changed configuration begins, and its receiver is in the configuration.
    ReceiverKnown,
    /// A person asks for it to be sent again.
    SentAgain {
        /// Whether its receiver is in the configuration.
        is_known: bool,
    },
    /// A person wants it no more.
    Dropped,
    /// It tells an absence that ended before any attempt.
    Withdrawn,
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
///   decides. If it is to be tried again, it is held within a minute.
/// - A message that was sent or dropped never changes.
#[must_use]
#[expect(clippy::match_same_arms, reason = "a line of the table is one way of a message")]
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
        (Dead, MessageEvent::Dropped) => (Dropped, Kept),
        (Pending | Held, MessageEvent::Withdrawn) => (Dropped, Kept),
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

/// The statuses that `event` moves, each with what follows.
pub fn moves(event: MessageEvent) -> impl Iterator<Item = (MessageStatus, MessageTransition)> {
    MessageStatus::ALL.into_iter().filter_map(move |status| Some((status, next(status, event)?)))
}

impl MessageStatus {
    /// Every status.
    pub const ALL: [Self; 6] = [Pending, Leased, Sent, Dead, Held, Dropped];

    /// Its word, in the store and for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Pending => "pending",
            Leased => "leased",
            Sent => "sent",
            Dead => "dead",
            Held => "held",
            Dropped => "dropped",
        }
    }

    /// The status of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

impl fmt::Display for MessageStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AttemptOutcome {
    /// The receiver took the message.
    Sent,
    /// It failed, and is repeated. The message may have arrived.
    Again,
    /// It did not reach the receiver, and is repeated.
    Unreached,
    /// The message was given up.
    Dead,
    /// Its run ended before the attempt did. The message may have arrived.
    Unknown,
}

impl AttemptOutcome {
    /// Every outcome.
    pub const ALL: [Self; 5] =
        [Self::Sent, Self::Again, Self::Unreached, Self::Dead, Self::Unknown];

    /// Its word, in the store and for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Again => "again",
            Self::Unreached => "unreached",
            Self::Dead => "dead",
            Self::Unknown => "unknown",
        }
    }

    /// The outcome of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }

    /// Whether the message may have arrived with this attempt.
    #[must_use]
    pub fn may_have_arrived(self) -> bool {
        self != Self::Unreached
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::MessageEvent::{
        Delivered, Halved, ReceiverKnown, ReceiverLeft, Refused, Retried, RunEnded, SentAgain,
        Unrenderable,
    };
    use super::*;

    /// What follows for a message that is pending, leased, sent, dead, held or dropped, in
    /// this order.
    type Row = [Option<(MessageStatus, PayloadChange)>; 6];

    #[rstest]
    #[case::leased(MessageEvent::Leased, [Some((Leased, Frozen)), None, None, None, None, None])]
    #[case::unrenderable(Unrenderable, [Some((Dead, Kept)), None, None, None, None, None])]
    #[case::delivered(Delivered, [None, Some((Sent, Kept)), None, None, None, None])]
    #[case::refused(Refused, [None, Some((Dead, Kept)), None, None, None, None])]
    #[case::may_have_arrived(
        Retried { may_have_arrived: true },
        [None, Some((Pending, Kept)), None, None, None, None]
    )]
    #[case::has_not_arrived(
        Retried { may_have_arrived: false },
        [None, Some((Pending, Opened)), None, None, None, None]
    )]
    #[case::halved(Halved, [None, Some((Pending, Opened)), None, None, None, None])]
    #[case::run_ended(RunEnded, [None, Some((Pending, Kept)), None, None, None, None])]
    #[case::receiver_left(ReceiverLeft, [Some((Held, Kept)), None, None, None, None, None])]
    #[case::receiver_known(ReceiverKnown, [None, None, None, None, Some((Pending, Kept)), None])]
    #[case::sent_again(
        SentAgain { is_known: true },
        [None, None, None, Some((Pending, Kept)), None, None]
    )]
    #[case::sent_again_to_nobody(
        SentAgain { is_known: false },
        [None, None, None, Some((Held, Kept)), None, None]
    )]
    #[case::dropped(
        MessageEvent::Dropped,
        [None, None, None, Some((Dropped, Kept)), None, None]
    )]
    #[case::withdrawn(
        MessageEvent::Withdrawn,
        [Some((Dropped, Kept)), None, None, None, Some((Dropped, Kept)), None]
    )]
    fn every_event_moves_every_status_as_the_table_says(
        #[case] event: MessageEvent,
        #[case] expected: Row,
    ) {
        let statuses = [Pending, Leased, Sent, Dead, Held, Dropped];
        let found = statuses.map(|status| next(status, event));
        let pairs = found.map(|next| next.map(|next| (next.status, next.payload)));
        assert_eq!(pairs, expected);
        let moved: Vec<_> = moves(event).collect();
        let expected: Vec<_> =
            statuses.into_iter().zip(found).filter_map(|(from, to)| Some((from, to?))).collect();
        assert_eq!(moved, expected);
    }

    #[test]
    fn only_a_message_that_was_never_leased_takes_alerts() {
        for status in MessageStatus::ALL {
            assert_eq!(takes_alerts(status, false), status == Pending, "{status}");
            assert!(!takes_alerts(status, true), "{status}");
        }
    }

    #[test]
    fn words_lead_back_to_statuses_and_outcomes() {
        for status in MessageStatus::ALL {
            assert_eq!(MessageStatus::from_word(status.as_str()), Some(status));
        }
        for outcome in AttemptOutcome::ALL {
            assert_eq!(AttemptOutcome::from_word(outcome.as_str()), Some(outcome));
        }
        assert_eq!(MessageStatus::from_word("open"), None);
    }
}
