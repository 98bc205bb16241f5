//! How receivers fare: what attempts make of their state, who refuses messages, and the notices
//! that tell others of it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::column::{self, millis, time};
use super::{Finish, Lease, RetryRecord, Store, StoreError};
use crate::alerts::breaker;
use crate::alerts::breaker::{FailureScope, NotifierHealth};
use crate::alerts::notice::{About, Notice, NoticeKind, StoreNotice};
use crate::alerts::{Content, Receiver};
use tidings_rules::story::NotifierName;

/// A receiver that is back is sent what backs off for long within this and four times as much.
const RECALL_STEP: Duration = Duration::from_mins(1);

/// How the receivers stand.
#[derive(Clone, Debug)]
pub struct ReceiverHealth {
    /// The state of every receiver whose last attempt failed or that asked for rest. One without a
    /// recipient is a whole notifier.
    pub away: BTreeMap<Receiver, NotifierHealth>,
    /// Those whose last message became dead, as a notice, and whether it was told.
    refused: Vec<(Notice, bool)>,
}

impl ReceiverHealth {
    /// Whether nothing is known against `receiver`.
    #[must_use]
    pub fn is_well(&self, receiver: &Receiver) -> bool {
        let refused = |(notice, _): &(Notice, bool)| {
            notice.notifier == receiver.notifier
                && notice.recipient.as_deref().unwrap_or_default() == receiver.recipient
        };
        !self.away.contains_key(receiver)
            && !self.away.contains_key(&whole(&receiver.notifier))
            && !self.refused.iter().any(refused)
    }

    /// Refusals of which nobody was told yet.
    pub fn untold_refusals(&self) -> impl Iterator<Item = &Notice> {
        self.refused.iter().filter(|(_, told)| !told).map(|(notice, _)| notice)
    }
}

impl Store {
    /// Has `notice` told to each of `audience`, and remembers that it was. Whoever was told of it
    /// already is not told again.
    pub async fn announce(
        &self,
        notice: Notice,
        audience: Vec<Receiver>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |conn| Box::pin(announce(conn, notice, audience, now))).await
    }
}

impl Store {
    /// Has `notice` told to each of `audience` who was not told of it today.
    pub async fn tell_of_store(
        &self,
        notice: StoreNotice,
        audience: Vec<Receiver>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (key, content) = (notice.key(), Content::Notice(About::Store(notice)));
        self.write(move |conn| {
            Box::pin(async move { tell(conn, &key, &content, audience, now).await })
        })
        .await
    }
}

/// The notifier as a whole, as `health` knows it.
pub(super) fn whole(notifier: &NotifierName) -> Receiver {
    Receiver { notifier: notifier.clone(), recipient: String::new() }
}

/// The state of every receiver whose last attempt failed or that asked for rest, in the order of
/// their names.
pub(super) async fn all(
    conn: &mut SqliteConnection,
) -> Result<Vec<(Receiver, NotifierHealth)>, sqlx::Error> {
    let rows =
        sqlx::query("SELECT * FROM health ORDER BY notifier, recipient").fetch_all(conn).await?;
    let receiver = |row: &SqliteRow| {
        let notifier = NotifierName(row.try_get("notifier")?);
        Ok::<_, sqlx::Error>(Receiver { notifier, recipient: row.try_get("recipient")? })
    };
    rows.iter().map(|row| Ok((receiver(row)?, health(row)?))).collect()
}

/// How the receivers stand.
pub(super) async fn standing(conn: &mut SqliteConnection) -> Result<ReceiverHealth, sqlx::Error> {
    let away = all(conn).await?.into_iter().collect();
    let rows =
        sqlx::query("SELECT * FROM refusal ORDER BY notifier, recipient").fetch_all(conn).await?;
    let refused = rows.iter().map(|row| Ok((refusal(row)?, row.try_get("announced")?)));
    Ok(ReceiverHealth { away, refused: refused.collect::<Result<_, sqlx::Error>>()? })
}

/// Takes what came of an attempt into the state of those whom it concerns. A refusal says nothing
/// of whether the next message is taken.
pub(super) async fn note(
    conn: &mut SqliteConnection,
    lease: &Lease,
    finish: &Finish,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let receiver = &lease.receiver;
    match finish {
        Finish::Sent(_) => {
            no_refusal(conn, receiver).await?;
            took(conn, receiver, now).await?;
            if !receiver.recipient.is_empty() {
                took(conn, &whole(&receiver.notifier), now).await?;
            }
            Ok(())
        }
        Finish::Again(again) | Finish::TooLarge(again) => failed(conn, lease, again, now).await,
        Finish::Dead(why) => refused(conn, receiver, why, now).await,
    }
}

async fn failed(
    conn: &mut SqliteConnection,
    lease: &Lease,
    again: &RetryRecord,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let notifier = whole(&lease.receiver.notifier);
    let concerned = match again.scope {
        FailureScope::Notifier => &notifier,
        FailureScope::Recipient => &lease.receiver,
        FailureScope::Message if breaker::is_long_refused(lease.tried_since, now) => {
            return refused(conn, &lease.receiver, &again.why, now).await;
        }
        FailureScope::Message => return Ok(()),
    };
    let before = read(conn, concerned).await?;
    let state = breaker::record_failure(before, again.cause, &again.why, again.rest, now);
    write(conn, concerned, &state, now).await?;
    if *concerned != notifier {
        // The server answered for one of its recipients, and so it is not away.
        took(conn, &notifier, now).await?;
    }
    Ok(())
}

/// Remembers that a message for `receiver` is refused.
pub(super) async fn refused(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
    why: &str,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO refusal (notifier, recipient, since, why, announced) VALUES ($1, $2, $3, $4, 0)
         ON CONFLICT (notifier, recipient) DO NOTHING",
    )
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .bind(millis(now))
    .bind(why)
    .execute(conn)
    .await?;
    Ok(())
}

async fn no_refusal(conn: &mut SqliteConnection, receiver: &Receiver) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM refusal WHERE notifier = $1 AND recipient = $2")
        .bind(&receiver.notifier.0)
        .bind(&receiver.recipient)
        .execute(conn)
        .await?;
    Ok(())
}

/// A receiver, or a whole notifier, took a message. Whoever heard that it was away hears that it is
/// back.
async fn took(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let Some(before) = read(conn, receiver).await? else { return Ok(()) };
    match breaker::took(before.clone(), now) {
        Some(rests) => write(conn, receiver, &rests, now).await?,
        None => {
            sqlx::query("DELETE FROM health WHERE notifier = $1 AND recipient = $2")
                .bind(&receiver.notifier.0)
                .bind(&receiver.recipient)
                .execute(&mut *conn)
                .await?;
        }
    }
    if before.is_open() {
        recall(conn, receiver, now).await?;
    }
    if before.announced {
        let recipient = Some(receiver.recipient.clone()).filter(|recipient| !recipient.is_empty());
        let notifier = receiver.notifier.clone();
        let down = Notice {
            kind: NoticeKind::Down,
            notifier,
            recipient,
            since: before.since,
            why: before.why,
        };
        let told = audience_of(conn, &down).await?;
        let back = Notice { kind: NoticeKind::Back, ..down };
        tell(conn, &back.key(), &Content::Notice(About::Receiver(back)), told, now).await?;
    }
    Ok(())
}

/// Has messages that back off for longer than a few minutes tried within these, now that their
/// receiver is back: spread, so that not all come at once.
async fn recall(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE message SET due = $3 + $4 * (1 + id % 4), put_off = $3
         WHERE state = 'pending' AND notifier = $1 AND ($2 = '' OR recipient = $2) AND due > $3 + $4 * 5 AND payload IS NOT NULL",
    )
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .bind(millis(now))
    .bind(i64::try_from(RECALL_STEP.as_millis()).unwrap_or(i64::MAX))
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends the rest of notifiers that were gone for good.
pub(super) async fn lift(conn: &mut SqliteConnection, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE health SET rests_until = $2 WHERE rests_until >= $1")
        .bind(millis(breaker::NEVER))
        .bind(millis(now))
        .execute(conn)
        .await?;
    Ok(())
}

async fn announce(
    conn: &mut SqliteConnection,
    notice: Notice,
    audience: Vec<Receiver>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let sql = match notice.kind {
        NoticeKind::Down | NoticeKind::Back => {
            "UPDATE health SET announced = 1 WHERE notifier = $1 AND recipient = $2 AND since = $3"
        }
        NoticeKind::Refused => {
            "UPDATE refusal SET announced = 1 WHERE notifier = $1 AND recipient = $2 AND since = $3"
        }
    };
    sqlx::query(sql)
        .bind(&notice.notifier.0)
        .bind(notice.recipient.as_deref().unwrap_or_default())
        .bind(millis(notice.since))
        .execute(&mut *conn)
        .await?;
    tell(conn, &notice.key(), &Content::Notice(About::Receiver(notice)), audience, now).await
}

impl Store {
    /// Whether anybody has a message whose key begins with `key`.
    pub async fn was_told(&self, key: &str) -> Result<bool, StoreError> {
        let told = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM message WHERE key >= $1 AND key < $2)",
        );
        Ok(told.bind(key).bind(column::end_of_prefix(key)).fetch_one(&self.readers).await?)
    }
}

/// Has each of `audience` told; whoever has a message with this `key` was told before.
pub(super) async fn tell(
    conn: &mut SqliteConnection,
    key: &str,
    content: &Content,
    audience: Vec<Receiver>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let said = column::to_json(content)?;
    for receiver in audience {
        sqlx::query(
            "INSERT INTO message (key, uid, notifier, recipient, created, state, due, said)
             VALUES ($1, $2, $3, $4, $5, 'pending', $5, $6) ON CONFLICT (key) DO NOTHING",
        )
        .bind(format!("{key}{}/{}", receiver.notifier, receiver.recipient))
        .bind(uuid::Uuid::new_v4().to_string())
        .bind(&receiver.notifier.0)
        .bind(&receiver.recipient)
        .bind(millis(now))
        .bind(&said)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Who was told of a notice.
async fn audience_of(
    conn: &mut SqliteConnection,
    notice: &Notice,
) -> Result<Vec<Receiver>, sqlx::Error> {
    let key = notice.key();
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT notifier, recipient FROM message WHERE key >= $1 AND key < $2 ORDER BY id",
    )
    .bind(&key)
    .bind(column::end_of_prefix(&key))
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(notifier, recipient)| Receiver { notifier: NotifierName(notifier), recipient })
        .collect())
}

/// The state of a receiver or of a whole notifier, if its last attempt failed or it asked for rest.
pub(super) async fn read(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
) -> Result<Option<NotifierHealth>, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM health WHERE notifier = $1 AND recipient = $2")
        .bind(&receiver.notifier.0)
        .bind(&receiver.recipient)
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(health).transpose()
}

async fn write(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
    state: &NotifierHealth,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO health (notifier, recipient, failures, since, rests_until, rested, why, announced)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (notifier, recipient) DO UPDATE
         SET failures = $3, since = $4, rests_until = $5, rested = $6, why = $7, announced = $8",
    )
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .bind(state.failures)
    .bind(millis(state.since))
    .bind(millis(state.rests_until))
    .bind(millis(now))
    .bind(&state.why)
    .bind(state.announced)
    .execute(conn)
    .await?;
    Ok(())
}

fn health(row: &SqliteRow) -> Result<NotifierHealth, sqlx::Error> {
    Ok(NotifierHealth {
        failures: row.try_get("failures")?,
        since: time(row, "since")?,
        rests_until: time(row, "rests_until")?,
        why: row.try_get("why")?,
        announced: row.try_get("announced")?,
    })
}

fn refusal(row: &SqliteRow) -> Result<Notice, sqlx::Error> {
    let recipient: String = row.try_get("recipient")?;
    Ok(Notice {
        kind: NoticeKind::Refused,
        notifier: NotifierName(row.try_get("notifier")?),
        recipient: Some(recipient).filter(|recipient| !recipient.is_empty()),
        since: time(row, "since")?,
        why: row.try_get("why")?,
    })
}

#[cfg(test)]
mod tests;
