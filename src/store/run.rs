//! The start of a run: what earlier runs left under way is opened again, and receivers that left the configuration are held.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::column::millis;
use super::{RunStart, Store, StoreError};
use crate::alert::Receiver;
use crate::story::NotifierName;

impl Store {
    /// Numbers this run, and opens older runs' leases at once, with the payload that they froze. Messages of receivers not in `receivers` become held,
    /// those of receivers that are back become pending again.
    pub async fn start_run(&self, receivers: &[Receiver], now: Timestamp) -> Result<RunStart, StoreError> {
        let receivers = receivers.iter().cloned().collect();
        self.write(move |conn| Box::pin(start(conn, receivers, now))).await
    }
}

async fn start(
    conn: &mut SqliteConnection,
    receivers: BTreeSet<Receiver>,
    now: Timestamp,
) -> Result<RunStart, sqlx::Error> {
    let run = sqlx::query_scalar("INSERT INTO run (started) VALUES ($1) RETURNING id")
        .bind(millis(now))
        .fetch_one(&mut *conn)
        .await?;
    let reclaimed = reclaim(conn, now).await?;
    let held = hold(conn, &receivers).await?;
    Ok(RunStart { run, reclaimed, held })
}

/// Opens every lease: whoever held one is gone.
async fn reclaim(conn: &mut SqliteConnection, now: Timestamp) -> Result<u64, sqlx::Error> {
    sqlx::query(
        "UPDATE attempt SET ended = $1, outcome = 'unknown'
         WHERE id IN (SELECT lease FROM message WHERE state = 'leased')",
    )
    .bind(millis(now))
    .execute(&mut *conn)
    .await?;
    let opened =
        sqlx::query("UPDATE message SET state = 'pending', lease = NULL WHERE state = 'leased'").execute(conn).await?;
    Ok(opened.rows_affected())
}

/// Holds what nobody can be told, and lets go what was held for receivers that are back. Returns how many messages are held now.
async fn hold(conn: &mut SqliteConnection, receivers: &BTreeSet<Receiver>) -> Result<u64, sqlx::Error> {
    let groups: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT notifier, recipient, count(*) FROM message WHERE state IN ('pending', 'held') GROUP BY notifier, recipient",
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut held = 0;
    for (notifier, recipient, messages) in groups {
        let receiver = Receiver { notifier: NotifierName(notifier), recipient };
        let known = receivers.contains(&receiver);
        let (from, to) = if known { ("held", "pending") } else { ("pending", "held") };
        sqlx::query("UPDATE message SET state = $4 WHERE state = $3 AND notifier = $1 AND recipient = $2")
            .bind(receiver.notifier.0)
            .bind(receiver.recipient)
            .bind(from)
            .bind(to)
            .execute(&mut *conn)
            .await?;
        if !known {
            held += messages.unsigned_abs();
        }
    }
    Ok(held)
}
