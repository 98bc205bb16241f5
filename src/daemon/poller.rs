//! Polls feeds: each when it is due, and schedules its next poll.

mod due_times;
mod feed_request;
mod feeds;
mod first_round;
mod last_read;
mod network_watch;
mod parts;
mod queue;
mod record;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use url::Url;

use crate::alerts::draft;
use crate::clock::{Stopwatch, later, now};
use crate::config::{Config, FeedConfig};
use crate::daemon::{Mode, scheduler};
use crate::store::{FeedState, StoreError};
use tidings_rules::story::FeedName;

use feeds::Feeds;
pub(crate) use parts::PollParts;

/// Polls every feed when it is due, until `stop`. `states` are the feeds of the configuration.
pub(crate) async fn keep_polling(
    parts: Arc<PollParts>,
    states: Vec<FeedState>,
    stop: &CancellationToken,
) {
    let now = now();
    let config = parts.config();
    let states: Vec<_> = states
        .into_iter()
        .zip(&config.feeds)
        .map(|(state, feed)| due_times::advance_if_failing(state, config.floor(feed), now))
        .collect();
    let first_polls = due_times::first_poll_times(states.iter(), now);
    let mut feeds = Feeds::new(parts, states, Mode::Forever, stop);
    for (due, feed) in first_polls {
        feeds.schedule(&feed, Some(due));
    }
    feeds.start_first_round(now);
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
    let config = parts.config();
    let is_due = |state: &FeedState, feed: &FeedConfig| {
        let too_soon =
            |last: &Timestamp| !state.unreached && later(*last, config.floor(feed)) > now;
        if let Some(last) = state.last_poll.filter(too_soon) {
            info!(
                event = "feed_not_polled", feed = %feed.name,
                "{}: not polled again so soon after {last}", feed.name
            );
        } else if state.next_poll.is_none() {
            info!(
                event = "feed_not_polled", feed = %feed.name,
                "{}: not polled: {}", feed.name, state.next_why
            );
        } else {
            return true;
        }
        false
    };
    let due = states.iter().zip(&config.feeds).filter(|(state, feed)| is_due(state, feed));
    let due: Vec<FeedName> = due.map(|(state, _)| state.name.clone()).collect();
    let mut feeds = Feeds::new(parts, states, Mode::Once, stop);
    for feed in due {
        feeds.schedule(&feed, Some(now));
    }
    scheduler::run_work(&mut feeds, Mode::Once, stop).await;
    first_round::log_failing_feeds(&feeds.states_in_order());
}

/// The stored state of every configured feed, in the configuration's order, at the start of a run.
pub(crate) async fn load_states(parts: &PollParts) -> Result<Vec<FeedState>, StoreError> {
    let config = parts.config();
    let states = read_states(parts, &config).await?;
    if let Some(notice) = parts.last_read.restore(config.feeds.iter().zip(&states))
        && parts.shared.store.was_notified(&notice).await?
    {
        parts.last_read.mark_notified();
    }
    Ok(states)
}

/// The stored state of every feed of `config`, in its order. A feed that is new or has a new
/// address is due now.
async fn read_states(parts: &PollParts, config: &Config) -> Result<Vec<FeedState>, StoreError> {
    let stored = parts.shared.store.feed_states().await?;
    let mut known: HashMap<FeedName, FeedState> =
        stored.into_iter().map(|state| (state.name.clone(), state)).collect();
    let state_of = |feed: &FeedConfig| {
        let address = address_hash(&feed.url);
        match known.remove(&feed.name) {
            Some(state) if state.address == address => {
                due_times::limit_next_poll(feed, &config.poll, state, now())
            }
            // Its health is kept, so receivers of a notice about the old address are notified when
            // the feed is read again.
            Some(moved) => FeedState {
                health_history: moved.health_history,
                ..due_times::new_feed_state(feed, address, moved.last_good, now())
            },
            None => due_times::new_feed_state(feed, address, None, now()),
        }
    };
    Ok(config.feeds.iter().map(state_of).collect())
}

/// Logs when a feed begins to be watched that it is no longer polled, or has moved.
fn log_state(feed: &FeedConfig, state: &FeedState) {
    if state.next_poll.is_none() {
        warn!(
            event = "feed_stopped", feed = %feed.name,
            "{}: no longer polled: {}", feed.name, state.next_why
        );
    }
    record::log_move(feed, state);
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
    feed: &FeedConfig,
    before: FeedState,
    stop: &CancellationToken,
) -> FeedState {
    let watch = Stopwatch::start();
    let requested = feed_request::new_address(&before).unwrap_or(&feed.url);
    let _in_progress = parts.shared.polls.start();
    let outcome = tokio::select! {
        () = stop.cancelled() => None,
        outcome = feed_request::request_feed(parts, requested, &before) => Some(outcome),
    };
    let recorded = match outcome {
        Some(outcome) => {
            let metric = outcome.metric();
            let recorded = record::record_outcome(parts, feed, &before, requested, outcome).await;
            parts.shared.metrics.count_poll(metric, watch.elapsed());
            recorded
        }
        None => Ok(before.clone()),
    };
    recorded.unwrap_or_else(|why| {
        // A failure of the store must not cause more requests to a host.
        let again = later(now(), parts.config().floor(feed).max(scheduler::STORE_FAILED));
        if why.is_news() {
            error!(
                event = "store_failed", feed = %feed.name,
                "{}: its poll could not be recorded: {why}; it is polled again at {again}",
                feed.name
            );
        }
        FeedState { next_poll: Some(again), ..before }
    })
}
