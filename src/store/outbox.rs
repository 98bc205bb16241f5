//! The outbox: one turn records the results of attempts and leases due messages, in one
//! transaction.

mod finish;
mod lease;
mod prepare;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use self::finish::record_outcomes;
#[cfg(test)]
pub(super) use self::lease::LeasedMessages;
pub(super) use self::lease::lease_due;
pub use self::prepare::{OpenContent, OpenMessage, Preparation, PreparedMessage, PreparedMessages};
use super::column::{from_millis, to_millis};
use super::health::whole_notifier;
use super::{Holdings, Lease, ReceiverHealth, Store, StoreError};
use crate::alerts::Receiver;
use crate::alerts::breaker;
use crate::alerts::breaker::{NotifierHealth, SendAllowance};
use crate::alerts::retry::Finish;
use tidings_rules::story::NotifierName;

/// The messages in flight to a notifier, and how many there may be.
#[derive(Clone, Debug, Default)]
pub struct Sending {
    /// How many messages may be in flight.
    pub at_once: u32,
    /// How many are, by recipient.
    pub in_flight: BTreeMap<String, u32>,
}

/// The result of a turn of the outbox.
#[derive(Clone, Debug)]
pub struct OutboxTurn {
    /// The messages to send now, oldest first for each notifier.
    pub leases: Vec<Lease>,
    /// Messages that are sent as soon as they are prepared: they are not in `prepared`, or have
    /// changed since.
    pub unprepared: Vec<i64>,
    /// When the next message is due that a notifier with room can be sent; `None`: none waits.
    pub next_due: Option<Timestamp>,
    /// The health of all receivers.
    pub receiver_health: ReceiverHealth,
}

impl Store {
    /// Records the results of attempts, and then leases due messages, as many as every notifier in
    /// `sending` has room for besides those in flight. All of it is committed before this returns.
    ///
    /// - An attempt whose lease is over changes nothing. A payload that no attempt can have
    ///   delivered is made anew. After the first success of a receiver that was only probed,
    ///   messages that back off for long are due within minutes.
    /// - Lease, attempt and, at the first lease, the frozen payload are written. While a receiver
    ///   is away, late messages become a digest first; while a whole notifier is away, the
    ///   recipient whose last attempt is oldest is probed.
    /// - A payload is frozen if it was made from the revision that the message still has. An open
    ///   message without such a payload is listed as unprepared.
    pub async fn outbox_turn(
        &self,
        run: i64,
        ended: Vec<(Lease, Finish)>,
        sending: BTreeMap<NotifierName, Sending>,
        now: Timestamp,
        prepared: Arc<PreparedMessages>,
    ) -> Result<OutboxTurn, StoreError> {
        self.write(move |conn| {
            Box::pin(async move { run_turn(conn, run, ended, sending, now, &prepared).await })
        })
        .await
    }

    /// Counts messages that are not sent and not dead, held ones too, without digests that still
    /// gather at `now`: `run --once` reports them.
    pub async fn count_undelivered(&self, now: Timestamp) -> Result<i64, StoreError> {
        let undelivered = sqlx::query_scalar(
            "SELECT count(*) FROM message
             WHERE status IN ('pending', 'leased', 'held') AND NOT (digest IS NOT NULL AND payload IS NULL AND due > $1)",
        )
        .bind(to_millis(now))
        .fetch_one(&self.readers)
        .await?;
        Ok(undelivered)
    }

    /// What the store holds.
    pub async fn count_holdings(&self) -> Result<Holdings, StoreError> {
        let (stories, alerts, waiting, dead) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM story), (SELECT count(*) FROM alert),
                    (SELECT count(*) FROM message WHERE status IN ('pending', 'leased', 'held')),
                    (SELECT count(*) FROM message WHERE status = 'dead')",
        )
        .fetch_one(&self.readers)
        .await?;
        Ok(Holdings { stories, alerts, waiting, dead })
    }
}

async fn run_turn(
    conn: &mut SqliteConnection,
    run: i64,
    ended: Vec<(Lease, Finish)>,
    sending: BTreeMap<NotifierName, Sending>,
    now: Timestamp,
    prepared: &PreparedMessages,
) -> Result<OutboxTurn, sqlx::Error> {
    let receiver_health = record_outcomes(conn, run, &ended, now).await?;
    let away = &receiver_health.away;
    let (mut leases, mut unprepared, mut next_due) = (Vec::new(), Vec::new(), None);
    for (notifier, sending) in &sending {
        let Some(mut open) = OpenNotifier::read(conn, notifier, sending, away, now).await? else {
            continue;
        };
        let begun = lease_due(conn, run, &mut open, away, now, prepared).await?;
        leases.extend(begun.leases);
        unprepared.extend(begun.unprepared);
        next_due = [next_due, begun.next_due].into_iter().flatten().min();
    }
    Ok(OutboxTurn { leases, unprepared, next_due, receiver_health })
}

/// A notifier that has room.
pub(super) struct OpenNotifier {
    pub(super) notifier: NotifierName,
    /// How many more messages it may be sent; at least one.
    pub(super) free: u32,
    /// Its recipients with a pending message that have room.
    pub(super) waiting: Vec<WaitingRecipient>,
}

/// A recipient with a pending message, and room for it.
pub(super) struct WaitingRecipient {
    pub(super) recipient: String,
    /// It is sent nothing before.
    pub(super) from: Timestamp,
    /// How many more messages it may be sent; at least one.
    pub(super) free: u32,
    /// The first of its pending messages, in the order in which they are due: one more than the
    /// notifier has room for.
    pub(super) messages: Vec<PendingMessage>,
}

/// A pending message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PendingMessage {
    pub(super) due: Timestamp,
    pub(super) message: i64,
}

impl WaitingRecipient {
    /// When it may be sent its first message.
    fn next_due(&self) -> Option<Timestamp> {
        self.messages.first().map(|first| first.due.max(self.from))
    }

    /// Whether it may be sent a message at `now`.
    fn is_due(&self, now: Timestamp) -> bool {
        self.next_due().is_some_and(|due| due <= now)
    }
}

impl OpenNotifier {
    /// The notifier with its pending messages; `None` if it has no room.
    async fn read(
        conn: &mut SqliteConnection,
        notifier: &NotifierName,
        sending: &Sending,
        away: &BTreeMap<Receiver, NotifierHealth>,
        now: Timestamp,
    ) -> Result<Option<Self>, sqlx::Error> {
        let Sending { at_once, in_flight } = sending;
        let (most, from) = send_limits(away.get(&whole_notifier(notifier)), *at_once, now);
        let Some(free) = most.checked_sub(in_flight.values().sum()).filter(|free| *free > 0) else {
            return Ok(None);
        };
        let mut waiting = Vec::new();
        for (recipient, messages) in read_first_messages(conn, notifier, free + 1).await? {
            let receiver = Receiver { notifier: notifier.clone(), recipient };
            let (most, own_from) = send_limits(away.get(&receiver), *at_once, now);
            let own_in_flight = in_flight.get(&receiver.recipient).copied().unwrap_or_default();
            if let Some(own) = most.checked_sub(own_in_flight).filter(|own| *own > 0) {
                let (recipient, from) = (receiver.recipient, from.max(own_from));
                waiting.push(WaitingRecipient { recipient, from, free: own.min(free), messages });
            }
        }
        Ok(Some(Self { notifier: notifier.clone(), free, waiting }))
    }

    /// Reads the pending messages again.
    async fn refresh(&mut self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let mut first = read_first_messages(conn, &self.notifier, self.free + 1).await?;
        for one in &mut self.waiting {
            one.messages = first.remove(&one.recipient).unwrap_or_default();
        }
        Ok(())
    }

    /// When the next message is due, after so many were leased to each recipient and without the
    /// messages in `settled`, which are leased or dead. `None`: none waits, or there is no room.
    fn next_due(&self, leased: &BTreeMap<&str, u32>, settled: &BTreeSet<i64>) -> Option<Timestamp> {
        if leased.values().sum::<u32>() >= self.free {
            return None;
        }
        let waiting = self.waiting.iter().filter(|one| {
            leased.get(one.recipient.as_str()).is_none_or(|leased| *leased < one.free)
        });
        let due = waiting.filter_map(|one| {
            let next = one.messages.iter().find(|next| !settled.contains(&next.message))?;
            Some(next.due.max(one.from))
        });
        due.min()
    }
}

/// How many messages a receiver with that health may be sent at once, and from when on.
fn send_limits(health: Option<&NotifierHealth>, at_once: u32, now: Timestamp) -> (u32, Timestamp) {
    match breaker::allowance(health, now) {
        SendAllowance::All => (at_once, Timestamp::MIN),
        SendAllowance::Probe => (1, Timestamp::MIN),
        SendAllowance::NotBefore(at) => (1, at),
    }
}

/// The first `most` pending messages of each recipient of `notifier`, in the order in which they
/// are due.
pub(super) async fn read_first_messages(
    conn: &mut SqliteConnection,
    notifier: &NotifierName,
    most: u32,
) -> Result<BTreeMap<String, Vec<PendingMessage>>, sqlx::Error> {
    // LOCK: a second writer needs FOR UPDATE here, or an alert joins a message that is being
    // frozen.
    // The index leads from one recipient to the next. GROUP BY would read every row of a backlog at
    // every turn. SQLite would prepare a plain `LIMIT $2` anew at every turn.
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "WITH RECURSIVE waiting (name) AS (
             SELECT min(recipient) FROM message WHERE status = 'pending' AND notifier = $1
             UNION ALL
             SELECT (SELECT min(recipient) FROM message WHERE status = 'pending' AND notifier = $1 AND recipient > name)
             FROM waiting WHERE name IS NOT NULL)
         SELECT waiting.name, message.due, message.id FROM waiting JOIN message ON message.id IN
             (SELECT first.id FROM message AS first
              WHERE first.status = 'pending' AND first.notifier = $1 AND first.recipient = waiting.name
              ORDER BY first.due, first.id LIMIT $2 + 0)
         ORDER BY message.due, message.id",
    )
    .bind(&notifier.0)
    .bind(most)
    .fetch_all(conn)
    .await?;
    let mut first: BTreeMap<String, Vec<PendingMessage>> = BTreeMap::new();
    for (recipient, due, message) in rows {
        let due = from_millis(due)?;
        first.entry(recipient).or_default().push(PendingMessage { due, message });
    }
    Ok(first)
}

#[cfg(test)]
mod tests;
