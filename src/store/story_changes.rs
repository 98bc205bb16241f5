//! Changes a story as `lifecycle::story` says: reads its status, asks the table, and applies what
//! follows.

mod revisions;

use jiff::Timestamp;

use super::column::{extent_columns, page_share, to_json, to_millis};
use super::match_time::MatchedBy;
use super::writer::WriteStories;
use super::{FinalText, MatchResult, RecheckResult, Store, StoreError, StoryId, StoryPlan};
use super::{alerts, event, status};
use crate::alerts::copies::BatchStory;
use crate::lifecycle::story;
use crate::lifecycle::story::{
    ItemPlan, NextStatus, StoryEffect, StoryEvent, StoryStatus, StoryTransition,
};
use crate::store::db::{self, DbConnection, Statement};
use tidings_rules::story::{Read, Story, StoryKey};

pub use revisions::StoryRevision;
pub(super) use revisions::read_revisions;

/// A story as its table sees it.
struct StoryState {
    status: StoryStatus,
    revision: i64,
    /// Whether a feed began to carry it after its wait began.
    has_joined: bool,
}

/// What came with an event. The effects write it.
pub(super) enum EventData<'d> {
    /// An item that is new to its story: its text, and what to do with it.
    Item(&'d Story, &'d StoryPlan),
    /// An edited item: the same, and whether several feeds carry the story.
    Edit(&'d Story, &'d StoryPlan, bool),
    /// When the page is tried again.
    PageFailed(Timestamp),
    /// The final text.
    Settled(FinalText),
    /// What the page has now.
    Rechecked(RecheckResult),
    /// The matches of new rules.
    Backfilled(MatchResult),
}

impl EventData<'_> {
    /// The event that happens to a stored story. `has_joined`: a feed began to carry it meanwhile.
    fn event(&self, has_joined: bool) -> StoryEvent {
        match self {
            Self::Item(_, plan) => StoryEvent::Joined(plan.item_plan()),
            Self::Edit(_, plan, is_shared) => {
                StoryEvent::Edited { plan: plan.item_plan(), is_shared: *is_shared }
            }
            Self::PageFailed(_) => StoryEvent::PageFailed,
            Self::Settled(_) => StoryEvent::TextSettled { has_joined },
            Self::Rechecked(result) => {
                StoryEvent::Rechecked { has_changed: result.change.is_some() }
            }
            Self::Backfilled(_) => StoryEvent::Backfilled,
        }
    }

    /// The result of matching the text that came with the event.
    fn match_result(&self) -> Option<&MatchResult> {
        match self {
            Self::Item(_, StoryPlan::Settle(result))
            | Self::Edit(_, StoryPlan::Settle(result), _)
            | Self::Backfilled(result) => Some(result),
            Self::Settled(text) => Some(&text.match_result),
            Self::Rechecked(result) => result.change.as_ref().map(|(_, result)| result),
            Self::Item(..) | Self::Edit(..) | Self::PageFailed(_) => None,
        }
    }

    /// The same result; `None` for an item, which is borrowed.
    fn match_result_mut(&mut self) -> Option<&mut MatchResult> {
        match self {
            Self::Backfilled(result) => Some(result),
            Self::Settled(text) => Some(&mut text.match_result),
            Self::Rechecked(result) => result.change.as_mut().map(|(_, result)| result),
            Self::Item(..) | Self::Edit(..) | Self::PageFailed(_) => None,
        }
    }

    /// Why the story is only recorded.
    fn why_recorded(&self) -> Option<&str> {
        match self {
            Self::Item(_, StoryPlan::Record(why)) | Self::Edit(_, StoryPlan::Record(why), _) => {
                Some(why)
            }
            _ => None,
        }
    }
}

impl Store {
    /// Applies what follows from an event that happens to this revision of a story. Writes nothing
    /// and returns `false` if nothing follows, or if the story has another revision by now.
    ///
    /// The change is queued at once. The future is its answer. Changes that record alerts are made
    /// in the order in which they were queued.
    pub(super) fn change_revision(
        &self,
        story: StoryId,
        revision: i64,
        mut data: EventData<'static>,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + use<> {
        let is_new = !matches!(data, EventData::Backfilled(_));
        let result = data.match_result();
        let compared = result.and_then(|result| BatchStory::of_row(story.0, result, is_new, now));
        let records_alerts = result.is_some_and(|result| !result.alerts.is_empty());
        let write: WriteStories = Box::new(move |conn, mut joins| {
            if let Some(match_result) = data.match_result_mut() {
                match_result.joins = joins.pop().flatten();
            }
            Box::pin(async move {
                let state = read_state(conn, story).await?;
                let Some(state) = state.filter(|state| state.revision == revision) else {
                    return Ok(false);
                };
                let transition = story::next(state.status, data.event(state.has_joined));
                apply(conn, story, state.status, transition, &data, now).await?;
                Ok(!transition.changes_nothing())
            })
        });
        self.write_stories(compared.into_iter().collect(), records_alerts, write)
    }
}

impl StoryPlan {
    /// The plan as the table of stories knows it.
    pub(super) fn item_plan(&self) -> ItemPlan {
        match self {
            Self::Record(_) => ItemPlan::Record,
            Self::ReadPage => ItemPlan::ReadPage,
            Self::Settle(_) => ItemPlan::Settle,
            Self::AwaitMatch => ItemPlan::AwaitMatch,
        }
    }
}

/// Applies the plan of a new item to its story, which was just inserted.
pub(super) async fn begin(
    conn: &mut DbConnection<'_>,
    story: StoryId,
    text: &Story,
    plan: &StoryPlan,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let (transition, data) = (story::first(plan.item_plan()), EventData::Item(text, plan));
    apply(conn, story, StoryStatus::Unmatched, transition, &data, now).await.map(drop)
}

/// Joins the known story with this key. Returns the story, and whether it waits.
pub(super) async fn join(
    conn: &mut DbConnection<'_>,
    key: &StoryKey,
    text: &Story,
    plan: &StoryPlan,
    now: Timestamp,
) -> Result<(StoryId, bool), sqlx::Error> {
    let known = db::query_scalar("SELECT id FROM story WHERE key = $1").bind(&key.0);
    let story = StoryId(known.fetch_one(&mut *conn).await?);
    let waits = apply_event(conn, story, &EventData::Item(text, plan), now).await?;
    event::void_open_payloads(conn, story).await?;
    Ok((story, waits))
}

/// Records an edit: a new revision, to be matched as `plan` says. Returns whether the story waits.
pub(super) async fn record_edit(
    conn: &mut DbConnection<'_>,
    story: StoryId,
    text: &Story,
    plan: &StoryPlan,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    // Only an edit that was matched asks whether other feeds carry the story.
    let is_shared = matches!(plan, StoryPlan::Settle(_))
        && db::query_scalar("SELECT count(DISTINCT feed) > 1 FROM feed_entry WHERE story = $1")
            .bind(story.0)
            .fetch_one(&mut *conn)
            .await?;
    apply_event(conn, story, &EventData::Edit(text, plan, is_shared), now).await
}

/// Reads a story as its table sees it; `None` if it is no longer stored.
async fn read_state(
    conn: &mut DbConnection<'_>,
    story: StoryId,
) -> Result<Option<StoryState>, sqlx::Error> {
    let row = db::query(
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
    conn: &mut DbConnection<'_>,
    story: StoryId,
    data: &EventData<'_>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let state = read_state(conn, story).await?.ok_or(sqlx::Error::RowNotFound)?;
    let transition = story::next(state.status, data.event(state.has_joined));
    apply(conn, story, state.status, transition, data, now).await
}

/// Applies the effects and the next status of a story. Returns whether it waits.
async fn apply(
    conn: &mut DbConnection<'_>,
    story: StoryId,
    status: StoryStatus,
    transition: StoryTransition,
    data: &EventData<'_>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    for effect in transition.effects {
        apply_effect(conn, story, *effect, data, now).await?;
    }
    let (sql, next) = match transition.status {
        NextStatus::Same => return Ok(status.waits()),
        NextStatus::BeginsPageWait => (
            "UPDATE story SET status = $2, due = $3, waiting_since = $3, status_why = $4,
                    body = NULL, read = NULL, read_why = NULL, page_attempts = 0
             WHERE id = $1",
            StoryStatus::AwaitsPage,
        ),
        NextStatus::BeginsMatchWait => (
            "UPDATE story SET status = $2, due = $3, waiting_since = $3, status_why = $4, feed_joined = FALSE WHERE id = $1",
            StoryStatus::AwaitsMatch,
        ),
        NextStatus::OnlyRecorded => (
            "UPDATE story SET status = $2, due = $3, waiting_since = $3, status_why = $4 WHERE id = $1",
            StoryStatus::Recorded,
        ),
        NextStatus::ByAlerts => (
            "UPDATE story SET due = $3, waiting_since = $3, status_why = $4,
                    status = CASE WHEN EXISTS (SELECT 1 FROM alert WHERE alert.story = story.id) THEN $2 ELSE 'unmatched' END
             WHERE id = $1",
            StoryStatus::Matched,
        ),
    };
    let why = data.why_recorded().filter(|_| next == StoryStatus::Recorded);
    let since = next.waits().then(|| to_millis(now));
    let change = db::query(sql).bind(story.0).bind(next.as_str()).bind(since).bind(why);
    change.execute(conn).await?;
    Ok(next.waits())
}

async fn apply_effect(
    conn: &mut DbConnection<'_>,
    story: StoryId,
    effect: StoryEffect,
    data: &EventData<'_>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    revisions::record_revision(conn, story, effect, data, now).await?;
    let change = match (effect, data, data.match_result()) {
        (StoryEffect::RecordAlerts, _, Some(result)) => {
            let by = match data {
                EventData::Backfilled(_) => MatchedBy::Backfill,
                EventData::Settled(_) => MatchedBy::Settling,
                _ => MatchedBy::Change,
            };
            return alerts::record_alerts(conn, story, result, by, now).await;
        }
        (StoryEffect::KeepSignature, _, Some(result)) => {
            return event::store_signature(conn, story, result.fingerprint.as_deref(), now).await;
        }
        (StoryEffect::KeepMatchedText, _, Some(result)) => {
            keep_matched_text(story, data, &result.read)
        }
        (StoryEffect::ReplaceFeedText, EventData::Item(text, _) | EventData::Edit(text, ..), _) => {
            replace_feed_text(story, text)?
        }
        (StoryEffect::KeepFeedText, ..) => db::query(
            "UPDATE story SET body = NULL, read = 'full', read_why = NULL WHERE id = $1",
        )
        .bind(story.0),
        (StoryEffect::NoteJoin, ..) => {
            db::query("UPDATE story SET feed_joined = TRUE WHERE id = $1").bind(story.0)
        }
        (StoryEffect::DelayPage, EventData::PageFailed(again), _) => db::query(
            "UPDATE story SET due = $2, page_attempts = page_attempts + 1, page_fetches = page_fetches + 1
             WHERE id = $1",
        )
        .bind(story.0)
        .bind(to_millis(*again)),
        (StoryEffect::ScheduleRecheck, EventData::Rechecked(result), _) => db::query(
            "UPDATE story SET recheck_at = $2, page_fetches = page_fetches + $3 WHERE id = $1",
        )
        .bind(story.0)
        .bind(result.next_recheck.map(to_millis))
        .bind(i64::from(result.fetches)),
        (effect, ..) => {
            let why = format!("the event has no data for {effect:?}");
            return Err(sqlx::Error::Protocol(why));
        }
    };
    change.execute(conn).await?;
    Ok(())
}

/// A change of a story's row.
type StoryChange<'q> = Statement<'q>;

/// Replaces the text that the feed gives of a story. `first_seen` stays the same.
fn replace_feed_text(story: StoryId, text: &Story) -> Result<StoryChange<'_>, sqlx::Error> {
    let change = db::query(
        "UPDATE story SET revision = revision + 1, title = $2, feed_text = $3, url = $4, published = $5, lang = $6,
                authors = $7, tags = $8, source = $9, share = $10, purged = NULL
         WHERE id = $1",
    );
    let change = change.bind(story.0).bind(&text.title).bind(&text.body).bind(&text.url);
    let change = change.bind(text.published.map(to_millis)).bind(&text.lang);
    let change = change.bind(to_json(&text.authors)?).bind(to_json(&text.tags)?);
    Ok(change.bind(&text.source).bind(page_share(text)))
}

/// Makes the text that was matched the final one. A page that was read once more is a new revision.
/// A text that was final before has its time of a recheck already.
fn keep_matched_text<'q>(
    story: StoryId,
    data: &'q EventData<'_>,
    read: &'q Read,
) -> StoryChange<'q> {
    let (body, fetches, recheck_at, revisions) = match data {
        EventData::Settled(text) => (Some(&text.body), text.fetches, text.recheck_at, 0_i64),
        EventData::Rechecked(result) => (result.change.as_ref().map(|(body, _)| body), 0, None, 1),
        _ => (None, 0, None, 0),
    };
    let lang = match data {
        EventData::Settled(text) => text.lang.as_ref(),
        _ => None,
    };
    let change = db::query(
        "UPDATE story SET read = $2, read_why = $3, body = CASE WHEN feed_text = $4 THEN NULL ELSE $4 END,
                page_fetches = page_fetches + $5, recheck_at = CASE WHEN read IS NULL THEN $6 ELSE recheck_at END,
                revision = revision + $7, lang = coalesce($8, lang)
         WHERE id = $1",
    );
    let (read, why) = extent_columns(read);
    let change = change.bind(story.0).bind(read).bind(why).bind(body);
    change.bind(i64::from(fetches)).bind(recheck_at.map(to_millis)).bind(revisions).bind(lang)
}

#[cfg(test)]
mod tests;
