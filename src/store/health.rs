//! The health of notifiers and receivers: how attempts change it, and the notices about it.

use std::time::Duration;

use jiff::Timestamp;

use super::column::{self, execute_list, read_time, to_json, to_millis};
use super::dialect::sql;
use super::{Store, StoreError};
use crate::alerts::breaker;
use crate::alerts::breaker::NotifierHealth;
use crate::alerts::notice::{About, Notice, NoticeKind, StoreNotice};
use crate::alerts::receiver_health::{HealthChanges, ReceiverHealth, ReceiverRefusal};
use crate::alerts::{Content, Receiver};
use crate::store::db::{self, DbConnection, DbRow, Sql, SqlList};

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
        let sql = match notice.kind {
            NoticeKind::Down | NoticeKind::Back => {
                "UPDATE health SET announced = TRUE WHERE notifier = $1 AND recipient = $2 AND since = $3"
            }
            NoticeKind::Refused => {
                "UPDATE refusal SET announced = TRUE WHERE notifier = $1 AND recipient = $2 AND since = $3"
            }
        };
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    db::query(sql)
                        .bind(&notice.notifier.0)
                        .bind(notice.recipient.as_deref().unwrap_or_default())
                        .bind(to_millis(notice.since))
                        .execute(&mut *conn)
                        .await?;
                    let content = Content::Notice(About::Receiver(notice.clone()));
                    insert_notices(conn, [(notice.key(), content, audience)], now).await
                })
            })
            .await
    }

    /// Creates a message of `notice` for each of `audience` that has none of today.
    pub async fn notify_of_store(
        &self,
        notice: StoreNotice,
        audience: Vec<Receiver>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.send_notice(notice.key(), About::Store(notice), audience, now).await
    }

    /// Creates a message about `about` for each of `audience` that has none with this `key`, which
    /// is the prefix of their keys.
    pub(super) async fn send_notice(
        &self,
        key: String,
        about: About,
        audience: Vec<Receiver>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let notice = (key, Content::Notice(about), audience);
        self.writer
            .write(move |conn| Box::pin(async move { insert_notices(conn, [notice], now).await }))
            .await
    }

    /// Whether a receiver has a message whose key begins with `key`.
    pub async fn was_notified(&self, key: &str) -> Result<bool, StoreError> {
        let exists =
            db::query_scalar("SELECT EXISTS (SELECT 1 FROM message WHERE key >= $1 AND key < $2)");
        Ok(exists.bind(key).bind(column::end_of_prefix(key)).fetch_one(&self.readers).await?)
    }
}

/// Reads the health of all receivers.
pub(super) async fn read_receiver_health(
    conn: &mut DbConnection<'_>,
) -> Result<ReceiverHealth, sqlx::Error> {
    let rows = db::query(
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

/// Writes how the attempts of one turn changed the health of their receivers. Messages to receivers
/// that are back are tried soon. Receivers that were notified that others were away get a notice
/// that those are back.
pub(super) async fn write_changes(
    conn: &mut DbConnection<'_>,
    changes: &HealthChanges,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let HealthChanges { health: ReceiverHealth { away, refusals }, .. } = changes;
    let away = changes.changed.iter().filter_map(|one| Some((one, away.get(one)?)));
    let away = away.map(|(Receiver { notifier, recipient }, state)| {
        let (since, rests_until) = (to_millis(state.since), to_millis(state.rests_until));
        let NotifierHealth { failures, why, announced, .. } = state;
        (&notifier.0, recipient, failures, since, rests_until, to_millis(now), why, announced)
    });
    let refused = changes.refusals.iter().filter_map(|one| Some((one, refusals.get(one)?)));
    let refused = refused.map(|(Receiver { notifier, recipient }, refusal)| {
        let since = to_millis(refusal.since);
        (&notifier.0, recipient, since, &refusal.why, refusal.announced)
    });
    execute_list(conn, DELETE_HEALTH, &column::receiver_rows(&changes.changed)).await?;
    execute_list(conn, INSERT_HEALTH, &away.collect::<Vec<_>>()).await?;
    execute_list(conn, DELETE_REFUSALS, &column::receiver_rows(&changes.refusals)).await?;
    execute_list(conn, INSERT_REFUSALS, &refused.collect::<Vec<_>>()).await?;
    let open = changes.recovered.iter().filter(|(_, before)| before.is_open());
    bring_retries_forward(conn, open.map(|(receiver, _)| receiver), now).await?;
    insert_recovery_notices(conn, &changes.recovered, now).await
}

const DELETE_HEALTH: Sql = sql!(
    "DELETE FROM health WHERE (notifier, recipient) IN ",
    row_list!("$1", 0 notifier TEXT, 1 recipient TEXT)
);

const INSERT_HEALTH: Sql = sql!(
    "INSERT INTO health (notifier, recipient, failures, since, rests_until, rest_set_at, why, announced)
     SELECT * FROM ",
    row_list!("$1", 0 notifier TEXT, 1 recipient TEXT, 2 failures BIGINT, 3 since BIGINT, 4 rests_until BIGINT,
        5 rest_set_at BIGINT, 6 why TEXT, 7 announced BOOLEAN),
    " AS given"
);

const DELETE_REFUSALS: Sql = sql!(
    "DELETE FROM refusal WHERE (notifier, recipient) IN ",
    row_list!("$1", 0 notifier TEXT, 1 recipient TEXT)
);

const INSERT_REFUSALS: Sql = sql!(
    "INSERT INTO refusal (notifier, recipient, since, why, announced) SELECT * FROM ",
    row_list!("$1", 0 notifier TEXT, 1 recipient TEXT, 2 since BIGINT, 3 why TEXT, 4 announced BOOLEAN),
    " AS given"
);

/// Creates notices that receivers or whole notifiers are back, for those who were notified that
/// they were away. Each has its health while it was away.
async fn insert_recovery_notices(
    conn: &mut DbConnection<'_>,
    recovered: &[(Receiver, NotifierHealth)],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let announced = recovered.iter().filter(|(_, before)| before.announced);
    let down = announced.map(|(receiver, before)| {
        Notice::new(NoticeKind::Down, receiver, before.since, before.why.clone())
    });
    let down: Vec<Notice> = down.collect();
    if down.is_empty() {
        return Ok(());
    }
    let keys = down.iter().map(Notice::key).enumerate();
    let keys = keys.map(|(place, key)| (place, column::end_of_prefix(&key), key));
    let rows = db::query(sql!(
        "SELECT given.place, notifier, recipient FROM ",
        row_list!("$1", 0 place BIGINT, 1 last TEXT, 2 key TEXT),
        " AS given CROSS JOIN message WHERE message.key >= given.key AND message.key < given.last ORDER BY message.id"
    ))
    .bind(SqlList::new(&keys.collect::<Vec<_>>())?)
    .fetch_all(&mut *conn)
    .await?;
    let mut audiences = vec![Vec::new(); down.len()];
    for row in &rows {
        let place: u32 = column::read_count(row, "place")?;
        audiences[place as usize].push(column::receiver_from_row(row)?);
    }
    let back = down.into_iter().map(|down| Notice { kind: NoticeKind::Back, ..down });
    let notices = back
        .zip(audiences)
        .map(|(back, audience)| (back.key(), Content::Notice(About::Receiver(back)), audience));
    insert_notices(conn, notices, now).await
}

/// Makes messages that wait longer than five steps due within four, because their receivers are
/// back. Their times are spread, so that they are not all sent at once.
async fn bring_retries_forward(
    conn: &mut DbConnection<'_>,
    receivers: impl Iterator<Item = &Receiver>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let receivers = SqlList::new(&column::receiver_rows(receivers))?;
    if receivers.is_empty() {
        return Ok(());
    }
    db::query(sql!(
        "UPDATE message SET due = $2 + $3 * (1 + id % 4), due_set_at = $2
         WHERE payload IS NOT NULL AND id IN (SELECT delayed.id FROM ",
        row_list!("$1", 0 notifier TEXT, 1 recipient TEXT),
        " AS given CROSS JOIN message AS delayed
         WHERE delayed.status <> 'sent' AND delayed.status = 'pending' AND delayed.notifier = given.notifier
           AND delayed.due > $2 + $3 * 5 AND (given.recipient = '' OR delayed.recipient = given.recipient))"
    ))
    .bind(receivers)
    .bind(to_millis(now))
    .bind(i64::try_from(RETRY_STEP.as_millis()).unwrap_or(i64::MAX))
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends the rests of notifiers that are permanently away.
pub(super) async fn end_permanent_rests(
    conn: &mut DbConnection<'_>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let end = "UPDATE health SET rests_until = $2 WHERE rests_until >= $1";
    column::execute(conn, end, &[to_millis(breaker::NEVER), to_millis(now)]).await.map(drop)
}

/// Creates messages of notices, each with the prefix of their keys, for each of its receivers that
/// has no message with this key yet.
pub(super) async fn insert_notices(
    conn: &mut DbConnection<'_>,
    notices: impl IntoIterator<Item = (String, Content, Vec<Receiver>)>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let notices = notices.into_iter().map(|(prefix, content, audience)| {
        (prefix, content, audience.into_iter().map(|receiver| (receiver, now)).collect())
    });
    insert_notices_due(conn, notices, None, now).await
}

/// Like [`insert_notices`]; each message is due at the time that is given for its receiver, and
/// muted by this silence.
pub(super) async fn insert_notices_due(
    conn: &mut DbConnection<'_>,
    notices: impl IntoIterator<Item = (String, Content, Vec<(Receiver, Timestamp)>)>,
    silence: Option<i64>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let mut rows = Vec::new();
    for (prefix, content, audience) in notices {
        let notification = to_json(&content)?;
        rows.extend(audience.into_iter().map(|(Receiver { notifier, recipient }, due)| {
            let (key, uid) = (format!("{prefix}{notifier}/{recipient}"), uuid::Uuid::new_v4());
            (key, uid.to_string(), notifier.0, recipient, notification.clone(), to_millis(due))
        }));
    }
    if rows.is_empty() {
        return Ok(());
    }
    db::query(sql!(
        "INSERT INTO message (key, uid, notifier, recipient, notification, due, created, silence, status)
         SELECT given.*, $2, $3, 'pending' FROM ",
        row_list!("$1", 0 key TEXT, 1 uid TEXT, 2 notifier TEXT, 3 recipient TEXT, 4 notification TEXT, 5 due BIGINT),
        " AS given WHERE TRUE ON CONFLICT (key) DO NOTHING"
    ))
    .bind(SqlList::new(&rows)?)
    .bind(to_millis(now))
    .bind(silence)
    .execute(conn)
    .await?;
    Ok(())
}

fn health_from_row(row: &DbRow) -> Result<NotifierHealth, sqlx::Error> {
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
