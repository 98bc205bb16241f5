//! Changes a story as `lifecycle::story` says: reads its status, asks the table, and applies what
//! follows.

use std::borrow::Cow;

use jiff::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Row, Sqlite};

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

    /// Why the story is only recorded.
    fn why_recorded(self) -> Option<&'d str> {
        match self {
            Self::Item(_, StoryPlan::Record(why)) => Some(why),
            _ => None,
        }
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
    let change = match transition.status {
        NextStatus::Same => return Ok(status.waits()),
        NextStatus::BeginsPageWait => sqlx::query(
            "UPDATE story SET status = $3, status_why = NULL, body = NULL, read = NULL, read_why = NULL,
                    due = $2, waiting_since = $2, page_attempts = 0
             WHERE id = $1",
        )
        .bind(story.0)
        .bind(to_millis(now))
        .bind(StoryStatus::AwaitsPage.as_str()),
        NextStatus::BeginsMatchWait => sqlx::query(
            "UPDATE story SET status = $3, status_why = NULL, due = $2, waiting_since = $2, feed_joined = FALSE
             WHERE id = $1",
        )
        .bind(story.0)
        .bind(to_millis(now))
        .bind(StoryStatus::AwaitsMatch.as_str()),
        NextStatus::OnlyRecorded => sqlx::query(
            "UPDATE story SET status = $3, status_why = $2, due = NULL, waiting_since = NULL WHERE id = $1",
        )
        .bind(story.0)
        .bind(data.why_recorded())
        .bind(StoryStatus::Recorded.as_str()),
        NextStatus::ByAlerts => sqlx::query(
            "UPDATE story SET status_why = NULL, due = NULL, waiting_since = NULL,
                    status = CASE WHEN EXISTS (SELECT 1 FROM alert WHERE alert.story = story.id) THEN $2 ELSE $3 END
             WHERE id = $1",
        )
        .bind(story.0)
        .bind(StoryStatus::Matched.as_str())
        .bind(StoryStatus::Unmatched.as_str()),
    };
    change.execute(conn).await?;
    Ok(matches!(transition.status, NextStatus::BeginsPageWait | NextStatus::BeginsMatchWait))
}

async fn apply_effect(
    conn: &mut SqliteConnection,
    story: StoryId,
    effect: StoryEffect,
    data: EventData<'_>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let change = match (effect, data) {
        (StoryEffect::RecordAlerts, data) => {
            return alerts::record_alerts(conn, story, data.match_result()?, now).await;
        }
        (StoryEffect::KeepSignature, data) => {
            let fingerprint = data.match_result()?.fingerprint.as_deref();
            return event::store_signature(conn, story, fingerprint, now).await;
        }
        (StoryEffect::ReplaceFeedText, EventData::Item(text, _)) => replace_feed_text(story, text)?,
        (StoryEffect::KeepMatchedText, data) => keep_matched_text(story, data)?,
        (StoryEffect::NoteJoin, _) => {
            sqlx::query("UPDATE story SET feed_joined = TRUE WHERE id = $1").bind(story.0)
        }
        (StoryEffect::DelayPage, EventData::PageFailed(again)) => sqlx::query(
            "UPDATE story SET due = $2, page_attempts = page_attempts + 1, page_fetches = page_fetches + 1
             WHERE id = $1",
        )
        .bind(story.0)
        .bind(to_millis(again)),
        (StoryEffect::ScheduleRecheck, EventData::Rechecked(result)) => sqlx::query(
            "UPDATE story SET recheck_at = $2, page_fetches = page_fetches + $3 WHERE id = $1",
        )
        .bind(story.0)
        .bind(result.next_recheck.map(to_millis))
        .bind(i64::from(result.fetches)),
        (effect, _) => {
            let why = format!("the event has no data for {effect:?}");
            return Err(sqlx::Error::Protocol(why));
        }
    };
    change.execute(conn).await?;
    Ok(())
}

/// A change of a story's row.
type StoryChange<'q> = Query<'q, Sqlite, SqliteArguments>;

/// Replaces the text that the feed gives of a story. `first_seen` stays the same.
fn replace_feed_text(story: StoryId, text: &Story) -> Result<StoryChange<'_>, sqlx::Error> {
    let change = sqlx::query(
        "UPDATE story SET revision = revision + 1, title = $2, feed_text = $3, url = $4, published = $5, lang = $6,
                authors = $7, tags = $8, source = $9, purged = NULL
         WHERE id = $1",
    );
    let change = change.bind(story.0).bind(&text.title).bind(&text.body).bind(&text.url);
    let change = change.bind(text.published.map(to_millis)).bind(&text.lang);
    let change = change.bind(to_json(&text.authors)?).bind(to_json(&text.tags)?);
    Ok(change.bind(&text.source))
}

/// Makes the text that was matched the final one. A page that was read once more is a new revision.
/// A text that was final before has its time of a recheck already.
fn keep_matched_text(story: StoryId, data: EventData<'_>) -> Result<StoryChange<'_>, sqlx::Error> {
    let (read, why) = extent_columns(&data.match_result()?.read);
    let change = match data {
        EventData::Settled(_) => sqlx::query(
            "UPDATE story SET read = $2, read_why = $3, body = CASE WHEN feed_text = $4 THEN NULL ELSE $4 END,
                    page_fetches = page_fetches + $5, recheck_at = CASE WHEN read IS NULL THEN $6 ELSE recheck_at END,
                    lang = coalesce($7, lang)
             WHERE id = $1",
        ),
        EventData::Rechecked(_) => sqlx::query(
            "UPDATE story SET read = $2, read_why = $3, body = CASE WHEN feed_text = $4 THEN NULL ELSE $4 END,
                    revision = revision + 1
             WHERE id = $1",
        ),
        _ => sqlx::query("UPDATE story SET read = $2, read_why = $3, body = NULL WHERE id = $1"),
    };
    let change = change.bind(story.0).bind(read).bind(why);
    Ok(match data {
        EventData::Settled(text) => change
            .bind(&text.body)
            .bind(i64::from(text.fetches))
            .bind(text.recheck_at.map(to_millis))
            .bind(&text.lang),
        EventData::Rechecked(result) => change.bind(result.change.as_ref().map(|(body, _)| body)),
        _ => change,
    })
}

#[cfg(test)]
mod tests;
