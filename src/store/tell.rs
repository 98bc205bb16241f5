//! What an item's telling does to its story: a story begins, gets a new revision, or is joined by
//! one more feed.
//!
//! A story that waits goes on waiting, whatever is told of it here: its page may be under way, and
//! only T2 knows when all feeds' rules have seen it.

use std::borrow::Cow;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::column::{millis, read_columns, to_json};
use super::intake::{self, NewStory};
use super::{MatchResult, StoryId, StoryPlan, alerts, event};
use tidings_rules::story::{Story, StoryKey};

/// Where a story stands.
enum StoryStatus {
    /// It has no text that was to be matched: it was only recorded, or its text is no longer kept.
    Recorded,
    /// It waits for T2.
    Waits,
    /// It was matched.
    Settled,
}

/// Takes a new item's story: as a new one, or as one more copy of the one with this key.
pub(super) async fn add_or_join(
    conn: &mut SqliteConnection,
    key: &StoryKey,
    told: &Story,
    plan: &StoryPlan,
    now: Timestamp,
) -> Result<StoryId, sqlx::Error> {
    let known = sqlx::query_scalar("SELECT id FROM story WHERE key = $1")
        .bind(&key.0)
        .fetch_optional(&mut *conn)
        .await?;
    if let Some(story) = known.map(StoryId) {
        join(conn, story, told, plan, now).await?;
        return Ok(story);
    }
    // It waits until its plan is followed.
    let story =
        intake::insert_stories(conn, vec![NewStory::waiting(key, Cow::Borrowed(told), now)])
            .await?[key];
    follow(conn, story, plan, now).await?;
    Ok(story)
}

/// Takes an edit: a new revision, to be matched as `plan` says. With [`StoryPlan::Record`] the story's
/// fate stays what it is.
pub(super) async fn edit(
    conn: &mut SqliteConnection,
    story: StoryId,
    told: &Story,
    plan: &StoryPlan,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    retell(conn, story, told).await?;
    match (standing(conn, story).await?, plan) {
        (_, StoryPlan::Record(_)) => Ok(()),
        (StoryStatus::Waits, StoryPlan::Settle(verdict)) => {
            alerts::keep(conn, story, verdict, now).await?;
            stand_as_told(conn, story, verdict, now).await?;
            match_again(conn, story, now).await
        }
        (_, plan) => {
            follow(conn, story, plan, now).await?;
            // Whoever matched the edit knew of one feed only; there may be rules that look at the
            // others.
            if matches!(plan, StoryPlan::Settle(_)) && is_carried_by_several(conn, story).await? {
                match_again(conn, story, now).await?;
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
        sqlx::query_scalar("SELECT count(DISTINCT feed) FROM sighting WHERE story = $1")
            .bind(story.0)
            .fetch_one(conn)
            .await?;
    Ok(feeds > 1)
}

/// Whether a story waits.
pub(super) async fn waits(
    conn: &mut SqliteConnection,
    story: StoryId,
) -> Result<bool, sqlx::Error> {
    Ok(matches!(standing(conn, story).await?, StoryStatus::Waits))
}

/// One more feed carries a known story. The text stands as it is, except where nobody was to match
/// it.
async fn join(
    conn: &mut SqliteConnection,
    story: StoryId,
    told: &Story,
    plan: &StoryPlan,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    match (standing(conn, story).await?, plan) {
        (_, StoryPlan::Record(_)) => Ok(()),
        (StoryStatus::Recorded, plan) => {
            retell(conn, story, told).await?;
            follow(conn, story, plan, now).await
        }
        // Whoever looks at the story now may not know of this feed.
        (StoryStatus::Waits, StoryPlan::ReadPage) => {
            sqlx::query("UPDATE story SET joined = 1 WHERE id = $1")
                .bind(story.0)
                .execute(conn)
                .await?;
            Ok(())
        }
        (StoryStatus::Waits, StoryPlan::Settle(verdict)) => {
            alerts::keep(conn, story, verdict, now).await
        }
        (StoryStatus::Settled, StoryPlan::ReadPage) => match_again(conn, story, now).await,
        (StoryStatus::Settled, StoryPlan::Settle(verdict)) => {
            alerts::keep(conn, story, verdict, now).await?;
            alerts::decide_fate(conn, story).await
        }
    }
}

/// Does what the plan says with a revision that nobody has matched.
async fn follow(
    conn: &mut SqliteConnection,
    story: StoryId,
    plan: &StoryPlan,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    match plan {
        StoryPlan::Record(why) => record_only(conn, story, why).await,
        StoryPlan::ReadPage => wait_for_page(conn, story, now).await,
        StoryPlan::Settle(verdict) => {
            alerts::keep(conn, story, verdict, now).await?;
            stand_as_told(conn, story, verdict, now).await?;
            alerts::decide_fate(conn, story).await
        }
    }
}

async fn standing(conn: &mut SqliteConnection, story: StoryId) -> Result<StoryStatus, sqlx::Error> {
    let (fate, purged): (Option<String>, bool) =
        sqlx::query_as("SELECT fate, purged IS NOT NULL FROM story WHERE id = $1")
            .bind(story.0)
            .fetch_one(conn)
            .await?;
    Ok(match fate.as_deref() {
        None => StoryStatus::Waits,
        Some("recorded") => StoryStatus::Recorded,
        Some(_) if purged => StoryStatus::Recorded,
        Some(_) => StoryStatus::Settled,
    })
}

/// Replaces what the feed says of a story. When it was first seen stays.
async fn retell(
    conn: &mut SqliteConnection,
    story: StoryId,
    told: &Story,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE story SET revision = revision + 1, title = $2, feed_text = $3, url = $4, published = $5, lang = $6,
                authors = $7, tags = $8, source = $9, purged = NULL
         WHERE id = $1",
    )
    .bind(story.0)
    .bind(&told.title)
    .bind(&told.body)
    .bind(&told.url)
    .bind(told.published.map(millis))
    .bind(&told.lang)
    .bind(to_json(&told.authors)?)
    .bind(to_json(&told.tags)?)
    .bind(&told.source)
    .execute(conn)
    .await?;
    Ok(())
}

async fn record_only(
    conn: &mut SqliteConnection,
    story: StoryId,
    why: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE story SET fate = 'recorded', fate_why = $2, due = NULL, waiting_since = NULL WHERE id = $1")
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
        "UPDATE story SET fate = NULL, fate_why = NULL, body = NULL, read = NULL, read_why = NULL,
                due = $2, waiting_since = $2, page_attempts = 0
         WHERE id = $1",
    )
    .bind(story.0)
    .bind(millis(now))
    .execute(conn)
    .await?;
    Ok(())
}

/// Has a story whose text is settled matched again: it waits, but for no page.
pub(super) async fn match_again(
    conn: &mut SqliteConnection,
    story: StoryId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE story SET fate = NULL, due = $2, waiting_since = $2, joined = 0 WHERE id = $1",
    )
    .bind(story.0)
    .bind(millis(now))
    .execute(conn)
    .await?;
    Ok(())
}

/// Settles a story's text as the feed's.
async fn stand_as_told(
    conn: &mut SqliteConnection,
    story: StoryId,
    verdict: &MatchResult,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let (read, why) = read_columns(&verdict.read);
    sqlx::query("UPDATE story SET body = NULL, read = $2, read_why = $3 WHERE id = $1")
        .bind(story.0)
        .bind(read)
        .bind(why)
        .execute(&mut *conn)
        .await?;
    event::keep_sketch(conn, story, verdict.print.as_deref(), now).await
}

#[cfg(test)]
mod tests;
