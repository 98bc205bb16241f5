//! Changes a story as `lifecycle::story` says: reads its status, asks the table, and applies what
//! follows.

use std::borrow::Cow;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::column::{extent_columns, to_json, to_millis};
use super::{FinalText, MatchResult, RecheckResult, StoryId, StoryPlan, alerts, event, status};
use crate::lifecycle::story;
use crate::lifecycle::story::{
    ItemPlan, NextStatus, StoryEffect, StoryEvent, StoryStatus, StoryTransition,
};
use crate::store::new_items;
use crate::store::new_items::NewStory;
use tidings_rules::story::{Story, StoryKey};

/// A story as its table sees it.
pub(super) struct StoryState {
    pub(super) status: StoryStatus,
    pub(super) revision: i64,
    /// Whether a feed began to carry it after its wait began.
    pub(super) has_joined: bool,
}

/// What came with an event. The effects write it.
#[derive(Clone, Copy)]
pub(super) enum EventData<'d> {
    /// A feed's item: its text, and what to do with it.
    Item(&'d Story, &'d StoryPlan),
    /// When the page is tried again.
    PageFailed(Timestamp),
    /// The final text.
    Settled(&'d FinalText),
    /// What the page has now.
    Rechecked(&'d RecheckResult),
    /// The matches of new rules.
    Backfilled(&'d MatchResult),
}

impl<'d> EventData<'d> {
    /// The result of matching the text that came with the event.
    fn match_result(self) -> Result<&'d MatchResult, sqlx::Error> {
        match self {
            Self::Item(_, StoryPlan::Settle(match_result)) | Self::Backfilled(match_result) => {
                Some(match_result)
            }
            Self::Settled(text) => Some(&text.match_result),
            Self::Rechecked(result) => result.change.as_ref().map(|(_, match_result)| match_result),
            Self::Item(..) | Self::PageFailed(_) => None,
        }
        .ok_or_else(|| sqlx::Error::Protocol("the event has no result of a match".to_owned()))
    }
}

impl StoryPlan {
    /// The plan as the table of stories knows it.
    pub(super) fn item_plan(&self) -> ItemPlan {
        match self {
            Self::Record(_) => ItemPlan::Record,
            Self::ReadPage => ItemPlan::ReadPage,
            Self::Settle(_) => ItemPlan::Settle,
        }
    }
}

/// The story of a new item.
pub(super) struct ItemStory {
    pub(super) story: StoryId,
    pub(super) waits: bool,
    /// Whether the story was known before.
    pub(super) is_joined: bool,
}

/// Adds the story of a new item, or joins the known story with this key.
pub(super) async fn add_or_join(
    conn: &mut SqliteConnection,
    key: &StoryKey,
    text: &Story,
    plan: &StoryPlan,
    now: Timestamp,
) -> Result<ItemStory, sqlx::Error> {
    let known: Option<i64> = sqlx::query_scalar("SELECT id FROM story WHERE key = $1")
        .bind(&key.0)
        .fetch_optional(&mut *conn)
        .await?;
    let data = EventData::Item(text, plan);
    if let Some(story) = known.map(StoryId) {
        let waits =
            apply_event(conn, story, StoryEvent::Joined(plan.item_plan()), data, now).await?;
        event::void_open_payloads(conn, story).await?;
        return Ok(ItemStory { story, waits, is_joined: true });
    }
    // It waits for its page until its plan is applied.
    let story =
        new_items::insert_stories(conn, vec![NewStory::waiting(key, Cow::Borrowed(text), now)])
            .await?[key];
    let transition = story::first(plan.item_plan());
    let waits = apply(conn, story, StoryStatus::AwaitsPage, transition, data, now).await?;
    Ok(ItemStory { story, waits, is_joined: false })
}

/// Records an edit: a new revision, to be matched as `plan` says. Returns whether the story waits.
pub(super) async fn record_edit(
    conn: &mut SqliteConnection,
    story: StoryId,
    text: &Story,
    plan: &StoryPlan,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    // Only an edit that was matched asks whether other feeds carry the story.
    let is_shared =
        matches!(plan, StoryPlan::Settle(_)) && is_carried_by_several(conn, story).await?;
    let event = StoryEvent::Edited { plan: plan.item_plan(), is_shared };
    apply_event(conn, story, event, EventData::Item(text, plan), now).await
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

/// Reads a story as its table sees it; `None` if it is no longer stored.
pub(super) async fn read_state(
    conn: &mut SqliteConnection,
    story: StoryId,
) -> Result<Option<StoryState>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT status, revision, feed_joined, purged IS NOT NULL AS is_purged FROM story WHERE id = $1",
    )
    .bind(story.0)
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let status = match status::story_status_from_row(&row)? {
        StoryStatus::Matched | StoryStatus::Unmatched if row.try_get("is_purged")? => {
            StoryStatus::Purged
        }
        status => status,
    };
    let (revision, has_joined) = (row.try_get("revision")?, row.try_get("feed_joined")?);
    Ok(Some(StoryState { status, revision, has_joined }))
}

/// Applies what follows from an event that happens to a stored story. Returns whether the story
/// waits.
async fn apply_event(
    conn: &mut SqliteConnection,
    story: StoryId,
    event: StoryEvent,
    data: EventData<'_>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let state = read_state(conn, story).await?.ok_or(sqlx::Error::RowNotFound)?;
    apply(conn, story, state.status, story::next(state.status, event), data, now).await
}

/// Applies what follows from an event that happens to this revision of a story. Returns `false` if
/// nothing follows, or if the story has another revision by now.
pub(super) async fn apply_to_revision(
    conn: &mut SqliteConnection,
    (story, revision): (StoryId, i64),
    event: impl FnOnce(&StoryState) -> StoryEvent,
    data: EventData<'_>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let state = read_state(conn, story).await?.filter(|state| state.revision == revision);
    let Some(state) = state else { return Ok(false) };
    let transition = story::next(state.status, event(&state));
    apply(conn, story, state.status, transition, data, now).await?;
    Ok(!transition.changes_nothing())
}

/// Applies the effects and the next status of a story. Returns whether it waits.
async fn apply(
    conn: &mut SqliteConnection,
    story: StoryId,
    status: StoryStatus,
    transition: StoryTransition,
    data: EventData<'_>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    for effect in transition.effects {
        apply_effect(conn, story, *effect, data, now).await?;
    }
    match transition.status {
        NextStatus::Same => return Ok(status.waits()),
        NextStatus::BeginsPageWait => begin_page_wait(conn, story, now).await?,
        NextStatus::BeginsMatchWait => begin_match_wait(conn, story, now).await?,
        NextStatus::OnlyRecorded => write_recorded(conn, story, data).await?,
        NextStatus::ByAlerts => alerts::set_match_status(conn, story).await?,
    }
    Ok(matches!(transition.status, NextStatus::BeginsPageWait | NextStatus::BeginsMatchWait))
}

async fn apply_effect(
    conn: &mut SqliteConnection,
    story: StoryId,
    effect: StoryEffect,
    data: EventData<'_>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    match (effect, data) {
        (StoryEffect::ReplaceFeedText, EventData::Item(text, _)) => {
            replace_feed_text(conn, story, text).await
        }
        (StoryEffect::KeepMatchedText, EventData::Settled(text)) => {
            write_settled_text(conn, story, text).await
        }
        (StoryEffect::KeepMatchedText, EventData::Rechecked(result)) => {
            write_rechecked_text(conn, story, result).await
        }
        (StoryEffect::KeepMatchedText, data) => {
            keep_feed_text(conn, story, data.match_result()?).await
        }
        (StoryEffect::RecordAlerts, data) => {
            alerts::record_alerts(conn, story, data.match_result()?, now).await
        }
        (StoryEffect::KeepSignature, data) => {
            let fingerprint = data.match_result()?.fingerprint.as_deref();
            event::store_signature(conn, story, fingerprint, now).await
        }
        (StoryEffect::NoteJoin, _) => note_join(conn, story).await,
        (StoryEffect::DelayPage, EventData::PageFailed(again)) => {
            delay_page(conn, story, again).await
        }
        (StoryEffect::ScheduleRecheck, EventData::Rechecked(result)) => {
            schedule_recheck(conn, story, result).await
        }
        (effect, _) => Err(sqlx::Error::Protocol(format!("the event has no data for {effect:?}"))),
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

/// Makes the feed's text the final text of a story.
async fn keep_feed_text(
    conn: &mut SqliteConnection,
    story: StoryId,
    match_result: &MatchResult,
) -> Result<(), sqlx::Error> {
    let (read, why) = extent_columns(&match_result.read);
    sqlx::query("UPDATE story SET body = NULL, read = $2, read_why = $3 WHERE id = $1")
        .bind(story.0)
        .bind(read)
        .bind(why)
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes the final text of a story that waits. A text that was final before has its time of a
/// recheck already.
async fn write_settled_text(
    conn: &mut SqliteConnection,
    story: StoryId,
    text: &FinalText,
) -> Result<(), sqlx::Error> {
    let (read, why) = extent_columns(&text.match_result.read);
    sqlx::query(
        "UPDATE story SET body = CASE WHEN feed_text = $2 THEN NULL ELSE $2 END, read = $3, read_why = $4,
                page_fetches = page_fetches + $5, recheck_at = CASE WHEN read IS NULL THEN $6 ELSE recheck_at END
         WHERE id = $1",
    )
    .bind(story.0)
    .bind(&text.body)
    .bind(read)
    .bind(why)
    .bind(i64::from(text.fetches))
    .bind(text.recheck_at.map(to_millis))
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes the text that a recheck found: a new revision.
async fn write_rechecked_text(
    conn: &mut SqliteConnection,
    story: StoryId,
    result: &RecheckResult,
) -> Result<(), sqlx::Error> {
    let Some((body, match_result)) = &result.change else { return Ok(()) };
    let (read, why) = extent_columns(&match_result.read);
    sqlx::query(
        "UPDATE story SET revision = revision + 1, body = CASE WHEN feed_text = $2 THEN NULL ELSE $2 END,
                read = $3, read_why = $4
         WHERE id = $1",
    )
    .bind(story.0)
    .bind(body)
    .bind(read)
    .bind(why)
    .execute(conn)
    .await?;
    Ok(())
}

async fn note_join(conn: &mut SqliteConnection, story: StoryId) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE story SET feed_joined = TRUE WHERE id = $1")
        .bind(story.0)
        .execute(conn)
        .await?;
    Ok(())
}

async fn delay_page(
    conn: &mut SqliteConnection,
    story: StoryId,
    again: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE story SET due = $2, page_attempts = page_attempts + 1, page_fetches = page_fetches + 1
         WHERE id = $1",
    )
    .bind(story.0)
    .bind(to_millis(again))
    .execute(conn)
    .await?;
    Ok(())
}

async fn schedule_recheck(
    conn: &mut SqliteConnection,
    story: StoryId,
    result: &RecheckResult,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE story SET recheck_at = $2, page_fetches = page_fetches + $3 WHERE id = $1")
        .bind(story.0)
        .bind(result.next_recheck.map(to_millis))
        .bind(i64::from(result.fetches))
        .execute(conn)
        .await?;
    Ok(())
}

async fn begin_page_wait(
    conn: &mut SqliteConnection,
    story: StoryId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE story SET status = $3, status_why = NULL, body = NULL, read = NULL, read_why = NULL,
                due = $2, waiting_since = $2, page_attempts = 0
         WHERE id = $1",
    )
    .bind(story.0)
    .bind(to_millis(now))
    .bind(StoryStatus::AwaitsPage.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

async fn begin_match_wait(
    conn: &mut SqliteConnection,
    story: StoryId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE story SET status = $3, status_why = NULL, due = $2, waiting_since = $2, feed_joined = FALSE
         WHERE id = $1",
    )
    .bind(story.0)
    .bind(to_millis(now))
    .bind(StoryStatus::AwaitsMatch.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

async fn write_recorded(
    conn: &mut SqliteConnection,
    story: StoryId,
    data: EventData<'_>,
) -> Result<(), sqlx::Error> {
    let why = match data {
        EventData::Item(_, StoryPlan::Record(why)) => Some(why),
        _ => None,
    };
    sqlx::query(
        "UPDATE story SET status = $3, status_why = $2, due = NULL, waiting_since = NULL WHERE id = $1",
    )
    .bind(story.0)
    .bind(why)
    .bind(StoryStatus::Recorded.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
