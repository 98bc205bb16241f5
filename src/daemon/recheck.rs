//! Rechecks the pages of unchanged items, at the ages that `recheck` sets.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use url::Url;

use crate::alerts::{MatchResult, admit};
use crate::clock::{later, now};
use crate::config::Config;
use crate::daemon::scheduler::{Due, Run, Running, Work};
use crate::daemon::story_parts::StoryParts;
use crate::daemon::{Mode, scheduler};
use crate::http::FetchError;
use crate::lifecycle::page_wait;
use crate::store::{RecheckDue, RecheckResult, StoreError, StoryId};
use tidings_rules::story::{FeedEntry, FeedName, Read, Story};

/// The most pages that are rechecked at once.
const AT_ONCE: usize = 64;

/// The longest pause between queries of the store. No page is rechecked within this time after it
/// was read.
const QUERY_INTERVAL: Duration = Duration::from_mins(1);

/// Rechecks pages as they become due, until `stop`, or in a single round until none is due.
pub(crate) async fn keep_rechecking(
    mut rechecks: DueRechecks,
    mode: Mode,
    stop: CancellationToken,
) {
    scheduler::run_work(&mut rechecks, mode, &stop).await;
}

/// The pages to recheck, and what rechecks them. A stop aborts their requests.
#[derive(Debug)]
pub(crate) struct DueRechecks {
    pub(super) parts: StoryParts,
}

/// The ages at which pages are rechecked, for the feeds with `recheck`.
#[derive(Debug)]
pub(crate) struct RecheckAges(HashMap<FeedName, Vec<Duration>>);

impl RecheckAges {
    pub(super) fn new(config: &Config) -> Self {
        let rechecked = config.feeds.iter().filter(|feed| !feed.recheck.is_empty());
        Self(rechecked.map(|feed| (feed.name.clone(), feed.recheck.clone())).collect())
    }

    /// The longest of all.
    pub(super) fn longest(&self) -> Option<Duration> {
        self.0.values().flatten().max().copied()
    }

    /// When a page is rechecked next, by the settings of the feeds of its story. `None` if never.
    pub(crate) fn next_recheck(
        &self,
        entries: &[FeedEntry],
        first_seen: Timestamp,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let times = |feed: &FeedName| self.0.get(feed).map(Vec::as_slice).unwrap_or_default();
        let all = entries.iter().flat_map(|entry| times(&entry.feed));
        all.map(|time| later(first_seen, *time)).filter(|due| *due > now).min()
    }
}

impl Work for DueRechecks {
    type Key = StoryId;
    type Job = RecheckDue;
    type Output = ();

    const AT_ONCE: usize = AT_ONCE;
    const JOB_FAILED_PAUSE: Duration = QUERY_INTERVAL;
    const LOOKUP_FAILED: &'static str = "pages to recheck cannot be looked up";
    const JOB_FAILED: &'static str = "a rechecked page could not be recorded";

    async fn find_due(
        &mut self,
        running: &Running<StoryId, ()>,
    ) -> Result<Due<RecheckDue>, StoreError> {
        let latest = later(now(), QUERY_INTERVAL);
        let mut taken = running.taken();
        let store = &self.parts.store;
        let jobs = store.due_rechecks(now(), &taken, running.free()).await?;
        taken.extend(jobs.iter().map(|recheck| recheck.id));
        let next = store.next_recheck(&taken).await?;
        Ok(Due { jobs, next: Some(next.map_or(latest, |next| next.min(latest))) })
    }

    fn begin(&self, recheck: RecheckDue) -> (StoryId, Run<()>) {
        let parts = self.parts.clone();
        (recheck.id, Box::pin(async move { recheck_page(&parts, recheck).await }))
    }
}

async fn recheck_page(parts: &StoryParts, recheck: RecheckDue) -> Result<(), StoreError> {
    let (story, revision) = (recheck.id, recheck.revision);
    let result = read_page_again(parts, recheck).await;
    let recorded = parts.store.record_recheck(story, revision, result, now()).await;
    parts.wakeups.message_due.notify_one();
    recorded.map(|_| ())
}

async fn read_page_again(parts: &StoryParts, recheck: RecheckDue) -> RecheckResult {
    let room = page_wait::MOST_FETCHES.saturating_sub(recheck.fetches);
    let url = recheck.story.url.as_deref().and_then(|url| Url::parse(url).ok());
    let may_alert = admit::edited_item(false, recheck.story.first_seen, now()).is_ok();
    let Some(url) = url.filter(|_| room > 0 && may_alert) else {
        return RecheckResult { change: None, fetches: 0, next_recheck: None };
    };
    let (text, fetches) = match parts.pages.read_article(&url, &recheck.feed_text, room).await {
        Ok(page) => (page.text.map_err(|why| why.to_string()), page.fetches),
        Err(FetchError::Resting { until, .. }) => {
            return RecheckResult { change: None, fetches: 0, next_recheck: Some(until) };
        }
        Err(why) => (Err(why.to_string()), 1),
    };
    let next = parts
        .recheck_ages
        .next_recheck(&recheck.feed_entries, recheck.story.first_seen, now())
        .filter(|_| fetches < room);
    let change = match text {
        Ok(body) if body != recheck.story.body => {
            Some(match_changed_text(parts, recheck, body).await)
        }
        Ok(_) => None,
        Err(why) => {
            debug!("a rechecked page has no new text: {why}");
            None
        }
    };
    RecheckResult { change, fetches, next_recheck: next }
}

async fn match_changed_text(
    parts: &StoryParts,
    recheck: RecheckDue,
    body: String,
) -> (String, MatchResult) {
    let due = admit::due(parts.polls.count(), now());
    let matcher = Arc::clone(&parts.matcher);
    let match_story = move || {
        let story = Story { body, ..recheck.story };
        let feeds = recheck.feed_entries.iter().map(|entry| &entry.feed);
        let result = matcher.match_story(&story, Read::Full, feeds, due);
        (story.body, result)
    };
    parts.pages.threads.run(match_story).await
}
