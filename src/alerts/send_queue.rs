//! Which pending messages of a notifier are sent next, and how many. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::alerts::Receiver;
use crate::alerts::breaker::{self, NotifierHealth, SendAllowance};
use tidings_rules::story::NotifierName;

/// The messages in flight to a notifier, and how many there may be.
#[derive(Clone, Debug, Default)]
pub struct Sending {
    /// How many messages may be in flight.
    pub at_once: u32,
    /// How many are, by recipient.
    pub in_flight: BTreeMap<String, u32>,
}

/// A pending message. The order is that in which messages are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PendingMessage {
    pub(crate) due: Timestamp,
    pub(crate) message: i64,
}

/// The first pending messages of each recipient of a notifier, in the order in which they are due.
pub(crate) type PendingByRecipient = BTreeMap<String, Vec<PendingMessage>>;

/// A notifier that may be sent more messages, and its recipients that may.
#[derive(Debug)]
pub(crate) struct SendQueue {
    pub(crate) notifier: NotifierName,
    room: Room,
    /// The whole notifier takes nothing: only one recipient is probed.
    is_away: bool,
    recipients: Vec<RecipientQueue>,
}

/// A recipient that may be sent more messages.
#[derive(Debug)]
struct RecipientQueue {
    recipient: String,
    /// It is sent nothing before.
    from: Timestamp,
    /// How many more messages it may be sent; at least one.
    free: u32,
    pending: Vec<PendingMessage>,
}

/// How many messages a notifier may be sent now, and from when on; at least one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    free: u32,
    from: Timestamp,
}

impl Room {
    /// The room of a notifier at `now`; `None` if it has none.
    pub(crate) fn of_notifier(
        notifier: &NotifierName,
        sending: &Sending,
        away: &BTreeMap<Receiver, NotifierHealth>,
        now: Timestamp,
    ) -> Option<Self> {
        let health = away.get(&Receiver::whole_notifier(notifier));
        Self::new(health, sending.at_once, sending.in_flight.values().sum(), now)
    }

    fn new(
        health: Option<&NotifierHealth>,
        at_once: u32,
        in_flight: u32,
        now: Timestamp,
    ) -> Option<Self> {
        let (most, from) = match breaker::allowance(health, now) {
            SendAllowance::All => (at_once, Timestamp::MIN),
            SendAllowance::Probe => (1, Timestamp::MIN),
            SendAllowance::NotBefore(at) => (1, at),
        };
        let free = most.checked_sub(in_flight).filter(|free| *free > 0)?;
        Some(Self { free, from })
    }

    /// How many pending messages of each recipient decide what is sent next: one more than may be
    /// sent, which is due next.
    pub(crate) fn pending_needed(self) -> u32 {
        self.free + 1
    }
}

impl SendQueue {
    /// The queue of a notifier with this `room` and these pending messages.
    pub(crate) fn new(
        notifier: &NotifierName,
        room: Room,
        sending: &Sending,
        pending: PendingByRecipient,
        away: &BTreeMap<Receiver, NotifierHealth>,
        now: Timestamp,
    ) -> Self {
        let queues = pending.into_iter().filter_map(|(recipient, pending)| {
            let in_flight = sending.in_flight.get(&recipient).copied().unwrap_or_default();
            let receiver = Receiver { notifier: notifier.clone(), recipient };
            let own = Room::new(away.get(&receiver), sending.at_once, in_flight, now)?;
            let (free, from) = (own.free.min(room.free), own.from.max(room.from));
            Some(RecipientQueue { recipient: receiver.recipient, from, free, pending })
        });
        let recipients = queues.collect();
        let whole = away.get(&Receiver::whole_notifier(notifier));
        let is_away = whole.is_some_and(NotifierHealth::is_open);
        Self { notifier: notifier.clone(), room, is_away, recipients }
    }

    /// Its receivers that may be sent more messages.
    pub(crate) fn receivers(&self) -> impl Iterator<Item = Receiver> {
        self.recipients.iter().map(|one| Receiver {
            notifier: self.notifier.clone(),
            recipient: one.recipient.clone(),
        })
    }

    /// Replaces the pending messages of its recipients.
    pub(crate) fn replace_pending(&mut self, mut pending: PendingByRecipient) {
        for one in &mut self.recipients {
            one.pending = pending.remove(&one.recipient).unwrap_or_default();
        }
    }

    /// As [`Room::pending_needed`].
    pub(crate) fn pending_needed(&self) -> u32 {
        self.room.pending_needed()
    }

    /// The recipients that may be sent a message at `now`.
    pub(crate) fn due_recipients(&self, now: Timestamp) -> Vec<&str> {
        self.due(now).map(|one| one.recipient.as_str()).collect()
    }

    /// Whether only one of several due recipients may be probed.
    pub(crate) fn probes_one(&self, now: Timestamp) -> bool {
        self.is_away && self.due(now).count() > 1
    }

    /// The messages to send at `now`, at most as many as there is room for: those that were due
    /// first. With `probed`, only messages to this recipient.
    pub(crate) fn choose(&self, probed: Option<&str>, now: Timestamp) -> Vec<i64> {
        let mut chosen: Vec<PendingMessage> = Vec::new();
        for one in self.due(now).filter(|one| probed.is_none_or(|probed| one.recipient == probed)) {
            let due = one.pending.iter().filter(|next| next.due <= now);
            chosen.extend(due.take(one.free as usize));
        }
        chosen.sort_unstable();
        chosen.truncate(self.room.free as usize);
        chosen.into_iter().map(|next| next.message).collect()
    }

    /// When the next message is due, after so many were leased to each recipient and without the
    /// messages in `settled`, which are leased or dead. `None`: none waits, or there is no room.
    pub(crate) fn next_due(
        &self,
        leased: &BTreeMap<&str, u32>,
        settled: &BTreeSet<i64>,
    ) -> Option<Timestamp> {
        if leased.values().sum::<u32>() >= self.room.free {
            return None;
        }
        let open = self.recipients.iter().filter(|one| {
            leased.get(one.recipient.as_str()).is_none_or(|leased| *leased < one.free)
        });
        let due = open.filter_map(|one| {
            let next = one.pending.iter().find(|next| !settled.contains(&next.message))?;
            Some(next.due.max(one.from))
        });
        due.min()
    }

    fn due(&self, now: Timestamp) -> impl Iterator<Item = &RecipientQueue> {
        self.recipients.iter().filter(move |one| {
            one.pending.first().is_some_and(|first| first.due.max(one.from) <= now)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::breaker::FailureCause;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn mail() -> NotifierName {
        NotifierName("mail".to_owned())
    }

    fn receiver(recipient: &str) -> Receiver {
        Receiver { notifier: mail(), recipient: recipient.to_owned() }
    }

    /// Messages that are due at these seconds, by recipient. A message's number is its second.
    fn pending(recipients: &[(&str, &[i64])]) -> PendingByRecipient {
        let messages = |due: &[i64]| {
            due.iter().map(|second| PendingMessage { due: at(*second), message: *second }).collect()
        };
        recipients.iter().map(|(name, due)| ((*name).to_owned(), messages(due))).collect()
    }

    /// A receiver after so many failures, the last at the second 0.
    fn failed(failures: u32) -> NotifierHealth {
        let cause = FailureCause::Unreached;
        let health = (0..failures)
            .fold(None, |before, _| Some(breaker::record_failure(before, cause, "", None, at(0))));
        health.expect("a failure")
    }

    /// The queue at the second 100, with `in_flight` messages to ana.
    fn queue(
        at_once: u32,
        in_flight: u32,
        away: &[(&str, NotifierHealth)],
        recipients: &[(&str, &[i64])],
    ) -> Option<SendQueue> {
        let sending = Sending { at_once, in_flight: [("ana".to_owned(), in_flight)].into() };
        let away = away.iter().map(|(name, health)| (receiver(name), health.clone())).collect();
        let room = Room::of_notifier(&mail(), &sending, &away, at(100))?;
        Some(SendQueue::new(&mail(), room, &sending, pending(recipients), &away, at(100)))
    }

    #[test]
    fn the_messages_that_were_due_first_are_sent_and_no_more_than_there_is_room_for() {
        let both: &[(&str, &[i64])] = &[("ana", &[3, 4, 101]), ("bob", &[1, 2, 9])];
        let chosen = |at_once, in_flight| {
            queue(at_once, in_flight, &[], both).map(|queue| queue.choose(None, at(100)))
        };
        assert_eq!(chosen(9, 0), Some(vec![1, 2, 3, 4, 9]));
        assert_eq!(chosen(3, 0), Some(vec![1, 2, 3]));
        assert_eq!(chosen(3, 2), Some(vec![1]));
        assert_eq!(chosen(3, 3), None);
    }

    #[test]
    fn a_recipient_that_is_away_is_probed_with_one_message_and_the_others_get_theirs() {
        let both: &[(&str, &[i64])] = &[("ana", &[1, 2]), ("bob", &[3, 4])];
        let probed = queue(9, 0, &[("ana", failed(5))], both).expect("room");
        assert_eq!(probed.choose(None, at(100)), [1, 3, 4]);
        let in_probe = queue(9, 1, &[("ana", failed(5))], both).expect("room");
        assert_eq!(in_probe.choose(None, at(100)), [3, 4]);
        let resting = NotifierHealth { rests_until: at(200), ..failed(5) };
        let rests = queue(9, 0, &[("ana", resting)], &[("ana", &[1])]).expect("room");
        assert_eq!(rests.due_recipients(at(100)), Vec::<&str>::new());
        assert_eq!(rests.next_due(&BTreeMap::new(), &BTreeSet::new()), Some(at(200)));
    }

    #[test]
    fn one_recipient_is_probed_while_the_whole_notifier_is_away() {
        let both: &[(&str, &[i64])] = &[("ana", &[1, 2]), ("bob", &[3, 4])];
        let away = queue(9, 0, &[("", failed(5))], both).expect("room");
        assert!(away.probes_one(at(100)));
        assert_eq!(away.choose(Some("bob"), at(100)), [3]);
        let alone = queue(9, 0, &[("", failed(5))], &both[..1]).expect("room");
        assert!(!alone.probes_one(at(100)));
        assert!(!queue(9, 0, &[], both).expect("room").probes_one(at(100)));
    }

    #[test]
    fn the_next_message_is_due_that_is_neither_leased_nor_dead_and_has_room() {
        let both: &[(&str, &[i64])] = &[("ana", &[1, 2, 150]), ("bob", &[3, 170])];
        let queue = queue(3, 1, &[], both).expect("room");
        let next = |leased: &[(&'static str, u32)], settled: &[i64]| {
            let leased = leased.iter().copied().collect();
            queue.next_due(&leased, &settled.iter().copied().collect())
        };
        assert_eq!(next(&[], &[]), Some(at(1)));
        assert_eq!(next(&[("ana", 1)], &[1]), Some(at(2)));
        assert_eq!(next(&[("bob", 1)], &[1, 2, 3]), Some(at(150)));
        assert_eq!(next(&[("ana", 2)], &[1, 2]), None);
    }

    #[test]
    fn pending_messages_can_be_replaced() {
        let mut queue = queue(9, 0, &[], &[("ana", &[1, 2]), ("bob", &[3])]).expect("room");
        queue.replace_pending(pending(&[("ana", &[7])]));
        assert_eq!(queue.choose(None, at(100)), [7]);
        assert_eq!(queue.due_recipients(at(100)), ["ana"]);
        assert_eq!(queue.receivers().collect::<Vec<_>>(), [receiver("ana"), receiver("bob")]);
    }
}
