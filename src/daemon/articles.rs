//! Settles stories that wait for their page: fetches the page, and matches the story with the text
//! that was read.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};
use url::Url;

use crate::clock::{Jump, later, now, until};
use crate::daemon::counting::StoryTally;
use crate::daemon::scheduler::{Due, Run, Running, Work};
use crate::daemon::shares::ShareUse;
use crate::daemon::story_parts::StoryParts;
use crate::daemon::{Mode, counting, page, scheduler};
use crate::http::FetchError;
use crate::lifecycle::page_wait;
use crate::lifecycle::page_wait::{PageHistory, PageRetry};
use crate::shares::Share;
use crate::store::{FinalText, Store, StoreError, StoryId, StoryWait, WaitingStory};
use tidings_rules::story::{Read, Story};

/// The most stories that are settled at once. Nearly all of them wait for a permit of their host,
/// which costs little.
const AT_ONCE: usize = 1024;

/// Settles stories as they become due, until `stop`, or in a single round until no story waits.
pub(crate) async fn settle_waiting(parts: Arc<StoryParts>, mode: Mode, stop: &CancellationToken) {
    scheduler::run_work(&mut WaitingStories { parts, stop: stop.clone() }, mode, stop).await;
}

/// Restarts the wait of every story that waits for its page, from `now` on.
pub(crate) async fn restart_page_waits(store: &Store, now: Timestamp) {
    if let Err(why) = store.restart_page_waits(now).await {
        error!(event = "store_failed", "the waits for pages cannot be restarted: {why}");
    }
}

/// The stories that wait for their page, and what settles them.
struct WaitingStories {
    parts: Arc<StoryParts>,
    stop: CancellationToken,
}

impl Work for WaitingStories {
    type Key = StoryId;
    type Job = (WaitingStory, ShareUse);
    type Output = ();

    const AT_ONCE: usize = AT_ONCE;
    const STOP_GRACE: Duration = scheduler::STOP_GRACE;
    const LOOKUP_FAILED: &'static str = "waiting stories cannot be looked up";
    const JOB_FAILED: &'static str = "a story could not be settled";

    async fn find_due(
        &mut self,
        running: &Running<StoryId, ()>,
    ) -> Result<Due<Self::Job>, StoreError> {
        let (store, shares) = (&self.parts.store, &self.parts.shares);
        let (mut taken, own) = (running.taken(), shares.own());
        let due = store.waiting_stories(StoryWait::Page, now(), &taken, &own, running.free());
        let due = due.await?;
        taken.extend(due.iter().map(|waiting| waiting.id));
        let next = store.next_waiting_due(StoryWait::Page, &taken, &own).await?;
        let begin = |waiting: WaitingStory| {
            let share = shares.begin(Share::of_page(waiting.story.url.as_deref()))?;
            Some((waiting, share))
        };
        Ok(Due { jobs: due.into_iter().filter_map(begin).collect(), next })
    }

    fn begin(&self, (waiting, share): Self::Job) -> (StoryId, Run<()>) {
        let (parts, stop, story) = (Arc::clone(&self.parts), self.stop.clone(), waiting.id);
        let settled = async move { share.hold_during(settle_story(&parts, waiting, &stop)).await };
        (story, Box::pin(settled))
    }

    async fn wait_for_change(&mut self) {
        tokio::select! {
            () = self.parts.wakeups.story_waits.notified() => {}
            () = self.parts.shares.wait_for_others() => {}
        }
    }

    async fn check_clock(&mut self, jump: Option<Jump>) {
        if let Some(Jump::Forward(_)) = jump {
            restart_page_waits(&self.parts.store, now()).await;
        }
    }

    fn is_round_over(&self, next: Option<Timestamp>) -> bool {
        next.is_none()
    }
}

/// A final text, and how it was read.
pub(super) struct SettledPage {
    pub(super) body: String,
    /// The language that the page says it is in.
    pub(super) lang: Option<String>,
    pub(super) read: Read,
    /// The number of fetches.
    pub(super) fetches: u32,
}

/// The outcome of reading a story's page.
enum PageOutcome {
    /// The final text.
    Settled(SettledPage),
    /// The page is tried again at this time.
    Later(Timestamp),
}

async fn settle_story(
    parts: &StoryParts,
    waiting: WaitingStory,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    let left = until(later(waiting.since, page_wait::LONGEST), now());
    let page = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        page = read_page(parts, &waiting, left) => page,
        () = tokio::time::sleep(left.max(page_wait::SHORTEST_FETCH)) => {
            settle_with_teaser(&waiting.story, "its page could not be read within ten minutes".to_owned(), 1)
        }
    };
    let read = match page {
        PageOutcome::Later(due) => {
            parts.store.record_page_failure(waiting.id, waiting.revision, due).await?;
            None
        }
        PageOutcome::Settled(page) => {
            let read = page.read.clone();
            match_settled(parts, waiting, page).await.record(parts).await?;
            // Another feed may have joined meanwhile.
            parts.wakeups.match_waits.notify_one();
            Some(read)
        }
    };
    // What the store did not record is done again, and counted then.
    counting::count_page(&parts.metrics, read.as_ref());
    Ok(())
}

/// A story that was matched with the rules in force.
pub(super) struct StoryMatch {
    id: StoryId,
    revision: i64,
    settled: FinalText,
    at: Timestamp,
}

/// Matches a story whose text is final with the rules in force.
pub(super) async fn match_settled(
    parts: &StoryParts,
    waiting: WaitingStory,
    page: SettledPage,
) -> StoryMatch {
    let SettledPage { body, lang, read, fetches } = page;
    let at = now();
    let may_recheck =
        !matches!(read, Read::Teaser(_)) && waiting.fetches + fetches < page_wait::MOST_FETCHES;
    let recheck_at = parts
        .in_force
        .load()
        .recheck_ages
        .next_recheck(&waiting.feed_entries, waiting.story.first_seen, at)
        .filter(|_| may_recheck);
    let story = Story { body, ..waiting.story };
    let (story, match_result) =
        parts.match_story(story, lang, read, waiting.feed_entries, at).await;
    let settled =
        FinalText { body: story.body, lang: story.lang, match_result, fetches, recheck_at };
    StoryMatch { id: waiting.id, revision: waiting.revision, settled, at }
}

impl StoryMatch {
    /// Records the story with its alerts in one transaction. It is queued at once, and the future
    /// is its end. Alerts are recorded in the order in which they were queued.
    pub(super) fn record(self, parts: &StoryParts) -> impl Future<Output = Result<(), StoreError>> {
        let counts = StoryTally::of_match(&self.settled.match_result);
        let recorded = parts.store.settle_story(self.id, self.revision, self.settled, self.at);
        async move {
            recorded.await?;
            counts.add_to(&parts.metrics);
            parts.wakeups.message_due.notify_one();
            Ok(())
        }
    }
}

/// Reads the page. `left` is how long the story may still wait. It is measured before the fetch, so
/// a jump of the clock during the fetch has no effect.
async fn read_page(parts: &StoryParts, waiting: &WaitingStory, left: Duration) -> PageOutcome {
    let story = &waiting.story;
    let Some(url) = story.url.as_deref().and_then(|url| Url::parse(url).ok()) else {
        return settle_with_teaser(story, "its link is no address".to_owned(), 0);
    };
    let room = page_wait::MOST_FETCHES.saturating_sub(waiting.fetches);
    let history = PageHistory { failures: waiting.attempts, fetches: waiting.fetches, left };
    match page::read_article(parts, &url, (&story.title, &story.body), room).await {
        Ok(page::PageReading { text: Ok(page::PageText { body, read }), lang, fetches }) => {
            PageOutcome::Settled(SettledPage { body, lang, read, fetches })
        }
        Ok(page::PageReading { text: Err(why), fetches, .. }) => {
            settle_with_teaser(story, why.to_string(), fetches)
        }
        Err(FetchError::Resting { until, .. }) => {
            let retry = page_wait::after_rest(history, until, now());
            retry_or_teaser(story, retry, "its host asked for a pause".to_owned())
        }
        Err(why) if is_temporary(&why) => {
            debug!(event = "page_failed", "a page could not be read: {why}");
            let retry = page_wait::after_failure(history, end_of_requested_pause(&why), now());
            let tries = waiting.attempts + 1;
            let why = format!("its page could not be read: {why} (tried {tries} times)");
            retry_or_teaser(story, retry, why)
        }
        Err(why) => settle_with_teaser(story, format!("its page could not be read: {why}"), 1),
    }
}

/// The end of the pause that a host asked for. The fetch has recorded the pause.
fn end_of_requested_pause(error: &FetchError) -> Option<Timestamp> {
    let FetchError::Status { code: 429 | 503, retry_after: Some(asked), .. } = error else {
        return None;
    };
    Some(asked.end(now()))
}

fn settle_with_teaser(story: &Story, why: String, fetches: u32) -> PageOutcome {
    PageOutcome::Settled(SettledPage {
        body: story.body.clone(),
        lang: None,
        read: Read::Teaser(why),
        fetches,
    })
}

/// The outcome of a page that failed. `why`: why the story is settled with its teaser, if it is.
fn retry_or_teaser(story: &Story, retry: PageRetry, why: String) -> PageOutcome {
    match retry {
        PageRetry::At(again) => PageOutcome::Later(again),
        PageRetry::Teaser => settle_with_teaser(story, why, 1),
    }
}

/// Whether the next try may succeed.
fn is_temporary(error: &FetchError) -> bool {
    match error {
        FetchError::Unreachable(_) | FetchError::Broken(_) | FetchError::Resting { .. } => true,
        FetchError::Status { code, .. } => *code == 429 || *code >= 500,
        FetchError::Forbidden(_) | FetchError::TooLarge { .. } => false,
    }
}
