//! How notifiers fare: what attempts make of their state, whom they refuse, and the notices that tell others of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::column::{self, millis, time};
use super::{Finish, Store, StoreError};
use crate::alert::breaker::{self, Health};
use crate::alert::notice::{About, Kind, Notice, StoreNotice};
use crate::alert::{Content, Receiver};
use crate::story::NotifierName;

/// How the receivers stand.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The state of every notifier whose last attempt failed.
    pub away: BTreeMap<NotifierName, Health>,
    /// Those whose last message became dead, as a notice, and whether it was told.
    refused: Vec<(Notice, bool)>,
}

impl Standing {
    /// Whether nothing is known against `receiver`.
    #[must_use]
    pub fn is_well(&self, receiver: &Receiver) -> bool {
        let refused = |(notice, _): &(Notice, bool)| {
            notice.notifier == receiver.notifier
                && notice.recipient.as_deref().unwrap_or_default() == receiver.recipient
        };
        !self.away.contains_key(&receiver.notifier) && !self.refused.iter().any(refused)
    }

    /// Refusals of which nobody was told yet.
    pub fn untold_refusals(&self) -> impl Iterator<Item = &Notice> {
        self.refused.iter().filter(|(_, told)| !told).map(|(notice, _)| notice)
    }
}

impl Store {
    /// Has `notice` told to each of `audience`, and remembers that it was. Whoever was told of it already is not told again.
    pub async fn announce(&self, notice: Notice, audience: Vec<Receiver>, now: Timestamp) -> Result<(), StoreError> {
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
        self.write(move |conn| Box::pin(async move { tell(conn, &key, &content, audience, now).await })).await
    }
}

/// The state of every notifier whose last attempt failed, in the order of their names.
pub(super) async fn all(conn: &mut SqliteConnection) -> Result<Vec<(NotifierName, Health)>, sqlx::Error> {
    let rows = sqlx::query("SELECT * FROM health ORDER BY notifier").fetch_all(conn).await?;
    rows.iter().map(|row| Ok((NotifierName(row.try_get("notifier")?), health(row)?))).collect()
}

/// How the receivers stand.
pub(super) async fn standing(conn: &mut SqliteConnection) -> Result<Standing, sqlx::Error> {
    let away = all(conn).await?.into_iter().collect();
    let rows = sqlx::query("SELECT * FROM refusal ORDER BY notifier, recipient").fetch_all(conn).await?;
    let refused = rows.iter().map(|row| Ok((refusal(row)?, row.try_get("announced")?)));
    Ok(Standing { away, refused: refused.collect::<Result<_, sqlx::Error>>()? })
}

/// Takes what came of an attempt into the notifier's state. A refusal says nothing of whether the next message is taken.
pub(super) async fn note(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
    finish: &Finish,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    match finish {
        Finish::Sent(_) => well(conn, receiver, now).await,
        Finish::Again { why, rest, .. } => {
            let before = read(conn, &receiver.notifier).await?;
            write(conn, &receiver.notifier, &breaker::failed(before, why, *rest, now)).await
        }
        Finish::Dead(why) => refused(conn, receiver, why, now).await,
    }
}

/// Remembers that a message for `receiver` was given up.
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

/// A message was taken: what the notifier could not be sent is due now. Whoever heard that it was away hears that it is back.
async fn well(conn: &mut SqliteConnection, receiver: &Receiver, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM refusal WHERE notifier = $1 AND recipient = $2")
        .bind(&receiver.notifier.0)
        .bind(&receiver.recipient)
        .execute(&mut *conn)
        .await?;
    let Some(before) = read(conn, &receiver.notifier).await? else { return Ok(()) };
    sqlx::query("DELETE FROM health WHERE notifier = $1").bind(&receiver.notifier.0).execute(&mut *conn).await?;
    wake(conn, &receiver.notifier, before.is_open(), now).await?;
    if before.announced {
        let notifier = receiver.notifier.clone();
        let down = Notice { kind: Kind::Down, notifier, recipient: None, since: before.since, why: before.why };
        let told = audience_of(conn, &down).await?;
        let back = Notice { kind: Kind::Back, ..down };
        tell(conn, &back.key(), &Content::Notice(About::Receiver(back)), told, now).await?;
    }
    Ok(())
}

/// Makes due what waited because the notifier was not reached, and, where it was away, all that was tried meanwhile.
async fn wake(
    conn: &mut SqliteConnection,
    notifier: &NotifierName,
    was_open: bool,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE message SET due = $2
         WHERE state = 'pending' AND notifier = $1 AND due > $2 AND (unreached = 1 OR ($3 AND payload IS NOT NULL))",
    )
    .bind(&notifier.0)
    .bind(millis(now))
    .bind(was_open)
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
        Kind::Down | Kind::Back => "UPDATE health SET announced = 1 WHERE notifier = $1 AND since = $3",
        Kind::Refused => "UPDATE refusal SET announced = 1 WHERE notifier = $1 AND recipient = $2 AND since = $3",
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
        let told = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM message WHERE substr(key, 1, length($1)) = $1)");
        Ok(told.bind(key).fetch_one(&self.readers).await?)
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
async fn audience_of(conn: &mut SqliteConnection, notice: &Notice) -> Result<Vec<Receiver>, sqlx::Error> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT notifier, recipient FROM message WHERE substr(key, 1, length($1)) = $1 ORDER BY id")
            .bind(notice.key())
            .fetch_all(conn)
            .await?;
    Ok(rows.into_iter().map(|(notifier, recipient)| Receiver { notifier: NotifierName(notifier), recipient }).collect())
}

/// The state of a notifier, if its last attempt failed.
pub(super) async fn read(conn: &mut SqliteConnection, notifier: &NotifierName) -> Result<Option<Health>, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM health WHERE notifier = $1").bind(&notifier.0).fetch_optional(conn).await?;
    row.as_ref().map(health).transpose()
}

async fn write(conn: &mut SqliteConnection, notifier: &NotifierName, state: &Health) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO health (notifier, failures, since, rests_until, why, announced) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (notifier) DO UPDATE
         SET failures = $2, since = $3, rests_until = $4, why = $5, announced = $6",
    )
    .bind(&notifier.0)
    .bind(state.failures)
    .bind(millis(state.since))
    .bind(millis(state.rests_until))
    .bind(&state.why)
    .bind(state.announced)
    .execute(conn)
    .await?;
    Ok(())
}

fn health(row: &SqliteRow) -> Result<Health, sqlx::Error> {
    Ok(Health {
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
        kind: Kind::Refused,
        notifier: NotifierName(row.try_get("notifier")?),
        recipient: Some(recipient).filter(|recipient| !recipient.is_empty()),
        since: time(row, "since")?,
        why: row.try_get("why")?,
    })
}

#[cfg(test)]
mod tests;
