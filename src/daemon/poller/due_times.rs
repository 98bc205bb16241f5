//! The due time of each feed at the start of a run. Feeds that are not due keep their time; overdue
//! feeds are spread.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{later, until};
use crate::config::{FeedConfig, Poll};
use crate::feed::hints::PollHints;
use crate::polling::health::FeedHealthHistory;
use crate::polling::schedule::longest_wait;
use crate::store::FeedState;
use tidings_rules::story::FeedName;

/// The pause between the first polls of overdue feeds.
const OVERDUE_STEP: Duration = Duration::from_millis(20);

/// The longest wait of a feed, unless the configuration has a longer interval. A longer wait comes
/// from a wrong clock.
const LONGEST: Duration = Duration::from_hours(27);

/// The state of a feed that was never polled at its address. It is due now.
pub(super) fn new_feed_state(
    feed: &FeedConfig,
    address: String,
    last_good: Option<Timestamp>,
    now: Timestamp,
) -> FeedState {
    FeedState {
        name: feed.name.clone(),
        address,
        etag: None,
        last_modified: None,
        next_poll: Some(now),
        next_why: "now: it is new".to_owned(),
        last_poll: None,
        last_good,
        failures: 0,
        error: None,
        mean_gap: None,
        hints: PollHints::default(),
        moved: None,
        health_history: FeedHealthHistory::default(),
        unreached: false,
    }
}

/// Limits the next poll to what the configuration and the clock allow. The configuration may have
/// changed, and the clock may have been wrong.
pub(super) fn limit_next_poll(
    feed: &FeedConfig,
    poll: &Poll,
    state: FeedState,
    now: Timestamp,
) -> FeedState {
    let state = correct_future_poll(state, now);
    let Some(stored) = state.next_poll else { return state };
    let interval = feed.every.zip(state.last_poll).filter(|_| state.failures == 0);
    // Only a shorter interval in the configuration changes the stored time, which has its jitter.
    let sooner = interval.filter(|(every, last)| stored > later(*last, longest_wait(*every)));
    let next = sooner.map_or(stored, |(every, last)| later(last, every));
    let longest = longest_wait(feed.every.map_or(poll.max, |every| every.max(poll.max)));
    let farthest = later(now, longest.max(LONGEST));
    FeedState { next_poll: Some(if next > farthest { now } else { next }), ..state }
}

/// Corrects a last poll in the future, which a clock that was set back causes: the wait begins now.
fn correct_future_poll(state: FeedState, now: Timestamp) -> FeedState {
    let Some(last) = state.last_poll.filter(|last| *last > now) else { return state };
    let next_poll = state.next_poll.map(|next| later(now, until(next, last)));
    FeedState { last_poll: Some(now), next_poll, ..state }
}

/// Advances the next poll of a feed that fails, because a restart or a reload may have corrected
/// the cause. A server that answered is not polled again within `floor`.
pub(super) fn advance_if_failing(state: FeedState, floor: Duration, now: Timestamp) -> FeedState {
    let Some(next) = state.next_poll.filter(|_| state.failures > 0) else { return state };
    let earliest = state.last_poll.filter(|_| !state.unreached).map(|last| later(last, floor));
    let soon = earliest.map_or(now, |earliest| earliest.max(now));
    FeedState { next_poll: Some(next.min(soon)), ..state }
}

/// The first poll of each feed, with its name. Overdue feeds are spread, the longest overdue first.
/// New feeds are due at once.
pub(super) fn first_poll_times<'s>(
    states: impl Iterator<Item = &'s FeedState>,
    now: Timestamp,
) -> Vec<(Timestamp, FeedName)> {
    let mut times: Vec<_> =
        states.filter_map(|state| Some((state.next_poll?, &state.name, state.last_poll))).collect();
    times.sort_unstable();
    let mut spread = Duration::ZERO;
    let first_poll = |(due, name, last_poll): (Timestamp, &FeedName, Option<Timestamp>)| {
        if due > now || last_poll.is_none() {
            return (due, name.clone());
        }
        let at = later(now, spread);
        spread += OVERDUE_STEP;
        (at, name.clone())
    };
    times.into_iter().map(first_poll).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::FullText;
    use tidings_rules::story::FeedName;

    const MINUTE: Duration = Duration::from_mins(1);

    fn now() -> Timestamp {
        "2024-05-01T12:00:00Z".parse().expect("a time")
    }

    fn ago(ago: Duration) -> Timestamp {
        now() - ago
    }

    fn feed(every: Option<Duration>) -> FeedConfig {
        FeedConfig {
            name: FeedName("wire".to_owned()),
            url: "https://wire.example/".parse().expect("an address"),
            is_secret: false,
            tags: BTreeSet::new(),
            every,
            full_text: FullText::Never,
            recheck: Vec::new(),
        }
    }

    /// A feed that was polled then and is due then.
    fn state(last: Timestamp, next: Timestamp) -> FeedState {
        let new = new_feed_state(&feed(None), String::new(), Some(last), last);
        FeedState { last_poll: Some(last), next_poll: Some(next), ..new }
    }

    fn next(every: Option<Duration>, state: FeedState) -> Option<Timestamp> {
        next_within(Duration::from_hours(6), every, state)
    }

    /// The same with the longest interval that the configuration lets a feed have.
    fn next_within(max: Duration, every: Option<Duration>, state: FeedState) -> Option<Timestamp> {
        limit_next_poll(&feed(every), &bounds(max), state, now()).next_poll
    }

    fn bounds(max: Duration) -> Poll {
        let first_poll = crate::config::FirstPoll::All;
        Poll { min: MINUTE, max, first_poll, connections: 1, per_host: 1, gap: MINUTE }
    }

    #[test]
    fn a_long_interval_of_the_configuration_is_no_wrong_clock() {
        let [last, due] = [ago(MINUTE), now() + Duration::from_hours(48)];
        assert_eq!(next_within(Duration::from_hours(48), None, state(last, due)), Some(due));
        assert_eq!(next(None, state(last, due)), Some(now()));
    }

    #[test]
    fn a_thousand_feeds_that_are_overdue_by_a_week_are_spread_and_the_longest_overdue_come_first() {
        let week = Duration::from_hours(7 * 24);
        let overdue = |n: u32| FeedState {
            name: FeedName(n.to_string()),
            ..state(ago(2 * week), ago(week) + n * MINUTE / 1000)
        };
        let states: Vec<_> = (0..1000).map(overdue).rev().collect();
        let times = first_poll_times(states.iter(), now());
        assert_eq!((times.len(), &times[0]), (1000, &(now(), FeedName("0".to_owned()))));
        let last = times[999].0.duration_since(now()).unsigned_abs();
        assert_eq!((last, times[999].1.0.as_str()), (999 * OVERDUE_STEP, "999"));
        assert!(
            times
                .windows(2)
                .all(|two| two[1].0.duration_since(two[0].0).unsigned_abs() == OVERDUE_STEP)
        );
    }

    #[test]
    fn what_is_not_due_waits_and_what_is_new_does_not() {
        let later = now() + 5 * MINUTE;
        let new = new_feed_state(&feed(None), String::new(), None, now());
        let named = |name: &str, state| FeedState { name: FeedName(name.to_owned()), ..state };
        let gone = named("gone", FeedState { next_poll: None, ..new.clone() });
        let states = [
            named("polled", state(ago(MINUTE), later)),
            named("b", new.clone()),
            gone,
            named("a", new),
        ];
        let times = first_poll_times(states.iter(), now());
        let named: Vec<_> = times.iter().map(|(due, feed)| (*due, feed.0.as_str())).collect();
        assert_eq!(named, [(now(), "a"), (now(), "b"), (later, "polled")]);
    }

    #[test]
    fn a_restart_changes_no_time_but_that_of_an_interval_that_was_shortened() {
        let stored = now() + 20 * MINUTE;
        let polled = || state(ago(45 * MINUTE), stored);
        assert_eq!(next(None, polled()), Some(stored));
        // With its jitter: 65 of at most 66 minutes.
        assert_eq!(next(Some(60 * MINUTE), polled()), Some(stored));
        assert_eq!(next(Some(50 * MINUTE), polled()), Some(now() + 5 * MINUTE));
        assert_eq!(
            next(Some(10 * MINUTE), FeedState { failures: 3, ..polled() }),
            Some(stored),
            "it backs off"
        );
        assert_eq!(next(Some(2 * LONGEST), polled()), Some(stored));
    }

    #[test]
    fn a_wait_that_began_while_the_clock_was_ahead_keeps_its_length() {
        let ahead = Duration::from_hours(20);
        let state = state(now() + ahead, now() + ahead + 15 * MINUTE);
        let state = limit_next_poll(&feed(None), &bounds(Duration::from_hours(6)), state, now());
        assert_eq!((state.last_poll, state.next_poll), (Some(now()), Some(now() + 15 * MINUTE)));
    }

    #[test]
    fn a_feed_that_fails_is_tried_soon_and_a_server_that_answered_not_within_the_floor() {
        let failing = |last, unreached| FeedState {
            failures: 3,
            unreached,
            ..state(ago(last), now() + 60 * MINUTE)
        };
        let soon = |state| advance_if_failing(state, 5 * MINUTE, now()).next_poll;
        assert_eq!(soon(failing(MINUTE, true)), Some(now()));
        assert_eq!(soon(failing(MINUTE, false)), Some(now() + 4 * MINUTE));
        assert_eq!(soon(failing(9 * MINUTE, false)), Some(now()));
        assert_eq!(
            soon(FeedState { failures: 0, ..failing(MINUTE, true) }),
            Some(now() + 60 * MINUTE),
            "it is well"
        );
        assert_eq!(
            soon(FeedState { next_poll: None, ..failing(MINUTE, true) }),
            None,
            "it is gone for good"
        );
        assert_eq!(
            soon(FeedState { next_poll: Some(ago(MINUTE)), ..failing(MINUTE, true) }),
            Some(ago(MINUTE))
        );
    }

    #[test]
    fn a_time_that_only_a_wrong_clock_can_have_made_is_not_waited_for() {
        let wrong = || state(now(), now() + Duration::from_hours(1000));
        assert_eq!(next(None, wrong()), Some(now()));
        assert_eq!(next(Some(Duration::from_hours(950)), wrong()), wrong().next_poll);
        assert_eq!(next(None, FeedState { next_poll: None, ..wrong() }), None);
    }
}
