//! Rechecks the pages of unchanged items, at the ages that `recheck` sets.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};
use url::Url;

use crate::alerts::admit;
use crate::clock::{later, now, sleep_until};
use crate::daemon::tasks::Tasks;
use crate::daemon::world::{World, run_blocking_limited};
use crate::daemon::{Mode, matching, page};
use crate::http::FetchError;
use crate::lifecycle::page_wait;
use crate::store::{MatchResult, RecheckDue, RecheckResult, StoreError, StoryId};
use tidings_rules::story::{FeedEntry, FeedName, Read, Story};

/// Pages that are looked at at once. They are in no hurry.
const AT_ONCE: usize = 64;

/// How often the store is queried at least. No page is rechecked sooner than that after it was
/// read.
const EVERY: Duration = Duration::from_mins(1);

/// Looks again at pages as they become due, until `stop`, or in a single round until none is due.
pub(crate) async fn keep_rechecking(world: Arc<World>, stop: CancellationToken) {
    let mut tasks = Tasks::new();
    let mut left_out = HashSet::new();
    loop {
        let (due, next) = find_due(&world, &tasks, &left_out).await;
        for look in due {
            let (world, stop) = (Arc::clone(&world), stop.clone());
            tasks.spawn(look.id, async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = recheck_page(&world, look) => {}
                }
            });
        }
        if world.mode == Mode::Once && tasks.len() == 0 {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => break,
            Some((story, ended)) = tasks.next() => {
                if let Err(why) = ended {
                    error!("a page could not be rechecked: {why}; it is retried at the next start");
                    left_out.insert(story);
                }
            }
            () = sleep_until(Some(next)) => {}
        }
    }
    while tasks.next().await.is_some() {}
}

/// The stories to begin with now, and when to ask again.
async fn find_due(
    world: &World,
    tasks: &Tasks<StoryId, ()>,
    left_out: &HashSet<StoryId>,
) -> (Vec<RecheckDue>, Timestamp) {
    let latest = later(now(), EVERY);
    let room = u32::try_from(AT_ONCE.saturating_sub(tasks.len())).unwrap_or_default();
    let mut begun: Vec<StoryId> = tasks.things().chain(left_out).copied().collect();
    let found = async {
        let due = if room == 0 {
            Vec::new()
        } else {
            world.store.due_rechecks(now(), &begun, room).await?
        };
        begun.extend(due.iter().map(|look| look.id));
        let next = if tasks.len() + due.len() < AT_ONCE {
            world.store.next_recheck(&begun).await?
        } else {
            None
        };
        Ok::<_, StoreError>((due, next.map_or(latest, |next| next.min(latest))))
    };
    found.await.unwrap_or_else(|why| {
        error!("pages to look at again cannot be looked up: {why}");
        (Vec::new(), latest)
    })
}

async fn recheck_page(world: &Arc<World>, look: RecheckDue) {
    let (story, revision) = (look.id, look.revision);
    let looked = see(world, look).await;
    let recorded = world.store.record_recheck(story, revision, looked, now()).await;
    world.outbox.notify_one();
    if let Err(why) = recorded {
        error!("a rechecked page could not be recorded: {why}; it is rechecked again");
        tokio::time::sleep(EVERY).await;
    }
}

async fn see(world: &Arc<World>, look: RecheckDue) -> RecheckResult {
    let room = page_wait::MOST_FETCHES.saturating_sub(look.fetches);
    let url = look.story.url.as_deref().and_then(|url| Url::parse(url).ok());
    let may_tell = admit::edited_item(false, look.story.first_seen, now()).is_ok();
    let Some(url) = url.filter(|_| room > 0 && may_tell) else {
        return RecheckResult { change: None, fetches: 0, next_recheck: None };
    };
    let (text, fetches) = match page::read_article(world, &url, &look.feed_text, room).await {
        Ok(page) => (page.text.map_err(|why| why.to_string()), page.fetches),
        Err(FetchError::Resting { until, .. }) => {
            return RecheckResult { change: None, fetches: 0, next_recheck: Some(until) };
        }
        Err(why) => (Err(why.to_string()), 1),
    };
    let next = next_recheck(world, &look.feed_entries, look.story.first_seen, now())
        .filter(|_| fetches < room);
    let change = match text {
        Ok(body) if body != look.story.body => Some(matched(world, look, body).await),
        Ok(_) => None,
        Err(why) => {
            debug!("a rechecked page has no new text: {why}");
            None
        }
    };
    RecheckResult { change, fetches, next_recheck: next }
}

async fn matched(world: &Arc<World>, look: RecheckDue, body: String) -> (String, MatchResult) {
    let due = admit::due(world.polls_under_way(), now());
    let shared = Arc::clone(world);
    run_blocking_limited(world, move || {
        let story = Story { body, ..look.story };
        let feeds = look.feed_entries.iter().map(|sighting| &sighting.feed);
        let verdict = matching::verdict(&shared, &story, Read::Full, feeds, due);
        (story.body, verdict)
    })
    .await
}

/// When a page is rechecked next, by the settings of the feeds of its story; `None`: never.
pub(crate) fn next_recheck(
    world: &World,
    sightings: &[FeedEntry],
    first_seen: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    let times = |feed: &FeedName| world.recheck.get(feed).map(Vec::as_slice).unwrap_or_default();
    let all = sightings.iter().flat_map(|sighting| times(&sighting.feed));
    all.map(|time| later(first_seen, *time)).filter(|due| *due > now).min()
}
