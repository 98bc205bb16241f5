//! The outbox: one turn records the results of attempts and leases due messages, in one
//! transaction.

mod finish;
mod lease;

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use self::finish::record_outcomes;
pub(super) use self::lease::lease_due;
use super::column::{from_millis, to_millis};
use super::health::whole_notifier;
use super::{Finish, Holdings, Lease, ReceiverHealth, Render, Store, StoreError};
use crate::alerts::Receiver;
use crate::alerts::breaker;
use crate::alerts::breaker::{NotifierHealth, SendAllowance};
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
    ///   delivered is rendered anew. After the first success of a receiver that was only probed,
    ///   messages that back off for long are due within minutes.
    /// - Lease, attempt and, at the first lease, the frozen payload are written. While a receiver
    ///   is away, late messages become a digest first; while a whole notifier is away, the
    ///   recipient whose last attempt is oldest is probed. A message that `render` refuses becomes
    ///   dead.
    pub async fn outbox_turn(
        &self,
        run: i64,
        ended: Vec<(Lease, Finish)>,
        sending: BTreeMap<NotifierName, Sending>,
        now: Timestamp,
        render: Render,
    ) -> Result<OutboxTurn, StoreError> {
        self.write(move |conn| Box::pin(run_turn(conn, run, ended, sending, now, render))).await
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
    mut sending: BTreeMap<NotifierName, Sending>,
    now: Timestamp,
    render: Render,
) -> Result<OutboxTurn, sqlx::Error> {
    let health = record_outcomes(conn, run, &ended, now).await?;
    let mut leases = Vec::new();
    for open in list_notifiers_with_room(conn, &sending, &health.away, now).await? {
        let begun = lease_due(conn, run, &open, &health.away, now, &render).await?;
        for lease in &begun {
            let sending = sending.entry(open.notifier.clone()).or_default();
            *sending.in_flight.entry(lease.receiver.recipient.clone()).or_default() += 1;
        }
        leases.extend(begun);
    }
    let open = list_notifiers_with_room(conn, &sending, &health.away, now).await?;
    let next = open.iter().flat_map(|open| &open.waiting).map(|waiting| waiting.due).min();
    Ok(OutboxTurn { leases, next_due: next, receiver_health: health })
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
    /// When it may be sent the first of its pending messages.
    pub(super) due: Timestamp,
    /// How many more messages it may be sent; at least one.
    pub(super) free: u32,
}

/// The notifiers in `sending` that have room, with their pending messages.
async fn list_notifiers_with_room(
    conn: &mut SqliteConnection,
    sending: &BTreeMap<NotifierName, Sending>,
    away: &BTreeMap<Receiver, NotifierHealth>,
    now: Timestamp,
) -> Result<Vec<OpenNotifier>, sqlx::Error> {
    let mut all = Vec::new();
    for (notifier, Sending { at_once, in_flight }) in sending {
        let (most, from) = send_limits(away.get(&whole_notifier(notifier)), *at_once, now);
        let Some(free) = most.checked_sub(in_flight.values().sum()).filter(|free| *free > 0) else {
            continue;
        };
        let mut waiting = Vec::new();
        for (recipient, due) in read_next_due(conn, notifier).await? {
            let receiver = Receiver { notifier: notifier.clone(), recipient };
            let (most, own_from) = send_limits(away.get(&receiver), *at_once, now);
            let own_in_flight = in_flight.get(&receiver.recipient).copied().unwrap_or_default();
            if let Some(own) = most.checked_sub(own_in_flight).filter(|own| *own > 0) {
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

/// How many messages a receiver with that health may be sent at once, and from when on.
fn send_limits(health: Option<&NotifierHealth>, at_once: u32, now: Timestamp) -> (u32, Timestamp) {
    match breaker::allowance(health, now) {
        SendAllowance::All => (at_once, Timestamp::MIN),
        SendAllowance::Probe => (1, Timestamp::MIN),
        SendAllowance::NotBefore(at) => (1, at),
    }
}

/// When the next pending message of each recipient of `notifier` is due.
pub(super) async fn read_next_due(
    conn: &mut SqliteConnection,
    notifier: &NotifierName,
) -> Result<Vec<(String, Timestamp)>, sqlx::Error> {
    // The index leads from one recipient to the next. GROUP BY would read every row of a backlog at
    // every turn.
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "WITH RECURSIVE waiting (name) AS (
             SELECT min(recipient) FROM message WHERE status = 'pending' AND notifier = $1
             UNION ALL
             SELECT (SELECT min(recipient) FROM message WHERE status = 'pending' AND notifier = $1 AND recipient > name)
             FROM waiting WHERE name IS NOT NULL)
         SELECT name, (SELECT min(due) FROM message WHERE status = 'pending' AND notifier = $1 AND recipient = name)
         FROM waiting WHERE name IS NOT NULL",
    )
    .bind(&notifier.0)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|(recipient, due)| Ok((recipient, from_millis(due)?))).collect()
}

#[cfg(test)]
mod tests;
