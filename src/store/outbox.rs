//! The outbox: leases, frozen payloads, and what came of each attempt.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::column::{from_millis, millis, time};
use super::{Finish, Holdings, Lease, Render, Store, StoreError, digest, health, letter};
use crate::alert::Receiver;
use crate::alert::breaker::Health;
use crate::story::NotifierName;

impl Store {
    /// Leases at most `limit` due messages of one notifier, oldest first: lease, attempt and, at the first lease, the frozen payload are committed before
    /// this returns. While the notifier is away, what is late becomes a digest first, and all are
    /// for the recipient that was longest not tried. A message that `render` refuses becomes dead, and is not among them.
    pub async fn lease(
        &self,
        run: i64,
        notifier: &NotifierName,
        limit: u32,
        now: Timestamp,
        render: Render,
    ) -> Result<Vec<Lease>, StoreError> {
        let notifier = notifier.clone();
        self.write(move |conn| Box::pin(lease_due(conn, run, notifier, limit, now, render))).await
    }

    /// Records what came of an attempt. A payload of which nothing can have arrived is frozen no more. `false`, and nothing written, if the lease is no longer this attempt's.
    ///
    /// After a success, what the same notifier could not deliver because it was not reached is due at once, and all of it if it had failed so often that
    /// it was only probed.
    pub async fn finish(&self, run: i64, lease: &Lease, finish: Finish, now: Timestamp) -> Result<bool, StoreError> {
        let (message, attempt) = (lease.message, lease.attempt);
        self.write(move |conn| Box::pin(finish_attempt(conn, run, message, attempt, finish, now))).await
    }

    /// When the next pending message of each notifier is due.
    pub async fn next_due(&self) -> Result<Vec<(NotifierName, Timestamp)>, StoreError> {
        // From one notifier to the next by the index: to group them, every row of a backlog would be read at every look.
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "WITH RECURSIVE waiting (name) AS (
                 SELECT min(notifier) FROM message WHERE state = 'pending'
                 UNION ALL
                 SELECT (SELECT min(notifier) FROM message WHERE state = 'pending' AND notifier > name)
                 FROM waiting WHERE name IS NOT NULL)
             SELECT name, (SELECT min(due) FROM message WHERE state = 'pending' AND notifier = name)
             FROM waiting WHERE name IS NOT NULL",
        )
        .fetch_all(&self.readers)
        .await?;
        let next = rows.into_iter().map(|(notifier, due)| Ok((NotifierName(notifier), from_millis(due)?)));
        Ok(next.collect::<Result<_, sqlx::Error>>()?)
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

async fn lease_due(
    conn: &mut SqliteConnection,
    run: i64,
    notifier: NotifierName,
    limit: u32,
    now: Timestamp,
    render: Render,
) -> Result<Vec<Lease>, sqlx::Error> {
    let mut only: Option<String> = None;
    if let Some(away) = health::read(conn, &notifier).await?.filter(Health::is_open) {
        digest::fold_late(conn, &notifier, &away, now).await?;
        only = longest_untried(conn, &notifier, now).await?;
    }
    let due = sqlx::query(
        "SELECT id, uid, event, digest, said, recipient, created, counted, payload FROM message
         WHERE state = 'pending' AND notifier = $1 AND due <= $2 AND ($4 IS NULL OR recipient = $4) ORDER BY due, id LIMIT $3",
    )
    .bind(&notifier.0)
    .bind(millis(now))
    .bind(limit)
    .bind(only)
    .fetch_all(&mut *conn)
    .await?;
    let mut leases = Vec::with_capacity(due.len());
    for row in &due {
        let receiver = Receiver { notifier: notifier.clone(), recipient: row.try_get("recipient")? };
        match payload(conn, row, &receiver, &render).await? {
            Ok(payload) => leases.push(lease(conn, run, row, receiver, payload, now).await?),
            Err(why) => bury(conn, row.try_get("id")?, &receiver, &why, now).await?,
        }
    }
    Ok(leases)
}

/// The recipient with something due that was longest not tried: probes go round, so that one who takes nothing keeps nobody else waiting.
async fn longest_untried(
    conn: &mut SqliteConnection,
    notifier: &NotifierName,
    now: Timestamp,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT recipient FROM message LEFT JOIN attempt ON attempt.message = message.id
         WHERE state = 'pending' AND notifier = $1 GROUP BY recipient HAVING min(due) <= $2 ORDER BY max(attempt.id) LIMIT 1",
    )
    .bind(&notifier.0)
    .bind(millis(now))
    .fetch_optional(conn)
    .await
}

/// The message's frozen bytes; those that it is to have, if this is its first lease. The inner error is why it cannot be rendered.
async fn payload(
    conn: &mut SqliteConnection,
    row: &SqliteRow,
    receiver: &Receiver,
    render: &Render,
) -> Result<Result<Vec<u8>, String>, sqlx::Error> {
    if let Some(frozen) = row.try_get("payload")? {
        return Ok(Ok(frozen));
    }
    Ok(render(receiver, &letter::gather(conn, row).await?))
}

/// Writes down the attempt, the lease and the payload.
async fn lease(
    conn: &mut SqliteConnection,
    run: i64,
    row: &SqliteRow,
    receiver: Receiver,
    payload: Vec<u8>,
    now: Timestamp,
) -> Result<Lease, sqlx::Error> {
    let message = row.try_get("id")?;
    let attempt = sqlx::query_scalar("INSERT INTO attempt (message, run, started) VALUES ($1, $2, $3) RETURNING id")
        .bind(message)
        .bind(run)
        .bind(millis(now))
        .fetch_one(&mut *conn)
        .await?;
    sqlx::query("UPDATE message SET state = 'leased', lease = $2, payload = $3 WHERE id = $1")
        .bind(message)
        .bind(attempt)
        .bind(&payload)
        .execute(conn)
        .await?;
    Ok(Lease {
        message,
        attempt,
        receiver,
        id: row.try_get("uid")?,
        counted: row.try_get("counted")?,
        created: time(row, "created")?,
        payload,
    })
}

/// Gives up a message that cannot be rendered.
async fn bury(
    conn: &mut SqliteConnection,
    message: i64,
    receiver: &Receiver,
    why: &str,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE message SET state = 'dead', why = $2 WHERE id = $1")
        .bind(message)
        .bind(why)
        .execute(&mut *conn)
        .await?;
    health::refused(conn, receiver, why, now).await
}

async fn finish_attempt(
    conn: &mut SqliteConnection,
    run: i64,
    message: i64,
    attempt: i64,
    finish: Finish,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let unreached = matches!(finish, Finish::Again { counts: false, .. });
    let (state, outcome, due, why) = match &finish {
        Finish::Sent(answer) => ("sent", "sent", None, answer),
        Finish::Again { at, counts: true, why, .. } => ("pending", "again", Some(*at), why),
        Finish::Again { at, counts: false, why, .. } => ("pending", "unreached", Some(*at), why),
        Finish::Dead(why) => ("dead", "dead", None, why),
    };
    let ours = sqlx::query_as(
        "UPDATE message SET state = $4, lease = NULL, due = coalesce($5, due), why = $6, unreached = $7, counted = counted + $8,
                payload = CASE WHEN $7 AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.message = message.id AND outcome != 'unreached')
                          THEN NULL ELSE payload END
         WHERE id = $1 AND lease = $2 AND (SELECT run FROM attempt WHERE id = $2) = $3 RETURNING notifier, recipient",
    )
    .bind(message)
    .bind(attempt)
    .bind(run)
    .bind(state)
    .bind(due.map(millis))
    .bind(why)
    .bind(unreached)
    .bind(i64::from(!unreached))
    .fetch_optional(&mut *conn)
    .await?;
    let Some((notifier, recipient)) = ours else { return Ok(false) };
    sqlx::query("UPDATE attempt SET ended = $2, outcome = $3, why = $4 WHERE id = $1")
        .bind(attempt)
        .bind(millis(now))
        .bind(outcome)
        .bind(why)
        .execute(&mut *conn)
        .await?;
    let receiver = Receiver { notifier: NotifierName(notifier), recipient };
    health::note(conn, &receiver, &finish, now).await?;
    Ok(true)
}

#[cfg(test)]
mod tests;
