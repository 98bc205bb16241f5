//! T1: one poll in one transaction: the feed's state, its items, and what they do to stories.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::column::millis;
use super::{FeedState, ItemRecord, PollRecord, Store, StoreError, StoryId, tell};
use crate::feed::identity::ItemKey;
use crate::story::FeedName;

impl Store {
    /// T1: records one poll. Returns whether a story of it waits for its page or to be matched again.
    ///
    /// An item stays with the story that it was first taken for. An edit makes a new revision of that story. A new item whose story is known already
    /// joins it: its own alerts are added, and a story that was matched is matched again for the feed that carries it now. Nothing here ends a wait.
    pub async fn record_poll(&self, record: PollRecord) -> Result<bool, StoreError> {
        self.write(move |conn| Box::pin(keep(conn, record))).await
    }
}

async fn keep(conn: &mut SqliteConnection, record: PollRecord) -> Result<bool, sqlx::Error> {
    let (feed, now) = (&record.state.name, record.now);
    keep_state(conn, &record.state).await?;
    if let Some((host, until)) = &record.host_rests {
        keep_rest(conn, host, *until).await?;
    }
    let mut waits = false;
    for item in &record.items {
        waits |= keep_item(conn, feed, item, now).await?;
    }
    if let Some(present) = &record.present {
        mark_gone(conn, feed, present, now).await?;
    }
    Ok(waits)
}

async fn keep_state(conn: &mut SqliteConnection, state: &FeedState) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO feed (name, etag, last_modified, next_poll, next_why, last_good, failures, error)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (name) DO UPDATE SET etag = excluded.etag, last_modified = excluded.last_modified,
             next_poll = excluded.next_poll, next_why = excluded.next_why, last_good = excluded.last_good,
             failures = excluded.failures, error = excluded.error",
    )
    .bind(&state.name.0)
    .bind(&state.etag)
    .bind(&state.last_modified)
    .bind(state.next_poll.map(millis))
    .bind(&state.next_why)
    .bind(state.last_good.map(millis))
    .bind(state.failures)
    .bind(&state.error)
    .execute(conn)
    .await?;
    Ok(())
}

/// Two feeds of one host may be told different times: the later holds.
async fn keep_rest(conn: &mut SqliteConnection, host: &str, until: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO host (name, rests_until) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET rests_until = excluded.rests_until
         WHERE excluded.rests_until > host.rests_until",
    )
    .bind(host)
    .bind(millis(until))
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps one item. Returns whether its story waits.
async fn keep_item(
    conn: &mut SqliteConnection,
    feed: &FeedName,
    item: &ItemRecord,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let known = update_sighting(conn, feed, item).await?;
    let Some((told, plan)) = &item.news else { return Ok(false) };
    let story = match known {
        Some(story) => {
            tell::edit(conn, story, told, plan, now).await?;
            story
        }
        None => {
            let story = tell::add_or_join(conn, &item.story, told, plan, now).await?;
            insert_sighting(conn, feed, item, story, now).await?;
            story
        }
    };
    tell::waits(conn, story).await
}

/// Brings a known item's row up to date. Returns its story; `None` if the item is not known.
async fn update_sighting(
    conn: &mut SqliteConnection,
    feed: &FeedName,
    item: &ItemRecord,
) -> Result<Option<StoryId>, sqlx::Error> {
    let story = sqlx::query_scalar(
        "UPDATE sighting SET key = $3, guid = $4, link = $5, hash = $6, url = $7, gone_at = NULL
         WHERE feed = $1 AND key = $2 RETURNING story",
    )
    .bind(&feed.0)
    .bind(&item.was.as_ref().unwrap_or(&item.key).0)
    .bind(&item.key.0)
    .bind(&item.guid)
    .bind(&item.link)
    .bind(&item.hash)
    .bind(&item.url)
    .fetch_optional(conn)
    .await?;
    Ok(story.map(StoryId))
}

async fn insert_sighting(
    conn: &mut SqliteConnection,
    feed: &FeedName,
    item: &ItemRecord,
    story: StoryId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO sighting (feed, key, guid, link, hash, url, story, seen) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&feed.0)
    .bind(&item.key.0)
    .bind(&item.guid)
    .bind(&item.link)
    .bind(&item.hash)
    .bind(&item.url)
    .bind(story.0)
    .bind(millis(now))
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks the feed's items that left its document, and those that came back to it.
async fn mark_gone(
    conn: &mut SqliteConnection,
    feed: &FeedName,
    present: &[ItemKey],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let present: HashSet<&str> = present.iter().map(|key| key.0.as_str()).collect();
    let known: Vec<(String, bool)> = sqlx::query_as("SELECT key, gone_at IS NOT NULL FROM sighting WHERE feed = $1")
        .bind(&feed.0)
        .fetch_all(&mut *conn)
        .await?;
    for (key, gone) in known {
        let missing = !present.contains(key.as_str());
        if missing != gone {
            sqlx::query("UPDATE sighting SET gone_at = $3 WHERE feed = $1 AND key = $2")
                .bind(&feed.0)
                .bind(key)
                .bind(missing.then(|| millis(now)))
                .execute(&mut *conn)
                .await?;
        }
    }
    Ok(())
}
