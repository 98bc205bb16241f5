//! Adds, lists and ends silences.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection, Row};

use super::column::{self, read_time, to_json, to_millis};
use super::{StoreCommandError, StoreError, StoryId, digest};
use crate::alerts::digest::DigestReason;
use crate::alerts::silence;
use crate::alerts::silence::{Silence, SilenceTarget};
use crate::alerts::{Receiver, RuleMatch};
use crate::store::{command_connection, feed_entries};

/// The silences in force at `now`.
pub(super) async fn read_active_silences(
    conn: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Vec<Silence>, sqlx::Error> {
    // The plus keeps SQLite from reading every past silence in the order of the ids.
    let rows = sqlx::query("SELECT * FROM silence WHERE until > $1 ORDER BY +id")
        .bind(to_millis(now))
        .fetch_all(conn)
        .await?;
    rows.iter().map(silence_from_row).collect()
}

/// Adds a silence of `target` to the store at `path`. A running Tidings applies it from
/// the next alert on. An alert that a shorter silence mutes waits until the end of this one if
/// both mute it.
pub async fn add_silence(
    path: &Path,
    target: SilenceTarget,
    until: Timestamp,
    why: String,
    now: Timestamp,
) -> Result<Silence, StoreCommandError> {
    let mut conn = command_connection::open_to_write(path).await?;
    let id =
        insert_silence(&mut conn, &target, until, &why, now).await.map_err(StoreError::from)?;
    command_connection::close(conn).await?;
    Ok(Silence { id, target, until, why, since: now })
}

/// The silences that are in force in the store at `path`, each with the number of alerts that
/// it mutes.
pub async fn list_silences(
    path: &Path,
    now: Timestamp,
) -> Result<Vec<(Silence, u32)>, StoreCommandError> {
    let mut conn = command_connection::open_to_read(path).await?;
    Ok(count_muted(&mut conn, now).await.map_err(StoreError::from)?)
}

/// Ends the silence `id` in the store at `path`. Its muted alerts become due at `now`, unless
/// another silence mutes them. Returns `None` if no silence in force has this id.
pub async fn end_silence(
    path: &Path,
    id: i64,
    now: Timestamp,
) -> Result<Option<Silence>, StoreCommandError> {
    let mut conn = command_connection::open_to_write(path).await?;
    let ended = shorten_silence(&mut conn, id, now).await.map_err(StoreError::from)?;
    command_connection::close(conn).await?;
    Ok(ended)
}

async fn count_muted(
    conn: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Vec<(Silence, u32)>, sqlx::Error> {
    let silences = read_active_silences(conn, now).await?;
    let reasons: Vec<String> =
        silences.iter().map(|silence| to_json(&silence.reason())).collect::<Result<_, _>>()?;
    let counts: Vec<(String, u32)> = sqlx::query_as(
        "SELECT digest, count(DISTINCT alert) FROM message
         JOIN message_alert ON message_alert.message = message.id
         WHERE digest IN (SELECT value FROM json_each($1)) GROUP BY digest",
    )
    .bind(to_json(&reasons)?)
    .fetch_all(conn)
    .await?;
    let counts: HashMap<String, u32> = counts.into_iter().collect();
    let counted = silences.into_iter().zip(reasons);
    Ok(counted
        .map(|(silence, reason)| (silence, counts.get(&reason).copied().unwrap_or_default()))
        .collect())
}

async fn insert_silence(
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
    .bind(to_millis(now))
    .bind(to_millis(until))
    .bind(why)
    .fetch_one(&mut *change)
    .await?;
    reassign_muted(&mut change, now).await?;
    change.commit().await?;
    Ok(id)
}

async fn shorten_silence(
    conn: &mut SqliteConnection,
    id: i64,
    now: Timestamp,
) -> Result<Option<Silence>, sqlx::Error> {
    let mut change = conn.begin_with("BEGIN IMMEDIATE").await?;
    let row = sqlx::query("UPDATE silence SET until = $2 WHERE id = $1 AND until > $2 RETURNING *")
        .bind(id)
        .bind(to_millis(now))
        .fetch_optional(&mut *change)
        .await?;
    let Some(ended) = row.as_ref().map(silence_from_row).transpose()? else { return Ok(None) };
    reassign_muted(&mut change, now).await?;
    sqlx::query("UPDATE message SET due = $2 WHERE digest = $1 AND status IN ('pending', 'held') AND due > $2")
        .bind(to_json(&ended.reason())?)
        .bind(to_millis(now))
        .execute(&mut *change)
        .await?;
    change.commit().await?;
    Ok(Some(ended))
}

/// A silence, and the alerts that move to its digest: pairs of the digest that has it and the
/// alert.
type MovedAlerts<'s> = (&'s Silence, Vec<(i64, i64)>);

/// Moves every muted alert that was not sent to another digest: that of the silence that ends last
/// among those that mute the alert now. If none mutes it, the alert stays in its digest.
async fn reassign_muted(conn: &mut SqliteConnection, now: Timestamp) -> Result<(), sqlx::Error> {
    let silences = read_active_silences(conn, now).await?;
    let rows = sqlx::query(
        "SELECT message.id AS message, notifier, recipient, digest, alert.id AS alert, rule_match, alert.story, story.event
         FROM message JOIN message_alert ON message_alert.message = message.id
         JOIN alert ON alert.id = message_alert.alert
         JOIN story ON story.id = alert.story
         WHERE message.status = 'pending' AND payload IS NULL AND digest LIKE $1 ORDER BY alert.id",
    )
    .bind(SILENCE_REASONS)
    .fetch_all(&mut *conn)
    .await?;
    let all = rows.iter().map(muted_from_row).collect::<Result<Vec<_>, _>>()?;
    let stories: Vec<StoryId> = all.iter().map(|muted| muted.story).collect();
    let feeds = feed_entries::read_feeds_of_stories(conn, &stories).await?;
    // LOCK: a second writer needs the latch before the digests are read.
    let mut moved: BTreeMap<(Receiver, i64), MovedAlerts<'_>> = BTreeMap::new();
    for muted in all {
        let feeds = feeds.get(&muted.story).map(Vec::as_slice).unwrap_or_default();
        let Some(longest) = silence::longest(&silences, &muted.rule_match, feeds, &muted.event)
        else {
            continue;
        };
        if longest.reason() != muted.reason {
            let (_, alerts) =
                moved.entry((muted.receiver, longest.id)).or_insert_with(|| (longest, Vec::new()));
            alerts.push((muted.message, muted.alert));
        }
    }
    for ((receiver, _), (silence, alerts)) in moved {
        let into =
            digest::open_digest(conn, &receiver, &silence.reason(), silence.until, now).await?;
        digest::move_alerts(conn, &alerts, into).await?;
    }
    Ok(())
}

/// The start of the column `digest` if the reason is a silence.
const SILENCE_REASONS: &str = r#"{"what":"silence"%"#;

/// An alert in the digest of a silence.
struct MutedAlert {
    message: i64,
    alert: i64,
    receiver: Receiver,
    reason: DigestReason,
    rule_match: RuleMatch,
    story: StoryId,
    event: String,
}

fn muted_from_row(row: &SqliteRow) -> Result<MutedAlert, sqlx::Error> {
    Ok(MutedAlert {
        message: row.try_get("message")?,
        alert: row.try_get("alert")?,
        receiver: column::receiver_from_row(row)?,
        reason: column::read_json(row, "digest")?,
        rule_match: column::read_json(row, "rule_match")?,
        story: StoryId(row.try_get("story")?),
        event: row.try_get("event")?,
    })
}

fn silence_from_row(row: &SqliteRow) -> Result<Silence, sqlx::Error> {
    Ok(Silence {
        id: row.try_get("id")?,
        target: column::read_json(row, "target")?,
        until: read_time(row, "until")?,
        why: row.try_get("why")?,
        since: read_time(row, "since")?,
    })
}

#[cfg(test)]
mod tests;
