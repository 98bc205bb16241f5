//! When to poll a feed next, and why: a pure function of its history, `now` and the bounds.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::config::Poll;

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// How many of the newest items tell how often a feed brings something.
const NEWEST: usize = 20;

/// How often a feed is polled of which nothing is known yet.
const UNKNOWN: Duration = Duration::from_mins(30);

/// Failures in a row that change nothing: the first and two retries.
const PATIENCE: u32 = 2;

/// What is known of a feed's past polls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Polls in a row that failed, up to and with the last.
    pub failures: u32,
    /// The mean gap between its newest items, where it is known.
    pub mean_gap: Option<Duration>,
}

/// How the last poll ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A 200 or a 304 that parsed; the longest of the hints it gave.
    Well {
        /// How long it asked to be left alone (`max-age`, `ttl`, …).
        hint: Option<Duration>,
    },
    /// 404.
    NotFound,
    /// 410.
    Gone,
    /// 429 or 503: the server asks for time.
    Busy {
        /// `Retry-After`.
        until: Option<Timestamp>,
    },
    /// Any other failure.
    Failed,
}

/// The next poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// When. `None`: never, until the configuration changes (410).
    pub at: Option<Timestamp>,
    /// Why then, in words.
    pub why: String,
}

/// When to poll next. `every` is the user's own interval; `own_host` lowers the floor from five minutes to a second; `seed` makes the jitter, up to 10%.
///
/// Never sooner than the floor. After a failure never later than a day, or than the feed's own interval if that is longer.
#[must_use]
pub fn next(
    history: &History,
    ended: &Ended,
    every: Option<Duration>,
    own_host: bool,
    bounds: &Poll,
    now: Timestamp,
    seed: u64,
) -> Next {
    let floor = Poll::floor(own_host);
    let (usual, usual_why) = usual(history, every, floor, bounds);
    let longest = usual.max(DAY);
    let (wait, why) = match ended {
        Ended::Gone => return Next { at: None, why: "gone for good (410), as its server says".to_owned() },
        Ended::Well { hint: Some(hint) } if every.is_none() && *hint > usual => heed(*hint, usual, bounds),
        Ended::Well { .. } => (usual, usual_why),
        Ended::NotFound => (longest, "not found (404): tried once a day".to_owned()),
        Ended::Busy { until } => {
            let asked = until.and_then(|until| Duration::try_from(until.duration_since(now)).ok()).unwrap_or_default();
            let backoff = backoff(usual, history.failures);
            let wait = backoff.max(asked).min(longest);
            // What was asked is asked of all feeds of that host: only what is our own choice is spread.
            let at = later(now, wait.max(jittered(backoff, seed).min(longest)));
            let why = if asked > backoff {
                format!("the server asked for {}", words(asked))
            } else {
                "the server is busy".to_owned()
            };
            return Next { at: Some(at), why };
        }
        Ended::Failed => (backoff(usual, history.failures), failed(history.failures)),
    };
    Next { at: Some(later(now, jittered(wait, seed))), why }
}

/// The mean time between the newest items of a document, at most twenty, by when they say they were published. `None` under three dated items.
#[must_use]
pub fn mean_gap(published: &[Timestamp]) -> Option<Duration> {
    let mut newest = published.to_vec();
    newest.sort_unstable_by(|a, b| b.cmp(a));
    newest.truncate(NEWEST);
    let gaps = u32::try_from(newest.len()).ok()?.checked_sub(1).filter(|gaps| *gaps >= 2)?;
    Some(Duration::try_from(newest.first()?.duration_since(*newest.last()?)).ok()? / gaps)
}

/// The interval while nothing speaks against it.
fn usual(history: &History, every: Option<Duration>, floor: Duration, bounds: &Poll) -> (Duration, String) {
    let (interval, why) = match (every, history.mean_gap) {
        (Some(every), _) => (every, format!("every {} as configured", words(every))),
        (None, Some(gap)) => {
            let half = (gap / 2).clamp(bounds.min, bounds.max);
            let why = match half == gap / 2 {
                true => format!("half its usual gap of {}", words(gap)),
                false if half == bounds.min => format!("every {}, the shortest interval: it is busy", words(half)),
                false => format!("every {}, the longest interval: it is quiet", words(half)),
            };
            (half, why)
        }
        (None, None) => {
            let first = UNKNOWN.clamp(bounds.min, bounds.max);
            (first, format!("every {} until its usual gap is known", words(first)))
        }
    };
    if interval < floor {
        (floor, format!("every {}, the least that is polite", words(floor)))
    } else {
        (interval, why)
    }
}

/// A hint that is longer than the usual interval, as far as the longest interval lets it lengthen that.
fn heed(hint: Duration, usual: Duration, bounds: &Poll) -> (Duration, String) {
    let wait = hint.min(bounds.max).max(usual);
    let but = if wait < hint { format!("; {} is the longest interval", words(wait)) } else { String::new() };
    (wait, format!("the server asked for {}{but}", words(hint)))
}

/// Two retries at the usual interval, then twice as long each time, up to a day.
fn backoff(usual: Duration, failures: u32) -> Duration {
    let doublings = failures.saturating_sub(PATIENCE).min(20);
    usual.saturating_mul(1 << doublings).min(usual.max(DAY))
}

fn failed(failures: u32) -> String {
    match failures {
        0 | 1 => "failed once: tried again at its usual interval".to_owned(),
        2 => "failed twice in a row: tried again at its usual interval".to_owned(),
        n => format!("failed {n} times in a row"),
    }
}

/// `wait` and up to a tenth more, so that feeds do not march in step.
fn jittered(wait: Duration, seed: u64) -> Duration {
    // Fibonacci hashing: seeds that are near each other land far apart.
    let spread = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54;
    let share = u32::try_from(spread).unwrap_or(0);
    wait.saturating_add(wait / 10 * share / 1024)
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// A duration as people say it: its two largest units.
fn words(duration: Duration) -> String {
    let units = [("d", DAY), ("h", 60 * MINUTE), ("min", MINUTE), ("s", Duration::from_secs(1))];
    let mut left = duration.as_secs();
    let mut parts = Vec::new();
    for (name, unit) in units {
        let count = left / unit.as_secs();
        left %= unit.as_secs();
        if count > 0 && parts.len() < 2 {
            parts.push(format!("{count} {name}"));
        }
    }
    if parts.is_empty() { "less than a second".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::config::FirstPoll;

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

    fn now() -> Timestamp {
        "2024-05-01T12:00:00Z".parse().unwrap()
    }

    fn well(hint: Option<Duration>) -> Ended {
        Ended::Well { hint }
    }

    /// The wait without jitter, and why.
    fn wait(history: &History, ended: &Ended, every: Option<Duration>, own_host: bool) -> (Option<Duration>, String) {
        let next = next(history, ended, every, own_host, &bounds(), now(), 0);
        (next.at.map(|at| at.duration_since(now()).unsigned_abs()), next.why)
    }

    fn usual_gap(gap: Duration) -> History {
        History { mean_gap: Some(gap), failures: 0 }
    }

    #[test]
    fn the_mean_gap_is_that_of_the_newest_items() {
        let at = |hours: i64| Timestamp::from_second(hours * 3600).expect("in range");
        assert_eq!(mean_gap(&[at(10), at(2), at(6)]), Some(Duration::from_hours(4)));
        assert_eq!(mean_gap(&[at(10), at(2)]), None);
        let busy_of_late: Vec<_> = (0..20).map(|n| at(1000 + n)).chain([at(0)]).collect();
        assert_eq!(mean_gap(&busy_of_late), Some(Duration::from_hours(1)));
    }

    #[rstest]
    #[case(None, None, 30 * MINUTE, "every 30 min until its usual gap is known")]
    #[case(Some(2 * HOUR), None, HOUR, "half its usual gap of 2 h")]
    #[case(Some(150 * MINUTE), None, 75 * MINUTE, "half its usual gap of 2 h 30 min")]
    #[case(Some(MINUTE), None, 15 * MINUTE, "every 15 min, the shortest interval: it is busy")]
    #[case(Some(9 * DAY), None, 6 * HOUR, "every 6 h, the longest interval: it is quiet")]
    #[case(Some(2 * HOUR), Some(15 * MINUTE), 15 * MINUTE, "every 15 min as configured")]
    #[case(None, Some(2 * DAY), 2 * DAY, "every 2 d as configured")]
    #[case(None, Some(MINUTE), 5 * MINUTE, "every 5 min, the least that is polite")]
    fn a_good_poll_is_followed_at_the_usual_interval(
        #[case] gap: Option<Duration>,
        #[case] every: Option<Duration>,
        #[case] expected: Duration,
        #[case] why: &str,
    ) {
        let history = History { mean_gap: gap, failures: 0 };
        assert_eq!(wait(&history, &well(None), every, false), (Some(expected), why.to_owned()));
    }

    #[test]
    fn ones_own_hosts_may_be_asked_every_second() {
        let second = Duration::from_secs(1);
        assert_eq!(wait(&History::default(), &well(None), Some(second), true).0, Some(second));
        assert_eq!(wait(&History::default(), &well(None), Some(Duration::ZERO), true).0, Some(second));
    }

    #[rstest]
    #[case(MINUTE, None, HOUR, "half its usual gap of 2 h")]
    #[case(3 * HOUR, None, 3 * HOUR, "the server asked for 3 h")]
    #[case(DAY, None, 6 * HOUR, "the server asked for 1 d; 6 h is the longest interval")]
    #[case(3 * HOUR, Some(15 * MINUTE), 15 * MINUTE, "every 15 min as configured")]
    fn hints_lengthen_only_the_adaptive_interval(
        #[case] hint: Duration,
        #[case] every: Option<Duration>,
        #[case] expected: Duration,
        #[case] why: &str,
    ) {
        assert_eq!(wait(&usual_gap(2 * HOUR), &well(Some(hint)), every, false), (Some(expected), why.to_owned()));
    }

    #[rstest]
    #[case(1, 15 * MINUTE, "failed once: tried again at its usual interval")]
    #[case(2, 15 * MINUTE, "failed twice in a row: tried again at its usual interval")]
    #[case(3, 30 * MINUTE, "failed 3 times in a row")]
    #[case(4, HOUR, "failed 4 times in a row")]
    #[case(8, 16 * HOUR, "failed 8 times in a row")]
    #[case(9, DAY, "failed 9 times in a row")]
    #[case(u32::MAX, DAY, "failed 4294967295 times in a row")]
    fn failures_are_retried_twice_and_then_ever_less_often(
        #[case] failures: u32,
        #[case] expected: Duration,
        #[case] why: &str,
    ) {
        let history = History { failures, mean_gap: None };
        let got = wait(&history, &Ended::Failed, Some(15 * MINUTE), false);
        assert_eq!(got, (Some(expected), why.to_owned()));
    }

    #[test]
    fn missing_feeds_are_tried_daily_and_gone_ones_never() {
        let history = History { failures: 1, mean_gap: None };
        assert_eq!(
            wait(&history, &Ended::NotFound, None, false),
            (Some(DAY), "not found (404): tried once a day".to_owned())
        );
        assert_eq!(wait(&history, &Ended::NotFound, Some(3 * DAY), false).0, Some(3 * DAY));
        assert_eq!(wait(&history, &Ended::Gone, Some(MINUTE), true).0, None);
    }

    #[rstest]
    #[case(1, None, 30 * MINUTE, "the server is busy")]
    #[case(1, Some(2 * HOUR), 2 * HOUR, "the server asked for 2 h")]
    #[case(1, Some(MINUTE), 30 * MINUTE, "the server is busy")]
    #[case(4, Some(HOUR), 2 * HOUR, "the server is busy")]
    #[case(1, Some(9 * DAY), DAY, "the server asked for 9 d")]
    fn a_busy_server_gets_the_later_of_its_wish_and_the_backoff(
        #[case] failures: u32,
        #[case] after: Option<Duration>,
        #[case] expected: Duration,
        #[case] why: &str,
    ) {
        let until = after.map(|after| now().checked_add(after).unwrap());
        let history = History { failures, mean_gap: None };
        assert_eq!(wait(&history, &Ended::Busy { until }, None, false), (Some(expected), why.to_owned()));
    }

    #[test]
    fn retry_after_outdoes_an_interval_of_ones_own() {
        let until = Some(now().checked_add(HOUR).unwrap());
        let history = History { failures: 1, mean_gap: None };
        assert_eq!(wait(&history, &Ended::Busy { until }, Some(5 * MINUTE), false).0, Some(HOUR));
    }

    proptest! {
        #[test]
        fn jitter_adds_at_most_a_tenth_and_takes_nothing(seed: u64, minutes in 5..10_000_u64) {
            let every = Duration::from_mins(minutes);
            let at = next(&History::default(), &well(None), Some(every), false, &bounds(), now(), seed).at.unwrap();
            let wait = at.duration_since(now()).unsigned_abs();
            prop_assert!(wait >= every && wait <= every + every / 10);
        }

        #[test]
        fn no_busy_server_keeps_us_away_for_more_than_a_day(seed: u64, failures: u32, seconds in 0..1_000_000_000_u64) {
            let until = now().saturating_add(Duration::from_secs(seconds)).ok();
            let history = History { failures, mean_gap: None };
            let at = next(&history, &Ended::Busy { until }, None, false, &bounds(), now(), seed).at.unwrap();
            prop_assert!(at.duration_since(now()).unsigned_abs() <= DAY);
        }
    }

    #[test]
    fn neighbouring_seeds_spread() {
        let waits: std::collections::BTreeSet<_> = (0..100).map(|seed| jittered(HOUR, seed)).collect();
        assert!(waits.len() > 90);
    }
}
