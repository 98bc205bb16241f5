//! Adds stories to events, and keeps the signatures by which their copies are found.
//!
//! A story joins an event before its first alert or never, because alerts are counted by event.

use jiff::Timestamp;

use super::column::{execute, to_millis};
use super::{MatchResult, StoryId, alert_index};
use crate::alerts::copies;
use crate::alerts::copies::{Fingerprint, JoinedEvent, link_host};
use crate::store::db::{self, DbConnection, StatementBuilder};

/// The most expired signatures that are deleted when a new one is stored. It is more than one, so
/// that none stays.
const MOST_EXPIRED: i64 = 4;

/// The event of a story with this match result. A story without alerts and without copies joins
/// the event that its comparison found.
pub(super) async fn find_or_join_event(
    conn: &mut DbConnection<'_>,
    story: StoryId,
    match_result: &MatchResult,
) -> Result<JoinedEvent, sqlx::Error> {
    if let Some(JoinedEvent { event, update }) = &match_result.joins {
        let joined: Option<String> = db::query_scalar(
            "UPDATE story SET event = (SELECT event FROM story AS first WHERE first.uid = $2 OR first.key = $2)
             WHERE id = $1 AND event = uid AND EXISTS (SELECT 1 FROM story AS first WHERE first.uid = $2 OR first.key = $2)
                 AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.story = story.id)
                 AND NOT EXISTS (SELECT 1 FROM story AS other WHERE other.event = story.uid AND other.id <> story.id)
             RETURNING event",
        )
        .bind(story.0)
        .bind(event)
        .fetch_optional(&mut *conn)
        .await?;
        if let Some(event) = joined {
            void_open_payloads(conn, story).await?;
            alert_index::note_changed_events(conn, &[story]).await?;
            return Ok(JoinedEvent { event, update: update.clone() });
        }
    }
    let event = db::query_scalar("SELECT event FROM story WHERE id = $1").bind(story.0);
    Ok(JoinedEvent { event: event.fetch_one(conn).await?, update: None })
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
    let delete = "DELETE FROM signature WHERE story = $1
             OR story IN (SELECT story FROM signature WHERE event_started < $2 ORDER BY event_started LIMIT $3)";
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
