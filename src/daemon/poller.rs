//! Polling: which feed is due, one poll of it, and when to come back.

mod due_times;
mod feed_request;
mod first_round;
mod last_read;
mod queue;
mod record;

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
use crate::daemon::context::RunContext;
use crate::daemon::tasks::{Panicked, Tasks};
use crate::store::{FeedState, StoreError};
use tidings_rules::story::FeedName;

use first_round::FirstRound;
pub(crate) use last_read::LastRead;
use queue::PollQueue;

/// When a poll is repeated, at the soonest, whose outcome the store could not take.
const STORE_FAILED: Duration = Duration::from_secs(5);

/// When a feed is polled again whose poll panicked.
const AFTER_A_PANIC: Duration = Duration::from_mins(10);

/// How often the store is queried for feeds that a command wants polled now.
const REQUEST_CHECK: Duration = Duration::from_secs(3);

/// How often waits are held against the clock, which may have been set back.
const CLOCK_CHECK: Duration = Duration::from_mins(1);

/// Polls every feed when it is due, until `stop`.
pub(crate) async fn keep_polling(
    context: Arc<RunContext>,
    states: Vec<FeedState>,
    stop: CancellationToken,
) {
    let mut feeds = Feeds::start(&context, states);
    let mut polls: Tasks<usize, FeedState> = Tasks::new();
    let (mut look, mut clock) = (ticker(REQUEST_CHECK), ticker(CLOCK_CHECK));
    loop {
        feeds.first_round.log_when_over(&feeds.states);
        let head = feeds.queue.next_due();
        tokio::select! {
            () = stop.cancelled() => break,
            Some((index, ended)) = polls.next() => feeds.record_end(index, ended),
            () = context.retry_failing.notified() => feeds.advance_failing_feeds(&context),
            _ = look.tick() => feeds.poll_requested(&context).await,
            _ = clock.tick() => feeds.cut_waits(&context).await,
            () = sleep_until(head) => {
                if let Some(index) = feeds.queue.pop_first() {
                    let (context, state, stop) = (Arc::clone(&context), feeds.states[index].clone(), stop.clone());
                    polls.spawn(index, async move { poll_feed(&context, index, state, &stop).await });
                }
            }
        }
    }
    while polls.next().await.is_some() {}
}

/// Ticks from now on, and never to make up for ticks that were missed.
fn ticker(time: Duration) -> Interval {
    let mut ticks = tokio::time::interval(time);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// The feeds of a run, and which of them wait for their next poll. The others are being polled, or
/// are gone for good.
struct Feeds {
    states: Vec<FeedState>,
    queue: PollQueue,
    first_round: FirstRound,
}

impl Feeds {
    fn start(context: &RunContext, states: Vec<FeedState>) -> Self {
        let now = now();
        let states: Vec<_> = states
            .into_iter()
            .zip(&context.config.feeds)
            .map(|(state, feed)| advance_if_failing(context, feed, state, now))
            .collect();
        let mut queue = PollQueue::new(states.len());
        for (due, index) in due_times::first_poll_times(&states, now) {
            queue.schedule(index, states[index].last_poll, Some(due));
        }
        let first_round = FirstRound::start(&states, now);
        Self { states, queue, first_round }
    }

    /// Takes in how a poll ended.
    fn record_end(&mut self, index: usize, ended: Result<FeedState, Panicked>) {
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
        self.queue.schedule(index, self.states[index].last_poll, due);
        self.first_round.record_end(index);
    }

    /// Has those that wait and fail polled soon.
    fn advance_failing_feeds(&mut self, context: &RunContext) {
        let now = now();
        self.change_waiting(|index, state| {
            advance_if_failing(context, &context.config.feeds[index], state, now)
        });
    }

    /// Polls the feeds that a command requested.
    async fn poll_requested(&mut self, context: &RunContext) {
        let asked = context.store.take_requested_polls().await.unwrap_or_else(|why| {
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
                self.queue.schedule(index, self.states[index].last_poll, Some(now()));
            }
        }
    }

    /// Has nothing wait longer than its schedule allows because the clock was ahead and was set
    /// back.
    async fn cut_waits(&mut self, context: &RunContext) {
        let now = now();
        self.change_waiting(|index, state| {
            due_times::limit_next_poll(
                &context.config.feeds[index],
                &context.config.poll,
                state,
                now,
            )
        });
        context.cut_waits(now).await;
    }

    /// Changes the states of feeds that wait, and when they are due with them.
    fn change_waiting(&mut self, change: impl Fn(usize, FeedState) -> FeedState) {
        for index in self.queue.waiting() {
            let before = &self.states[index];
            let state = change(index, before.clone());
            if state != *before {
                self.queue.schedule(index, state.last_poll, state.next_poll);
                self.states[index] = state;
            }
        }
    }
}

/// The state of a feed that is polled soon if it fails.
fn advance_if_failing(
    context: &RunContext,
    feed: &FeedConfig,
    state: FeedState,
    now: Timestamp,
) -> FeedState {
    due_times::advance_if_failing(state, Poll::floor(context.config.network.owns(&feed.url)), now)
}

/// Polls every feed once, except those that were polled within the floor and those whose host has a
/// pause. The feeds that were polled least recently come first.
pub(crate) async fn poll_once(
    context: &Arc<RunContext>,
    mut states: Vec<FeedState>,
    stop: &CancellationToken,
) {
    let mut polls = Tasks::new();
    let mut order: Vec<usize> = (0..states.len()).collect();
    order.sort_by_key(|index| states[*index].last_poll);
    for index in order {
        let (feed, state) = (&context.config.feeds[index], states[index].clone());
        let floor = Poll::floor(context.config.network.owns(&feed.url));
        let too_soon = |last: &Timestamp| !state.unreached && later(*last, floor) > now();
        if let Some(last) = state.last_poll.filter(too_soon) {
            info!("{}: not polled again so soon after {last}", feed.name);
        } else if state.next_poll.is_none() {
            info!("{}: not polled: {}", feed.name, state.next_why);
        } else {
            let (context, stop) = (Arc::clone(context), stop.clone());
            polls.spawn(index, async move { poll_feed(&context, index, state, &stop).await });
        }
    }
    while let Some((index, ended)) = polls.next().await {
        match ended {
            Ok(state) => states[index] = state,
            Err(why) => error!("{}: its poll ended in {why}", states[index].name),
        }
    }
    first_round::log_failing_feeds(&states);
}

/// The stored state of every configured feed, in the configuration's order. A new feed, or one at a
/// new address, is due now.
pub(crate) async fn load_states(context: &RunContext) -> Result<Vec<FeedState>, StoreError> {
    let mut known: HashMap<FeedName, FeedState> = context
        .store
        .feed_states()
        .await?
        .into_iter()
        .map(|state| (state.name.clone(), state))
        .collect();
    let state_of = |feed: &FeedConfig| {
        let address = address_hash(&feed.url);
        match known.remove(&feed.name) {
            Some(state) if state.address == address => with_move_logged(
                feed,
                due_times::limit_next_poll(feed, &context.config.poll, state, now()),
            ),
            // Receivers of the notice about its old address get the notice that it can be read
            // again.
            Some(moved) => FeedState {
                health_history: moved.health_history,
                ..due_times::new_feed_state(feed, address, moved.last_good, now())
            },
            None => due_times::new_feed_state(feed, address, None, now()),
        }
    };
    let states: Vec<FeedState> = context.config.feeds.iter().map(state_of).collect();
    if let Some(notice) = context.last_read.restore(context.config.feeds.iter().zip(&states))
        && context.store.was_notified(&notice).await?
    {
        context.last_read.mark_notified();
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
fn address_hash(url: &Url) -> String {
    draft::sha256_hex(&[url.as_str()])
}

/// A poll under way: counted until it is dropped, a panic included.
struct PollInProgress<'c>(&'c AtomicUsize);

impl<'c> PollInProgress<'c> {
    fn start(count: &'c AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for PollInProgress<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Polls one feed and records the outcome; returns its state from then on. Nothing is recorded if
/// `stop` comes first.
async fn poll_feed(
    context: &Arc<RunContext>,
    index: usize,
    before: FeedState,
    stop: &CancellationToken,
) -> FeedState {
    let feed = &context.config.feeds[index];
    let asked_at = feed_request::new_address(&before).unwrap_or(&feed.url);
    let _under_way = PollInProgress::start(&context.polls_in_progress);
    let asked = tokio::select! {
        () = stop.cancelled() => None,
        asked = feed_request::request_feed(context, asked_at, &before) => Some(asked),
    };
    let recorded = match asked {
        Some(outcome) => record::record_outcome(context, feed, &before, asked_at, outcome).await,
        None => Ok(before.clone()),
    };
    recorded.unwrap_or_else(|why| {
        // A failure of the store must not cause more requests to a host.
        let again =
            later(now(), Poll::floor(context.config.network.owns(&feed.url)).max(STORE_FAILED));
        error!(
            "{}: its poll could not be recorded: {why}; it is polled again at {again}",
            feed.name
        );
        FeedState { next_poll: Some(again), ..before }
    })
}
