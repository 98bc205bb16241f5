//! The outbox: one turn of it, in one transaction: what came of attempts, and the leases of what is
//! due.

mod finish;
mod lease;

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use self::finish::record;
pub(super) use self::lease::lease_due;
use super::column::{from_millis, millis};
use super::health::whole;
use super::{Finish, Holdings, Lease, ReceiverHealth, Render, Store, StoreError};
use crate::alerts::Receiver;
use crate::alerts::breaker;
use crate::alerts::breaker::{NotifierHealth, SendAllowance};
use tidings_rules::story::NotifierName;

/// What a notifier is being sent, and how much it may be.
#[derive(Clone, Debug, Default)]
pub struct Sending {
    /// How many messages may be under way.
    pub at_once: u32,
    /// How many are, by recipient.
    pub in_flight: BTreeMap<String, u32>,
}

/// What a turn of the outbox came to.
#[derive(Clone, Debug)]
pub struct OutboxTurn {
    /// What may be sent now, oldest first for each notifier.
    pub leases: Vec<Lease>,
    /// When the next message is due that a notifier with room can be sent; `None`: none waits.
    pub next: Option<Timestamp>,
    /// How the receivers stand.
    pub receiver_health: ReceiverHealth,
}

impl Store {
    /// Records what came of attempts, and then leases what is due, as much as every notifier in
    /// `sending` has room for besides what it is being sent: all of it is committed before this
    /// returns.
    ///
    /// - An attempt whose lease is over ends nothing. A payload of which nothing can have arrived
    ///   is frozen no more. After the first success of a receiver that was only probed, what backs
    ///   off for long is due within minutes.
    /// - Lease, attempt and, at the first lease, the frozen payload are written. While a receiver
    ///   is away, what is late becomes a digest first; while a whole notifier is, the recipient
    ///   that was longest not tried is probed. A message that `render` refuses becomes dead, and is
    ///   not among them.
    pub async fn outbox_turn(
        &self,
        run: i64,
        ended: Vec<(Lease, Finish)>,
        sending: BTreeMap<NotifierName, Sending>,
        now: Timestamp,
        render: Render,
    ) -> Result<OutboxTurn, StoreError> {
        self.write(move |conn| Box::pin(turn(conn, run, ended, sending, now, render))).await
    }

    /// Messages not sent and not dead, held ones too, but for digests that still gather at `now`:
    /// what `run --once` must not leave behind.
    pub async fn count_undelivered(&self, now: Timestamp) -> Result<i64, StoreError> {
        let undelivered = sqlx::query_scalar(
            "SELECT count(*) FROM message
             WHERE state IN ('pending', 'leased', 'held') AND NOT (digest IS NOT NULL AND payload IS NULL AND due > $1)",
        )
        .bind(millis(now))
        .fetch_one(&self.readers)
        .await?;
        Ok(undelivered)
    }

    /// What the store holds.
    pub async fn count_holdings(&self) -> Result<Holdings, StoreError> {
        let (stories, alerts, waiting, dead) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM story), (SELECT count(*) FROM alert),
                    (SELECT count(*) FROM message WHERE state IN ('pending', 'leased', 'held')),
                    (SELECT count(*) FROM message WHERE state = 'dead')",
        )
        .fetch_one(&self.readers)
        .await?;
        Ok(Holdings { stories, alerts, waiting, dead })
    }
}

async fn turn(
    conn: &mut SqliteConnection,
    run: i64,
    ended: Vec<(Lease, Finish)>,
    mut sending: BTreeMap<NotifierName, Sending>,
    now: Timestamp,
    render: Render,
) -> Result<OutboxTurn, sqlx::Error> {
    let standing = record(conn, run, &ended, now).await?;
    let mut leases = Vec::new();
    for open in open(conn, &sending, &standing.away, now).await? {
        let begun = lease_due(conn, run, &open, &standing.away, now, &render).await?;
        for lease in &begun {
            let sending = sending.entry(open.notifier.clone()).or_default();
            *sending.in_flight.entry(lease.receiver.recipient.clone()).or_default() += 1;
        }
        leases.extend(begun);
    }
    let open = open(conn, &sending, &standing.away, now).await?;
    let next = open.iter().flat_map(|open| &open.waiting).map(|waiting| waiting.due).min();
    Ok(OutboxTurn { leases, next, receiver_health: standing })
}

/// A notifier that has room.
pub(super) struct OpenNotifier {
    pub(super) notifier: NotifierName,
    /// How much it may be sent besides what it is being sent; at least one.
    pub(super) free: u32,
    /// Its recipients for whom a message waits and that have room.
    pub(super) waiting: Vec<WaitingRecipient>,
}

/// A recipient for whom a message waits, and that has room for it.
pub(super) struct WaitingRecipient {
    pub(super) recipient: String,
    /// When it may be sent the first of what waits.
    pub(super) due: Timestamp,
    /// How much it may be sent besides what it is being sent; at least one.
    pub(super) free: u32,
}

/// Those of the notifiers in `sending` that have room, with what waits for them.
async fn open(
    conn: &mut SqliteConnection,
    sending: &BTreeMap<NotifierName, Sending>,
    away: &BTreeMap<Receiver, NotifierHealth>,
    now: Timestamp,
) -> Result<Vec<OpenNotifier>, sqlx::Error> {
    let mut all = Vec::new();
    for (notifier, Sending { at_once, in_flight: to }) in sending {
        let (most, from) = limits(away.get(&whole(notifier)), *at_once, now);
        let Some(free) = most.checked_sub(to.values().sum()).filter(|free| *free > 0) else {
            continue;
        };
        let mut waiting = Vec::new();
        for (recipient, due) in next_due(conn, notifier).await? {
            let receiver = Receiver { notifier: notifier.clone(), recipient };
            let (most, own_from) = limits(away.get(&receiver), *at_once, now);
            let is_sent = to.get(&receiver.recipient).copied().unwrap_or_default();
            if let Some(own) = most.checked_sub(is_sent).filter(|own| *own > 0) {
                let due = due.max(from).max(own_from);
                waiting.push(WaitingRecipient {
                    recipient: receiver.recipient,
                    due,
                    free: own.min(free),
                });
            }
        }
        all.push(OpenNotifier { notifier: notifier.clone(), free, waiting });
    }
    Ok(all)
}

/// How much a receiver in that state may be sent at once, and from when on.
fn limits(health: Option<&NotifierHealth>, at_once: u32, now: Timestamp) -> (u32, Timestamp) {
    match breaker::room(health, now) {
        SendAllowance::All => (at_once, Timestamp::MIN),
        SendAllowance::Probe => (1, Timestamp::MIN),
        SendAllowance::NotBefore(at) => (1, at),
    }
}

/// When the next pending message of each recipient of `notifier` is due.
pub(super) async fn next_due(
    conn: &mut SqliteConnection,
    notifier: &NotifierName,
) -> Result<Vec<(String, Timestamp)>, sqlx::Error> {
    // From one recipient to the next by the index: to group them, every row of a backlog would be
    // read at every turn.
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "WITH RECURSIVE waiting (name) AS (
             SELECT min(recipient) FROM message WHERE state = 'pending' AND notifier = $1
             UNION ALL
             SELECT (SELECT min(recipient) FROM message WHERE state = 'pending' AND notifier = $1 AND recipient > name)
             FROM waiting WHERE name IS NOT NULL)
         SELECT name, (SELECT min(due) FROM message WHERE state = 'pending' AND notifier = $1 AND recipient = name)
         FROM waiting WHERE name IS NOT NULL",
    )
    .bind(&notifier.0)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|(recipient, due)| Ok((recipient, from_millis(due)?))).collect()
}

#[cfg(test)]
mod tests;
