//! Digests: the open digest that alerts join, and the late digest of a receiver that is away.

mod split;

pub(super) use split::{halve_digest, split_if_large};

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::column::{self, to_json, to_millis};
use crate::alerts::breaker::NotifierHealth;
use crate::alerts::digest;
use crate::alerts::digest::{Digest, DigestEntry, DigestGroup, DigestReason};
use crate::alerts::{Receiver, RuleMatch};
use tidings_rules::story;
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
pub(super) async fn gather_late_messages(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
    away: &NotifierHealth,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let Some(before) = digest::late_before(away.since, now) else { return Ok(()) };
    let waiting = find_late_messages(conn, receiver, before).await?;
    let late: Vec<i64> = waiting
        .into_iter()
        .filter(|(_, severity)| digest::may_be_late(*severity))
        .map(|(id, _)| id)
        .collect();
    let parts = find_late_parts(conn, receiver).await?;
    let is_open = !parts.is_empty()
        || find_open_digest(conn, receiver, &to_json(&DigestReason::Late)?).await?.is_some();
    if late.len() > 1 || (late.len() == 1 && is_open) {
        let into = open_digest(conn, receiver, &DigestReason::Late, now, now).await?;
        for message in late.into_iter().chain(parts) {
            merge_into_digest(conn, message, into).await?;
        }
    }
    Ok(())
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

/// Moves the alerts of `message` to the digest `into` and deletes the message, which no attempt
/// has delivered.
async fn merge_into_digest(
    conn: &mut SqliteConnection,
    message: i64,
    into: i64,
) -> Result<(), sqlx::Error> {
    for sql in [
        "INSERT OR IGNORE INTO message_alert (message, alert) SELECT $2, alert FROM message_alert WHERE message = $1",
        "DELETE FROM message_alert WHERE message = $1",
        "DELETE FROM attempt WHERE message = $1",
        "DELETE FROM message WHERE id = $1",
    ] {
        let query = sqlx::query(sql).bind(message);
        let query = if sql.contains("$2") { query.bind(into) } else { query };
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

/// Moves `alert` from the digest `from` to the digest `into`. Neither was ever leased.
pub(super) async fn move_alert(
    conn: &mut SqliteConnection,
    alert: i64,
    from: i64,
    into: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE message_alert SET message = $3 WHERE message = $1 AND alert = $2")
        .bind(from)
        .bind(alert)
        .bind(into)
        .execute(&mut *conn)
        .await?;
    for sql in [
        "DELETE FROM attempt WHERE message = $1 AND NOT EXISTS (SELECT 1 FROM message_alert WHERE message = $1)",
        "DELETE FROM message WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM message_alert WHERE message = $1)",
    ] {
        sqlx::query(sql).bind(from).execute(&mut *conn).await?;
    }
    Ok(())
}

/// The content of the digest `message`: its rules and rows, gravest first, each with its stories,
/// newest first.
pub(super) async fn read_digest(
    conn: &mut SqliteConnection,
    message: i64,
    reason: DigestReason,
) -> Result<Digest, sqlx::Error> {
    let part = split::read_part(conn, message).await?;
    let rules = read_groups(conn, message).await?.into_iter().map(|(group, _)| group).collect();
    Ok(Digest { reason, part, rules })
}

/// The stories of a digest by rule and row, in its order, with the alerts that they are of.
async fn read_groups(
    conn: &mut SqliteConnection,
    message: i64,
) -> Result<Vec<(DigestGroup, Vec<i64>)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT alert.id, alert.rule_match, alert.read, alert.read_why,
                story.event, story.title, story.opening, story.url, story.published, story.first_seen, story.lang,
                (SELECT feed FROM feed_entry WHERE feed_entry.story = story.id ORDER BY seen, feed LIMIT 1) AS feed
         FROM message_alert JOIN alert ON alert.id = message_alert.alert JOIN story ON story.id = alert.story
         WHERE message_alert.message = $1
         ORDER BY alert.rule, alert.dedup_key, coalesce(story.published, story.first_seen) DESC, alert.id DESC",
    )
    .bind(message)
    .fetch_all(conn)
    .await?;
    let id = |row: &Option<story::WatchlistRow>| row.as_ref().map(|row| row.id.clone());
    let mut rules: Vec<(DigestGroup, Vec<i64>)> = Vec::new();
    for row in &rows {
        let rule_match: RuleMatch = column::read_json(row, "rule_match")?;
        let (entry, alert) = (digest_entry(row, &rule_match)?, row.try_get("id")?);
        match rules.last_mut() {
            Some((group, alerts))
                if (&group.rule, id(&group.row)) == (&rule_match.rule, id(&rule_match.row)) =>
            {
                group.severity = group.severity.max(rule_match.severity);
                group.stories.push(entry);
                alerts.push(alert);
            }
            _ => {
                let group = DigestGroup {
                    rule: rule_match.rule,
                    row: rule_match.row,
                    severity: rule_match.severity,
                    stories: vec![entry],
                };
                rules.push((group, vec![alert]));
            }
        }
    }
    rules.sort_by_key(|(group, _)| std::cmp::Reverse(group.severity));
    Ok(rules)
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
