//! The outbox: one turn records the results of attempts and leases due messages, in one
//! transaction.

mod finish;
mod lease;
mod prepare;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use self::finish::record_outcomes;
pub(super) use self::lease::lease_due;
pub use self::prepare::{OpenContent, OpenMessage, Preparation, PreparedMessage, PreparedMessages};
use super::column::{from_millis, to_millis};
use super::dialect::sql;
use super::{Holdings, Lease, Store, StoreError};
use crate::alerts::Receiver;
use crate::alerts::receiver_health::ReceiverHealth;
use crate::alerts::retry::Finish;
use crate::alerts::send_queue::{PendingByRecipient, PendingMessage, Room, SendQueue, Sending};
use crate::store::db::{self, DbConnection, StatementPlace};
use tidings_rules::story::NotifierName;

/// The result of a turn of the outbox.
#[derive(Clone, Debug, Default)]
pub struct OutboxTurn {
    /// The messages to send now, oldest first for each notifier.
    pub leases: Vec<Lease>,
    /// Messages that are sent as soon as they are prepared: they are not in `prepared`, or have
    /// changed since.
    pub unprepared: Vec<i64>,
    /// Messages that became dead because they cannot be rendered: their receivers, and why.
    pub unrenderable: Vec<(Receiver, String)>,
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
        self.writer
            .write(move |conn| {
                Box::pin(async move { run_turn(conn, run, ended, sending, now, &prepared).await })
            })
            .await
    }

    /// Counts messages that are not sent and not dead, held ones too, without digests that still
    /// gather at `now`: `run --once` reports them.
    pub async fn count_undelivered(&self, now: Timestamp) -> Result<i64, StoreError> {
        let undelivered = db::query_scalar(
            "SELECT count(*) FROM message
             WHERE status <> 'sent' AND status IN ('pending', 'leased', 'held') AND NOT (digest IS NOT NULL AND payload IS NULL AND due > $1)",
        )
        .bind(to_millis(now))
        .fetch_one(&self.readers)
        .await?;
        Ok(undelivered)
    }

    /// What the store holds.
    pub async fn count_holdings(&self) -> Result<Holdings, StoreError> {
        Ok(read_holdings(&self.readers).await?)
    }
}

/// What a store holds.
pub(super) async fn read_holdings<'e>(
    store: impl Into<StatementPlace<'e>>,
) -> Result<Holdings, sqlx::Error> {
    let (stories, alerts, waiting, dead) = db::query_as(
        "SELECT (SELECT count(*) FROM story), (SELECT count(*) FROM alert),
                (SELECT count(*) FROM message WHERE status <> 'sent' AND status IN ('pending', 'leased', 'held')),
                (SELECT count(*) FROM message WHERE status <> 'sent' AND status = 'dead')",
    )
    .fetch_one(store)
    .await?;
    Ok(Holdings { stories, alerts, waiting, dead })
}

async fn run_turn(
    conn: &mut DbConnection<'_>,
    run: i64,
    ended: Vec<(Lease, Finish)>,
    sending: BTreeMap<NotifierName, Sending>,
    now: Timestamp,
    prepared: &PreparedMessages,
) -> Result<OutboxTurn, sqlx::Error> {
    let receiver_health = record_outcomes(conn, run, &ended, now).await?;
    let away = receiver_health.away.clone();
    let mut turn = OutboxTurn { receiver_health, ..OutboxTurn::default() };
    for (notifier, sending) in &sending {
        let Some(room) = Room::of_notifier(notifier, sending, &away, now) else { continue };
        let pending = read_first_messages(conn, notifier, room.pending_needed()).await?;
        let queue = SendQueue::new(notifier, room, sending, pending, &away, now);
        lease_due(conn, run, queue, prepared, now, &mut turn).await?;
    }
    Ok(turn)
}

/// The first `most` pending messages of each recipient of `notifier`, in the order in which they
/// are due.
pub(super) async fn read_first_messages(
    conn: &mut DbConnection<'_>,
    notifier: &NotifierName,
    most: u32,
) -> Result<PendingByRecipient, sqlx::Error> {
    // The index leads from one recipient to the next. GROUP BY would read every row of a backlog at
    // every turn. SQLite would prepare a plain `LIMIT $2` anew at every turn.
    let rows: Vec<(String, i64, i64)> = db::query_as(sql!(
        "WITH RECURSIVE waiting (name) AS (
             SELECT min(recipient) FROM message WHERE status = 'pending' AND notifier = $1
             UNION ALL
             SELECT (SELECT min(recipient) FROM message WHERE status = 'pending' AND notifier = $1 AND recipient > name)
             FROM waiting WHERE name IS NOT NULL)
         SELECT waiting.name, message.due, message.id FROM waiting ",
        either!("JOIN message ON message.id IN (SELECT first.id", "CROSS JOIN LATERAL (SELECT first.*"),
        " FROM message AS first
              WHERE first.status = 'pending' AND first.notifier = $1 AND first.recipient = waiting.name
              ORDER BY first.due, first.id LIMIT $2 + 0)",
        either!("", " AS message"),
        " ORDER BY message.due, message.id"
    ))
    .bind(&notifier.0)
    .bind(i64::from(most))
    .fetch_all(conn)
    .await?;
    let mut first = PendingByRecipient::new();
    for (recipient, due, message) in rows {
        let due = from_millis(due)?;
        first.entry(recipient).or_default().push(PendingMessage { due, message });
    }
    Ok(first)
}

#[cfg(test)]
mod tests;
