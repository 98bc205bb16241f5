//! Digests: the open digest that alerts join, and the late digest of a receiver that is away.

mod split;

pub(super) use split::{halve_digest, split_digest};

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::column::{self, to_json, to_millis};
use super::dialect::{id_list, message_alert_list};
use crate::alerts::breaker::NotifierHealth;
use crate::alerts::digest;
use crate::alerts::digest::{Digest, DigestEntry, DigestPart, DigestReason, DigestStories};
use crate::alerts::{Receiver, RuleMatch};
use tidings_rules::story::{FeedName, Severity};

/// Messages of one receiver that waited too long, with the gravest severity of each.
type LateMessages = Vec<(i64, Severity)>;

/// The open digest of `receiver` for that reason, or else a new one, due at `due`.
pub(super) async fn open_digest(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
    reason: &DigestReason,
    due: Timestamp,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    let reason = to_json(reason)?;
    // LOCK: a second writer needs the latch here, so that a receiver has one open digest of a
    // reason.
    if let Some(open) = find_open_digest(conn, receiver, &reason).await? {
        return Ok(open);
    }
    let uid = uuid::Uuid::new_v4().to_string();
    sqlx::query_scalar(
        "INSERT INTO message (key, uid, notifier, recipient, created, status, due, digest)
         VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7) RETURNING id",
    )
    .bind(format!("digest:{}/{}:{uid}", receiver.notifier, receiver.recipient))
    .bind(&uid)
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .bind(to_millis(now))
    .bind(to_millis(due))
    .bind(reason)
    .fetch_one(conn)
    .await
}

async fn find_open_digest(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
    reason: &str,
) -> Result<Option<i64>, sqlx::Error> {
    // LOCK: a second writer needs FOR UPDATE here, or the alert joins a digest that is being
    // frozen.
    sqlx::query_scalar(
        "SELECT id FROM message
         WHERE notifier = $1 AND recipient = $2 AND status = 'pending' AND payload IS NULL AND digest = $3 AND part IS NULL",
    )
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .bind(reason)
    .fetch_optional(conn)
    .await
}

/// Moves the alerts of messages that could not be sent for too long into one late digest. A
/// message of which an attempt may have arrived stays unchanged, and so does a critical one.
/// Returns whether it moved any.
pub(super) async fn gather_late_messages(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
    away: &NotifierHealth,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let Some(before) = digest::late_before(away.since, now) else { return Ok(false) };
    let waiting = find_late_messages(conn, receiver, before).await?;
    let late: Vec<i64> = waiting
        .into_iter()
        .filter(|(_, severity)| digest::may_be_late(*severity))
        .map(|(id, _)| id)
        .collect();
    let parts = find_late_parts(conn, receiver).await?;
    let is_open = !parts.is_empty()
        || find_open_digest(conn, receiver, &to_json(&DigestReason::Late)?).await?.is_some();
    let gathers = late.len() > 1 || (late.len() == 1 && is_open);
    if gathers {
        let into = open_digest(conn, receiver, &DigestReason::Late, now, now).await?;
        merge_into_digest(conn, &[late, parts].concat(), into).await?;
    }
    Ok(gathers)
}

/// Parts of late digests that no attempt can have delivered: they join the digest, which is split
/// anew.
async fn find_late_parts(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT id FROM message
         WHERE notifier = $1 AND recipient = $2 AND status = 'pending' AND payload IS NULL AND digest = $3 AND part IS NOT NULL",
    )
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .bind(to_json(&DigestReason::Late)?)
    .fetch_all(conn)
    .await
}

async fn find_late_messages(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
    before: Timestamp,
) -> Result<LateMessages, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT message.id, alert.rule_match FROM message
         JOIN message_alert ON message_alert.message = message.id JOIN alert ON alert.id = message_alert.alert
         WHERE notifier = $1 AND recipient = $2 AND status = 'pending' AND event IS NOT NULL AND payload IS NULL
           AND message.created <= $3 ORDER BY message.id",
    )
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .bind(to_millis(before))
    .fetch_all(conn)
    .await?;
    let mut waiting: LateMessages = Vec::new();
    for row in &rows {
        let (message, rule_match): (i64, RuleMatch) =
            (row.try_get("id")?, column::read_json(row, "rule_match")?);
        match waiting.last_mut() {
            Some((last, severity)) if *last == message => {
                *severity = rule_match.severity.max(*severity);
            }
            _ => waiting.push((message, rule_match.severity)),
        }
    }
    Ok(waiting)
}

/// Moves the alerts of `messages` to the digest `into` and deletes the messages, which no attempt
/// has delivered.
async fn merge_into_digest(
    conn: &mut SqliteConnection,
    messages: &[i64],
    into: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(concat!(
        "INSERT INTO message_alert (message, alert)
         SELECT DISTINCT CAST($2 AS BIGINT), alert FROM message_alert WHERE message IN ",
        id_list!("$1"),
        " ON CONFLICT DO NOTHING"
    ))
    .bind(to_json(&messages)?)
    .bind(into)
    .execute(&mut *conn)
    .await?;
    delete_messages(conn, messages).await?;
    raise_revisions(conn, &[into]).await
}

/// Deletes these messages, with their attempts.
pub(super) async fn delete_messages(
    conn: &mut SqliteConnection,
    messages: &[i64],
) -> Result<(), sqlx::Error> {
    for sql in [
        concat!("DELETE FROM message_alert WHERE message IN ", id_list!("$1")),
        concat!("DELETE FROM attempt WHERE message IN ", id_list!("$1")),
        concat!("DELETE FROM message WHERE id IN ", id_list!("$1")),
    ] {
        sqlx::query(sql).bind(to_json(&messages)?).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Moves alerts from digests to the digest `into`: pairs of a digest and an alert. No digest was
/// ever leased. One that is empty after that is deleted.
pub(super) async fn move_alerts(
    conn: &mut SqliteConnection,
    moved: &[(i64, i64)],
    into: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(concat!(
        "UPDATE message_alert SET message = $2 FROM ",
        message_alert_list!("$1"),
        " AS given
         WHERE message_alert.message = given.message AND message_alert.alert = given.alert"
    ))
    .bind(to_json(&moved)?)
    .bind(into)
    .execute(&mut *conn)
    .await?;
    let mut changed: Vec<i64> = moved.iter().map(|(from, _)| *from).collect();
    changed.sort_unstable();
    changed.dedup();
    let emptied = to_json(&changed)?;
    for sql in [
        concat!("DELETE FROM attempt WHERE message IN ", id_list!("$1"), "
         AND NOT EXISTS (SELECT 1 FROM message_alert WHERE message_alert.message = attempt.message)"),
        concat!("DELETE FROM message WHERE id IN ", id_list!("$1"), "
         AND NOT EXISTS (SELECT 1 FROM message_alert WHERE message_alert.message = message.id)"),
    ] {
        sqlx::query(sql).bind(&emptied).execute(&mut *conn).await?;
    }
    changed.push(into);
    raise_revisions(conn, &changed).await
}

/// Notes that the alerts of these messages have changed: payloads that were made before are void.
pub(super) async fn raise_revisions(
    conn: &mut SqliteConnection,
    messages: &[i64],
) -> Result<(), sqlx::Error> {
    sqlx::query(concat!("UPDATE message SET revision = revision + 1 WHERE id IN ", id_list!("$1")))
        .bind(to_json(&messages)?)
        .execute(conn)
        .await?;
    Ok(())
}

/// The content of a digest.
pub(super) enum DigestContent {
    /// It fits into one message, or is a part already.
    Whole(Digest),
    /// It is too large for one message: the alerts of each part.
    Parts(Vec<Vec<i64>>),
}

/// The contents of these digests, by their messages: rules and rows, gravest first, each with its
/// stories, newest first. A digest that is not split yet is divided if it is too large.
pub(super) async fn read_digests(
    conn: &mut SqliteConnection,
    digests: Vec<(i64, DigestReason, Option<DigestPart>)>,
) -> Result<HashMap<i64, DigestContent>, sqlx::Error> {
    let messages: Vec<i64> = digests.iter().map(|(message, ..)| *message).collect();
    let mut stories = read_stories(conn, &messages).await?;
    let mut contents = HashMap::new();
    for (message, reason, part) in digests {
        let stories = stories.remove(&message).unwrap_or_default();
        let parts = if part.is_none() { stories.divide() } else { Vec::new() };
        let content = if parts.len() > 1 {
            DigestContent::Parts(parts)
        } else {
            DigestContent::Whole(Digest { reason, part, rules: stories.into_groups() })
        };
        contents.insert(message, content);
    }
    Ok(contents)
}

/// The stories of these digests, by their messages.
async fn read_stories(
    conn: &mut SqliteConnection,
    messages: &[i64],
) -> Result<HashMap<i64, DigestStories>, sqlx::Error> {
    if messages.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(
        concat!("SELECT message_alert.message, alert.id, alert.rule_match, alert.read, alert.read_why,
                story.event, story.title, story.opening, story.url, story.published, story.first_seen, story.lang,
                (SELECT feed FROM feed_entry WHERE feed_entry.story = story.id ORDER BY seen, feed LIMIT 1) AS feed
         FROM message_alert JOIN alert ON alert.id = message_alert.alert JOIN story ON story.id = alert.story
         WHERE message_alert.message IN ", id_list!("$1"), "
         ORDER BY alert.rule, alert.dedup_key, coalesce(story.published, story.first_seen) DESC, alert.id DESC"),
    )
    .bind(to_json(&messages)?)
    .fetch_all(conn)
    .await?;
    let mut digests: HashMap<i64, DigestStories> = HashMap::new();
    for row in &rows {
        let rule_match: RuleMatch = column::read_json(row, "rule_match")?;
        let (entry, alert) = (digest_entry(row, &rule_match)?, row.try_get("id")?);
        let stories = digests.entry(row.try_get("message")?).or_default();
        stories.add(rule_match, entry, alert);
    }
    digests.values_mut().for_each(DigestStories::sort);
    Ok(digests)
}

fn digest_entry(row: &SqliteRow, rule_match: &RuleMatch) -> Result<DigestEntry, sqlx::Error> {
    Ok(DigestEntry {
        event: row.try_get("event")?,
        story: column::summary_from_row(row)?,
        read: column::read_final_extent(row)?,
        feed: FeedName(row.try_get::<Option<String>, _>("feed")?.unwrap_or_default()),
        version: rule_match.version.clone(),
        text_sha256: rule_match.text_sha256.clone(),
        evidence: rule_match.evidence.clone(),
    })
}

#[cfg(test)]
mod tests;
