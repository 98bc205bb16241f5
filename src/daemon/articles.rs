//! Stories that wait for their article page: fetch it, and settle the story with what could be read.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};
use url::Url;

use crate::alert::admit;
use crate::daemon::clock::{after, now, sleep_until};
use crate::daemon::{World, heavy, matching};
use crate::feed::article;
use crate::feed::fetch::{FetchError, Validators, Want};
use crate::store::{StoreError, StoryId, Waiting};
use crate::story::{Read, Story};

/// Stories that are worked on at once; their requests are limited by hosts and in all besides.
const AT_ONCE: usize = 64;

/// Failed fetches after which the teaser stands.
const MOST_FAILURES: u32 = 3;

/// How long a story waits for its page at the most.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// The pause after the first and the second failed fetch.
const PAUSES: [Duration; 2] = [Duration::from_secs(5), Duration::from_mins(1)];

/// When the store is asked again after it failed.
const STORE_FAILED: Duration = Duration::from_secs(10);

/// How far to go on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Until told to stop.
    Stopped,
    /// Until no story waits any more.
    NoneWaits,
}

/// Settles stories as they become due.
pub(crate) async fn settle_waiting(world: Arc<World>, until: Until, stop: CancellationToken) {
    let mut busy = HashSet::new();
    let mut of_task = std::collections::HashMap::new();
    let mut tasks: JoinSet<()> = JoinSet::new();
    loop {
        let (due, next) = find_due(&world, &busy).await;
        for waiting in due {
            let story = waiting.id;
            busy.insert(story);
            let (world, stop) = (Arc::clone(&world), stop.clone());
            let task = tasks.spawn(async move { settle(&world, waiting, &stop).await });
            of_task.insert(task.id(), story);
        }
        if until == Until::NoneWaits && next.is_none() && busy.is_empty() {
            return;
        }
        let wake = if busy.len() < AT_ONCE { next } else { None };
        tokio::select! {
            () = stop.cancelled() => break,
            () = world.pages.notified() => {}
            Some(ended) = tasks.join_next_with_id() => {
                if let Some(story) = of_task.remove(&id_of(ended)) {
                    busy.remove(&story);
                }
            }
            () = sleep_until(wake) => {}
        }
    }
    while tasks.join_next().await.is_some() {}
}

fn id_of(ended: Result<(Id, ()), JoinError>) -> Id {
    match ended {
        Ok((id, ())) => id,
        Err(why) => {
            error!("settling a story failed by a fault of Tidings: {why}");
            why.id()
        }
    }
}

/// The stories to begin with now, and when to look again for those that nobody works on.
async fn find_due(world: &World, busy: &HashSet<StoryId>) -> (Vec<Waiting>, Option<Timestamp>) {
    let room = u32::try_from(AT_ONCE.saturating_sub(busy.len())).unwrap_or_default();
    let busy: Vec<StoryId> = busy.iter().copied().collect();
    let found = async {
        let due = if room == 0 { Vec::new() } else { world.store.waiting(now(), &busy, room).await? };
        let begun: Vec<StoryId> = busy.iter().copied().chain(due.iter().map(|waiting| waiting.id)).collect();
        Ok::<_, StoreError>((due, world.store.next_waiting(&begun).await?))
    };
    found.await.unwrap_or_else(|why| {
        error!("waiting stories cannot be looked up: {why}");
        (Vec::new(), Some(after(now(), STORE_FAILED)))
    })
}

/// What came of a story's page.
enum Page {
    /// The story's text from now on, and how much was read.
    Settled(String, Read),
    /// It may work later.
    Later(Timestamp),
}

async fn settle(world: &Arc<World>, waiting: Waiting, stop: &CancellationToken) {
    let page = if let Some(read) = &waiting.read {
        Page::Settled(waiting.story.body.clone(), read.clone())
    } else {
        tokio::select! {
            () = stop.cancelled() => return,
            page = read_page(world, &waiting) => page,
        }
    };
    let recorded = match page {
        Page::Later(due) => world.store.page_failed(waiting.id, waiting.revision, due).await,
        Page::Settled(body, read) => record(world, waiting, body, read).await,
    };
    if let Err(why) = recorded {
        error!("a story could not be settled: {why}; it is tried again");
        tokio::time::sleep(STORE_FAILED).await;
    }
}

/// T2: matches the story with the rules in force now, and records it with its alerts in one transaction.
async fn record(world: &Arc<World>, waiting: Waiting, body: String, read: Read) -> Result<(), StoreError> {
    let story = Story { body, ..waiting.story };
    let at = now();
    let due = admit::due(world.polls.load(std::sync::atomic::Ordering::Relaxed), at);
    let shared = Arc::clone(world);
    let (body, verdict) = heavy(world, move || {
        let feeds = waiting.sightings.iter().map(|sighting| &sighting.feed);
        let verdict = matching::verdict(&shared, &story, read, feeds, due);
        (story.body, verdict)
    })
    .await;
    world.store.settle(waiting.id, waiting.revision, body, verdict, at).await?;
    world.outbox.notify_one();
    Ok(())
}

async fn read_page(world: &Arc<World>, waiting: &Waiting) -> Page {
    let story = &waiting.story;
    let Some(url) = story.url.as_deref().and_then(|url| Url::parse(url).ok()) else {
        return teaser(story, "its link is no address".to_owned());
    };
    match world.fetch(&url, Want::Page, Validators::default()).await {
        Ok(answer) => {
            let body = answer.body.unwrap_or_default();
            let extracted =
                heavy(world, move || article::extract(&body, answer.content_type.as_deref(), &answer.url)).await;
            match extracted {
                Ok(page) => Page::Settled(article::with_teaser(&story.body, &page), Read::Full),
                Err(why) => teaser(story, why.to_string()),
            }
        }
        Err(why) if may_pass(&why) => {
            debug!("a page of {url} could not be read: {why}");
            later_or_teaser(waiting, &why)
        }
        Err(why) => teaser(story, format!("its page could not be read: {why}")),
    }
}

fn teaser(story: &Story, why: String) -> Page {
    Page::Settled(story.body.clone(), Read::Teaser(why))
}

fn later_or_teaser(waiting: &Waiting, why: &FetchError) -> Page {
    let due = PAUSES.get(waiting.attempts as usize).map(|pause| after(now(), *pause));
    match due.filter(|due| *due < after(waiting.since, LONGEST_WAIT)) {
        Some(due) => Page::Later(due),
        None => teaser(&waiting.story, format!("its page could not be read: {why} ({MOST_FAILURES} tries)")),
    }
}

/// Whether a failure may be gone at the next try.
fn may_pass(error: &FetchError) -> bool {
    match error {
        FetchError::Unreachable(_) | FetchError::Broken(_) => true,
        FetchError::Status { code, .. } => *code == 429 || *code >= 500,
        FetchError::Forbidden(_) | FetchError::TooLarge { .. } => false,
    }
}
