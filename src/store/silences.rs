//! Silences: those in force, and what people change of them beside whatever runs.

use std::path::Path;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection, Row};

use super::column::{self, millis, time, to_json};
use super::{DeskError, StoreError, beside};
use crate::alert::silence::{Silence, Target};

/// The silences in force at `now`.
pub(super) async fn in_force(conn: &mut SqliteConnection, now: Timestamp) -> Result<Vec<Silence>, sqlx::Error> {
    // The plus keeps SQLite from reading all silences there ever were in the order of their ids.
    let rows =
        sqlx::query("SELECT * FROM silence WHERE until > $1 ORDER BY +id").bind(millis(now)).fetch_all(conn).await?;
    rows.iter().map(silence).collect()
}

/// Mutes `target` in the store at `path` until `until`. A running Tidings heeds it from its next alert on.
pub async fn mute(
    path: &Path,
    target: Target,
    until: Timestamp,
    why: String,
    now: Timestamp,
) -> Result<Silence, DeskError> {
    let mut conn = beside::to_write(path).await?;
    let target_json = to_json(&target).map_err(StoreError::from)?;
    let id = sqlx::query_scalar("INSERT INTO silence (target, since, until, why) VALUES ($1, $2, $3, $4) RETURNING id")
        .bind(target_json)
        .bind(millis(now))
        .bind(millis(until))
        .bind(&why)
        .fetch_one(&mut conn)
        .await
        .map_err(StoreError::from)?;
    Ok(Silence { id, target, until, why, since: now })
}

/// The silences that are in force in the store at `path`, each with how many messages' worth of alerts it has muted.
pub async fn silences(path: &Path, now: Timestamp) -> Result<Vec<(Silence, u32)>, DeskError> {
    let mut conn = beside::to_read(path).await?;
    Ok(list(&mut conn, now).await.map_err(StoreError::from)?)
}

/// Ends the silence `id` in the store at `path`: what it muted is due at `now`. `None` if no such silence is in force.
pub async fn unmute(path: &Path, id: i64, now: Timestamp) -> Result<Option<Silence>, DeskError> {
    let mut conn = beside::to_write(path).await?;
    Ok(end(&mut conn, id, now).await.map_err(StoreError::from)?)
}

async fn list(conn: &mut SqliteConnection, now: Timestamp) -> Result<Vec<(Silence, u32)>, sqlx::Error> {
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

async fn end(conn: &mut SqliteConnection, id: i64, now: Timestamp) -> Result<Option<Silence>, sqlx::Error> {
    let mut change = conn.begin_with("BEGIN IMMEDIATE").await?;
    let row = sqlx::query("UPDATE silence SET until = $2 WHERE id = $1 AND until > $2 RETURNING *")
        .bind(id)
        .bind(millis(now))
        .fetch_optional(&mut *change)
        .await?;
    let Some(ended) = row.as_ref().map(silence).transpose()? else { return Ok(None) };
    sqlx::query("UPDATE message SET due = $2 WHERE digest = $1 AND state IN ('pending', 'held') AND due > $2")
        .bind(to_json(&ended.reason())?)
        .bind(millis(now))
        .execute(&mut *change)
        .await?;
    change.commit().await?;
    Ok(Some(ended))
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
