//! Finds the event of a story: its own, or that of the earliest story that it is a copy of.
//!
//! A story joins an event before its first alert or never, because alerts are counted by event.

mod frame;

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};

use super::column::{self, to_json, to_millis};
use super::dialect::text_list;
use super::{MatchResult, StoryId, alert_index};
use crate::alerts::copies;
use crate::alerts::copies::sketch::{FIRST_KEY, MinHashSignature};
use crate::alerts::copies::{CopyUpdate, Fingerprint, MemberRelation, Relation};
use crate::alerts::{NewAlert, RuleMatch};

/// The most expired signatures that are deleted when a new one is stored. It is more than one, so
/// that none stays.
const MOST_EXPIRED: i64 = 4;

/// The most stories that a text is compared with: those whose signatures have the most values in
/// common with its own.
const MOST_COMPARED: i64 = 24;

/// The event of a story.
pub(super) struct Membership {
    pub(super) event: String,
    /// What the story adds to the event, if it just joined the event as an update.
    pub(super) update: Option<CopyUpdate>,
}

/// A stored story that a new story may be a copy of.
struct Candidate {
    story: StoryId,
    event: String,
    /// Whether it is the first of its event.
    is_first: bool,
    fingerprint: Fingerprint,
}

/// The event of a story with this match result. A story without alerts and without copies joins
/// the event that it is a copy of.
pub(super) async fn find_or_join_event(
    conn: &mut SqliteConnection,
    story: StoryId,
    match_result: &MatchResult,
    now: Timestamp,
) -> Result<Membership, sqlx::Error> {
    let (event, free): (String, bool) = sqlx::query_as(
        "SELECT event, event = uid AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.story = story.id)
             AND NOT EXISTS (SELECT 1 FROM story AS other WHERE other.event = story.uid AND other.id <> story.id)
         FROM story WHERE id = $1",
    )
    .bind(story.0)
    .fetch_one(&mut *conn)
    .await?;
    let own_event = Membership { event, update: None };
    let Some(fingerprint) = match_result.fingerprint.as_deref().filter(|_| free) else {
        return Ok(own_event);
    };
    let Some(joined) = find_event_to_join(conn, story, fingerprint, match_result, now).await?
    else {
        return Ok(own_event);
    };
    sqlx::query("UPDATE story SET event = $2 WHERE id = $1")
        .bind(story.0)
        .bind(&joined.event)
        .execute(&mut *conn)
        .await?;
    void_open_payloads(conn, story).await?;
    alert_index::note_changed_events(conn, &[story]).await?;
    Ok(joined)
}

/// Notes that the event of this story has another copy or feed, which its messages list. Payloads
/// that were made before, and are not frozen yet, are void.
pub(super) async fn void_open_payloads(
    conn: &mut SqliteConnection,
    story: StoryId,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE message SET revision = revision + 1
         WHERE event = (SELECT event FROM story WHERE id = $1) AND status = 'pending' AND payload IS NULL",
    )
    .bind(story.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether an earlier alert of any story of the event has the same rule and dedup key.
pub(super) async fn has_earlier_alert(
    conn: &mut SqliteConnection,
    event: &str,
    alert: i64,
    new_alert: &NewAlert,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM story JOIN alert ON alert.story = story.id
             WHERE story.event = $1 AND alert.rule = $2 AND alert.dedup_key = $3 AND alert.id < $4)",
    )
    .bind(event)
    .bind(&new_alert.rule_match.rule)
    .bind(&new_alert.dedup_key)
    .bind(alert)
    .fetch_one(conn)
    .await
}

/// Stores the signature of a story's text and deletes the one before. Stores none if the event
/// takes no more copies.
pub(super) async fn store_signature(
    conn: &mut SqliteConnection,
    story: StoryId,
    fingerprint: Option<&Fingerprint>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let open_since = to_millis(copies::open_since(now));
    sqlx::query(
        "DELETE FROM signature WHERE story = $1
             OR story IN (SELECT story FROM signature WHERE event_started < $2 ORDER BY event_started LIMIT $3)",
    )
    .bind(story.0)
    .bind(open_since)
    .bind(MOST_EXPIRED)
    .execute(&mut *conn)
    .await?;
    let Some(Fingerprint { sketch, .. }) = fingerprint else { return Ok(()) };
    let url: Option<String> = sqlx::query_scalar("SELECT url FROM story WHERE id = $1")
        .bind(story.0)
        .fetch_one(&mut *conn)
        .await?;
    let kept = sqlx::query(
        "INSERT INTO signature (story, event_started, minhash, host)
         SELECT story.id, first.first_seen, $2, $4 FROM story JOIN story AS first ON first.uid = story.event
         WHERE story.id = $1 AND first.first_seen >= $3",
    )
    .bind(story.0)
    .bind(sketch.to_bytes())
    .bind(open_since)
    .bind(frame::link_host(url.as_deref()))
    .execute(&mut *conn)
    .await?;
    let bands = sketch.bands();
    if kept.rows_affected() == 1 && !bands.is_empty() {
        let mut insert =
            QueryBuilder::<Sqlite>::new("INSERT INTO signature_band (band, value, story) ");
        insert.push_values(bands, |mut values, (band, value)| {
            values.push_bind(band).push_bind(value).push_bind(story.0);
        });
        insert.push(" ON CONFLICT DO NOTHING").build().execute(conn).await?;
    }
    Ok(())
}

/// The oldest open event that this story is a copy of, else the oldest that it is an update of.
async fn find_event_to_join(
    conn: &mut SqliteConnection,
    story: StoryId,
    fingerprint: &Fingerprint,
    match_result: &MatchResult,
    now: Timestamp,
) -> Result<Option<Membership>, sqlx::Error> {
    let mut events: Vec<(String, Vec<MemberRelation>)> = Vec::new();
    for row in find_similar_signatures(conn, story, &fingerprint.sketch, now).await? {
        let Some(candidate) = read_candidate(conn, &row, fingerprint).await? else { continue };
        let relation =
            compare_with_candidate(conn, story, fingerprint, &candidate, match_result).await?;
        let Candidate { event, is_first, .. } = candidate;
        if is_first && relation == Relation::Copy {
            return Ok(Some(Membership { event, update: None }));
        }
        let member = MemberRelation { is_first, relation };
        match events.iter_mut().find(|(compared, _)| *compared == event) {
            Some((_, members)) => members.push(member),
            None => events.push((event, vec![member])),
        }
    }
    Ok(choose_event(events))
}

/// Chooses the event that a story joins. `events`: those that it was compared with, oldest first.
fn choose_event(events: Vec<(String, Vec<MemberRelation>)>) -> Option<Membership> {
    let mut updated = None;
    for (event, members) in events {
        match copies::relation_to_event(&members) {
            Relation::Copy | Relation::Older => return Some(Membership { event, update: None }),
            Relation::Update(update) if updated.is_none() => {
                updated = Some(Membership { event, update: Some(update) });
            }
            Relation::Update(_) | Relation::Other => {}
        }
    }
    updated
}

/// The rows of signatures that have values in common with this one, of events that still take
/// copies, oldest event first.
async fn find_similar_signatures(
    conn: &mut SqliteConnection,
    story: StoryId,
    sketch: &MinHashSignature,
    now: Timestamp,
) -> Result<Vec<SqliteRow>, sqlx::Error> {
    let bands = sketch.bands();
    if bands.is_empty() {
        return Ok(Vec::new());
    }
    let mut select = QueryBuilder::<Sqlite>::new("WITH wanted (band, value) AS (");
    select.push_values(bands, |mut values, (band, value)| {
        values.push_bind(band).push_bind(value);
    });
    select.push(
        "), likely (story, hits, band) AS (
             SELECT story, count(*), max(band) FROM wanted JOIN signature_band USING (band, value) GROUP BY story)
         SELECT * FROM (SELECT signature.story, signature.minhash, signature.event_started, likely.band FROM likely JOIN signature USING (story)
             WHERE signature.event_started >= ",
    );
    select
        .push_bind(to_millis(copies::open_since(now)))
        .push(" AND signature.story <> ")
        .push_bind(story.0);
    select
        .push(" ORDER BY likely.hits DESC, signature.event_started, signature.story LIMIT ")
        .push_bind(MOST_COMPARED);
    select.push(") AS found ORDER BY event_started, story").build().fetch_all(conn).await
}

/// The row's story. `None` if its signature rules out that the texts are the same.
async fn read_candidate(
    conn: &mut SqliteConnection,
    row: &SqliteRow,
    fingerprint: &Fingerprint,
) -> Result<Option<Candidate>, sqlx::Error> {
    let is_found_by_key = row.try_get::<i64, _>("band")? >= FIRST_KEY;
    if !is_found_by_key && !fingerprint.sketch.resembles_bytes(row.try_get("minhash")?) {
        return Ok(None);
    }
    let story = StoryId(row.try_get("story")?);
    let (event, is_first, title, text, is_whole): (String, bool, String, String, bool) = sqlx::query_as(
        "SELECT event, event = uid, title, coalesce(body, feed_text), read = 'full' FROM story WHERE id = $1",
    )
    .bind(story.0)
    .fetch_one(conn)
    .await?;
    Ok(copies::print(&title, &text, is_whole).map(|fingerprint| Candidate {
        story,
        event,
        is_first,
        fingerprint,
    }))
}

/// The relation of a story to the candidate. A copy in which a rule matched new words is another
/// story. A brief that the same feed carries again is another story, too.
async fn compare_with_candidate(
    conn: &mut SqliteConnection,
    story: StoryId,
    fingerprint: &Fingerprint,
    candidate: &Candidate,
    match_result: &MatchResult,
) -> Result<Relation, sqlx::Error> {
    let without_frame = copies::relation(&candidate.fingerprint, fingerprint, &HashSet::new());
    if without_frame == Relation::Other {
        return Ok(without_frame);
    }
    if fingerprint.is_brief() {
        let is_repeated = is_carried_by_same_feed(conn, &candidate.event, match_result).await?;
        return Ok(if is_repeated { Relation::Other } else { without_frame });
    }
    let frame = frame::learn_frame(conn, [story, candidate.story], &candidate.event).await?;
    let relation = if frame.is_empty() {
        without_frame
    } else {
        copies::relation(&candidate.fingerprint, fingerprint, &frame)
    };
    let joins_unnoticed = matches!(relation, Relation::Copy | Relation::Older);
    if joins_unnoticed && matches_new_words(conn, candidate, match_result).await? {
        return Ok(Relation::Other);
    }
    Ok(relation)
}

async fn is_carried_by_same_feed(
    conn: &mut SqliteConnection,
    event: &str,
    match_result: &MatchResult,
) -> Result<bool, sqlx::Error> {
    let feeds: Vec<&str> = match_result.feeds.iter().map(|feed| feed.0.as_str()).collect();
    sqlx::query_scalar(concat!(
        "SELECT EXISTS (SELECT 1 FROM story JOIN feed_entry ON feed_entry.story = story.id
             WHERE story.event = $1 AND feed_entry.feed IN ",
        text_list!("$2"),
        ")"
    ))
    .bind(event)
    .bind(to_json(&feeds)?)
    .fetch_one(conn)
    .await
}

/// Whether a rule that alerted for the candidate's event now matched words that are neither in the
/// candidate nor in the evidence of those alerts.
async fn matches_new_words(
    conn: &mut SqliteConnection,
    candidate: &Candidate,
    match_result: &MatchResult,
) -> Result<bool, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT alert.dedup_key, alert.rule_match FROM story JOIN alert ON alert.story = story.id
         WHERE story.event = $1 AND alert.purged IS NULL",
    )
    .bind(&candidate.event)
    .fetch_all(conn)
    .await?;
    let mut earlier: Vec<(String, RuleMatch)> = Vec::with_capacity(rows.len());
    for row in &rows {
        earlier.push((row.try_get("dedup_key")?, column::read_json(row, "rule_match")?));
    }
    let matches_new = |new_alert: &NewAlert| {
        let same = |(dedup_key, one): &&(String, RuleMatch)| {
            one.rule == new_alert.rule_match.rule && *dedup_key == new_alert.dedup_key
        };
        let mut same_rule = earlier.iter().filter(same).peekable();
        same_rule.peek().is_some()
            && candidate.fingerprint.lacks_evidence(
                &new_alert.rule_match.evidence,
                same_rule.flat_map(|(_, one)| &one.evidence),
            )
    };
    Ok(match_result.alerts.iter().any(matches_new))
}

#[cfg(test)]
mod tests;
