//! Adds stories to events, and keeps the signatures by which their copies are found.
//!
//! A story joins an event before its first alert or never, because alerts are counted by event.

use jiff::Timestamp;

use super::column::{execute, read_optional_time, to_millis};
use super::{MatchResult, StoryId, alert_index};
use crate::alerts::copies;
use crate::alerts::copies::{CopyUpdate, Fingerprint, JoinedEvent, link_host};
use crate::store::db::{self, DbConnection, StatementBuilder};
use tidings_rules::condition::{Publishers, Sighting};

/// The most expired signatures that are deleted when a new one is stored. It is more than one, so
/// that none stays.
const MOST_EXPIRED: i64 = 4;

/// The event of a story, and where its first story was first seen.
#[derive(Debug)]
pub(super) struct EventLead {
    pub(super) event: String,
    source: Option<String>,
    url: Option<String>,
    feed: Option<String>,
    /// When the last alert of any event was recorded.
    pub(super) last_alert: Option<Timestamp>,
}

impl EventLead {
    /// The publisher of the event's first sighting.
    pub(super) fn publisher(&self, publishers: &Publishers) -> String {
        let feed = self.feed.as_deref().unwrap_or_default();
        let (source, url) = (self.source.as_deref(), self.url.as_deref());
        publishers.publisher(Sighting { source, url, feed })
    }
}

/// Adds a story without alerts and without copies to the event that its comparison found. Returns
/// what the story adds to that event.
pub(super) async fn join_event(
    conn: &mut DbConnection<'_>,
    story: StoryId,
    match_result: &MatchResult,
) -> Result<Option<CopyUpdate>, sqlx::Error> {
    let Some(JoinedEvent { event, update }) = &match_result.joins else { return Ok(None) };
    let joined = db::query(
        "UPDATE story SET event = (SELECT event FROM story AS first WHERE first.uid = $2 OR first.key = $2)
         WHERE id = $1 AND event = uid AND EXISTS (SELECT 1 FROM story AS first WHERE first.uid = $2 OR first.key = $2)
             AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.story = story.id)
             AND NOT EXISTS (SELECT 1 FROM story AS other WHERE other.event = story.uid AND other.id <> story.id)",
    )
    .bind(story.0)
    .bind(event)
    .execute(&mut *conn)
    .await?;
    if joined.rows_affected() == 0 {
        return Ok(None);
    }
    void_open_payloads(conn, story).await?;
    alert_index::note_changed_events(conn, &[story]).await?;
    Ok(update.clone())
}

/// The event of a story.
pub(super) async fn read_lead(
    conn: &mut DbConnection<'_>,
    story: StoryId,
) -> Result<EventLead, sqlx::Error> {
    let row = db::query(
        "SELECT first.event, first.source, first.url,
                (SELECT feed FROM feed_entry WHERE feed_entry.story = first.id ORDER BY seen, id LIMIT 1) AS feed,
                (SELECT created FROM alert ORDER BY id DESC LIMIT 1) AS last_alert
         FROM story JOIN story AS first
             ON first.id = (SELECT id FROM story AS known WHERE known.event = story.event ORDER BY id LIMIT 1)
         WHERE story.id = $1",
    )
    .bind(story.0)
    .fetch_one(conn)
    .await?;
    Ok(EventLead {
        event: row.try_get("event")?,
        source: row.try_get("source")?,
        url: row.try_get("url")?,
        feed: row.try_get("feed")?,
        last_alert: read_optional_time(&row, "last_alert")?,
    })
}

/// Notes that the event of this story has another copy or feed, which its messages list. Payloads
/// that were made before, and are not frozen yet, are void.
pub(super) async fn void_open_payloads(
    conn: &mut DbConnection<'_>,
    story: StoryId,
) -> Result<(), sqlx::Error> {
    let raise = "UPDATE message SET revision = revision + 1
         WHERE event = (SELECT event FROM story WHERE id = $1) AND status = 'pending' AND payload IS NULL";
    execute(conn, raise, &[story.0]).await.map(drop)
}

/// Stores the signature of a story's text and deletes the one before. Stores none if the event
/// takes no more copies.
pub(super) async fn store_signature(
    conn: &mut DbConnection<'_>,
    story: StoryId,
    fingerprint: Option<&Fingerprint>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let open_since = to_millis(copies::open_since(now));
    let delete = "DELETE FROM signature WHERE story IN (SELECT CAST($1 AS BIGINT) UNION ALL SELECT story FROM
             (SELECT story FROM signature WHERE event_started < $2 ORDER BY event_started LIMIT $3) AS expired)";
    execute(conn, delete, &[story.0, open_since, MOST_EXPIRED]).await?;
    let Some(Fingerprint { signature, .. }) = fingerprint else { return Ok(()) };
    let url: Option<String> = db::query_scalar("SELECT url FROM story WHERE id = $1")
        .bind(story.0)
        .fetch_one(&mut *conn)
        .await?;
    let kept = db::query(
        "INSERT INTO signature (story, event_started, minhash, host)
         SELECT story.id, first.first_seen, $2, $4 FROM story JOIN story AS first ON first.uid = story.event
         WHERE story.id = $1 AND first.first_seen >= $3",
    )
    .bind(story.0)
    .bind(signature.to_bytes())
    .bind(open_since)
    .bind(link_host(url.as_deref()))
    .execute(&mut *conn)
    .await?;
    let bands = signature.bands();
    if kept.rows_affected() == 1 && !bands.is_empty() {
        let mut insert = StatementBuilder::new("INSERT INTO signature_band (band, value, story) ");
        insert.push_values(bands, |values, (band, value)| {
            values.push_bind(band).push_bind(value).push_bind(story.0);
        });
        insert.push(" ON CONFLICT DO NOTHING");
        insert.build().execute(conn).await?;
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests;
