//! T1: what one poll taught, in one transaction, and what the log says of it.

use std::sync::Arc;

use jiff::Timestamp;
use tracing::{debug, info, warn};
use url::Url;

use super::ask::{FeedFailure, FeedOutcome, is_own, new_address};
use crate::clock::now;
use crate::config::FeedConfig;
use crate::daemon::{World, news, watch};
use crate::feed::identity::RemovedAndReturned;
use crate::feed::parse::DocumentEnd;
use crate::http::HttpAnswer;
use crate::polling::health::FeedNoticeKind;
use crate::polling::moved;
use crate::polling::schedule;
use crate::polling::schedule::{PollEnd, PollHistory};
use crate::store::{FeedGap, FeedState, PollRecord, StoreError};

/// Records what came of asking `feed` at `asked`; returns its state from then on.
pub(super) async fn record(
    world: &Arc<World>,
    feed: &FeedConfig,
    before: &FeedState,
    asked: &Url,
    outcome: FeedOutcome,
) -> Result<FeedState, StoreError> {
    let ended_at = now();
    let own = is_own(&world.config.network, &feed.url, asked, &outcome);
    let mut state = FeedState { last_poll: Some(ended_at), ..before.clone() };
    let (mut sifted, mut unrecorded) = (None, None);
    let ended = match outcome {
        FeedOutcome::Resting(host, until) => {
            debug!("{}: {} asked to be left alone until {until}", feed.name, host.0);
            let why = format!("its host asked for rest ({})", host.0);
            let state = FeedState { next_poll: Some(until), next_why: why, ..before.clone() };
            let (items, turnover, gap, notices) =
                (Vec::new(), RemovedAndReturned::default(), None, Vec::new());
            let record = PollRecord {
                now: ended_at,
                state,
                items,
                removed_and_returned: turnover,
                gap,
                notices,
            };
            return keep(world, record).await;
        }
        FeedOutcome::Failed(FeedFailure { ended, why }) => {
            failed(&mut state, feed, before, ended, why)
        }
        FeedOutcome::Unchanged(answer) => {
            good(&mut state, feed, asked, &answer, false, ended_at);
            PollEnd::Well { fresh_for: answer.freshness.fresh_for }
        }
        FeedOutcome::Read(answer, document, taken) => {
            unrecorded = Some(taken);
            good(&mut state, feed, asked, &answer, true, ended_at);
            let is_whole = document.end == DocumentEnd::Whole;
            if is_whole {
                let published: Vec<Timestamp> =
                    document.items.iter().filter_map(|item| item.published).collect();
                state.mean_gap = schedule::mean_gap(&published, ended_at);
                state.hints = document.hints;
            } else {
                broke_off(&mut state, before);
            }
            sifted = Some(news::sift(world, feed, before.last_good, document, ended_at).await?);
            PollEnd::Well { fresh_for: answer.freshness.fresh_for.filter(|_| is_whole) }
        }
    };
    let history =
        PollHistory { failures: state.failures, mean_gap: state.mean_gap, hints: state.hints };
    let seed = news::seed(&feed.name.0, ended_at);
    let next =
        schedule::next(&history, &ended, feed.every, own, &world.config.poll, ended_at, seed);
    if next.at.is_none() {
        warn!("{}: not polled any more: {}", feed.name, next.why);
    }
    state.next_poll = next.at;
    state.next_why = next.why;
    let outage = world.last_read.outage(feed, state.error.is_some());
    let notices =
        watch::follow(&world.config, before, &mut state, sifted.as_ref(), outage, ended_at);
    if state.error.is_none() {
        world.last_read.note(feed, ended_at);
    } else if notices.iter().any(|(notice, _)| notice.kind == FeedNoticeKind::Away) {
        world.last_read.told();
    }
    let gap = sifted.as_ref().and_then(|sifted| sifted.gap);
    if let Some(FeedGap { since, until }) = &gap {
        warn!(
            "{}: nothing of what it shows was known; items from {since} to {until} may have been missed",
            feed.name
        );
    }
    let (items, turnover) =
        sifted.map_or_else(Default::default, |sifted| (sifted.items, sifted.turnover));
    let kept = keep(
        world,
        PollRecord { now: ended_at, state, items, removed_and_returned: turnover, gap, notices },
    )
    .await;
    drop(unrecorded);
    kept
}

async fn keep(world: &World, record: PollRecord) -> Result<FeedState, StoreError> {
    let state = record.state.clone();
    if world.store.record_poll(record).await? {
        world.pages.notify_one();
    }
    world.outbox.notify_one();
    Ok(state)
}

fn good(
    state: &mut FeedState,
    feed: &FeedConfig,
    asked: &Url,
    answer: &HttpAnswer,
    is_read: bool,
    at: Timestamp,
) {
    if state.failures > 0 {
        info!("{}: reached again", feed.name);
    }
    let was_asked_anew = new_address(state).is_some();
    state.failures = 0;
    state.error = None;
    state.unreached = false;
    state.last_good = Some(at);
    state.etag.clone_from(&answer.validators.etag);
    state.last_modified.clone_from(&answer.validators.last_modified);
    let moved = moved::after(state.moved.take(), asked, answer, is_read, at);
    state.moved = moved.filter(|_| !feed.is_secret);
    if !was_asked_anew {
        tell_move(feed, state);
    }
}

/// What it changes that a document was read only in part: the next poll asks for the whole. If it
/// is the feed's first, the next one counts as the first again, for the rest of the items are as
/// old as these; if that one breaks off too, it is good enough.
fn broke_off(state: &mut FeedState, before: &FeedState) {
    info!(
        "{}: its document broke off; what came of it was read, and the next poll asks for all of it",
        state.name
    );
    (state.etag, state.last_modified) = (None, None);
    let was_cut_before = before.last_poll.is_some() && before.error.is_none();
    if before.last_good.is_none() && !was_cut_before {
        state.last_good = None;
    }
}

/// What a failure changes. A busy server's word says nothing about where a feed is; any other
/// failure ends what is known of a move, so that its own address is asked next, and asked soon.
fn failed(
    state: &mut FeedState,
    feed: &FeedConfig,
    before: &FeedState,
    ended: PollEnd,
    why: String,
) -> PollEnd {
    let was_asked_anew = new_address(before).is_some();
    let is_busy = matches!(ended, PollEnd::Busy { .. });
    tell_failure(feed, before, &why, was_asked_anew && !is_busy);
    state.failures += 1;
    state.error = Some(why);
    state.unreached = ended == PollEnd::Unreached;
    if is_busy {
        return ended;
    }
    state.moved = None;
    if was_asked_anew { PollEnd::Failed } else { ended }
}

/// Says, if a feed is asked at a new address from now on, what to write in the configuration.
pub(super) fn tell_move(feed: &FeedConfig, state: &FeedState) {
    if let Some(to) = new_address(state) {
        warn!(
            "{}: moved for good, and is asked at its new address; in the configuration, write its url as {to}",
            feed.name
        );
    }
}

/// Says it once: a feed that goes on failing for the same reason is not mentioned again.
fn tell_failure(feed: &FeedConfig, before: &FeedState, why: &str, at_new_address: bool) {
    if at_new_address {
        warn!(
            "{}: cannot be read where it moved to: {why}; the address of the configuration is asked next",
            feed.name
        );
    } else if before.error.as_deref() == Some(why) {
        debug!("{}: still failing: {why}", feed.name);
    } else {
        warn!("{}: cannot be read: {why}; it is tried again by itself", feed.name);
    }
}
