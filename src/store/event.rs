//! Which event a story belongs to: its own, or that of the earliest story that it is a copy of.
//!
//! A story joins an event before anything is told of it, or not at all: what was told, and to whom,
//! is counted by events.

mod frame;

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};

use super::column::{self, millis, to_json};
use super::{MatchResult, StoryId};
use crate::alerts::copies;
use crate::alerts::copies::sketch::{FIRST_KEY, MinHashSignature};
use crate::alerts::copies::{CopyUpdate, Fingerprint, MemberRelation, Relation};
use crate::alerts::{NewAlert, RuleMatch};

/// Old sketches that go when a new one is kept. More than one, so that none stays for good.
const SWEPT: u32 = 4;

/// The most stories that a text is compared with: those that share most of what finds copies.
const MOST_COMPARED: u32 = 24;

/// The event of a story.
pub(super) struct Membership {
    pub(super) event: String,
    /// What the story says anew, where it just joined the event as an update of it.
    pub(super) update: Option<CopyUpdate>,
}

/// A story that another may be a copy of.
struct Candidate {
    story: StoryId,
    event: String,
    /// Whether it is the first of its event.
    is_first: bool,
    print: Fingerprint,
}

/// The event of a story that was matched so. A story of which nothing was told, and that has no
/// copies itself, joins here what it is a copy of.
pub(super) async fn of(
    conn: &mut SqliteConnection,
    story: StoryId,
    verdict: &MatchResult,
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
    let own = Membership { event, update: None };
    let Some(print) = verdict.fingerprint.as_deref().filter(|_| free) else { return Ok(own) };
    let Some(joined) = copied(conn, story, print, verdict, now).await? else { return Ok(own) };
    sqlx::query("UPDATE story SET event = $2 WHERE id = $1")
        .bind(story.0)
        .bind(&joined.event)
        .execute(conn)
        .await?;
    Ok(joined)
}

/// Whether an older alert of the event, of whichever story, has told this rule on this occasion.
pub(super) async fn has_told(
    conn: &mut SqliteConnection,
    event: &str,
    alert: i64,
    draft: &NewAlert,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM story JOIN alert ON alert.story = story.id
             WHERE story.event = $1 AND alert.rule = $2 AND alert.dedup_key = $3 AND alert.id < $4)",
    )
    .bind(event)
    .bind(&draft.told.rule)
    .bind(&draft.dedup_key)
    .bind(alert)
    .fetch_one(conn)
    .await
}

/// Keeps what finds a story's text from now on, in the place of what was kept before; nothing once
/// its event takes no more copies.
pub(super) async fn keep_sketch(
    conn: &mut SqliteConnection,
    story: StoryId,
    print: Option<&Fingerprint>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let open_since = millis(copies::open_since(now));
    sqlx::query(
        "DELETE FROM signature WHERE story = $1
             OR story IN (SELECT story FROM signature WHERE begun < $2 ORDER BY begun LIMIT $3)",
    )
    .bind(story.0)
    .bind(open_since)
    .bind(SWEPT)
    .execute(&mut *conn)
    .await?;
    let Some(Fingerprint { sketch, .. }) = print else { return Ok(()) };
    let url: Option<String> = sqlx::query_scalar("SELECT url FROM story WHERE id = $1")
        .bind(story.0)
        .fetch_one(&mut *conn)
        .await?;
    let kept = sqlx::query(
        "INSERT INTO signature (story, begun, minhash, host)
         SELECT story.id, first.first_seen, $2, $4 FROM story JOIN story AS first ON first.uid = story.event
         WHERE story.id = $1 AND first.first_seen >= $3",
    )
    .bind(story.0)
    .bind(sketch.to_bytes())
    .bind(open_since)
    .bind(frame::host(url.as_deref()))
    .execute(&mut *conn)
    .await?;
    let bands = sketch.bands();
    if kept.rows_affected() == 1 && !bands.is_empty() {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT OR IGNORE INTO signature_band (band, value, story) ",
        );
        insert.push_values(bands, |mut values, (band, value)| {
            values.push_bind(band).push_bind(value).push_bind(story.0);
        });
        insert.build().execute(conn).await?;
    }
    Ok(())
}

/// The oldest open event that this story is a copy of, or else is an update of.
async fn copied(
    conn: &mut SqliteConnection,
    story: StoryId,
    print: &Fingerprint,
    verdict: &MatchResult,
    now: Timestamp,
) -> Result<Option<Membership>, sqlx::Error> {
    let mut events: Vec<(String, Vec<MemberRelation>)> = Vec::new();
    for row in likely(conn, story, &print.sketch, now).await? {
        let Some(candidate) = candidate(conn, &row, print).await? else { continue };
        let relation = proved(conn, story, print, &candidate, verdict).await?;
        let Candidate { event, is_first, .. } = candidate;
        if is_first && relation == Relation::Copy {
            return Ok(Some(Membership { event, update: None }));
        }
        let member = MemberRelation { is_first, relation };
        match events.iter_mut().find(|(known, _)| *known == event) {
            Some((_, members)) => members.push(member),
            None => events.push((event, vec![member])),
        }
    }
    Ok(joined(events))
}

/// The event that a story joins of those with which it was compared, oldest first.
fn joined(events: Vec<(String, Vec<MemberRelation>)>) -> Option<Membership> {
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

/// Sketches that have values in common with this one, of events that still take copies: oldest
/// event first.
async fn likely(
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
         SELECT * FROM (SELECT signature.story, signature.minhash, signature.begun, likely.band FROM likely JOIN signature USING (story)
             WHERE signature.begun >= ",
    );
    select
        .push_bind(millis(copies::open_since(now)))
        .push(" AND signature.story <> ")
        .push_bind(story.0);
    select
        .push(" ORDER BY likely.hits DESC, signature.begun, signature.story LIMIT ")
        .push_bind(MOST_COMPARED);
    select.push(") ORDER BY begun, story").build().fetch_all(conn).await
}

/// The row's story, if its sketch says that it may be the same text.
async fn candidate(
    conn: &mut SqliteConnection,
    row: &SqliteRow,
    print: &Fingerprint,
) -> Result<Option<Candidate>, sqlx::Error> {
    let by_key = row.try_get::<i64, _>("band")? >= FIRST_KEY;
    if !by_key && !print.sketch.resembles_bytes(row.try_get("minhash")?) {
        return Ok(None);
    }
    let story = StoryId(row.try_get("story")?);
    let (event, is_first, title, text, is_whole): (String, bool, String, String, bool) = sqlx::query_as(
        "SELECT event, event = uid, title, coalesce(body, feed_text), read = 'full' FROM story WHERE id = $1",
    )
    .bind(story.0)
    .fetch_one(conn)
    .await?;
    Ok(copies::print(&title, &text, is_whole).map(|print| Candidate {
        story,
        event,
        is_first,
        print,
    }))
}

/// What a story is to the candidate. A copy of which a rule matched new words is another story, and
/// so is a brief that the same feed brings again.
async fn proved(
    conn: &mut SqliteConnection,
    story: StoryId,
    print: &Fingerprint,
    candidate: &Candidate,
    verdict: &MatchResult,
) -> Result<Relation, sqlx::Error> {
    let bare = copies::relation(&candidate.print, print, &HashSet::new());
    if bare == Relation::Other {
        return Ok(bare);
    }
    if print.is_brief() {
        let again = is_of_same_feed(conn, &candidate.event, verdict).await?;
        return Ok(if again { Relation::Other } else { bare });
    }
    let frame = frame::learned(conn, [story, candidate.story], &candidate.event).await?;
    let relation =
        if frame.is_empty() { bare } else { copies::relation(&candidate.print, print, &frame) };
    let is_recorded = matches!(relation, Relation::Copy | Relation::Older);
    if is_recorded && rests_on_other_words(conn, candidate, verdict).await? {
        return Ok(Relation::Other);
    }
    Ok(relation)
}

async fn is_of_same_feed(
    conn: &mut SqliteConnection,
    event: &str,
    verdict: &MatchResult,
) -> Result<bool, sqlx::Error> {
    let feeds: Vec<&str> = verdict.feeds.iter().map(|feed| feed.0.as_str()).collect();
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM story JOIN feed_entry ON feed_entry.story = story.id
             WHERE story.event = $1 AND feed_entry.feed IN (SELECT value FROM json_each($2)))",
    )
    .bind(event)
    .bind(to_json(&feeds)?)
    .fetch_one(conn)
    .await
}

/// Whether a rule that has told the candidate's event matched words that stand neither in the
/// candidate nor in what was told.
async fn rests_on_other_words(
    conn: &mut SqliteConnection,
    candidate: &Candidate,
    verdict: &MatchResult,
) -> Result<bool, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT alert.dedup_key, alert.rule_match FROM story JOIN alert ON alert.story = story.id
         WHERE story.event = $1 AND alert.purged IS NULL",
    )
    .bind(&candidate.event)
    .fetch_all(conn)
    .await?;
    let mut told: Vec<(String, RuleMatch)> = Vec::with_capacity(rows.len());
    for row in &rows {
        told.push((row.try_get("dedup_key")?, column::json(row, "rule_match")?));
    }
    let lacks = |draft: &NewAlert| {
        let same = |(occasion, one): &&(String, RuleMatch)| {
            one.rule == draft.told.rule && *occasion == draft.dedup_key
        };
        let mut before = told.iter().filter(same).peekable();
        before.peek().is_some()
            && candidate
                .print
                .lacks_evidence(&draft.told.evidence, before.flat_map(|(_, told)| &told.evidence))
    };
    Ok(verdict.alerts.iter().any(lacks))
}

#[cfg(test)]
mod tests;
