//! Records a poll: one transaction for the state of the feed and its items, and lines of the log.

use std::sync::Arc;

use jiff::Timestamp;
use tracing::{debug, info, warn};
use url::Url;

use super::feed_request::{FeedOutcome, are_all_hosts_own, new_address};
use super::parts::PollParts;
use crate::alerts::Receiver;
use crate::clock::now;
use crate::config::FeedConfig;
use crate::daemon::counting::StoryTally;
use crate::daemon::feed_diff::FeedDiff;
use crate::daemon::{feed_diff, feed_health};
use crate::feed::document::DocumentEnd;
use crate::feed::identity::RemovedAndReturned;
use crate::http::{HostKey, HttpAnswer};
use crate::polling::health::{FeedNotice, FeedNoticeKind};
use crate::polling::moved;
use crate::polling::schedule;
use crate::polling::schedule::{PollEnd, PollHistory};
use crate::store::{FeedGap, FeedState, PollRecord, StoreError};

/// Records the outcome of a poll of `feed` at `requested`. Returns the new state of the feed.
pub(super) async fn record_outcome(
    parts: &Arc<PollParts>,
    feed: &FeedConfig,
    before: &FeedState,
    requested: &Url,
    outcome: FeedOutcome,
) -> Result<FeedState, StoreError> {
    let ended_at = now();
    let is_own = are_all_hosts_own(&parts.config().network, &feed.url, requested, &outcome);
    let mut state = FeedState { last_poll: Some(ended_at), ..before.clone() };
    let (mut diff, mut unrecorded) = (None, None);
    let ended = match outcome {
        FeedOutcome::Resting(host, until) => {
            return write_record(parts, postponed_record(feed, before, &host, until, ended_at))
                .await;
        }
        FeedOutcome::Failed(ended, why) => apply_failure(&mut state, feed, before, ended, why),
        FeedOutcome::Unchanged(answer) => {
            apply_success(&mut state, feed, requested, &answer, false, ended_at);
            PollEnd::Well { fresh_for: answer.freshness.fresh_for }
        }
        FeedOutcome::Read(answer, identified, held) => {
            let document = &identified.document;
            unrecorded = Some(held);
            apply_success(&mut state, feed, requested, &answer, true, ended_at);
            let is_whole = document.end == DocumentEnd::Whole;
            if is_whole {
                let published: Vec<Timestamp> =
                    document.items.iter().filter_map(|item| item.published).collect();
                state.mean_gap = schedule::mean_interval(&published, ended_at);
                state.hints = document.hints;
            } else {
                apply_cut_document(&mut state, before);
            }
            diff = Some(
                feed_diff::diff_feed(parts, feed, before.last_good, *identified, ended_at).await?,
            );
            PollEnd::Well { fresh_for: answer.freshness.fresh_for.filter(|_| is_whole) }
        }
    };
    schedule_next(parts, feed, &mut state, &ended, is_own, ended_at);
    let notices = due_notices(parts, feed, before, &mut state, diff.as_ref(), ended_at);
    let gap = diff.as_ref().and_then(|diff| diff.gap);
    if let Some(gap) = &gap {
        log_gap(feed, gap);
    }
    let (items, removed_and_returned) =
        diff.map_or_else(Default::default, |diff| (diff.items, diff.removed_and_returned));
    let kept = write_record(
        parts,
        PollRecord { now: ended_at, state, items, removed_and_returned, gap, notices },
    )
    .await;
    drop(unrecorded);
    kept
}

/// The record of a poll that is postponed because `host` asked for a pause until `until`.
fn postponed_record(
    feed: &FeedConfig,
    before: &FeedState,
    host: &HostKey,
    until: Timestamp,
    now: Timestamp,
) -> PollRecord {
    debug!(
        event = "feed_paused", feed = %feed.name,
        "{}: {} asked for a pause until {until}", feed.name, host.0
    );
    let why = format!("its host asked for a pause ({})", host.0);
    let state = FeedState { next_poll: Some(until), next_why: why, ..before.clone() };
    let removed_and_returned = RemovedAndReturned::default();
    PollRecord {
        now,
        state,
        items: Vec::new(),
        removed_and_returned,
        gap: None,
        notices: Vec::new(),
    }
}

/// Sets when the feed is polled next, and why then.
fn schedule_next(
    parts: &PollParts,
    feed: &FeedConfig,
    state: &mut FeedState,
    ended: &PollEnd,
    is_own: bool,
    at: Timestamp,
) {
    let history =
        PollHistory { failures: state.failures, mean_gap: state.mean_gap, hints: state.hints };
    let seed = feed_diff::jitter_seed(&feed.name.0, at);
    let next =
        schedule::next_poll(&history, ended, feed.every, is_own, &parts.config().poll, at, seed);
    if next.at.is_none() {
        warn!(
            event = "feed_stopped", feed = %feed.name,
            "{}: no longer polled: {}", feed.name, next.why
        );
    }
    state.next_poll = next.at;
    state.next_why = next.why;
}

/// The notices that the poll causes, each with its receivers.
fn due_notices(
    parts: &PollParts,
    feed: &FeedConfig,
    before: &FeedState,
    state: &mut FeedState,
    diff: Option<&FeedDiff>,
    at: Timestamp,
) -> Vec<(FeedNotice, Vec<Receiver>)> {
    let outage = parts.last_read.find_outage(feed, state.error.is_some());
    let notices = feed_health::update_health(&parts.config(), before, state, diff, outage, at);
    if state.error.is_none() {
        parts.last_read.record_read(feed, at);
    } else if notices.iter().any(|(notice, _)| notice.kind == FeedNoticeKind::Away) {
        parts.last_read.mark_notified();
    }
    notices
}

fn log_gap(feed: &FeedConfig, FeedGap { since, until }: &FeedGap) {
    warn!(
        event = "items_missed", feed = %feed.name,
        "{}: none of its items was known; items from {since} to {until} may have been missed",
        feed.name
    );
}

async fn write_record(parts: &PollParts, record: PollRecord) -> Result<FeedState, StoreError> {
    let state = record.state.clone();
    let counts = StoryTally::of_poll(&record);
    if parts.shared.store.record_poll(record).await? {
        parts.shared.wakeups.story_waits.notify_one();
        parts.shared.wakeups.match_waits.notify_one();
    }
    counts.add_to(&parts.shared.metrics);
    parts.shared.wakeups.message_due.notify_one();
    Ok(state)
}

fn apply_success(
    state: &mut FeedState,
    feed: &FeedConfig,
    requested: &Url,
    answer: &HttpAnswer,
    is_read: bool,
    at: Timestamp,
) {
    if state.failures > 0 {
        info!(event = "feed_recovered", feed = %feed.name, "{}: can be read again", feed.name);
    }
    let was_at_new_address = new_address(state).is_some();
    state.failures = 0;
    state.error = None;
    state.unreached = false;
    state.last_good = Some(at);
    state.etag.clone_from(&answer.validators.etag);
    state.last_modified.clone_from(&answer.validators.last_modified);
    let moved = moved::move_after(state.moved.take(), requested, answer, is_read, at);
    state.moved = moved.filter(|_| !feed.is_secret);
    if !was_at_new_address {
        log_move(feed, state);
    }
}

/// Changes the state after a document that was cut off: the next poll requests all of it. If it is
/// the feed's first document, the next one counts as the first again, because its other items are
/// as old as these. If the next one is cut off too, it counts as the first.
fn apply_cut_document(state: &mut FeedState, before: &FeedState) {
    info!(
        event = "feed_truncated", feed = %state.name,
        "{}: its document was cut off; the first part was read, and the next poll requests all of it",
        state.name
    );
    (state.etag, state.last_modified) = (None, None);
    let was_cut_before = before.last_poll.is_some() && before.error.is_none();
    if before.last_good.is_none() && !was_cut_before {
        state.last_good = None;
    }
}

/// Changes the state after a failure. A busy server says nothing about the feed's address. Any
/// other failure ends a move, so the configured address is polled next, and soon.
fn apply_failure(
    state: &mut FeedState,
    feed: &FeedConfig,
    before: &FeedState,
    ended: PollEnd,
    why: String,
) -> PollEnd {
    let was_at_new_address = new_address(before).is_some();
    let is_busy = matches!(ended, PollEnd::Busy { .. });
    log_failure(feed, before, &why, was_at_new_address && !is_busy);
    state.failures += 1;
    state.error = Some(why);
    state.unreached = ended == PollEnd::Unreached;
    if is_busy {
        return ended;
    }
    state.moved = None;
    if was_at_new_address { PollEnd::Failed } else { ended }
}

/// Logs the new address of a feed that has moved, and the change to make in the configuration.
pub(super) fn log_move(feed: &FeedConfig, state: &FeedState) {
    if let Some(to) = new_address(state) {
        warn!(
            event = "feed_moved", feed = %feed.name,
            "{}: moved permanently, and is polled at its new address; in the configuration, set its url to {to}",
            feed.name
        );
    }
}

/// Logs a failure. A repeated failure for the same reason is logged at level debug only.
fn log_failure(feed: &FeedConfig, before: &FeedState, why: &str, at_new_address: bool) {
    if at_new_address {
        warn!(
            event = "feed_failed", feed = %feed.name,
            "{}: cannot be read at its new address: {why}; the configured address is polled next",
            feed.name
        );
    } else if before.error.as_deref() == Some(why) {
        debug!(event = "feed_failed", feed = %feed.name, "{}: still failing: {why}", feed.name);
    } else {
        warn!(
            event = "feed_failed", feed = %feed.name,
            "{}: cannot be read: {why}; it is tried again automatically", feed.name
        );
    }
}
