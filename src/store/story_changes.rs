//! Changes a story as an item of a poll requires: the story is new, gets a new revision, or is
//! joined by one more feed.
//!
//! A story that waits goes on waiting: its page may be in flight. Only `settle_story` ends a wait.

use std::borrow::Cow;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::column::{extent_columns, to_json, to_millis};
use super::{MatchResult, StoryId, StoryPlan, StoryStatus, alerts, event};
use crate::store::new_items;
use crate::store::new_items::NewStory;
use tidings_rules::story::{Story, StoryKey};

/// Adds the story of a new item, or joins the known story with this key.
pub(super) async fn add_or_join(
    conn: &mut SqliteConnection,
    key: &StoryKey,
    text: &Story,
    plan: &StoryPlan,
    now: Timestamp,
) -> Result<StoryId, sqlx::Error> {
    let known = sqlx::query_scalar("SELECT id FROM story WHERE key = $1")
        .bind(&key.0)
        .fetch_optional(&mut *conn)
        .await?;
    if let Some(story) = known.map(StoryId) {
        join_known_story(conn, story, text, plan, now).await?;
        return Ok(story);
    }
    // It waits until its plan is followed.
    let story =
        new_items::insert_stories(conn, vec![NewStory::waiting(key, Cow::Borrowed(text), now)])
            .await?[key];
    apply_plan(conn, story, plan, now).await?;
    Ok(story)
}

/// Records an edit: a new revision, to be matched as `plan` says. With [`StoryPlan::Record`] the
/// status stays the same.
pub(super) async fn record_edit(
    conn: &mut SqliteConnection,
    story: StoryId,
    text: &Story,
    plan: &StoryPlan,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    replace_feed_text(conn, story, text).await?;
    match (read_status(conn, story).await?, plan) {
        (_, StoryPlan::Record(_)) => Ok(()),
        (StoryStatus::Waiting, StoryPlan::Settle(match_result)) => {
            alerts::record_alerts(conn, story, match_result, now).await?;
            settle_with_feed_text(conn, story, match_result, now).await?;
            schedule_rematch(conn, story, now).await
        }
        (_, plan) => {
            apply_plan(conn, story, plan, now).await?;
            // The edit was matched for one feed only. Rules of other feeds may match it, too.
            if matches!(plan, StoryPlan::Settle(_)) && is_carried_by_several(conn, story).await? {
                schedule_rematch(conn, story, now).await?;
            }
            Ok(())
        }
    }
}

async fn is_carried_by_several(
    conn: &mut SqliteConnection,
    story: StoryId,
) -> Result<bool, sqlx::Error> {
    let feeds: i64 =
        sqlx::query_scalar("SELECT count(DISTINCT feed) FROM feed_entry WHERE story = $1")
            .bind(story.0)
            .fetch_one(conn)
            .await?;
    Ok(feeds > 1)
}

/// Whether a story waits.
pub(super) async fn is_waiting(
    conn: &mut SqliteConnection,
    story: StoryId,
) -> Result<bool, sqlx::Error> {
    Ok(matches!(read_status(conn, story).await?, StoryStatus::Waiting))
}

/// One more feed carries a known story. The text stays the same, unless it was only recorded.
async fn join_known_story(
    conn: &mut SqliteConnection,
    story: StoryId,
    text: &Story,
    plan: &StoryPlan,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    match (read_status(conn, story).await?, plan) {
        (_, StoryPlan::Record(_)) => Ok(()),
        (StoryStatus::Recorded(_), plan) => {
            replace_feed_text(conn, story, text).await?;
            apply_plan(conn, story, plan, now).await
        }
        // Its page may be in flight, and be matched without this feed.
        (StoryStatus::Waiting, StoryPlan::ReadPage) => {
            sqlx::query("UPDATE story SET feed_joined = 1 WHERE id = $1")
                .bind(story.0)
                .execute(conn)
                .await?;
            Ok(())
        }
        (StoryStatus::Waiting, StoryPlan::Settle(match_result)) => {
            alerts::record_alerts(conn, story, match_result, now).await
        }
        (StoryStatus::Matched | StoryStatus::Unmatched, StoryPlan::ReadPage) => {
            schedule_rematch(conn, story, now).await
        }
        (StoryStatus::Matched | StoryStatus::Unmatched, StoryPlan::Settle(match_result)) => {
            alerts::record_alerts(conn, story, match_result, now).await?;
            alerts::set_match_status(conn, story).await
        }
    }
}

/// Applies the plan to a revision that is not matched yet.
async fn apply_plan(
    conn: &mut SqliteConnection,
    story: StoryId,
    plan: &StoryPlan,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    match plan {
        StoryPlan::Record(why) => record_only(conn, story, why).await,
        StoryPlan::ReadPage => wait_for_page(conn, story, now).await,
        StoryPlan::Settle(match_result) => {
            alerts::record_alerts(conn, story, match_result, now).await?;
            settle_with_feed_text(conn, story, match_result, now).await?;
            alerts::set_match_status(conn, story).await
        }
    }
}

/// The status of a story. One whose text is no longer kept counts as recorded.
async fn read_status(
    conn: &mut SqliteConnection,
    story: StoryId,
) -> Result<StoryStatus, sqlx::Error> {
    let row = sqlx::query("SELECT status, status_why, purged FROM story WHERE id = $1")
        .bind(story.0)
        .fetch_one(conn)
        .await?;
    match StoryStatus::from_row(&row)? {
        StoryStatus::Matched | StoryStatus::Unmatched
            if row.try_get::<Option<i64>, _>("purged")?.is_some() =>
        {
            Ok(StoryStatus::Recorded(String::new()))
        }
        status => Ok(status),
    }
}

/// Replaces the text that the feed gives of a story. `first_seen` stays the same.
async fn replace_feed_text(
    conn: &mut SqliteConnection,
    story: StoryId,
    text: &Story,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE story SET revision = revision + 1, title = $2, feed_text = $3, url = $4, published = $5, lang = $6,
                authors = $7, tags = $8, source = $9, purged = NULL
         WHERE id = $1",
    )
    .bind(story.0)
    .bind(&text.title)
    .bind(&text.body)
    .bind(&text.url)
    .bind(text.published.map(to_millis))
    .bind(&text.lang)
    .bind(to_json(&text.authors)?)
    .bind(to_json(&text.tags)?)
    .bind(&text.source)
    .execute(conn)
    .await?;
    Ok(())
}

async fn record_only(
    conn: &mut SqliteConnection,
    story: StoryId,
    why: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE story SET status = 'recorded', status_why = $2, due = NULL, waiting_since = NULL WHERE id = $1")
        .bind(story.0)
        .bind(why)
        .execute(conn)
        .await?;
    Ok(())
}

async fn wait_for_page(
    conn: &mut SqliteConnection,
    story: StoryId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE story SET status = 'waiting', status_why = NULL, body = NULL, read = NULL, read_why = NULL,
                due = $2, waiting_since = $2, page_attempts = 0
         WHERE id = $1",
    )
    .bind(story.0)
    .bind(to_millis(now))
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes a story with a final text wait to be matched again.
pub(super) async fn schedule_rematch(
    conn: &mut SqliteConnection,
    story: StoryId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE story SET status = 'waiting', due = $2, waiting_since = $2, feed_joined = 0 WHERE id = $1",
    )
    .bind(story.0)
    .bind(to_millis(now))
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes the feed's text the final text of a story.
async fn settle_with_feed_text(
    conn: &mut SqliteConnection,
    story: StoryId,
    match_result: &MatchResult,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let (read, why) = extent_columns(&match_result.read);
    sqlx::query("UPDATE story SET body = NULL, read = $2, read_why = $3 WHERE id = $1")
        .bind(story.0)
        .bind(read)
        .bind(why)
        .execute(&mut *conn)
        .await?;
    event::store_signature(conn, story, match_result.fingerprint.as_deref(), now).await
}

#[cfg(test)]
mod tests;
