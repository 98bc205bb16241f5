//! Tests of the schedule: intervals and reasons by example, bounds for any history.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::config::FirstPoll;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

fn bounds() -> Poll {
    Poll {
        min: 15 * MINUTE,
        max: 6 * HOUR,
        first_poll: FirstPoll::All,
        connections: 1,
        per_host: 1,
        gap: Duration::ZERO,
    }
}

/// A Wednesday, at noon.
fn now() -> Timestamp {
    "2024-05-01T12:00:00Z".parse().unwrap()
}

fn well() -> PollEnd {
    PollEnd::Well { fresh_for: None }
}

fn failed(failures: u32) -> PollHistory {
    PollHistory { failures, ..PollHistory::default() }
}

fn usual_gap(gap: Duration) -> PollHistory {
    PollHistory { mean_gap: Some(gap), ..PollHistory::default() }
}

/// The wait without jitter, and its reason.
fn wait(
    history: &PollHistory,
    ended: &PollEnd,
    every: Option<Duration>,
    own_host: bool,
) -> (Option<Duration>, String) {
    let next = next_poll(history, ended, every, own_host, &bounds(), now(), 0);
    (next.at.map(|at| at.duration_since(now()).unsigned_abs()), next.why)
}

#[test]
fn the_mean_gap_is_that_of_the_newest_items() {
    let at = |hours: i64| Timestamp::from_second(hours * 3600).expect("in range");
    assert_eq!(mean_interval(&[at(10), at(2), at(6)], now()), Some(Duration::from_hours(4)));
    assert_eq!(
        mean_interval(&[at(10), at(2), at(6), Timestamp::MAX], now()),
        Some(Duration::from_hours(4))
    );
    assert_eq!(mean_interval(&[at(10), at(2)], now()), None);
    let busy_of_late: Vec<_> = (0..20).map(|n| at(1000 + n)).chain([at(0)]).collect();
    assert_eq!(mean_interval(&busy_of_late, now()), Some(Duration::from_hours(1)));
}

#[rstest]
#[case(None, None, 30 * MINUTE, "every 30 min, until three dated items show how often it publishes")]
#[case(Some(84 * MINUTE), None, 42 * MINUTE, "every 42 min: half the mean gap of 1 h 24 min between its newest items")]
#[case(Some(150 * MINUTE), None, 75 * MINUTE, "every 1 h 15 min: half the mean gap of 2 h 30 min between its newest items")]
#[case(Some(MINUTE), None, 15 * MINUTE, "every 15 min, the shortest interval: its newest items are 1 min apart")]
#[case(Some(Duration::ZERO), None, 15 * MINUTE, "every 15 min, the shortest interval: its newest items have the same date")]
#[case(Some(9 * DAY), None, 6 * HOUR, "every 6 h, the longest interval: its newest items are 9 d apart")]
#[case(Some(2 * HOUR), Some(15 * MINUTE), 15 * MINUTE, "every 15 min, as configured")]
#[case(None, Some(2 * DAY), 2 * DAY, "every 2 d, as configured")]
#[case(None, Some(MINUTE), 5 * MINUTE, "every 5 min, the shortest allowed")]
fn a_good_poll_is_followed_at_the_usual_interval(
    #[case] gap: Option<Duration>,
    #[case] every: Option<Duration>,
    #[case] expected: Duration,
    #[case] why: &str,
) {
    let history = PollHistory { mean_gap: gap, ..PollHistory::default() };
    assert_eq!(wait(&history, &well(), every, false), (Some(expected), why.to_owned()));
}

#[test]
fn ones_own_hosts_may_be_asked_every_second() {
    let second = Duration::from_secs(1);
    assert_eq!(wait(&PollHistory::default(), &well(), Some(second), true).0, Some(second));
    assert_eq!(wait(&PollHistory::default(), &well(), Some(Duration::ZERO), true).0, Some(second));
}

#[rstest]
#[case(
    None,
    Some(MINUTE),
    None,
    HOUR,
    "every 1 h: half the mean gap of 2 h between its newest items"
)]
#[case(None, Some(3 * HOUR), None, 3 * HOUR, "every 3 h: the server asked for 3 h (max-age, Expires)")]
#[case(Some(4 * HOUR), Some(3 * HOUR), None, 4 * HOUR, "every 4 h: the feed asked for 4 h (ttl, sy:updatePeriod)")]
#[case(Some(2 * HOUR), Some(3 * HOUR), None, 3 * HOUR, "every 3 h: the server asked for 3 h (max-age, Expires)")]
#[case(None, Some(DAY), None, 6 * HOUR, "every 6 h, the longest interval: the server asked for 1 d (max-age, Expires)")]
#[case(Some(DAY), Some(3 * HOUR), Some(15 * MINUTE), 15 * MINUTE, "every 15 min, as configured")]
fn hints_lengthen_only_the_adaptive_interval_and_only_to_the_longest(
    #[case] feed: Option<Duration>,
    #[case] server: Option<Duration>,
    #[case] every: Option<Duration>,
    #[case] expected: Duration,
    #[case] why: &str,
) {
    let hints = PollHints { interval: feed, ..PollHints::default() };
    let history = PollHistory { hints, ..usual_gap(2 * HOUR) };
    let ended = PollEnd::Well { fresh_for: server };
    assert_eq!(wait(&history, &ended, every, false), (Some(expected), why.to_owned()));
}

/// A feed with an interval of an hour that asks for no polls for this number of hours from 13:00.
fn pausing(hours: u32) -> PollHistory {
    let bits = (13..13 + hours).fold(0, |bits, hour| bits | 1 << hour);
    PollHistory {
        hints: PollHints { interval: None, pauses: Pauses::from_bits(bits) },
        ..usual_gap(2 * HOUR)
    }
}

#[rstest]
#[case(2, 3 * HOUR, "the feed asked for no requests until Wed 15:00 UTC (skipHours, skipDays)")]
#[case(9, 6 * HOUR, "the feed asked for no requests until Wed 22:00 UTC (skipHours, skipDays); this is the longest interval")]
fn a_poll_is_put_off_to_the_end_of_a_pause_but_not_beyond_the_longest_interval(
    #[case] hours: u32,
    #[case] expected: Duration,
    #[case] why: &str,
) {
    assert_eq!(wait(&pausing(hours), &well(), None, false), (Some(expected), why.to_owned()));
    assert_eq!(
        wait(&pausing(hours), &well(), Some(HOUR), false),
        (Some(HOUR), "every 1 h, as configured".to_owned())
    );
}

#[test]
fn whole_days_are_left_out_and_feeds_do_not_come_back_from_a_pause_all_at_once() {
    let wednesday = PollHints { interval: None, pauses: Pauses::from_bits(1 << 26) };
    let history = PollHistory { hints: wednesday, ..usual_gap(2 * HOUR) };
    let far = Poll { max: 24 * HOUR, ..bounds() };
    let back = |seed| next_poll(&history, &well(), None, false, &far, now(), seed).at.unwrap();
    let midnight: Timestamp = "2024-05-02T00:00:00Z".parse().unwrap();
    assert_eq!(back(0), midnight);
    let times: std::collections::BTreeSet<_> = (0..100).map(back).collect();
    assert!(
        times.len() > 90
            && times.iter().all(|at| *at >= midnight && at.duration_since(midnight).as_mins() < 10)
    );
}

#[rstest]
#[case(1, 15 * MINUTE, "after 15 min, its usual interval: the last poll failed")]
#[case(2, 15 * MINUTE, "after 15 min, its usual interval: the last two polls failed")]
#[case(3, 30 * MINUTE, "after 30 min: the last 3 polls failed")]
#[case(4, HOUR, "after 1 h: the last 4 polls failed")]
#[case(8, 16 * HOUR, "after 16 h: the last 8 polls failed")]
#[case(9, DAY, "after 1 d: the last 9 polls failed")]
#[case(u32::MAX, DAY, "after 1 d: the last 4294967295 polls failed")]
fn failures_are_retried_twice_and_then_ever_less_often(
    #[case] failures: u32,
    #[case] expected: Duration,
    #[case] why: &str,
) {
    let got = wait(&failed(failures), &PollEnd::Failed, Some(15 * MINUTE), false);
    assert_eq!(got, (Some(expected), why.to_owned()));
}

#[test]
fn missing_feeds_are_retried_twice_then_tried_daily_and_gone_ones_never() {
    for failures in [1, 2] {
        assert_eq!(wait(&failed(failures), &PollEnd::NotFound, None, false).0, Some(30 * MINUTE));
    }
    let daily = "after 1 d: it is not found (404), which is tried once a day".to_owned();
    assert_eq!(wait(&failed(3), &PollEnd::NotFound, None, false), (Some(DAY), daily));
    assert_eq!(wait(&failed(3), &PollEnd::NotFound, Some(3 * DAY), false).0, Some(3 * DAY));
    let never = "its server answered that it is permanently gone (410)".to_owned();
    assert_eq!(wait(&failed(1), &PollEnd::Gone, Some(MINUTE), true), (None, never));
}

#[rstest]
#[case(1, None, 30 * MINUTE, "after 30 min: the server is busy")]
#[case(1, Some(2 * HOUR), 2 * HOUR, "after 2 h: the server asked for that (Retry-After)")]
#[case(1, Some(MINUTE), 30 * MINUTE, "after 30 min: the server is busy")]
#[case(4, Some(HOUR), 2 * HOUR, "after 2 h: the server is busy, 4 times in a row")]
#[case(1, Some(9 * DAY), DAY, "after 1 d, the longest rest: the server asked for 9 d (Retry-After)")]
fn a_busy_server_gets_the_later_of_its_wish_and_the_backoff(
    #[case] failures: u32,
    #[case] after: Option<Duration>,
    #[case] expected: Duration,
    #[case] why: &str,
) {
    let date = after.map(|after| RetryAfter::Until(later(now(), after)));
    for asked in [after.map(RetryAfter::Span), date] {
        assert_eq!(
            wait(&failed(failures), &PollEnd::Busy { asked }, None, false),
            (Some(expected), why.to_owned())
        );
    }
}

#[rstest]
#[case(1, Some(2 * HOUR), Duration::from_secs(10), "after 10 s: the last poll failed")]
#[case(2, Some(2 * HOUR), MINUTE, "after 1 min: the last two polls failed")]
#[case(3, Some(2 * HOUR), 5 * MINUTE, "after 5 min: the last 3 polls failed")]
#[case(4, Some(2 * HOUR), 15 * MINUTE, "after 15 min: the last 4 polls failed")]
#[case(5, Some(2 * HOUR), 2 * HOUR, "after 2 h, its usual interval: the last 5 polls failed")]
#[case(7, Some(2 * HOUR), 4 * HOUR, "after 4 h: the last 7 polls failed")]
#[case(3, Some(5 * MINUTE), 5 * MINUTE, "after 5 min, its usual interval: the last 3 polls failed")]
fn a_feed_that_no_server_answered_for_is_tried_again_soon_and_then_as_others_are(
    #[case] failures: u32,
    #[case] every: Option<Duration>,
    #[case] expected: Duration,
    #[case] why: &str,
) {
    assert_eq!(
        wait(&failed(failures), &PollEnd::Unreached, every, false),
        (Some(expected), why.to_owned())
    );
}

#[test]
fn retry_after_outdoes_an_interval_of_ones_own() {
    let asked = Some(RetryAfter::Span(HOUR));
    assert_eq!(wait(&failed(1), &PollEnd::Busy { asked }, Some(5 * MINUTE), false).0, Some(HOUR));
}

#[test]
fn neighbouring_seeds_spread() {
    let waits: std::collections::BTreeSet<_> = (0..100).map(|seed| jittered(HOUR, seed)).collect();
    assert!(waits.len() > 90);
    let longest = waits.last().expect("a hundred");
    assert!(
        *longest > HOUR + 5 * MINUTE && *longest <= HOUR + 6 * MINUTE,
        "up to a tenth: {longest:?}"
    );
}

fn any_span() -> impl Strategy<Value = Option<Duration>> {
    proptest::option::of((0..4_000_000_000_u64).prop_map(Duration::from_secs))
}

fn any_ended() -> impl Strategy<Value = PollEnd> {
    prop_oneof![
        any_span().prop_map(|fresh_for| PollEnd::Well { fresh_for }),
        Just(PollEnd::NotFound),
        Just(PollEnd::Unreached),
        any_span().prop_map(|asked| PollEnd::Busy { asked: asked.map(RetryAfter::Span) }),
        (-1_000_000..4_000_000_000_i64).prop_map(|from_now| {
            let end = Timestamp::from_second(now().as_second() + from_now).ok();
            PollEnd::Busy { asked: end.map(RetryAfter::Until) }
        }),
        Just(PollEnd::Failed),
    ]
}

proptest! {
    /// For any history and any request of a server.
    #[test]
    fn the_next_poll_is_within_bounds_never_before_retry_after_and_never_under_the_floor(
        (failures, mean_gap, interval, bits) in (0..50_u32, any_span(), any_span(), any::<u32>()),
        ended in any_ended(),
        every in any_span(),
        own_host: bool,
        (min, more) in (0..200_000_u64, 0..2_000_000_u64),
        seed: u64,
    ) {
        let min = Duration::from_secs(min);
        let bounds = Poll { min, max: min + Duration::from_secs(more), ..bounds() };
        let hints = PollHints { interval: interval.filter(|asked| !asked.is_zero()), pauses: Pauses::from_bits(bits) };
        let history = PollHistory { failures, mean_gap, hints };
        let next = next_poll(&history, &ended, every, own_host, &bounds, now(), seed);
        let at = next.at.expect("only 410 ends it");
        let wait = Duration::try_from(at.duration_since(now())).expect("not in the past");

        let floor = Poll::floor(own_host);
        prop_assert!(wait >= floor || ended == PollEnd::Unreached, "{wait:?} is under the floor");
        let usual = every.unwrap_or(bounds.max).max(floor);
        let longest = if matches!(ended, PollEnd::Well { .. }) { usual } else { usual.max(DAY) };
        prop_assert!(wait <= longest + longest / 10, "{wait:?} is over {longest:?}");
        if let PollEnd::Well { .. } = ended {
            prop_assert!(wait >= every.unwrap_or(bounds.min));
        }
        if let PollEnd::Busy { asked: Some(asked) } = ended {
            let until = asked.end(now());
            prop_assert!(at >= until.min(later(now(), DAY)), "{at} is before {until}");
        }
        prop_assert!(!next.why.is_empty());
    }
}
