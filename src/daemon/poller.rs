//! Polls feeds: picks the feed that is due, polls it, and schedules its next poll.

mod due_times;
mod feed_request;
mod first_round;
mod last_read;
mod parts;
mod queue;
mod record;

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use url::Url;

use crate::alerts::draft;
use crate::clock::{Jump, later, now};
use crate::config::FeedConfig;
use crate::daemon::scheduler::{Due, JobFailure, Run, Running, Work};
use crate::daemon::{Mode, scheduler};
use crate::store::{FeedState, StoreError};
use tidings_rules::story::FeedName;

use first_round::FirstRound;
pub(crate) use parts::PollParts;
use queue::PollQueue;

/// The pause after a poll that panicked.
const AFTER_A_PANIC: Duration = Duration::from_mins(10);

/// How often the store is queried for polls that `tidings feeds poll-now` requested.
const REQUEST_CHECK: Duration = Duration::from_secs(3);

/// Polls every feed when it is due, until `stop`.
pub(crate) async fn keep_polling(
    parts: Arc<PollParts>,
    states: Vec<FeedState>,
    stop: &CancellationToken,
) {
    let now = now();
    let states: Vec<_> = states
        .into_iter()
        .zip(&parts.config.feeds)
        .map(|(state, feed)| due_times::advance_if_failing(state, parts.floor(feed), now))
        .collect();
    let mut feeds = Feeds::new(parts, states, Mode::Forever, stop);
    for (due, index) in due_times::first_poll_times(&feeds.states, now) {
        feeds.schedule(index, Some(due));
    }
    feeds.first_round = FirstRound::start(&feeds.states, now);
    scheduler::run_work(&mut feeds, Mode::Forever, stop).await;
}

/// Polls every feed once, the least recently polled first. Feeds that were polled within the
/// shortest interval and feeds whose host has a pause are left out.
pub(crate) async fn poll_once(
    parts: Arc<PollParts>,
    states: Vec<FeedState>,
    stop: &CancellationToken,
) {
    let now = now();
    let mut feeds = Feeds::new(Arc::clone(&parts), states, Mode::Once, stop);
    for (index, feed) in parts.config.feeds.iter().enumerate() {
        let state = &feeds.states[index];
        let too_soon = |last: &Timestamp| !state.unreached && later(*last, parts.floor(feed)) > now;
        if let Some(last) = state.last_poll.filter(too_soon) {
            info!("{}: not polled again so soon after {last}", feed.name);
        } else if state.next_poll.is_none() {
            info!("{}: not polled: {}", feed.name, state.next_why);
        } else {
            feeds.schedule(index, Some(now));
        }
    }
    scheduler::run_work(&mut feeds, Mode::Once, stop).await;
    first_round::log_failing_feeds(&feeds.states);
}

/// The feeds of a run. A feed that is not in the queue is being polled, or is gone for good.
struct Feeds {
    parts: Arc<PollParts>,
    mode: Mode,
    stop: CancellationToken,
    states: Vec<FeedState>,
    queue: PollQueue,
    first_round: FirstRound,
    /// Ticks when the store is queried for requested polls.
    request_check: Interval,
    /// Whether the store is queried for requested polls now.
    is_request_check_due: bool,
}

impl Feeds {
    /// No feed is scheduled yet.
    fn new(
        parts: Arc<PollParts>,
        states: Vec<FeedState>,
        mode: Mode,
        stop: &CancellationToken,
    ) -> Self {
        let mut request_check = tokio::time::interval(REQUEST_CHECK);
        request_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            parts,
            mode,
            stop: stop.clone(),
            queue: PollQueue::new(states.len()),
            states,
            first_round: FirstRound::default(),
            request_check,
            is_request_check_due: false,
        }
    }

    /// Sets the time of a feed's next poll; `None`: it is not polled.
    fn schedule(&mut self, index: usize, due: Option<Timestamp>) {
        self.queue.schedule(index, self.states[index].last_poll, due);
    }

    /// Schedules the next poll after one that ended. A single round has none.
    fn schedule_next(&mut self, index: usize, due: Option<Timestamp>) {
        self.schedule(index, due.filter(|_| self.mode == Mode::Forever));
        self.first_round.record_end(index);
    }

    /// Schedules waiting feeds that fail for a poll soon.
    fn advance_failing_feeds(&mut self) {
        let (now, parts) = (now(), Arc::clone(&self.parts));
        self.change_waiting(|index, state| {
            due_times::advance_if_failing(state, parts.floor(&parts.config.feeds[index]), now)
        });
    }

    /// Polls the feeds that a command requested.
    async fn poll_requested(&mut self) {
        let asked = self.parts.shared.store.take_requested_polls().await.unwrap_or_else(|why| {
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
                self.schedule(index, Some(now()));
            }
        }
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

impl Work for Feeds {
    type Key = usize;
    type Job = usize;
    type Output = FeedState;

    const STOP_GRACE: Duration = scheduler::STOP_GRACE;
    const LOOKUP_FAILED: &'static str = "due feeds cannot be looked up";
    const JOB_FAILED: &'static str = "a poll failed";

    async fn find_due(
        &mut self,
        _running: &Running<usize, FeedState>,
    ) -> Result<Due<usize>, StoreError> {
        self.first_round.log_when_over(&self.states);
        if mem::take(&mut self.is_request_check_due) {
            self.poll_requested().await;
        }
        let jobs = std::iter::from_fn(|| self.queue.pop_due(now())).collect();
        Ok(Due { jobs, next: self.queue.next_due() })
    }

    fn begin(&self, index: usize) -> (usize, Run<FeedState>) {
        let (parts, stop) = (Arc::clone(&self.parts), self.stop.clone());
        let state = self.states[index].clone();
        (index, Box::pin(async move { Ok(poll_feed(&parts, index, state, &stop).await) }))
    }

    fn end(&mut self, index: usize, result: Result<FeedState, JobFailure>) {
        let due = if let Ok(state) = result {
            self.states[index] = state;
            self.states[index].next_poll
        } else {
            warn!("{}: its poll failed; it is polled again later", self.states[index].name);
            Some(later(now(), AFTER_A_PANIC))
        };
        self.schedule_next(index, due);
    }

    async fn wait_for_change(&mut self) {
        if self.mode == Mode::Once {
            return std::future::pending().await;
        }
        tokio::select! {
            () = self.parts.shared.wakeups.retry_failing.notified() => {}
            _ = self.request_check.tick() => {
                self.is_request_check_due = true;
                return;
            }
        }
        self.advance_failing_feeds();
    }

    /// Limits waits to the schedule. They may be too long if the clock was ahead.
    async fn check_clock(&mut self, _jump: Option<Jump>) {
        let (now, parts) = (now(), Arc::clone(&self.parts));
        self.change_waiting(|index, state| {
            due_times::limit_next_poll(&parts.config.feeds[index], &parts.config.poll, state, now)
        });
        parts.shared.cut_waits(now).await;
        parts.shared.wakeups.story_waits.notify_one();
    }
}

/// The stored state of every configured feed, in the configuration's order. A feed that is new or
/// has a new address is due now.
pub(crate) async fn load_states(parts: &PollParts) -> Result<Vec<FeedState>, StoreError> {
    let mut known: HashMap<FeedName, FeedState> = parts
        .shared
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
                due_times::limit_next_poll(feed, &parts.config.poll, state, now()),
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
    let states: Vec<FeedState> = parts.config.feeds.iter().map(state_of).collect();
    if let Some(notice) = parts.last_read.restore(parts.config.feeds.iter().zip(&states))
        && parts.shared.store.was_notified(&notice).await?
    {
        parts.last_read.mark_notified();
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

/// Polls one feed and records the outcome. Returns the new state of the feed. Nothing is recorded
/// if `stop` comes first.
async fn poll_feed(
    parts: &Arc<PollParts>,
    index: usize,
    before: FeedState,
    stop: &CancellationToken,
) -> FeedState {
    let feed = &parts.config.feeds[index];
    let requested = feed_request::new_address(&before).unwrap_or(&feed.url);
    let _in_progress = parts.shared.polls.start();
    let outcome = tokio::select! {
        () = stop.cancelled() => None,
        outcome = feed_request::request_feed(parts, requested, &before) => Some(outcome),
    };
    let recorded = match outcome {
        Some(outcome) => record::record_outcome(parts, feed, &before, requested, outcome).await,
        None => Ok(before.clone()),
    };
    recorded.unwrap_or_else(|why| {
        // A failure of the store must not cause more requests to a host.
        let again = later(now(), parts.floor(feed).max(scheduler::STORE_FAILED));
        error!(
            "{}: its poll could not be recorded: {why}; it is polled again at {again}",
            feed.name
        );
        FeedState { next_poll: Some(again), ..before }
    })
}
