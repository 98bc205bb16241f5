//! The outbox: one turn of it, in one transaction: what came of attempts, and the leases of what is due.

mod finish;
mod lease;

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use self::finish::record;
pub(super) use self::lease::lease_due;
use super::column::{from_millis, millis};
use super::{Finish, Holdings, Lease, Render, Standing, Store, StoreError};
use crate::alert::breaker::{self, Health, Room};
use crate::story::NotifierName;

/// What a turn of the outbox came to.
#[derive(Clone, Debug)]
pub struct Turn {
    /// What may be sent now, oldest first for each notifier.
    pub leases: Vec<Lease>,
    /// When the next message is due that a notifier with room can be sent; `None`: none waits.
    pub next: Option<Timestamp>,
    /// How the receivers stand.
    pub standing: Standing,
}

impl Store {
    /// Records what came of attempts, and then leases what is due, as much as every notifier in `busy` has room for besides what it is being sent: all of
    /// it is committed before this returns.
    ///
    /// - An attempt whose lease is over ends nothing. A payload of which nothing can have arrived is frozen no more. After a success, what the same notifier
    ///   could not deliver because it was not reached is due at once, and all of it if it had failed so often that it was only probed.
    /// - Lease, attempt and, at the first lease, the frozen payload are written. While a notifier is away, what is late becomes a digest first, and all are
    ///   for the recipient that was longest not tried. A message that `render` refuses becomes dead, and is not among them.
    pub async fn turn(
        &self,
        run: i64,
        ended: Vec<(Lease, Finish)>,
        busy: BTreeMap<NotifierName, u32>,
        now: Timestamp,
        render: Render,
    ) -> Result<Turn, StoreError> {
        self.write(move |conn| Box::pin(turn(conn, run, ended, busy, now, render))).await
    }

    /// Messages not sent and not dead, held ones too, but for digests that still gather at `now`: what `run --once` must not leave behind.
    pub async fn undelivered(&self, now: Timestamp) -> Result<i64, StoreError> {
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
    pub async fn holdings(&self) -> Result<Holdings, StoreError> {
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
    mut busy: BTreeMap<NotifierName, u32>,
    now: Timestamp,
    render: Render,
) -> Result<Turn, sqlx::Error> {
    let standing = record(conn, run, &ended, now).await?;
    let mut leases = Vec::new();
    for Open { notifier, due, free } in open(conn, &busy, &standing.away, now).await? {
        if due <= now {
            let begun = lease_due(conn, run, (&notifier, standing.away.get(&notifier)), free, now, &render).await?;
            *busy.entry(notifier).or_default() += u32::try_from(begun.len()).unwrap_or(free);
            leases.extend(begun);
        }
    }
    let next = open(conn, &busy, &standing.away, now).await?.iter().map(|open| open.due).min();
    Ok(Turn { leases, next, standing })
}

/// A notifier for which a message waits, and that has room for it.
struct Open {
    notifier: NotifierName,
    /// When it may be sent the first of what waits.
    due: Timestamp,
    /// How much it may be sent besides what it is being sent.
    free: u32,
}

/// Those of the notifiers in `busy` that have room for something that waits.
async fn open(
    conn: &mut SqliteConnection,
    busy: &BTreeMap<NotifierName, u32>,
    away: &BTreeMap<NotifierName, Health>,
    now: Timestamp,
) -> Result<Vec<Open>, sqlx::Error> {
    let mut all = Vec::new();
    for (notifier, due) in next_due(conn).await? {
        let Some(busy) = busy.get(&notifier) else { continue };
        let (most, due) = match breaker::room(away.get(&notifier), now) {
            Room::All => (breaker::AT_ONCE, due),
            Room::Probe => (1, due),
            Room::NotBefore(at) => (1, due.max(at)),
        };
        if let Some(free) = most.checked_sub(*busy).filter(|free| *free > 0) {
            all.push(Open { notifier, due, free });
        }
    }
    Ok(all)
}

/// When the next pending message of each notifier is due.
pub(super) async fn next_due(conn: &mut SqliteConnection) -> Result<Vec<(NotifierName, Timestamp)>, sqlx::Error> {
    // From one notifier to the next by the index: to group them, every row of a backlog would be read at every turn.
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "WITH RECURSIVE waiting (name) AS (
             SELECT min(notifier) FROM message WHERE state = 'pending'
             UNION ALL
             SELECT (SELECT min(notifier) FROM message WHERE state = 'pending' AND notifier > name)
             FROM waiting WHERE name IS NOT NULL)
         SELECT name, (SELECT min(due) FROM message WHERE state = 'pending' AND notifier = name)
         FROM waiting WHERE name IS NOT NULL",
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|(notifier, due)| Ok((NotifierName(notifier), from_millis(due)?))).collect()
}

#[cfg(test)]
mod tests;
