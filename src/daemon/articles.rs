//! Settles stories that wait for their page: fetches the page, and matches the story with the text
//! that was read.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};
use url::Url;

use crate::alerts::admit;
use crate::clock::{Jump, JumpWatch, later, now, sleep_until, until};
use crate::daemon::context::{RunContext, run_blocking_limited};
use crate::daemon::tasks::Tasks;
use crate::daemon::{Mode, matching, page, recheck};
use crate::http::FetchError;
use crate::lifecycle::page_wait;
use crate::lifecycle::page_wait::{PageHistory, PageRetry};
use crate::store::{FinalText, StoreError, StoryId, WaitingStory};
use tidings_rules::story::{Read, Story};

/// The most stories that are settled at once. Nearly all of them wait for a permit of their host,
/// which costs little.
const AT_ONCE: usize = 1024;

/// The pause after a failure of the store.
const STORE_FAILED: Duration = Duration::from_secs(10);

/// Settles stories as they become due, until `stop`, or in a single round until no story waits. A
/// story whose task panics is left for the next run.
pub(crate) async fn settle_waiting(context: Arc<RunContext>, stop: CancellationToken) {
    let mut tasks = Tasks::new();
    let mut left_out = HashSet::new();
    let mut clock = JumpWatch::start();
    loop {
        if let Some(Jump::Forward(_)) = clock.observe() {
            context.restart_page_waits(now()).await;
        }
        let (due, next) = find_due_stories(&context, &tasks, &left_out).await;
        for waiting in due {
            let (context, stop) = (Arc::clone(&context), stop.clone());
            tasks.spawn(waiting.id, async move { settle_story(&context, waiting, &stop).await });
        }
        if context.mode == Mode::Once && next.is_none() && tasks.len() == 0 {
            return;
        }
        let wake = if tasks.len() < AT_ONCE { next } else { None };
        tokio::select! {
            () = stop.cancelled() => break,
            () = context.story_waits.notified() => {}
            Some((story, ended)) = tasks.next() => {
                if let Err(why) = ended {
                    error!("a story could not be settled: {why}; it is tried again at the next start");
                    left_out.insert(story);
                }
            }
            () = sleep_until(wake) => {}
        }
    }
    while tasks.next().await.is_some() {}
}

/// The stories to settle now, and when the next of the others is due.
async fn find_due_stories(
    context: &RunContext,
    tasks: &Tasks<StoryId, ()>,
    left_out: &HashSet<StoryId>,
) -> (Vec<WaitingStory>, Option<Timestamp>) {
    let room = u32::try_from(AT_ONCE.saturating_sub(tasks.len())).unwrap_or_default();
    let mut begun: Vec<StoryId> = tasks.keys().chain(left_out).copied().collect();
    let found = async {
        let due = if room == 0 {
            Vec::new()
        } else {
            context.store.waiting_stories(now(), &begun, room).await?
        };
        begun.extend(due.iter().map(|waiting| waiting.id));
        Ok::<_, StoreError>((due, context.store.next_waiting_due(&begun).await?))
    };
    found.await.unwrap_or_else(|why| {
        error!("waiting stories cannot be looked up: {why}");
        (Vec::new(), Some(later(now(), STORE_FAILED)))
    })
}

/// The outcome of reading a story's page.
enum PageOutcome {
    /// The final text, how much of it was read, and the number of fetches.
    Settled(String, Read, u32),
    /// The page is tried again at this time.
    Later(Timestamp),
}

async fn settle_story(context: &Arc<RunContext>, waiting: WaitingStory, stop: &CancellationToken) {
    let left = until(later(waiting.since, page_wait::LONGEST), now());
    let page = if let Some(read) = &waiting.read {
        PageOutcome::Settled(waiting.story.body.clone(), read.clone(), 0)
    } else {
        tokio::select! {
            () = stop.cancelled() => return,
            page = read_page(context, &waiting, left) => page,
            () = tokio::time::sleep(left.max(page_wait::SHORTEST_FETCH)) => {
                settle_with_teaser(&waiting.story, "its page could not be read within ten minutes".to_owned(), 1)
            }
        }
    };
    let recorded = match page {
        PageOutcome::Later(due) => {
            context.store.record_page_failure(waiting.id, waiting.revision, due).await
        }
        PageOutcome::Settled(body, read, fetches) => {
            match_and_record(context, waiting, body, read, fetches).await
        }
    };
    if let Err(why) = recorded {
        error!("a story could not be settled: {why}; it is tried again");
        tokio::time::sleep(STORE_FAILED).await;
    }
}

/// Settles the story: matches it with the rules in force, and records it with its alerts in one
/// transaction.
async fn match_and_record(
    context: &Arc<RunContext>,
    waiting: WaitingStory,
    body: String,
    read: Read,
    fetches: u32,
) -> Result<(), StoreError> {
    let story = Story { body, ..waiting.story };
    let at = now();
    let due = admit::due(context.other_polls(), at);
    let may_recheck = read == Read::Full && waiting.fetches + fetches < page_wait::MOST_FETCHES;
    let recheck_at = recheck::next_recheck(context, &waiting.feed_entries, story.first_seen, at)
        .filter(|_| may_recheck);
    let shared = Arc::clone(context);
    let (body, result) = run_blocking_limited(context, move || {
        let feeds = waiting.feed_entries.iter().map(|entry| &entry.feed);
        let result = matching::match_story(&shared, &story, read, feeds, due);
        (story.body, result)
    })
    .await;
    let settled = FinalText { body, match_result: result, fetches, recheck_at };
    context.store.settle_story(waiting.id, waiting.revision, settled, at).await?;
    context.message_due.notify_one();
    Ok(())
}

/// Reads the page. `left` is how long the story may still wait. It is measured before the fetch, so
/// a jump of the clock during the fetch has no effect.
async fn read_page(
    context: &Arc<RunContext>,
    waiting: &WaitingStory,
    left: Duration,
) -> PageOutcome {
    let story = &waiting.story;
    let Some(url) = story.url.as_deref().and_then(|url| Url::parse(url).ok()) else {
        return settle_with_teaser(story, "its link is no address".to_owned(), 0);
    };
    let room = page_wait::MOST_FETCHES.saturating_sub(waiting.fetches);
    let history = PageHistory { failures: waiting.attempts, fetches: waiting.fetches, left };
    match page::read_article(context, &url, &story.body, room).await {
        Ok(page::PageReading { text: Ok(text), fetches }) => {
            PageOutcome::Settled(text, Read::Full, fetches)
        }
        Ok(page::PageReading { text: Err(why), fetches }) => {
            settle_with_teaser(story, why.to_string(), fetches)
        }
        Err(FetchError::Resting { until, .. }) => {
            let retry = page_wait::after_rest(history, until, now());
            retry_or_teaser(story, retry, "its host asked for a pause".to_owned())
        }
        Err(why) if is_temporary(&why) => {
            debug!("a page could not be read: {why}");
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
    PageOutcome::Settled(story.body.clone(), Read::Teaser(why), fetches)
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
