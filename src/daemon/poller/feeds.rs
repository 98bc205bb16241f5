//! The feeds of a run: each with its state, and in the queue unless it is being polled.

use std::collections::{BTreeMap, HashSet};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::first_round::FirstRound;
use super::network_watch::NetworkWatch;
use super::parts::PollParts;
use super::queue::PollQueue;
use super::{due_times, first_round};
use crate::clock::{Jump, later, now};
use crate::config::{Config, FeedConfig};
use crate::daemon::scheduler::{Due, JobFailure, Run, Running, Work};
use crate::daemon::shares::ShareUse;
use crate::daemon::{Mode, scheduler};
use crate::shares::{OwnShares, Share};
use crate::store::{FeedState, StoreError};
use tidings_rules::story::FeedName;

/// The pause after a poll that panicked.
const AFTER_A_PANIC: Duration = Duration::from_mins(10);

/// How often the store is queried for polls that `tidings feeds poll-now` requested, and the
/// network is watched while no feed can be reached.
const REQUEST_CHECK: Duration = Duration::from_secs(3);

/// The pause before it is looked again whether a feed is this node's.
const OTHER_NODE: Duration = Duration::from_secs(1);

/// A feed that is watched.
#[derive(Clone, Debug)]
pub(super) struct WatchedFeed {
    feed: FeedConfig,
    state: FeedState,
}

/// The feeds of a run. A feed that is not in the queue is being polled, or is gone for good.
pub(super) struct Feeds {
    parts: Arc<PollParts>,
    mode: Mode,
    stop: CancellationToken,
    /// The configuration whose feeds these are.
    config: Arc<Config>,
    /// The shares whose feeds these are.
    own: OwnShares,
    watched: BTreeMap<FeedName, WatchedFeed>,
    queue: PollQueue,
    /// The feeds that are being polled. They may have left the configuration.
    polling: HashSet<FeedName>,
    first_round: FirstRound,
    network: NetworkWatch,
    /// Ticks when requested polls and the network are checked.
    request_check: Interval,
    /// Whether requested polls and the network are checked now.
    is_request_check_due: bool,
}

impl Feeds {
    /// The feeds of the configuration in force that are this node's, with their states. `states` are
    /// those of all feeds, in the configuration's order. No feed is scheduled yet.
    pub(super) fn new(
        parts: Arc<PollParts>,
        states: Vec<FeedState>,
        mode: Mode,
        stop: &CancellationToken,
    ) -> Self {
        let mut request_check = tokio::time::interval(REQUEST_CHECK);
        request_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (config, own) = (parts.config(), parts.shared.shares.own());
        let watched = watch(&config, &own, states);
        for WatchedFeed { feed, state } in watched.values() {
            super::log_state(feed, state);
        }
        Self {
            mode,
            stop: stop.clone(),
            queue: PollQueue::default(),
            polling: HashSet::new(),
            watched,
            config,
            own,
            first_round: FirstRound::default(),
            network: NetworkWatch::default(),
            request_check,
            is_request_check_due: false,
            parts,
        }
    }

    /// Sets the time of a feed's next poll; `None`: it is not polled.
    pub(super) fn schedule(&mut self, feed: &FeedName, due: Option<Timestamp>) {
        if let Some(watched) = self.watched.get(feed) {
            self.queue.schedule(feed, watched.state.last_poll, due);
        }
    }

    /// Starts the first round with the feeds that are due at `now`.
    pub(super) fn start_first_round(&mut self, now: Timestamp) {
        self.first_round =
            FirstRound::start(self.watched.values().map(|watched| &watched.state), now);
    }

    /// The states of the feeds in the configuration's order.
    pub(super) fn states_in_order(&self) -> Vec<&FeedState> {
        let watched = self.config.feeds.iter().filter_map(|feed| self.watched.get(&feed.name));
        watched.map(|watched| &watched.state).collect()
    }

    /// Watches the feeds of `config` and of these shares in place of the others. A poll in progress
    /// ends, and is recorded, also if its feed left. A feed that is new or has a new address is
    /// polled now.
    async fn change_feeds(
        &mut self,
        config: Arc<Config>,
        own: OwnShares,
    ) -> Result<(), StoreError> {
        let states = super::read_states(&self.parts, &config).await?;
        let before = mem::replace(&mut self.watched, watch(&config, &own, states));
        for name in before.keys().filter(|name| !self.watched.contains_key(name)) {
            self.queue.schedule(name, None, None);
            self.first_round.record_end(name);
        }
        (self.config, self.own) = (config, own);
        let now = now();
        for (name, watched) in &mut self.watched {
            let known =
                before.get(name).filter(|known| known.state.address == watched.state.address);
            // The state in memory is newer than the stored one where the store failed.
            if let Some(known) = known {
                let (feed, poll) = (&watched.feed, &self.config.poll);
                watched.state = due_times::limit_next_poll(feed, poll, known.state.clone(), now);
            } else {
                super::log_state(&watched.feed, &watched.state);
            }
            if !self.polling.contains(name) {
                self.queue.schedule(name, watched.state.last_poll, watched.state.next_poll);
            }
        }
        Ok(())
    }

    /// Schedules waiting feeds that fail for a poll soon.
    fn advance_failing_feeds(&mut self) {
        let (now, config) = (now(), Arc::clone(&self.config));
        self.change_waiting(|feed, state| {
            due_times::advance_if_failing(state, config.floor(feed), now)
        });
    }

    /// Polls the feeds that a command requested.
    async fn poll_requested(&mut self) {
        let own = match self.own {
            OwnShares::All => None,
            OwnShares::Some(_) => Some(self.watched.keys().cloned().collect()),
        };
        let asked = self.parts.shared.store.take_requested_polls(own).await.unwrap_or_else(|why| {
            if why.is_news() {
                error!(event = "store_failed", "requests to poll feeds now cannot be read: {why}");
            }
            Vec::new()
        });
        for name in asked {
            if !self.polling.contains(&name) {
                self.schedule(&name, Some(now()));
            }
        }
    }

    /// Changes the states of waiting feeds, and their places in the queue.
    fn change_waiting(&mut self, change: impl Fn(&FeedConfig, FeedState) -> FeedState) {
        for name in self.queue.waiting() {
            let Some(WatchedFeed { feed, state }) = self.watched.get_mut(&name) else { continue };
            let changed = change(feed, state.clone());
            if changed != *state {
                self.queue.schedule(&name, changed.last_poll, changed.next_poll);
                *state = changed;
            }
        }
    }
}

/// The feeds of `config` and of these shares. `states` are those of all feeds, in the same order.
fn watch(
    config: &Config,
    own: &OwnShares,
    states: Vec<FeedState>,
) -> BTreeMap<FeedName, WatchedFeed> {
    let watched = config.feeds.iter().cloned().zip(states);
    let watched = watched.filter(|(feed, _)| own.contains(Share::of_site(&feed.url)));
    watched.map(|(feed, state)| (feed.name.clone(), WatchedFeed { feed, state })).collect()
}

impl Work for Feeds {
    type Key = FeedName;
    type Job = (WatchedFeed, ShareUse);
    type Output = FeedState;

    const STOP_GRACE: Duration = scheduler::STOP_GRACE;
    const LOOKUP_FAILED: &'static str = "due feeds cannot be looked up";
    const JOB_FAILED: &'static str = "a poll failed";

    async fn find_due(
        &mut self,
        _running: &Running<FeedName, FeedState>,
    ) -> Result<Due<Self::Job>, StoreError> {
        let (config, own) = (self.parts.config(), self.parts.shared.shares.own());
        if !Arc::ptr_eq(&config, &self.config) || own != self.own {
            self.change_feeds(config, own).await?;
        }
        if self.first_round.is_just_over() {
            first_round::log_failing_feeds(&self.states_in_order());
        }
        if mem::take(&mut self.is_request_check_due) {
            self.poll_requested().await;
            let watched = self.watched.values().map(|watched| (&watched.feed, &watched.state));
            if self.network.is_back(watched).await {
                info!(
                    event = "network_back",
                    "names can be looked up again; feeds that fail are polled now"
                );
                self.advance_failing_feeds();
            }
        }
        let mut jobs = Vec::new();
        while let Some(name) = self.queue.pop_due(now()) {
            let Some(watched) = self.watched.get(&name) else { continue };
            let Some(share) = self.parts.shared.shares.begin(Share::of_site(&watched.feed.url))
            else {
                // It is watched no more when the feeds are read again.
                self.schedule(&name, Some(later(now(), OTHER_NODE)));
                continue;
            };
            jobs.push((watched.clone(), share));
            self.polling.insert(name);
        }
        Ok(Due { jobs, next: self.queue.next_due() })
    }

    fn begin(&self, (WatchedFeed { feed, state }, share): Self::Job) -> (FeedName, Run<FeedState>) {
        let (parts, stop) = (Arc::clone(&self.parts), self.stop.clone());
        let name = feed.name.clone();
        let polled = async move {
            let state = super::poll_feed(&parts, &feed, state, &stop).await;
            drop(share);
            Ok(state)
        };
        (name, Box::pin(polled))
    }

    /// Schedules the next poll. A single round has none.
    fn end(&mut self, name: FeedName, result: Result<FeedState, JobFailure>) {
        self.polling.remove(&name);
        self.first_round.record_end(&name);
        let Some(watched) = self.watched.get_mut(&name) else { return };
        let due = match result {
            Ok(state) if state.address == watched.state.address => {
                watched.state = state;
                watched.state.next_poll
            }
            // Its address has changed since.
            Ok(_) => watched.state.next_poll,
            Err(_) => {
                warn!(
                    event = "job_failed", feed = %name,
                    "{name}: its poll failed; it is polled again later"
                );
                Some(later(now(), AFTER_A_PANIC))
            }
        };
        self.schedule(&name, due.filter(|_| self.mode == Mode::Forever));
    }

    async fn wait_for_change(&mut self) {
        if self.mode == Mode::Once {
            return std::future::pending().await;
        }
        let wakeups = &self.parts.shared.wakeups;
        tokio::select! {
            () = wakeups.config_changed.notified() => {}
            () = wakeups.retry_failing.notified() => self.advance_failing_feeds(),
            _ = self.request_check.tick() => self.is_request_check_due = true,
        }
    }

    /// Limits waits to the schedule. They may be too long if the clock was ahead.
    async fn check_clock(&mut self, _jump: Option<Jump>) {
        let (now, config) = (now(), Arc::clone(&self.config));
        self.change_waiting(|feed, state| {
            due_times::limit_next_poll(feed, &config.poll, state, now)
        });
        self.parts.shared.cut_waits(now).await;
        self.parts.shared.wakeups.story_waits.notify_one();
    }
}
