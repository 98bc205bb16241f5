//! Polls feeds: picks the feed that is due, polls it, and schedules its next poll.

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

/// The shortest pause after a poll that the store failed to record.
const STORE_FAILED: Duration = Duration::from_secs(5);

/// The pause after a poll that panicked.
const AFTER_A_PANIC: Duration = Duration::from_mins(10);

/// How often the store is queried for polls that `tidings feeds poll-now` requested.
const REQUEST_CHECK: Duration = Duration::from_secs(3);

/// How often waits are checked against the clock, which may have been set back.
const CLOCK_CHECK: Duration = Duration::from_mins(1);

/// Polls every feed when it is due, until `stop`.
pub(crate) async fn keep_polling(
    context: Arc<RunContext>,
    states: Vec<FeedState>,
    stop: CancellationToken,
) {
    let mut feeds = Feeds::start(&context, states);
    let mut polls: Tasks<usize, FeedState> = Tasks::new();
    let (mut request_check, mut clock_check) = (ticker(REQUEST_CHECK), ticker(CLOCK_CHECK));
    loop {
        feeds.first_round.log_when_over(&feeds.states);
        let next_due = feeds.queue.next_due();
        tokio::select! {
            () = stop.cancelled() => break,
            Some((index, ended)) = polls.next() => feeds.record_end(index, ended),
            () = context.retry_failing.notified() => feeds.advance_failing_feeds(&context),
            _ = request_check.tick() => feeds.poll_requested(&context).await,
            _ = clock_check.tick() => feeds.cut_waits(&context).await,
            () = sleep_until(next_due) => {
                if let Some(index) = feeds.queue.pop_first() {
                    let (context, state, stop) = (Arc::clone(&context), feeds.states[index].clone(), stop.clone());
                    polls.spawn(index, async move { poll_feed(&context, index, state, &stop).await });
                }
            }
        }
    }
    while polls.next().await.is_some() {}
}

/// Ticks from now on. Missed ticks are not made up for.
fn ticker(time: Duration) -> Interval {
    let mut ticks = tokio::time::interval(time);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// The feeds of a run. A feed that is not in the queue is being polled, or is gone for good.
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

    /// Records the end of a poll.
    fn record_end(&mut self, index: usize, ended: Result<FeedState, Panicked>) {
        let due = match ended {
            Ok(state) => {
                self.states[index] = state;
                self.states[index].next_poll
            }
            Err(why) => {
                error!("{}: its poll failed because of {why}", self.states[index].name);
                Some(later(now(), AFTER_A_PANIC))
            }
        };
        self.queue.schedule(index, self.states[index].last_poll, due);
        self.first_round.record_end(index);
    }

    /// Schedules waiting feeds that fail for a poll soon.
    fn advance_failing_feeds(&mut self, context: &RunContext) {
        let now = now();
        self.change_waiting(|index, state| {
            advance_if_failing(context, &context.config.feeds[index], state, now)
        });
    }

    /// Polls the feeds that a command requested.
    async fn poll_requested(&mut self, context: &RunContext) {
        let asked = context.store.take_requested_polls().await.unwrap_or_else(|why| {
            error!("requests to poll feeds now cannot be read: {why}");
            Vec::new()
        });
        for name in asked {
            let index = self.states.iter().position(|state| state.name == name);
            // Other feeds are being polled right now.
            let is_idle = |index: &usize| {
                self.queue.is_waiting(*index) || self.states[*index].next_poll.is_none()
            };
            if let Some(index) = index.filter(is_idle) {
                self.queue.schedule(index, self.states[index].last_poll, Some(now()));
            }
        }
    }

    /// Limits waits to the schedule. They may be too long if the clock was ahead.
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

    /// Changes the states of waiting feeds, and their places in the queue.
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

/// Polls every feed once, the least recently polled first. Feeds that were polled within the
/// shortest interval and feeds whose host has a pause are left out.
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
            Err(why) => error!("{}: its poll failed because of {why}", states[index].name),
        }
    }
    first_round::log_failing_feeds(&states);
}

/// The stored state of every configured feed, in the configuration's order. A feed that is new or
/// has a new address is due now.
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
            // Its health is kept, so receivers of a notice about the old address are notified when
            // the feed is read again.
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

/// Logs at the start of a run that a feed is no longer polled, or has moved.
fn with_move_logged(feed: &FeedConfig, state: FeedState) -> FeedState {
    if state.next_poll.is_none() {
        warn!("{}: no longer polled: {}", feed.name, state.next_why);
    }
    record::log_move(feed, &state);
    state
}

/// A hash of an address, in hex. The address itself may hold a secret, so the store must not keep
/// it.
fn address_hash(url: &Url) -> String {
    draft::sha256_hex(&[url.as_str()])
}

/// A poll in progress. It is counted until it is dropped, also by a panic.
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

/// Polls one feed and records the outcome. Returns the new state of the feed. Nothing is recorded
/// if `stop` comes first.
async fn poll_feed(
    context: &Arc<RunContext>,
    index: usize,
    before: FeedState,
    stop: &CancellationToken,
) -> FeedState {
    let feed = &context.config.feeds[index];
    let requested = feed_request::new_address(&before).unwrap_or(&feed.url);
    let _in_progress = PollInProgress::start(&context.polls_in_progress);
    let outcome = tokio::select! {
        () = stop.cancelled() => None,
        outcome = feed_request::request_feed(context, requested, &before) => Some(outcome),
    };
    let recorded = match outcome {
        Some(outcome) => record::record_outcome(context, feed, &before, requested, outcome).await,
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
