//! Adds, lists and ends silences.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::column::{self, execute_list, read_time, to_json, to_millis};
use super::dialect::sql;
use super::{StoreCommandError, StoryId, digest};
use crate::alerts::digest::DigestReason;
use crate::alerts::notice::About;
use crate::alerts::silence;
use crate::alerts::silence::{Silence, SilenceTarget};
use crate::alerts::{Content, RuleMatch};
use crate::config::StorePlace;
use crate::store::db::{self, DbConnection, DbRow, Sql, SqlList};
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

/// The silences of the store at `place` that end after `since`, each with the number of alerts and
/// absences that it mutes or muted.
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
    let alerts =
        rows.iter().map(|row| Ok((row.try_get("digest")?, column::read_count(row, "muted")?)));
    let alerts: HashMap<String, u32> = alerts.collect::<Result<_, sqlx::Error>>()?;
    let notices = count_muted_notices(&mut conn).await?;
    let counted = silences.into_iter().zip(reasons).map(|(silence, reason)| {
        let notices = notices.get(&silence.id).copied().unwrap_or_default();
        (silence, notices + alerts.get(&reason).copied().unwrap_or_default())
    });
    Ok(counted.collect())
}

/// How many notices each silence mutes or muted, however many receivers they have.
async fn count_muted_notices(
    conn: &mut DbConnection<'_>,
) -> Result<HashMap<i64, u32>, sqlx::Error> {
    let rows = db::query(
        "SELECT silence, count(DISTINCT notification) AS muted FROM message
         WHERE silence IS NOT NULL GROUP BY silence",
    )
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("silence")?, column::read_count(row, "muted")?)))
        .collect()
}

/// Ends the silence `id` in the store at `place`. Its muted alerts and absences become due at
/// `now`, unless another silence mutes them. Returns `None` if no silence in force has this id.
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
        let release =
            "UPDATE message SET due = $3 WHERE (digest = $1 OR silence = $2) AND status IN ('pending', 'held') AND due > $3";
        let release = db::query(release).bind(to_json(&ended.reason())?).bind(ended.id);
        release.bind(to_millis(now)).execute(conn).await?;
        Ok(Some(ended))
    })
    .await
}

/// Moves every muted alert that was not sent to another digest: that of the silence that ends last
/// among those that mute the alert now. If none mutes it, the alert stays in its digest.
async fn reassign_muted(conn: &mut DbConnection<'_>, now: Timestamp) -> Result<(), sqlx::Error> {
    let silences = read_active_silences(conn, now).await?;
    let rows = db::query(
        "SELECT message.id AS message, notifier, recipient, digest, alert
         FROM message JOIN message_alert ON message_alert.message = message.id
         WHERE message.status <> 'sent' AND message.status = 'pending' AND payload IS NULL AND digest LIKE $1 ORDER BY alert",
    )
    .bind(SILENCE_REASONS)
    .fetch_all(&mut *conn)
    .await?;
    let alerts = rows.iter().map(|row| row.try_get("alert")).collect::<Result<Vec<i64>, _>>()?;
    let muted = find_muted(conn, &silences, &alerts).await?;
    let (mut moved, mut wanted) = (Vec::new(), BTreeMap::new());
    for (row, alert) in rows.iter().zip(alerts) {
        let Some(longest) = muted.get(&alert) else { continue };
        let reason: DigestReason = column::read_json(row, "digest")?;
        if longest.reason() != reason {
            let key = (column::receiver_from_row(row)?, to_json(&longest.reason())?);
            wanted.insert(key.clone(), longest.until);
            moved.push((row.try_get("message")?, alert, key));
        }
    }
    let digests = digest::open_digests(conn, &wanted, now).await?;
    let moved = moved.into_iter().map(|(from, alert, key)| (from, alert, digests[&key]));
    digest::move_alerts(conn, &moved.collect::<Vec<_>>()).await?;
    reassign_notices(conn, &silences).await
}

/// Makes every muted notice that was not sent wait for the silence that ends last among those that
/// mute it now. If none does, the notice is due as before.
async fn reassign_notices(
    conn: &mut DbConnection<'_>,
    silences: &[Silence],
) -> Result<(), sqlx::Error> {
    let rows = db::query(
        "SELECT id, silence, notification FROM message
         WHERE silence IS NOT NULL AND status = 'pending' AND payload IS NULL",
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut changed = Vec::new();
    for row in &rows {
        let Content::Notice(About::Rule(notice)) = column::read_json(row, "notification")? else {
            continue;
        };
        let mutes: i64 = row.try_get("silence")?;
        let longest = silence::longest(silences, (&notice).into(), &[], "");
        if let Some(longest) = longest.filter(|longest| longest.id != mutes) {
            let id: i64 = row.try_get("id")?;
            changed.push((id, longest.id, to_millis(longest.until)));
        }
    }
    execute_list(conn, MUTE, &changed).await
}

const MUTE: Sql = sql!(
    "UPDATE message SET silence = given.silence, due = given.due FROM ",
    row_list!("$1", 0 id BIGINT, 1 silence BIGINT, 2 due BIGINT),
    " AS given WHERE message.id = given.id"
);

/// The silence that mutes each of these stored alerts longest, by alert, without those that none
/// mutes.
pub(super) async fn find_muted<'s>(
    conn: &mut DbConnection<'_>,
    silences: &'s [Silence],
    alerts: &[i64],
) -> Result<HashMap<i64, &'s Silence>, sqlx::Error> {
    if silences.is_empty() || alerts.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = db::query(sql!(
        "SELECT alert.id, rule_match, story, event FROM alert JOIN story ON story.id = alert.story WHERE alert.id IN ",
        id_list!("$1")
    ))
    .bind(SqlList::new(&alerts)?)
    .fetch_all(&mut *conn)
    .await?;
    let stories = rows.iter().map(|row| Ok(StoryId(row.try_get("story")?)));
    let stories = stories.collect::<Result<Vec<_>, sqlx::Error>>()?;
    let feeds = feed_entries::read_feeds_of_stories(conn, &stories).await?;
    let mut muted = HashMap::new();
    for (row, story) in rows.iter().zip(&stories) {
        let feeds = feeds.get(story).map(Vec::as_slice).unwrap_or_default();
        let rule_match: RuleMatch = column::read_json(row, "rule_match")?;
        let longest =
            silence::longest(silences, (&rule_match).into(), feeds, row.try_get("event")?);
        if let Some(longest) = longest {
            muted.insert(row.try_get("id")?, longest);
        }
    }
    Ok(muted)
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
