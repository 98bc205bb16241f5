//! Polling: which feed is due, one poll of it, and when to come back.

mod ask;
mod due;
mod last_read;
mod queue;
mod record;
mod round;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use url::Url;

use crate::alerts::draft;
use crate::clock::{later, now, sleep_until};
use crate::config::{FeedConfig, Poll};
use crate::daemon::tasks::{Panicked, Tasks};
use crate::daemon::world::World;
use crate::store::{FeedState, StoreError};
use tidings_rules::story::FeedName;

pub(crate) use last_read::LastRead;
use queue::PollQueue;
use round::FirstRound;

/// When a poll is repeated, at the soonest, whose outcome the store could not take.
const STORE_FAILED: Duration = Duration::from_secs(5);

/// When a feed is polled again whose poll panicked.
const AFTER_A_PANIC: Duration = Duration::from_mins(10);

/// How often the store is queried for feeds that a command wants polled now.
const LOOK: Duration = Duration::from_secs(3);

/// How often waits are held against the clock, which may have been set back.
const CLOCK: Duration = Duration::from_mins(1);

/// Polls every feed when it is due, until `stop`.
pub(crate) async fn keep_polling(
    world: Arc<World>,
    states: Vec<FeedState>,
    stop: CancellationToken,
) {
    let mut feeds = Feeds::begin(&world, states);
    let mut polls: Tasks<usize, FeedState> = Tasks::new();
    let (mut look, mut clock) = (every(LOOK), every(CLOCK));
    loop {
        feeds.round.log_once(&feeds.states);
        let head = feeds.queue.next_due();
        tokio::select! {
            () = stop.cancelled() => break,
            Some((index, ended)) = polls.next() => feeds.ended(index, ended),
            () = world.try_failing.notified() => feeds.try_failing(&world),
            _ = look.tick() => feeds.poll_asked(&world).await,
            _ = clock.tick() => feeds.cut_waits(&world).await,
            () = sleep_until(head) => {
                if let Some(index) = feeds.queue.take() {
                    let (world, state, stop) = (Arc::clone(&world), feeds.states[index].clone(), stop.clone());
                    polls.spawn(index, async move { poll(&world, index, state, &stop).await });
                }
            }
        }
    }
    while polls.next().await.is_some() {}
}

/// Ticks from now on, and never to make up for ticks that were missed.
fn every(time: Duration) -> Interval {
    let mut ticks = tokio::time::interval(time);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// The feeds of a run, and which of them wait for their next poll. The others are being polled, or
/// are gone for good.
struct Feeds {
    states: Vec<FeedState>,
    queue: PollQueue,
    round: FirstRound,
}

impl Feeds {
    fn begin(world: &World, states: Vec<FeedState>) -> Self {
        let now = now();
        let states: Vec<_> = states
            .into_iter()
            .zip(&world.config.feeds)
            .map(|(state, feed)| soon(world, feed, state, now))
            .collect();
        let mut queue = PollQueue::new(states.len());
        for (due, index) in due::first_times(&states, now) {
            queue.put(index, states[index].last_poll, Some(due));
        }
        let round = FirstRound::of(&states, now);
        Self { states, queue, round }
    }

    /// Takes in how a poll ended.
    fn ended(&mut self, index: usize, ended: Result<FeedState, Panicked>) {
        let due = match ended {
            Ok(state) => {
                self.states[index] = state;
                self.states[index].next_poll
            }
            Err(why) => {
                error!("{}: its poll ended in {why}", self.states[index].name);
                Some(later(now(), AFTER_A_PANIC))
            }
        };
        self.queue.put(index, self.states[index].last_poll, due);
        self.round.ended(index);
    }

    /// Has those that wait and fail polled soon.
    fn try_failing(&mut self, world: &World) {
        let now = now();
        self.change_waiting(|index, state| soon(world, &world.config.feeds[index], state, now));
    }

    /// Polls the feeds that a command requested.
    async fn poll_asked(&mut self, world: &World) {
        let asked = world.store.take_requested_polls().await.unwrap_or_else(|why| {
            error!("whether feeds are to be polled now cannot be looked up: {why}");
            Vec::new()
        });
        for name in asked {
            let index = self.states.iter().position(|state| state.name == name);
            // One that neither waits nor is gone for good is being polled.
            let is_idle = |index: &usize| {
                self.queue.is_waiting(*index) || self.states[*index].next_poll.is_none()
            };
            if let Some(index) = index.filter(is_idle) {
                self.queue.put(index, self.states[index].last_poll, Some(now()));
            }
        }
    }

    /// Has nothing wait longer than its schedule allows because the clock was ahead and was set
    /// back.
    async fn cut_waits(&mut self, world: &World) {
        let now = now();
        self.change_waiting(|index, state| {
            due::in_time(&world.config.feeds[index], &world.config.poll, state, now)
        });
        world.cut_waits(now).await;
    }

    /// Changes the states of feeds that wait, and when they are due with them.
    fn change_waiting(&mut self, change: impl Fn(usize, FeedState) -> FeedState) {
        for index in self.queue.waiting() {
            let before = &self.states[index];
            let state = change(index, before.clone());
            if state != *before {
                self.queue.put(index, state.last_poll, state.next_poll);
                self.states[index] = state;
            }
        }
    }
}

/// The state of a feed that is polled soon if it fails.
fn soon(world: &World, feed: &FeedConfig, state: FeedState, now: Timestamp) -> FeedState {
    due::soon_if_failing(state, Poll::floor(world.config.network.owns(&feed.url)), now)
}

/// Polls every feed once, except those that were polled within the floor and those whose host has a
/// pause. The feeds that were polled least recently come first.
pub(crate) async fn poll_once(
    world: &Arc<World>,
    mut states: Vec<FeedState>,
    stop: &CancellationToken,
) {
    let mut polls = Tasks::new();
    let mut order: Vec<usize> = (0..states.len()).collect();
    order.sort_by_key(|index| states[*index].last_poll);
    for index in order {
        let (feed, state) = (&world.config.feeds[index], states[index].clone());
        let floor = Poll::floor(world.config.network.owns(&feed.url));
        let too_soon = |last: &Timestamp| !state.unreached && later(*last, floor) > now();
        if let Some(last) = state.last_poll.filter(too_soon) {
            info!("{}: not polled again so soon after {last}", feed.name);
        } else if state.next_poll.is_none() {
            info!("{}: not polled: {}", feed.name, state.next_why);
        } else {
            let (world, stop) = (Arc::clone(world), stop.clone());
            polls.spawn(index, async move { poll(&world, index, state, &stop).await });
        }
    }
    while let Some((index, ended)) = polls.next().await {
        match ended {
            Ok(state) => states[index] = state,
            Err(why) => error!("{}: its poll ended in {why}", states[index].name),
        }
    }
    round::log_states(&states);
}

/// The stored state of every configured feed, in the configuration's order. A new feed, or one at a
/// new address, is due now.
pub(crate) async fn states(world: &World) -> Result<Vec<FeedState>, StoreError> {
    let mut known: HashMap<FeedName, FeedState> = world
        .store
        .feed_states()
        .await?
        .into_iter()
        .map(|state| (state.name.clone(), state))
        .collect();
    let state_of = |feed: &FeedConfig| {
        let address = fingerprint(&feed.url);
        match known.remove(&feed.name) {
            Some(state) if state.address == address => {
                with_move_logged(feed, due::in_time(feed, &world.config.poll, state, now()))
            }
            // Receivers of the notice about its old address get the notice that it can be read
            // again.
            Some(moved) => FeedState {
                health_history: moved.health_history,
                ..due::fresh(feed, address, moved.last_good, now())
            },
            None => due::fresh(feed, address, None, now()),
        }
    };
    let states: Vec<FeedState> = world.config.feeds.iter().map(state_of).collect();
    if let Some(notice) = world.last_read.begin(world.config.feeds.iter().zip(&states))
        && world.store.was_notified(&notice).await?
    {
        world.last_read.mark_notified();
    }
    Ok(states)
}

/// Says what a person has to know of a feed as a run begins.
fn with_move_logged(feed: &FeedConfig, state: FeedState) -> FeedState {
    if state.next_poll.is_none() {
        warn!("{}: not polled any more: {}", feed.name, state.next_why);
    }
    record::log_move(feed, &state);
    state
}

/// A hash of an address, in hex: the address may hold a secret, which the store must not.
fn fingerprint(url: &Url) -> String {
    draft::sha256_hex(&[url.as_str()])
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

/// Polls one feed and records the outcome; returns its state from then on. Nothing is recorded if
/// `stop` comes first.
async fn poll(
    world: &Arc<World>,
    index: usize,
    before: FeedState,
    stop: &CancellationToken,
) -> FeedState {
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
        // A failure of the store must not cause more requests to a host.
        let again =
            later(now(), Poll::floor(world.config.network.owns(&feed.url)).max(STORE_FAILED));
        error!(
            "{}: its poll could not be recorded: {why}; it is polled again at {again}",
            feed.name
        );
        FeedState { next_poll: Some(again), ..before }
    })
}
