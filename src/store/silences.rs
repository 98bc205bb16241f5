//! Silences: those in force, and what people change of them beside whatever runs.

use std::path::Path;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection, Row};

use super::column::{self, millis, time, to_json};
use super::{StoreCommandError, StoreError, StoryId, beside, digest, sighting};
use crate::alerts::digest::DigestReason;
use crate::alerts::silence;
use crate::alerts::silence::{Silence, SilenceTarget};
use crate::alerts::{Receiver, RuleMatch};
use tidings_rules::story::NotifierName;

/// The silences in force at `now`.
pub(super) async fn in_force(
    conn: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Vec<Silence>, sqlx::Error> {
    // The plus keeps SQLite from reading all silences there ever were in the order of their ids.
    let rows = sqlx::query("SELECT * FROM silence WHERE until > $1 ORDER BY +id")
        .bind(millis(now))
        .fetch_all(conn)
        .await?;
    rows.iter().map(silence).collect()
}

/// Mutes `target` in the store at `path` until `until`. A running Tidings heeds it from its next
/// alert on; what shorter silences have muted and it mutes, too, waits for its end.
pub async fn add_silence(
    path: &Path,
    target: SilenceTarget,
    until: Timestamp,
    why: String,
    now: Timestamp,
) -> Result<Silence, StoreCommandError> {
    let mut conn = beside::to_write(path).await?;
    let id = add(&mut conn, &target, until, &why, now).await.map_err(StoreError::from)?;
    beside::close(conn).await?;
    Ok(Silence { id, target, until, why, since: now })
}

/// The silences that are in force in the store at `path`, each with how many messages' worth of
/// alerts it has muted.
pub async fn list_silences(
    path: &Path,
    now: Timestamp,
) -> Result<Vec<(Silence, u32)>, StoreCommandError> {
    let mut conn = beside::to_read(path).await?;
    Ok(list(&mut conn, now).await.map_err(StoreError::from)?)
}

/// Ends the silence `id` in the store at `path`: what it muted is due at `now`, unless another
/// silence mutes it. `None` if no such silence is in force.
pub async fn end_silence(
    path: &Path,
    id: i64,
    now: Timestamp,
) -> Result<Option<Silence>, StoreCommandError> {
    let mut conn = beside::to_write(path).await?;
    let ended = end(&mut conn, id, now).await.map_err(StoreError::from)?;
    beside::close(conn).await?;
    Ok(ended)
}

async fn list(
    conn: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Vec<(Silence, u32)>, sqlx::Error> {
    let mut counted = Vec::new();
    for silence in in_force(conn, now).await? {
        let muted = sqlx::query_scalar(
            "SELECT count(DISTINCT alert) FROM message_alert JOIN message ON message.id = message_alert.message WHERE digest = $1",
        )
        .bind(to_json(&silence.reason())?)
        .fetch_one(&mut *conn)
        .await?;
        counted.push((silence, muted));
    }
    Ok(counted)
}

async fn add(
    conn: &mut SqliteConnection,
    target: &SilenceTarget,
    until: Timestamp,
    why: &str,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    let mut change = conn.begin_with("BEGIN IMMEDIATE").await?;
    let id = sqlx::query_scalar(
        "INSERT INTO silence (target, since, until, why) VALUES ($1, $2, $3, $4) RETURNING id",
    )
    .bind(to_json(target)?)
    .bind(millis(now))
    .bind(millis(until))
    .bind(why)
    .fetch_one(&mut *change)
    .await?;
    regather(&mut change, now).await?;
    change.commit().await?;
    Ok(id)
}

async fn end(
    conn: &mut SqliteConnection,
    id: i64,
    now: Timestamp,
) -> Result<Option<Silence>, sqlx::Error> {
    let mut change = conn.begin_with("BEGIN IMMEDIATE").await?;
    let row = sqlx::query("UPDATE silence SET until = $2 WHERE id = $1 AND until > $2 RETURNING *")
        .bind(id)
        .bind(millis(now))
        .fetch_optional(&mut *change)
        .await?;
    let Some(ended) = row.as_ref().map(silence).transpose()? else { return Ok(None) };
    regather(&mut change, now).await?;
    sqlx::query("UPDATE message SET due = $2 WHERE digest = $1 AND state IN ('pending', 'held') AND due > $2")
        .bind(to_json(&ended.reason())?)
        .bind(millis(now))
        .execute(&mut *change)
        .await?;
    change.commit().await?;
    Ok(Some(ended))
}

/// Has every muted alert of which nobody was told yet wait for the last silence that mutes it now.
/// Where none does, it stays where it is.
async fn regather(conn: &mut SqliteConnection, now: Timestamp) -> Result<(), sqlx::Error> {
    let silences = in_force(conn, now).await?;
    let rows = sqlx::query(
        "SELECT message.id AS message, notifier, recipient, digest, alert.id AS alert, told, alert.story, story.event
         FROM message JOIN message_alert ON message_alert.message = message.id
         JOIN alert ON alert.id = message_alert.alert
         JOIN story ON story.id = alert.story
         WHERE state = 'pending' AND payload IS NULL AND digest LIKE $1 ORDER BY alert.id",
    )
    .bind(OF_SILENCES)
    .fetch_all(&mut *conn)
    .await?;
    let all = rows.iter().map(muted).collect::<Result<Vec<_>, _>>()?;
    let stories: Vec<StoryId> = all.iter().map(|muted| muted.story).collect();
    let feeds = sighting::carriers(conn, &stories).await?;
    for muted in all {
        let feeds = feeds.get(&muted.story).map(Vec::as_slice).unwrap_or_default();
        let Some(longest) = silence::longest(&silences, &muted.told, feeds, &muted.event) else {
            continue;
        };
        let reason = longest.reason();
        if reason != muted.reason {
            let into = digest::open(conn, &muted.receiver, &reason, longest.until, now).await?;
            digest::hand_over(conn, muted.alert, muted.message, into).await?;
        }
    }
    Ok(())
}

/// Reasons of that kind, as the column holds them.
const OF_SILENCES: &str = r#"{"what":"silence"%"#;

/// An alert that a digest of a silence is to tell of.
struct Muted {
    message: i64,
    alert: i64,
    receiver: Receiver,
    reason: DigestReason,
    told: RuleMatch,
    story: StoryId,
    event: String,
}

fn muted(row: &SqliteRow) -> Result<Muted, sqlx::Error> {
    let notifier = NotifierName(row.try_get("notifier")?);
    Ok(Muted {
        message: row.try_get("message")?,
        alert: row.try_get("alert")?,
        receiver: Receiver { notifier, recipient: row.try_get("recipient")? },
        reason: column::json(row, "digest")?,
        told: column::json(row, "told")?,
        story: StoryId(row.try_get("story")?),
        event: row.try_get("event")?,
    })
}

fn silence(row: &SqliteRow) -> Result<Silence, sqlx::Error> {
    Ok(Silence {
        id: row.try_get("id")?,
        target: column::json(row, "target")?,
        until: time(row, "until")?,
        why: row.try_get("why")?,
        since: time(row, "since")?,
    })
}

#[cfg(test)]
mod tests;
