//! Adds, lists and ends silences.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::column::{self, read_time, to_json, to_millis};
use super::dialect::sql;
use super::{StoreCommandError, StoryId, digest};
use crate::alerts::RuleMatch;
use crate::alerts::digest::DigestReason;
use crate::alerts::silence;
use crate::alerts::silence::{MatchedRule, Silence, SilenceTarget};
use crate::config::StorePlace;
use crate::store::db::{self, DbConnection, DbRow, SqlList};
use crate::store::{command_connection, feed_entries};

/// The silences in force at `now`.
pub(super) async fn read_active_silences(
    conn: &mut DbConnection<'_>,
    now: Timestamp,
) -> Result<Vec<Silence>, sqlx::Error> {
    // The plus keeps SQLite from reading every past silence in the order of the ids.
    let rows = db::query("SELECT * FROM silence WHERE until > $1 ORDER BY +id")
        .bind(to_millis(now))
        .fetch_all(conn)
        .await?;
    rows.iter().map(silence_from_row).collect()
}

/// Adds a silence of `target` to the store at `place`. A running Tidings applies it from
/// the next alert on. An alert that a shorter silence mutes waits until the end of this one if
/// both mute it.
pub async fn add_silence(
    place: impl Into<StorePlace>,
    target: SilenceTarget,
    until: Timestamp,
    why: String,
    now: Timestamp,
) -> Result<Silence, StoreCommandError> {
    command_connection::write(&place.into(), async |conn| {
        let id = db::query_scalar(
            "INSERT INTO silence (target, since, until, why) VALUES ($1, $2, $3, $4) RETURNING id",
        )
        .bind(to_json(&target)?)
        .bind(to_millis(now))
        .bind(to_millis(until))
        .bind(&why)
        .fetch_one(&mut *conn)
        .await?;
        reassign_muted(conn, now).await?;
        Ok(Silence { id, target, until, why, since: now })
    })
    .await
}

/// The silences of the store at `place` that end after `since`, each with the number of alerts that
/// it mutes or muted.
pub async fn list_silences(
    place: impl Into<StorePlace>,
    since: Timestamp,
) -> Result<Vec<(Silence, u32)>, StoreCommandError> {
    let mut conn = command_connection::open_to_read(&place.into()).await?;
    let silences = read_active_silences(&mut conn, since).await?;
    let reasons: Vec<String> =
        silences.iter().map(|silence| to_json(&silence.reason())).collect::<Result<_, _>>()?;
    let rows = db::query(sql!(
        "SELECT digest, count(DISTINCT alert) AS muted FROM message
         JOIN message_alert ON message_alert.message = message.id WHERE digest IN ",
        text_list!("$1"),
        " GROUP BY digest"
    ))
    .bind(SqlList::new(&reasons)?)
    .fetch_all(&mut conn)
    .await?;
    let counts =
        rows.iter().map(|row| Ok((row.try_get("digest")?, column::read_count(row, "muted")?)));
    let counts: HashMap<String, u32> = counts.collect::<Result<_, sqlx::Error>>()?;
    let counted = silences.into_iter().zip(reasons);
    Ok(counted
        .map(|(silence, reason)| (silence, counts.get(&reason).copied().unwrap_or_default()))
        .collect())
}

/// Ends the silence `id` in the store at `place`. Its muted alerts become due at `now`, unless
/// another silence mutes them. Returns `None` if no silence in force has this id.
pub async fn end_silence(
    place: impl Into<StorePlace>,
    id: i64,
    now: Timestamp,
) -> Result<Option<Silence>, StoreCommandError> {
    command_connection::write(&place.into(), async |conn| {
        let shorten = "UPDATE silence SET until = $2 WHERE id = $1 AND until > $2 RETURNING *";
        let shortened = db::query(shorten).bind(id).bind(to_millis(now));
        let Some(row) = shortened.fetch_optional(&mut *conn).await? else { return Ok(None) };
        let ended = silence_from_row(&row)?;
        reassign_muted(conn, now).await?;
        db::query("UPDATE message SET due = $2 WHERE digest = $1 AND status IN ('pending', 'held') AND due > $2")
            .bind(to_json(&ended.reason())?)
            .bind(to_millis(now))
            .execute(conn)
            .await?;
        Ok(Some(ended))
    })
    .await
}

/// Moves every muted alert that was not sent to another digest: that of the silence that ends last
/// among those that mute the alert now. If none mutes it, the alert stays in its digest.
async fn reassign_muted(conn: &mut DbConnection<'_>, now: Timestamp) -> Result<(), sqlx::Error> {
    let silences = read_active_silences(conn, now).await?;
    let rows = db::query(
        "SELECT message.id AS message, notifier, recipient, digest, alert.id AS alert, rule_match, alert.story, story.event
         FROM message JOIN message_alert ON message_alert.message = message.id
         JOIN alert ON alert.id = message_alert.alert
         JOIN story ON story.id = alert.story
         WHERE message.status <> 'sent' AND message.status = 'pending' AND payload IS NULL AND digest LIKE $1 ORDER BY alert.id",
    )
    .bind(SILENCE_REASONS)
    .fetch_all(&mut *conn)
    .await?;
    let mut stories = Vec::with_capacity(rows.len());
    for row in &rows {
        stories.push(StoryId(row.try_get("story")?));
    }
    let feeds = feed_entries::read_feeds_of_stories(conn, &stories).await?;
    // LOCK: a second writer needs the latch before the digests are read.
    let (mut moved, mut wanted) = (Vec::new(), BTreeMap::new());
    for (row, story) in rows.iter().zip(&stories) {
        let feeds = feeds.get(story).map(Vec::as_slice).unwrap_or_default();
        let rule_match: RuleMatch = column::read_json(row, "rule_match")?;
        let matched = MatchedRule::from(&rule_match);
        let Some(longest) = silence::longest(&silences, matched, feeds, row.try_get("event")?)
        else {
            continue;
        };
        let reason: DigestReason = column::read_json(row, "digest")?;
        if longest.reason() != reason {
            let key = (column::receiver_from_row(row)?, to_json(&longest.reason())?);
            wanted.insert(key.clone(), longest.until);
            moved.push((row.try_get("message")?, row.try_get("alert")?, key));
        }
    }
    let digests = digest::open_digests(conn, &wanted, now).await?;
    let moved = moved.into_iter().map(|(from, alert, key)| (from, alert, digests[&key]));
    digest::move_alerts(conn, &moved.collect::<Vec<_>>()).await
}

/// The start of the column `digest` if the reason is a silence.
const SILENCE_REASONS: &str = r#"{"what":"silence"%"#;

fn silence_from_row(row: &DbRow) -> Result<Silence, sqlx::Error> {
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
