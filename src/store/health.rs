//! The health of notifiers and receivers: how attempts change it, and the notices about it.

mod changes;

pub(super) use changes::write_changes;

use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::column::{self, read_time, to_millis};
use super::{Store, StoreError};
use crate::alerts::breaker;
use crate::alerts::breaker::NotifierHealth;
use crate::alerts::notice::{About, Notice, NoticeKind, StoreNotice};
use crate::alerts::receiver_health::{ReceiverHealth, ReceiverRefusal};
use crate::alerts::{Content, Receiver};

/// The step in which retries are spread when a receiver is back. They take at most four steps.
const RETRY_STEP: Duration = Duration::from_mins(1);

impl Store {
    /// Creates a message of `notice` for each of `audience`, and records that it is announced. A
    /// receiver gets only one message of it.
    pub async fn announce(
        &self,
        notice: Notice,
        audience: Vec<Receiver>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |conn| Box::pin(insert_announcement(conn, notice, audience, now))).await
    }

    /// Creates a message of `notice` for each of `audience` that has none of today.
    pub async fn notify_of_store(
        &self,
        notice: StoreNotice,
        audience: Vec<Receiver>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (key, content) = (notice.key(), Content::Notice(About::Store(notice)));
        self.write(move |conn| {
            Box::pin(async move { insert_notices(conn, &key, &content, audience, now).await })
        })
        .await
    }

    /// Whether a receiver has a message whose key begins with `key`.
    pub async fn was_notified(&self, key: &str) -> Result<bool, StoreError> {
        let exists = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM message WHERE key >= $1 AND key < $2)",
        );
        Ok(exists.bind(key).bind(column::end_of_prefix(key)).fetch_one(&self.readers).await?)
    }
}

/// The health of every receiver whose last attempt failed or that asked for rest, in the order of
/// their names.
pub(super) async fn list_unhealthy_receivers(
    conn: &mut SqliteConnection,
) -> Result<Vec<(Receiver, NotifierHealth)>, sqlx::Error> {
    let rows =
        sqlx::query("SELECT * FROM health ORDER BY notifier, recipient").fetch_all(conn).await?;
    rows.iter().map(|row| Ok((column::receiver_from_row(row)?, health_from_row(row)?))).collect()
}

/// Reads the health of all receivers.
pub(super) async fn read_receiver_health(
    conn: &mut SqliteConnection,
) -> Result<ReceiverHealth, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT notifier, recipient, failures, since, rests_until, why, announced FROM health
         UNION ALL SELECT notifier, recipient, NULL, since, NULL, why, announced FROM refusal",
    )
    .fetch_all(conn)
    .await?;
    let mut health = ReceiverHealth::default();
    for row in &rows {
        let receiver = column::receiver_from_row(row)?;
        if row.try_get::<Option<i64>, _>("failures")?.is_some() {
            health.away.insert(receiver, health_from_row(row)?);
        } else {
            let (why, announced) = (row.try_get("why")?, row.try_get("announced")?);
            let refusal = ReceiverRefusal { since: read_time(row, "since")?, why, announced };
            health.refusals.insert(receiver, refusal);
        }
    }
    Ok(health)
}

/// Records that a message for `receiver` was refused.
pub(super) async fn record_refusal(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
    why: &str,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO refusal (notifier, recipient, since, why, announced) VALUES ($1, $2, $3, $4, FALSE)
         ON CONFLICT (notifier, recipient) DO NOTHING",
    )
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .bind(to_millis(now))
    .bind(why)
    .execute(conn)
    .await?;
    Ok(())
}

/// Creates a notice that a receiver or a whole notifier is back, for those who were notified that
/// it was away. `before` is its health while it was away.
async fn insert_recovery_notice(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
    before: &NotifierHealth,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let down = Notice::new(NoticeKind::Down, receiver, before.since, before.why.clone());
    let audience = list_notified_receivers(conn, &down).await?;
    let back = Notice { kind: NoticeKind::Back, ..down };
    insert_notices(conn, &back.key(), &Content::Notice(About::Receiver(back)), audience, now).await
}

/// Makes messages that wait longer than five steps due within four, because their receiver is
/// back. Their times are spread, so that they are not all sent at once.
async fn bring_retries_forward(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE message SET due = $3 + $4 * (1 + id % 4), due_set_at = $3
         WHERE status = 'pending' AND status <> 'sent' AND notifier = $1 AND ($2 = '' OR recipient = $2) AND due > $3 + $4 * 5 AND payload IS NOT NULL",
    )
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .bind(to_millis(now))
    .bind(i64::try_from(RETRY_STEP.as_millis()).unwrap_or(i64::MAX))
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends the rests of notifiers that are permanently away.
pub(super) async fn end_permanent_rests(
    conn: &mut SqliteConnection,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE health SET rests_until = $2 WHERE rests_until >= $1")
        .bind(to_millis(breaker::NEVER))
        .bind(to_millis(now))
        .execute(conn)
        .await?;
    Ok(())
}

async fn insert_announcement(
    conn: &mut SqliteConnection,
    notice: Notice,
    audience: Vec<Receiver>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let sql = match notice.kind {
        NoticeKind::Down | NoticeKind::Back => {
            "UPDATE health SET announced = TRUE WHERE notifier = $1 AND recipient = $2 AND since = $3"
        }
        NoticeKind::Refused => {
            "UPDATE refusal SET announced = TRUE WHERE notifier = $1 AND recipient = $2 AND since = $3"
        }
    };
    sqlx::query(sql)
        .bind(&notice.notifier.0)
        .bind(notice.recipient.as_deref().unwrap_or_default())
        .bind(to_millis(notice.since))
        .execute(&mut *conn)
        .await?;
    insert_notices(conn, &notice.key(), &Content::Notice(About::Receiver(notice)), audience, now)
        .await
}

/// Creates a message for each of `audience` that has no message with this `key` yet.
pub(super) async fn insert_notices(
    conn: &mut SqliteConnection,
    key: &str,
    content: &Content,
    audience: Vec<Receiver>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    // LOCK: a second writer needs the latch before this.
    let notification = column::to_json(content)?;
    for receiver in audience {
        sqlx::query(
            "INSERT INTO message (key, uid, notifier, recipient, created, status, due, notification)
             VALUES ($1, $2, $3, $4, $5, 'pending', $5, $6) ON CONFLICT (key) DO NOTHING",
        )
        .bind(format!("{key}{}/{}", receiver.notifier, receiver.recipient))
        .bind(uuid::Uuid::new_v4().to_string())
        .bind(&receiver.notifier.0)
        .bind(&receiver.recipient)
        .bind(to_millis(now))
        .bind(&notification)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// The receivers that have a message of a notice.
async fn list_notified_receivers(
    conn: &mut SqliteConnection,
    notice: &Notice,
) -> Result<Vec<Receiver>, sqlx::Error> {
    let key = notice.key();
    let rows = sqlx::query(
        "SELECT notifier, recipient FROM message WHERE key >= $1 AND key < $2 ORDER BY id",
    )
    .bind(&key)
    .bind(column::end_of_prefix(&key))
    .fetch_all(conn)
    .await?;
    rows.iter().map(column::receiver_from_row).collect()
}

fn health_from_row(row: &SqliteRow) -> Result<NotifierHealth, sqlx::Error> {
    Ok(NotifierHealth {
        failures: column::read_count(row, "failures")?,
        since: read_time(row, "since")?,
        rests_until: read_time(row, "rests_until")?,
        why: row.try_get("why")?,
        announced: row.try_get("announced")?,
    })
}

#[cfg(test)]
mod tests;
