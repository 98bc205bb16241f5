//! Polling: which feed is due, one poll of it, and when to come back.

mod ask;
mod due;
mod last_read;
mod record;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use url::Url;

use crate::config::{Feed, Poll};
use crate::daemon::World;
use crate::daemon::clock::{after, now, sleep_until};
use crate::daemon::tasks::Tasks;
use crate::store::{FeedState, StoreError};
use crate::story::FeedName;

pub(crate) use last_read::LastRead;

/// When a poll is repeated, at the soonest, whose outcome the store could not take.
const STORE_FAILED: Duration = Duration::from_secs(5);

/// When a feed is polled again whose poll panicked.
const AFTER_A_PANIC: Duration = Duration::from_mins(10);

/// Polls every feed when it is due, until `stop`.
pub(crate) async fn keep_polling(world: Arc<World>, mut states: Vec<FeedState>, stop: CancellationToken) {
    let mut queue: BinaryHeap<_> = due::first_times(&states, now()).into_iter().map(Reverse).collect();
    let mut polls: Tasks<usize, FeedState> = Tasks::new();
    loop {
        let head = queue.peek().map(|Reverse((due, _))| *due);
        tokio::select! {
            () = stop.cancelled() => break,
            Some((index, ended)) = polls.next() => {
                let due = match ended {
                    Ok(state) => {
                        states[index] = state;
                        states[index].next_poll
                    }
                    Err(why) => {
                        error!("{}: its poll ended in {why}", states[index].name);
                        Some(after(now(), AFTER_A_PANIC))
                    }
                };
                queue.extend(due.map(|due| Reverse((due, index))));
            }
            () = sleep_until(head) => {
                if let Some(Reverse((_, index))) = queue.pop() {
                    let (world, state, stop) = (Arc::clone(&world), states[index].clone(), stop.clone());
                    polls.spawn(index, async move { poll(&world, index, state, &stop).await });
                }
            }
        }
    }
    while polls.next().await.is_some() {}
}

/// Polls every feed that may be polled now, once: all but those polled within the floor, or whose host asked for rest.
pub(crate) async fn poll_once(world: &Arc<World>, states: Vec<FeedState>, stop: &CancellationToken) {
    let mut polls = Tasks::new();
    for (index, state) in states.into_iter().enumerate() {
        let feed = &world.config.feeds[index];
        let floor = Poll::floor(world.config.network.owns(&feed.url));
        if let Some(last) = state.last_poll.filter(|last| after(*last, floor) > now()) {
            info!("{}: not polled again so soon after {last}", feed.name);
        } else if state.next_poll.is_none() {
            info!("{}: not polled: {}", feed.name, state.next_why);
        } else {
            let (world, stop) = (Arc::clone(world), stop.clone());
            polls.spawn(index, async move { poll(&world, index, state, &stop).await });
        }
    }
    while let Some((index, ended)) = polls.next().await {
        if let Err(why) = ended {
            error!("{}: its poll ended in {why}", world.config.feeds[index].name);
        }
    }
}

/// What the store knows of every configured feed, in the configuration's order; a new feed, or one at a new address, is due now.
pub(crate) async fn states(world: &World) -> Result<Vec<FeedState>, StoreError> {
    let mut known: HashMap<FeedName, FeedState> =
        world.store.feeds().await?.into_iter().map(|state| (state.name.clone(), state)).collect();
    let state_of = |feed: &Feed| {
        let address = fingerprint(&feed.url);
        match known.remove(&feed.name) {
            Some(state) if state.address == address => told(feed, due::in_time(feed, &world.config.poll, state, now())),
            // Whoever was told that it fares ill hears that it is well at its new address.
            Some(moved) => FeedState { course: moved.course, ..due::fresh(feed, address, moved.last_good, now()) },
            None => due::fresh(feed, address, None, now()),
        }
    };
    let states: Vec<FeedState> = world.config.feeds.iter().map(state_of).collect();
    if let Some(notice) = world.last_read.begin(world.config.feeds.iter().zip(&states))
        && world.store.was_told(&notice).await?
    {
        world.last_read.told();
    }
    Ok(states)
}

/// Says what a person has to know of a feed as a run begins.
fn told(feed: &Feed, state: FeedState) -> FeedState {
    if state.next_poll.is_none() {
        warn!("{}: not polled any more: {}", feed.name, state.next_why);
    }
    record::tell_move(feed, &state);
    state
}

/// A hash of an address, in hex: the address may hold a secret, which the store must not.
fn fingerprint(url: &Url) -> String {
    Sha256::digest(url.as_str()).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// A poll under way: counted until it is dropped, a panic included.
struct UnderWay<'c>(&'c AtomicUsize);

impl<'c> UnderWay<'c> {
    fn begin(count: &'c AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Polls one feed and records the outcome; returns its state from then on. Nothing is recorded if `stop` comes first.
async fn poll(world: &Arc<World>, index: usize, before: FeedState, stop: &CancellationToken) -> FeedState {
    let feed = &world.config.feeds[index];
    let asked_at = ask::new_address(&before).unwrap_or(&feed.url);
    let _under_way = UnderWay::begin(&world.polls);
    let asked = tokio::select! {
        () = stop.cancelled() => None,
        asked = ask::ask(world, asked_at, &before) => Some(asked),
    };
    let recorded = match asked {
        Some(outcome) => record::record(world, feed, &before, asked_at, outcome).await,
        None => Ok(before.clone()),
    };
    recorded.unwrap_or_else(|why| {
        // Whatever ails the store, a host is not asked more often for it.
        let again = after(now(), Poll::floor(world.config.network.owns(&feed.url)).max(STORE_FAILED));
        error!("{}: its poll could not be recorded: {why}; it is polled again at {again}", feed.name);
        FeedState { next_poll: Some(again), ..before }
    })
}
