//! Digests: the open digest that alerts join, and the late digest of a receiver that is away.

mod split;

pub(super) use split::{halve_digests, split_digests};

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::column::{self, execute_list, to_json, to_millis};
use super::dialect::sql;
use crate::alerts::breaker::NotifierHealth;
use crate::alerts::digest;
use crate::alerts::digest::{DigestEntry, DigestReason, DigestStories};
use crate::alerts::{Receiver, RuleMatch};
use crate::store::db::{self, DbConnection, DbRow, SqlList};
use tidings_rules::story::{FeedName, Severity};

/// A digest that alerts join: its receiver, and its reason as the store has it.
pub(super) type DigestKey = (Receiver, String);

/// The open digests of these receivers for these reasons. Those that are not there are created,
/// each due at its time.
pub(super) async fn open_digests(
    conn: &mut DbConnection<'_>,
    wanted: &BTreeMap<DigestKey, Timestamp>,
    now: Timestamp,
) -> Result<HashMap<DigestKey, i64>, sqlx::Error> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let keys =
        wanted.keys().map(|(receiver, reason)| (&receiver.notifier.0, &receiver.recipient, reason));
    let open = db::query(sql!(
        "SELECT message.id, message.notifier, message.recipient, message.digest FROM ",
        row_list!("$1", 0 notifier TEXT, 1 recipient TEXT, 2 reason TEXT),
        " AS given JOIN message ON message.notifier = given.notifier AND message.recipient = given.recipient
         WHERE message.status = 'pending' AND payload IS NULL AND digest = given.reason AND part IS NULL"
    ));
    let open = open.bind(SqlList::new(&keys.collect::<Vec<_>>())?).fetch_all(&mut *conn).await?;
    let mut digests = digests_from_rows(&open)?;
    let missing = wanted.iter().filter(|(key, _)| !digests.contains_key(*key));
    let missing = missing.map(|((receiver, reason), due)| {
        let uid = uuid::Uuid::new_v4().to_string();
        let Receiver { notifier, recipient } = receiver;
        let key = format!("digest:{notifier}/{recipient}:{uid}");
        (key, uid, &notifier.0, recipient, to_millis(*due), reason)
    });
    let missing: Vec<_> = missing.collect();
    if !missing.is_empty() {
        let created = db::query(sql!(
            "INSERT INTO message (key, uid, notifier, recipient, due, digest, created, status)
             SELECT given.*, $2, 'pending' FROM ",
            row_list!("$1", 0 key TEXT, 1 uid TEXT, 2 notifier TEXT, 3 recipient TEXT, 4 due BIGINT, 5 digest TEXT),
            " AS given RETURNING id, notifier, recipient, digest"
        ));
        let created = created.bind(SqlList::new(&missing)?).bind(to_millis(now));
        digests.extend(digests_from_rows(&created.fetch_all(conn).await?)?);
    }
    Ok(digests)
}

fn digests_from_rows(rows: &[DbRow]) -> Result<HashMap<DigestKey, i64>, sqlx::Error> {
    let digests = rows.iter().map(|row| {
        Ok(((column::receiver_from_row(row)?, row.try_get("digest")?), row.try_get("id")?))
    });
    digests.collect()
}

/// What of a receiver that is away can join its late digest.
#[derive(Default)]
struct LateMessages {
    /// Messages about events.
    late: Vec<i64>,
    /// Parts of late digests that no attempt can have delivered. The digest is split anew.
    parts: Vec<i64>,
    has_digest: bool,
}

/// Moves the alerts of messages that could not be sent for too long into one late digest for each
/// receiver. A message of which an attempt may have arrived stays unchanged, and so does a critical
/// one. Returns whether it moved any.
pub(super) async fn gather_late_messages(
    conn: &mut DbConnection<'_>,
    away: impl Iterator<Item = (Receiver, &NotifierHealth)>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let away = away.filter_map(|(receiver, health)| {
        let before = to_millis(digest::late_before(health.since, now)?);
        Some((receiver.notifier.0, receiver.recipient, before))
    });
    let away: Vec<_> = away.collect();
    if away.is_empty() {
        return Ok(false);
    }
    let reason = to_json(&DigestReason::Late)?;
    let mut found = find_late_messages(conn, &SqlList::new(&away)?, &reason).await?;
    found.retain(|_, one| {
        one.late.len() > 1 || (one.late.len() == 1 && (one.has_digest || !one.parts.is_empty()))
    });
    let wanted = found.keys().map(|receiver| ((receiver.clone(), reason.clone()), now));
    let digests = open_digests(conn, &wanted.collect(), now).await?;
    let mut moved = Vec::new();
    for (receiver, LateMessages { late, parts, .. }) in found {
        let into = digests[&(receiver, reason.clone())];
        moved.extend(late.into_iter().chain(parts).map(|message| (message, into)));
    }
    merge_into_digests(conn, &moved).await?;
    Ok(!moved.is_empty())
}

/// What can join the late digests of these receivers, each with the time up to which its messages
/// are late.
async fn find_late_messages(
    conn: &mut DbConnection<'_>,
    away: &SqlList,
    reason: &str,
) -> Result<BTreeMap<Receiver, LateMessages>, sqlx::Error> {
    let urgent = Severity::ALL.into_iter().filter(|severity| !digest::may_be_late(*severity));
    let rows = db::query(sql!(
        "SELECT message.id, message.notifier, message.recipient, message.digest, message.part FROM ",
        row_list!("$1", 0 notifier TEXT, 1 recipient TEXT, 2 before BIGINT),
        " AS given JOIN message ON message.notifier = given.notifier AND message.recipient = given.recipient
         WHERE message.status = 'pending' AND payload IS NULL
           AND (digest = $2 OR (event IS NOT NULL AND created <= given.before AND NOT EXISTS (
               SELECT 1 FROM message_alert JOIN alert ON alert.id = message_alert.alert
               WHERE message_alert.message = message.id AND alert.severity IN ",
        text_list!("$3"),
        "))) ORDER BY message.id"
    ))
    .bind(away)
    .bind(reason)
    .bind(SqlList::new(&urgent.map(Severity::as_str).collect::<Vec<_>>())?)
    .fetch_all(conn)
    .await?;
    let mut found: BTreeMap<Receiver, LateMessages> = BTreeMap::new();
    for row in &rows {
        let (of_receiver, message) =
            (found.entry(column::receiver_from_row(row)?).or_default(), row.try_get("id")?);
        match (column::is_null(row, "digest")?, column::is_null(row, "part")?) {
            (true, _) => of_receiver.late.push(message),
            (false, false) => of_receiver.parts.push(message),
            (false, true) => of_receiver.has_digest = true,
        }
    }
    Ok(found)
}

/// Moves the alerts of messages to digests, and deletes the messages, which no attempt has
/// delivered: pairs of a message and its digest.
async fn merge_into_digests(
    conn: &mut DbConnection<'_>,
    moved: &[(i64, i64)],
) -> Result<(), sqlx::Error> {
    let merge = sql!(
        "INSERT INTO message_alert (message, alert) SELECT DISTINCT given.digest, message_alert.alert FROM ",
        row_list!("$1", 0 message BIGINT, 1 digest BIGINT),
        " AS given JOIN message_alert ON message_alert.message = given.message WHERE TRUE ON CONFLICT DO NOTHING"
    );
    execute_list(conn, merge, &moved).await?;
    let (messages, digests): (Vec<i64>, Vec<i64>) = moved.iter().copied().unzip();
    delete_messages(conn, &messages).await?;
    raise_revisions(conn, digests).await
}

/// Deletes these messages, with their attempts.
pub(super) async fn delete_messages(
    conn: &mut DbConnection<'_>,
    messages: &[i64],
) -> Result<(), sqlx::Error> {
    for sql in [
        sql!("DELETE FROM message_alert WHERE message IN ", id_list!("$1")),
        sql!("DELETE FROM attempt WHERE message IN ", id_list!("$1")),
        sql!("DELETE FROM message WHERE id IN ", id_list!("$1")),
    ] {
        execute_list(conn, sql, &messages).await?;
    }
    Ok(())
}

/// Moves alerts from digests to others: the digest, the alert and the other digest. None of them
/// was ever leased. A digest that is empty after that is deleted.
pub(super) async fn move_alerts(
    conn: &mut DbConnection<'_>,
    moved: &[(i64, i64, i64)],
) -> Result<(), sqlx::Error> {
    let update = sql!(
        "UPDATE message_alert SET message = given.digest FROM ",
        row_list!("$1", 0 message BIGINT, 1 alert BIGINT, 2 digest BIGINT),
        " AS given
         WHERE message_alert.message = given.message AND message_alert.alert = given.alert"
    );
    execute_list(conn, update, &moved).await?;
    let emptied: BTreeSet<i64> = moved.iter().map(|(from, ..)| *from).collect();
    for sql in [
        sql!("DELETE FROM attempt WHERE message IN ", id_list!("$1"), "
         AND NOT EXISTS (SELECT 1 FROM message_alert WHERE message_alert.message = attempt.message)"),
        sql!("DELETE FROM message WHERE id IN ", id_list!("$1"), "
         AND NOT EXISTS (SELECT 1 FROM message_alert WHERE message_alert.message = message.id)"),
    ] {
        execute_list(conn, sql, &emptied).await?;
    }
    raise_revisions(conn, moved.iter().flat_map(|(from, _, into)| [*from, *into])).await
}

/// Notes that the alerts of these messages have changed: payloads that were made before are void.
pub(super) async fn raise_revisions(
    conn: &mut DbConnection<'_>,
    messages: impl IntoIterator<Item = i64>,
) -> Result<(), sqlx::Error> {
    let messages: BTreeSet<i64> = messages.into_iter().collect();
    let raise = sql!("UPDATE message SET revision = revision + 1 WHERE id IN ", id_list!("$1"));
    execute_list(conn, raise, &messages).await
}

/// The stories of these digests, by their messages: rules and rows, gravest first, each with its
/// stories, newest first.
pub(super) async fn read_stories(
    conn: &mut DbConnection<'_>,
    messages: &[i64],
) -> Result<HashMap<i64, DigestStories>, sqlx::Error> {
    if messages.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = db::query(
        sql!("SELECT message_alert.message, alert.id, alert.rule_match, alert.read, alert.read_why, alert.publisher,
                story.event, story.title, story.opening, story.url, story.published, story.first_seen, story.lang,
                (SELECT feed FROM feed_entry WHERE feed_entry.story = story.id ORDER BY seen, feed LIMIT 1) AS feed
         FROM message_alert JOIN alert ON alert.id = message_alert.alert JOIN story ON story.id = alert.story
         WHERE message_alert.message IN ", id_list!("$1"), "
         ORDER BY alert.rule, alert.dedup_key, coalesce(story.published, story.first_seen) DESC, alert.id DESC"),
    )
    .bind(SqlList::new(&messages)?)
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

fn digest_entry(row: &DbRow, rule_match: &RuleMatch) -> Result<DigestEntry, sqlx::Error> {
    Ok(DigestEntry {
        event: row.try_get("event")?,
        story: column::summary_from_row(row)?,
        read: column::read_final_extent(row)?,
        feed: FeedName(row.try_get::<Option<String>, _>("feed")?.unwrap_or_default()),
        publisher: row.try_get("publisher")?,
        version: rule_match.version.clone(),
        text_sha256: rule_match.text_sha256.clone(),
        evidence: rule_match.evidence.clone(),
    })
}

#[cfg(test)]
mod tests;
