//! Stories that wait for their article page: fetch it, and settle the story with what could be
//! read.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};
use url::Url;

use crate::alerts::admit;
use crate::clock::{Jump, JumpWatch, later, now, sleep_until, until};
use crate::daemon::tasks::Tasks;
use crate::daemon::world::{World, run_blocking_limited};
use crate::daemon::{Mode, matching, page, recheck};
use crate::http::FetchError;
use crate::lifecycle::page_wait;
use crate::lifecycle::page_wait::{PageHistory, PageRetry};
use crate::store::{FinalText, StoreError, StoryId, WaitingStory};
use tidings_rules::story::{Read, Story};

/// Stories that are worked on at once. Nearly all of them wait for their host's permit, which costs
/// little; requests are limited by hosts.
const AT_ONCE: usize = 1024;

/// The pause after a failure of the store.
const STORE_FAILED: Duration = Duration::from_secs(10);

/// Settles stories as they become due, until `stop`, or in a single round until none waits any
/// more. One that makes a task panic is left for the next run.
pub(crate) async fn settle_waiting(world: Arc<World>, stop: CancellationToken) {
    let mut tasks = Tasks::new();
    let mut left_out = HashSet::new();
    let mut clock = JumpWatch::start();
    loop {
        if let Some(Jump::Forward(_)) = clock.observe() {
            world.restart_page_waits(now()).await;
        }
        let (due, next) = find_due(&world, &tasks, &left_out).await;
        for waiting in due {
            let (world, stop) = (Arc::clone(&world), stop.clone());
            tasks.spawn(waiting.id, async move { settle(&world, waiting, &stop).await });
        }
        if world.mode == Mode::Once && next.is_none() && tasks.len() == 0 {
            return;
        }
        let wake = if tasks.len() < AT_ONCE { next } else { None };
        tokio::select! {
            () = stop.cancelled() => break,
            () = world.pages.notified() => {}
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

/// The stories to settle now, and the time of the next query for stories that are not in work.
async fn find_due(
    world: &World,
    tasks: &Tasks<StoryId, ()>,
    left_out: &HashSet<StoryId>,
) -> (Vec<WaitingStory>, Option<Timestamp>) {
    let room = u32::try_from(AT_ONCE.saturating_sub(tasks.len())).unwrap_or_default();
    let mut begun: Vec<StoryId> = tasks.things().chain(left_out).copied().collect();
    let found = async {
        let due = if room == 0 {
            Vec::new()
        } else {
            world.store.waiting_stories(now(), &begun, room).await?
        };
        begun.extend(due.iter().map(|waiting| waiting.id));
        Ok::<_, StoreError>((due, world.store.next_waiting_due(&begun).await?))
    };
    found.await.unwrap_or_else(|why| {
        error!("waiting stories cannot be looked up: {why}");
        (Vec::new(), Some(later(now(), STORE_FAILED)))
    })
}

/// What came of a story's page.
enum PageOutcome {
    /// The story's text from now on, how much was read, and how many fetches it took.
    Settled(String, Read, u32),
    /// It may work later.
    Later(Timestamp),
}

async fn settle(world: &Arc<World>, waiting: WaitingStory, stop: &CancellationToken) {
    let left = until(later(waiting.since, page_wait::LONGEST), now());
    let page = if let Some(read) = &waiting.read {
        PageOutcome::Settled(waiting.story.body.clone(), read.clone(), 0)
    } else {
        tokio::select! {
            () = stop.cancelled() => return,
            page = read_page(world, &waiting, left) => page,
            () = tokio::time::sleep(left.max(page_wait::SHORTEST_FETCH)) => {
                teaser(&waiting.story, "its page could not be read within ten minutes".to_owned(), 1)
            }
        }
    };
    let recorded = match page {
        PageOutcome::Later(due) => {
            world.store.record_page_failure(waiting.id, waiting.revision, due).await
        }
        PageOutcome::Settled(body, read, fetches) => {
            record(world, waiting, body, read, fetches).await
        }
    };
    if let Err(why) = recorded {
        error!("a story could not be settled: {why}; it is tried again");
        tokio::time::sleep(STORE_FAILED).await;
    }
}

/// T2: matches the story with the rules in force now, and records it with its alerts in one
/// transaction.
async fn record(
    world: &Arc<World>,
    waiting: WaitingStory,
    body: String,
    read: Read,
    fetches: u32,
) -> Result<(), StoreError> {
    let story = Story { body, ..waiting.story };
    let at = now();
    let due = admit::due(world.polls_under_way(), at);
    let may_look_again = read == Read::Full && waiting.fetches + fetches < page_wait::MOST_FETCHES;
    let recheck_at = recheck::next_recheck(world, &waiting.feed_entries, story.first_seen, at)
        .filter(|_| may_look_again);
    let shared = Arc::clone(world);
    let (body, verdict) = run_blocking_limited(world, move || {
        let feeds = waiting.feed_entries.iter().map(|entry| &entry.feed);
        let verdict = matching::verdict(&shared, &story, read, feeds, due);
        (story.body, verdict)
    })
    .await;
    let settled = FinalText { body, match_result: verdict, fetches, recheck_at };
    world.store.settle_story(waiting.id, waiting.revision, settled, at).await?;
    world.outbox.notify_one();
    Ok(())
}

/// `left` is how long the story still waits. It is measured before the fetch, so that no jump of
/// the clock during it counts.
async fn read_page(world: &Arc<World>, waiting: &WaitingStory, left: Duration) -> PageOutcome {
    let story = &waiting.story;
    let Some(url) = story.url.as_deref().and_then(|url| Url::parse(url).ok()) else {
        return teaser(story, "its link is no address".to_owned(), 0);
    };
    let room = page_wait::MOST_FETCHES.saturating_sub(waiting.fetches);
    let history = PageHistory { failures: waiting.attempts, fetches: waiting.fetches, left };
    match page::read_article(world, &url, &story.body, room).await {
        Ok(page::PageReading { text: Ok(text), fetches }) => {
            PageOutcome::Settled(text, Read::Full, fetches)
        }
        Ok(page::PageReading { text: Err(why), fetches }) => {
            teaser(story, why.to_string(), fetches)
        }
        Err(FetchError::Resting { until, .. }) => {
            let retry = page_wait::after_rest(history, until, now());
            wait_or_settle(story, retry, "its host asked for no requests for now".to_owned())
        }
        Err(why) if may_pass(&why) => {
            debug!("a page could not be read: {why}");
            let retry = page_wait::after_failure(history, rests_until(&why), now());
            let tries = waiting.attempts + 1;
            let why = format!("its page could not be read: {why} (tried {tries} times)");
            wait_or_settle(story, retry, why)
        }
        Err(why) => teaser(story, format!("its page could not be read: {why}"), 1),
    }
}

/// The end of the pause that a host asked for; the fetch has recorded it already.
fn rests_until(error: &FetchError) -> Option<Timestamp> {
    let FetchError::Status { code: 429 | 503, retry_after: Some(asked), .. } = error else {
        return None;
    };
    Some(asked.end(now()))
}

fn teaser(story: &Story, why: String, fetches: u32) -> PageOutcome {
    PageOutcome::Settled(story.body.clone(), Read::Teaser(why), fetches)
}

/// What comes of a page that failed. `why`: why the teaser is settled, if it is.
fn wait_or_settle(story: &Story, retry: PageRetry, why: String) -> PageOutcome {
    match retry {
        PageRetry::At(again) => PageOutcome::Later(again),
        PageRetry::Teaser => teaser(story, why, 1),
    }
}

/// Whether a failure may be gone at the next try.
fn may_pass(error: &FetchError) -> bool {
    match error {
        FetchError::Unreachable(_) | FetchError::Broken(_) | FetchError::Resting { .. } => true,
        FetchError::Status { code, .. } => *code == 429 || *code >= 500,
        FetchError::Forbidden(_) | FetchError::TooLarge { .. } => false,
    }
}
