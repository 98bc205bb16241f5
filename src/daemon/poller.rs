//! Polling: which feed is due, one poll of it, and when to come back.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};
use url::Url;

use crate::alert::ailment::Course;
use crate::config::{Feed, Poll};
use crate::daemon::clock::{after, now, sleep_until};
use crate::daemon::tasks::Tasks;
use crate::daemon::{World, heavy, news, watch};
use crate::feed::fetch::{Answer, FetchError, HostKey, Validators, Want};
use crate::feed::parse::{self, Document};
use crate::feed::schedule::{self, Ended, History};
use crate::store::{FeedState, PollRecord, StoreError};
use crate::story::FeedName;

/// The pause between the first polls of feeds that were due while nothing ran.
const OVERDUE_STEP: Duration = Duration::from_millis(20);

/// When a poll is repeated, at the soonest, whose outcome the store could not take.
const STORE_FAILED: Duration = Duration::from_secs(5);

/// When a feed is polled again whose poll panicked.
const AFTER_A_PANIC: Duration = Duration::from_mins(10);

/// The longest that any feed is left alone, but for one that asked for more time itself: beyond it, a clock was wrong.
const LONGEST: Duration = Duration::from_hours(25);

/// Polls every feed when it is due, until `stop`.
pub(crate) async fn keep_polling(world: Arc<World>, mut states: Vec<FeedState>, stop: CancellationToken) {
    let mut queue = BinaryHeap::new();
    let mut overdue = Duration::ZERO;
    for (index, state) in states.iter().enumerate() {
        if let Some(due) = state.next_poll {
            let started = now();
            let spread = state.last_poll.is_some() && due < started;
            queue.push(Reverse((if spread { after(started, overdue) } else { due }, index)));
            overdue += if spread { OVERDUE_STEP } else { Duration::ZERO };
        }
    }
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
    let fresh = |feed: &Feed, last_good| FeedState {
        name: feed.name.clone(),
        address: fingerprint(&feed.url),
        etag: None,
        last_modified: None,
        next_poll: Some(now()),
        next_why: "it is new".to_owned(),
        last_poll: None,
        last_good,
        failures: 0,
        error: None,
        mean_gap: None,
        course: Course::default(),
    };
    let state_of = |feed: &Feed| match known.remove(&feed.name) {
        Some(state) if state.address == fingerprint(&feed.url) => in_time(feed, state),
        Some(moved) => FeedState { course: moved.course, ..fresh(feed, moved.last_good) },
        None => fresh(feed, None),
    };
    Ok(world.config.feeds.iter().map(state_of).collect())
}

/// A hash of an address, in hex: the address may hold a secret, which the store must not.
fn fingerprint(url: &Url) -> String {
    Sha256::digest(url.as_str()).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The state with a next poll that the configuration, which may have changed, and the clock, which may have been wrong, allow.
fn in_time(feed: &Feed, state: FeedState) -> FeedState {
    let Some(stored) = state.next_poll else {
        warn!("{}: not polled any more: {}", feed.name, state.next_why);
        return state;
    };
    let wished = feed.every.zip(state.last_poll).map(|(every, last)| after(last, every));
    let wished = wished.filter(|_| state.failures == 0).unwrap_or(stored);
    let farthest = after(now(), feed.every.unwrap_or_default().max(LONGEST));
    let next = stored.min(wished);
    FeedState { next_poll: Some(if next > farthest { now() } else { next }), ..state }
}

/// What came of asking a feed.
enum Outcome {
    /// It has not changed.
    Unchanged(Answer),
    /// It was read.
    Read(Answer, Document),
    /// It could not be had; why, in words.
    Failed(Failure),
}

struct Failure {
    ended: Ended,
    /// In words.
    why: String,
    /// Who asked for time.
    busy: Option<HostKey>,
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
    if let Some(until) = world.hosts.rests_until(&HostKey::of(&feed.url)) {
        debug!("{}: its host asked to be left alone until {until}", feed.name);
        return FeedState { next_poll: Some(until), next_why: "its host asked for rest".to_owned(), ..before };
    }
    let _under_way = UnderWay::begin(&world.polls);
    let asked = tokio::select! {
        () = stop.cancelled() => None,
        asked = ask(world, feed, &before) => Some(asked),
    };
    let recorded = match asked {
        Some(outcome) => record(world, feed, &before, outcome).await,
        None => Ok(before.clone()),
    };
    recorded.unwrap_or_else(|why| {
        // Whatever ails the store, a host is not asked more often for it.
        let again = after(now(), Poll::floor(world.config.network.owns(&feed.url)).max(STORE_FAILED));
        error!("{}: its poll could not be recorded: {why}; it is polled again at {again}", feed.name);
        FeedState { next_poll: Some(again), ..before }
    })
}

async fn ask(world: &Arc<World>, feed: &Feed, before: &FeedState) -> Outcome {
    let validators = Validators { etag: before.etag.clone(), last_modified: before.last_modified.clone() };
    let mut answer = match world.fetch(&feed.url, Want::Feed, validators).await {
        Ok(answer) => answer,
        Err(error) => return Outcome::Failed(failure(&error)),
    };
    let Some(body) = answer.body.take() else { return Outcome::Unchanged(answer) };
    let (content_type, base) = (answer.content_type.clone(), answer.url.clone());
    match heavy(world, move || parse::parse(&body, content_type.as_deref(), &base)).await {
        Ok(document) => Outcome::Read(answer, document),
        Err(why) => Outcome::Failed(Failure { ended: Ended::Failed, why: why.to_string(), busy: None }),
    }
}

fn failure(error: &FetchError) -> Failure {
    let (ended, busy) = match error {
        FetchError::Status { code: 404, .. } => (Ended::NotFound, None),
        FetchError::Status { code: 410, .. } => (Ended::Gone, None),
        FetchError::Status { code: 429 | 503, retry_after, host } => {
            (Ended::Busy { until: *retry_after }, Some(host.clone()))
        }
        _ => (Ended::Failed, None),
    };
    Failure { ended, why: error.to_string(), busy }
}

/// T1: what was learnt, in one transaction.
async fn record(
    world: &Arc<World>,
    feed: &Feed,
    before: &FeedState,
    outcome: Outcome,
) -> Result<FeedState, StoreError> {
    let ended_at = now();
    let mut state = FeedState { last_poll: Some(ended_at), ..before.clone() };
    let (mut sifted, mut busy) = (None, None);
    let ended = match outcome {
        Outcome::Failed(failure) => {
            tell_failure(feed, before, &failure.why);
            state.failures += 1;
            state.error = Some(failure.why);
            busy = failure.busy;
            failure.ended
        }
        Outcome::Unchanged(answer) => {
            good(&mut state, feed, &answer, ended_at);
            Ended::Well { hint: answer.freshness.fresh_for }
        }
        Outcome::Read(answer, document) => {
            good(&mut state, feed, &answer, ended_at);
            let hint = answer.freshness.fresh_for.max(document.ttl);
            let published: Vec<Timestamp> = document.items.iter().filter_map(|item| item.published).collect();
            state.mean_gap = schedule::mean_gap(&published);
            sifted = Some(news::sift(world, feed, before.last_good, document, ended_at).await?);
            Ended::Well { hint }
        }
    };
    let history = History { failures: state.failures, mean_gap: state.mean_gap };
    let own = world.config.network.owns(&feed.url);
    let seed = news::seed(&feed.name.0, ended_at);
    let next = schedule::next(&history, &ended, feed.every, own, &world.config.poll, ended_at, seed);
    if next.at.is_none() {
        warn!("{}: not polled any more: {}", feed.name, next.why);
    }
    let rests = busy.zip(next.at);
    if let Some((host, until)) = &rests {
        world.hosts.rest(host, *until);
    }
    state.next_poll = next.at;
    state.next_why = next.why;
    let host_rests = rests.map(|(host, until)| (host.0, until));
    let notice = watch::follow(&world.config, before, &mut state, sifted.as_ref(), ended_at);
    let gap = sifted.as_ref().and_then(|sifted| sifted.gap);
    let (items, present) = sifted.map_or((Vec::new(), None), |sifted| (sifted.items, Some(sifted.present)));
    let record = PollRecord { now: ended_at, state: state.clone(), host_rests, items, present, gap, notice };
    let waits = world.store.record_poll(record).await?;
    if waits {
        world.pages.notify_one();
    }
    world.outbox.notify_one();
    Ok(state)
}

fn good(state: &mut FeedState, feed: &Feed, answer: &Answer, at: Timestamp) {
    if state.failures > 0 {
        info!("{}: reached again", feed.name);
    }
    state.failures = 0;
    state.error = None;
    state.last_good = Some(at);
    state.etag.clone_from(&answer.validators.etag);
    state.last_modified.clone_from(&answer.validators.last_modified);
}

/// Says it once: a feed that goes on failing for the same reason is not mentioned again.
fn tell_failure(feed: &Feed, before: &FeedState, why: &str) {
    if before.error.as_deref() == Some(why) {
        debug!("{}: still failing: {why}", feed.name);
    } else {
        warn!("{}: cannot be read: {why}; it is tried again by itself", feed.name);
    }
}
