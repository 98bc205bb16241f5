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
use crate::daemon::context::{RunContext, run_blocking_limited};
use crate::daemon::tasks::Tasks;
use crate::daemon::{Mode, matching, page};
use crate::http::FetchError;
use crate::lifecycle::page_wait;
use crate::store::{MatchResult, RecheckDue, RecheckResult, StoreError, StoryId};
use tidings_rules::story::{FeedEntry, FeedName, Read, Story};

/// The most pages that are rechecked at once.
const AT_ONCE: usize = 64;

/// The longest pause between queries of the store. No page is rechecked within this time after it
/// was read.
const QUERY_INTERVAL: Duration = Duration::from_mins(1);

/// Rechecks pages as they become due, until `stop`, or in a single round until none is due.
pub(crate) async fn keep_rechecking(context: Arc<RunContext>, stop: CancellationToken) {
    let mut tasks = Tasks::new();
    let mut left_out = HashSet::new();
    loop {
        let (due, next) = find_due_rechecks(&context, &tasks, &left_out).await;
        for recheck in due {
            let (context, stop) = (Arc::clone(&context), stop.clone());
            tasks.spawn(recheck.id, async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = recheck_page(&context, recheck) => {}
                }
            });
        }
        if context.mode == Mode::Once && tasks.len() == 0 {
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

/// The stories to recheck now, and the time of the next query.
async fn find_due_rechecks(
    context: &RunContext,
    tasks: &Tasks<StoryId, ()>,
    left_out: &HashSet<StoryId>,
) -> (Vec<RecheckDue>, Timestamp) {
    let latest = later(now(), QUERY_INTERVAL);
    let room = u32::try_from(AT_ONCE.saturating_sub(tasks.len())).unwrap_or_default();
    let mut begun: Vec<StoryId> = tasks.keys().chain(left_out).copied().collect();
    let found = async {
        let due = if room == 0 {
            Vec::new()
        } else {
            context.store.due_rechecks(now(), &begun, room).await?
        };
        begun.extend(due.iter().map(|recheck| recheck.id));
        let next = if tasks.len() + due.len() < AT_ONCE {
            context.store.next_recheck(&begun).await?
        } else {
            None
        };
        Ok::<_, StoreError>((due, next.map_or(latest, |next| next.min(latest))))
    };
    found.await.unwrap_or_else(|why| {
        error!("pages to recheck cannot be looked up: {why}");
        (Vec::new(), latest)
    })
}

async fn recheck_page(context: &Arc<RunContext>, recheck: RecheckDue) {
    let (story, revision) = (recheck.id, recheck.revision);
    let result = read_page_again(context, recheck).await;
    let recorded = context.store.record_recheck(story, revision, result, now()).await;
    context.message_due.notify_one();
    if let Err(why) = recorded {
        error!("a rechecked page could not be recorded: {why}; it is rechecked again");
        tokio::time::sleep(QUERY_INTERVAL).await;
    }
}

async fn read_page_again(context: &Arc<RunContext>, recheck: RecheckDue) -> RecheckResult {
    let room = page_wait::MOST_FETCHES.saturating_sub(recheck.fetches);
    let url = recheck.story.url.as_deref().and_then(|url| Url::parse(url).ok());
    let may_alert = admit::edited_item(false, recheck.story.first_seen, now()).is_ok();
    let Some(url) = url.filter(|_| room > 0 && may_alert) else {
        return RecheckResult { change: None, fetches: 0, next_recheck: None };
    };
    let (text, fetches) = match page::read_article(context, &url, &recheck.feed_text, room).await {
        Ok(page) => (page.text.map_err(|why| why.to_string()), page.fetches),
        Err(FetchError::Resting { until, .. }) => {
            return RecheckResult { change: None, fetches: 0, next_recheck: Some(until) };
        }
        Err(why) => (Err(why.to_string()), 1),
    };
    let next = next_recheck(context, &recheck.feed_entries, recheck.story.first_seen, now())
        .filter(|_| fetches < room);
    let change = match text {
        Ok(body) if body != recheck.story.body => {
            Some(match_changed_text(context, recheck, body).await)
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
    context: &Arc<RunContext>,
    recheck: RecheckDue,
    body: String,
) -> (String, MatchResult) {
    let due = admit::due(context.other_polls(), now());
    let shared = Arc::clone(context);
    run_blocking_limited(context, move || {
        let story = Story { body, ..recheck.story };
        let feeds = recheck.feed_entries.iter().map(|entry| &entry.feed);
        let result = matching::match_story(&shared, &story, Read::Full, feeds, due);
        (story.body, result)
    })
    .await
}

/// When a page is rechecked next, by the settings of the feeds of its story. `None` if never.
pub(crate) fn next_recheck(
    context: &RunContext,
    entries: &[FeedEntry],
    first_seen: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    let times =
        |feed: &FeedName| context.recheck_ages.get(feed).map(Vec::as_slice).unwrap_or_default();
    let all = entries.iter().flat_map(|entry| times(&entry.feed));
    all.map(|time| later(first_seen, *time)).filter(|due| *due > now).min()
}
