//! When to poll a feed next, and why: a pure function of its history, `now` and the bounds.

mod words;

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::later;

use crate::config::Poll;
use crate::feed::hints::{Pauses, PollHints};
use crate::http::RetryAfter;
use words::{day_and_hour, duration_in_words};

const DAY: Duration = Duration::from_hours(24);

/// The most items whose dates determine the mean gap: the newest.
const NEWEST: usize = 20;

/// The interval of a feed whose mean gap is unknown.
const UNKNOWN: Duration = Duration::from_mins(30);

/// The failures in a row after which the interval is still the usual one: the first, and a retry.
const PATIENCE: u32 = 2;

/// The waits after the first failures in a row without an answer. They are short, because a typing
/// error or a network that starts late is corrected within minutes.
const UNREACHED: [Duration; 4] = [
    Duration::from_secs(10),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
];

/// The time over which polls are spread that begin at the end of a pause.
const AFTER_A_PAUSE: Duration = Duration::from_mins(10);

/// The past polls of a feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PollHistory {
    /// The number of failed polls since the last successful one.
    pub failures: u32,
    /// The mean gap between the newest items, if it is known.
    pub mean_gap: Option<Duration>,
    /// The hints of its last document.
    pub hints: PollHints,
}

/// How the last poll ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PollEnd {
    /// A 200 with a document that was parsed, or a 304.
    Well {
        /// How long the answer stays fresh (`max-age`, `Expires`).
        fresh_for: Option<Duration>,
    },
    /// 404.
    NotFound,
    /// 410.
    Gone,
    /// 429 or 503: the server asks for fewer requests.
    Busy {
        /// `Retry-After`, if the answer has it.
        asked: Option<RetryAfter>,
    },
    /// No server answered: the name, the connection or a policy failed.
    Unreached,
    /// Any other failure.
    Failed,
}

/// The next poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextPoll {
    /// Its time. `None` means never, until the configuration changes (410).
    pub at: Option<Timestamp>,
    /// The reason, in words for a person.
    pub why: String,
}

/// Returns the time of the next poll.
///
/// `every` is the interval that the user configured. `own_host` lowers the floor from five minutes
/// to one second. `seed` determines the jitter, up to 10%.
///
/// After an answer, the wait is at least the floor. It is at least `Retry-After`, up to a day.
/// After a failure it is at most a day, or the feed's own interval if that is longer; jitter is
/// added. Hints lengthen only an interval that the user has not configured, up to the longest.
#[must_use]
pub fn next_poll(
    history: &PollHistory,
    ended: &PollEnd,
    every: Option<Duration>,
    own_host: bool,
    bounds: &Poll,
    now: Timestamp,
    seed: u64,
) -> NextPoll {
    let usual = usual_interval(history, every, Poll::floor(own_host), bounds);
    let longest = usual.wait.max(DAY);
    let soon = |wait: PollWait| NextPoll {
        at: Some(later(now, jittered(wait.wait, seed))),
        why: wait.why,
    };
    match ended {
        PollEnd::Gone => {
            let why = "its server answered that it is permanently gone (410)".to_owned();
            NextPoll { at: None, why }
        }
        PollEnd::Well { .. } if every.is_some() => soon(usual),
        PollEnd::Well { fresh_for } => {
            let latest = later(now, jittered(bounds.max.max(usual.wait), seed));
            let next = soon(lengthened(usual, history.hints.interval, *fresh_for, bounds));
            moved_past_pauses(next, history.hints.pauses, latest, seed)
        }
        PollEnd::NotFound if history.failures > PATIENCE => soon(PollWait {
            wait: longest,
            why: format!(
                "after {}: it is not found (404), which is tried once a day",
                duration_in_words(longest)
            ),
        }),
        PollEnd::Unreached => soon(wait_after_no_answer(usual.wait, history.failures)),
        PollEnd::NotFound | PollEnd::Failed => {
            soon(retried(usual.wait, history.failures, history.failures))
        }
        PollEnd::Busy { asked } => busy(history.failures, usual.wait, *asked, now, seed),
    }
}

/// A time to wait, and why.
struct PollWait {
    wait: Duration,
    why: String,
}

/// The mean time between the dates of the newest items of a document, at most twenty. Dates in the
/// future do not count. `None` if fewer than three items have a date.
#[must_use]
pub fn mean_interval(published: &[Timestamp], now: Timestamp) -> Option<Duration> {
    let mut newest: Vec<_> = published.iter().copied().filter(|date| *date <= now).collect();
    newest.sort_unstable_by(|a, b| b.cmp(a));
    newest.truncate(NEWEST);
    let gaps = u32::try_from(newest.len()).ok()?.checked_sub(1).filter(|gaps| *gaps >= 2)?;
    Some(Duration::try_from(newest.first()?.duration_since(*newest.last()?)).ok()? / gaps)
}

/// The longest delay for an interval of `every`, with its jitter.
#[must_use]
pub fn longest_wait(every: Duration) -> Duration {
    every.saturating_add(every / 10)
}

/// The interval without failures and hints.
fn usual_interval(
    history: &PollHistory,
    every: Option<Duration>,
    floor: Duration,
    bounds: &Poll,
) -> PollWait {
    let (wait, why) = match (every, history.mean_gap) {
        (Some(every), _) => (every, ", as configured".to_owned()),
        (None, Some(gap)) => {
            let half = (gap / 2).clamp(bounds.min, bounds.max);
            (half, half_of(gap, half, bounds))
        }
        (None, None) => {
            let first = UNKNOWN.clamp(bounds.min, bounds.max);
            (first, ", until three dated items show how often it publishes".to_owned())
        }
    };
    let (wait, why) =
        if wait < floor { (floor, ", the shortest allowed".to_owned()) } else { (wait, why) };
    PollWait { wait, why: format!("every {}{why}", duration_in_words(wait)) }
}

/// Why `half`, which comes from a mean gap of `gap`, is the interval.
fn half_of(gap: Duration, half: Duration, bounds: &Poll) -> String {
    if half == gap / 2 {
        return format!(
            ": half the mean gap of {} between its newest items",
            duration_in_words(gap)
        );
    }
    let bound = if half == bounds.min { "shortest" } else { "longest" };
    if gap.is_zero() {
        format!(", the {bound} interval: its newest items have the same date")
    } else {
        format!(", the {bound} interval: its newest items are {} apart", duration_in_words(gap))
    }
}

/// The longest of `usual` and the requests of the feed and its server, up to the longest interval.
fn lengthened(
    usual: PollWait,
    feed: Option<Duration>,
    server: Option<Duration>,
    bounds: &Poll,
) -> PollWait {
    let (asked, who, how) = match (feed.unwrap_or_default(), server.unwrap_or_default()) {
        (feed, server) if feed >= server => (feed, "the feed", "ttl, sy:updatePeriod"),
        (_, server) => (server, "the server", "max-age, Expires"),
    };
    let wait = asked.min(bounds.max);
    if wait <= usual.wait {
        return usual;
    }
    let bound = if wait < asked { ", the longest interval" } else { "" };
    PollWait {
        wait,
        why: format!(
            "every {}{bound}: {who} asked for {} ({how})",
            duration_in_words(wait),
            duration_in_words(asked)
        ),
    }
}

/// `next`, postponed to the end of the pause that it falls in, but not beyond `latest`.
fn moved_past_pauses(next: NextPoll, pauses: Pauses, latest: Timestamp, seed: u64) -> NextPoll {
    let Some((at, end)) = next.at.and_then(|at| Some((at, pauses.end(at)?))) else { return next };
    let spread = later(end, random_part(AFTER_A_PAUSE, seed));
    let at = spread.min(latest).max(at);
    let until = if end == Timestamp::MAX {
        "at all times".to_owned()
    } else {
        format!("until {}", day_and_hour(end))
    };
    let but = if at < end { "; this is the longest interval" } else { "" };
    NextPoll {
        at: Some(at),
        why: format!("the feed asked for no requests {until} (skipHours, skipDays){but}"),
    }
}

/// The later of `Retry-After` and the backoff, at most a day. Only the backoff gets jitter, because
/// `Retry-After` holds for the whole host.
fn busy(
    failures: u32,
    usual: Duration,
    asked: Option<RetryAfter>,
    now: Timestamp,
    seed: u64,
) -> NextPoll {
    let until = asked.map_or(now, |asked| asked.end(now));
    let asked = Duration::try_from(until.duration_since(now)).unwrap_or_default();
    let backoff = backoff(usual, failures);
    let heeded = asked.min(DAY);
    let (wait, asked) = (
        duration_in_words(heeded.max(backoff)),
        (asked > backoff).then(|| duration_in_words(asked)),
    );
    let why = match asked {
        Some(asked) if asked == wait => {
            format!("after {wait}: the server asked for that (Retry-After)")
        }
        Some(asked) => {
            format!("after {wait}, the longest rest: the server asked for {asked} (Retry-After)")
        }
        None if failures < 2 => format!("after {wait}: the server is busy"),
        None => format!("after {wait}: the server is busy, {failures} times in a row"),
    };
    let at = later(now, heeded.max(jittered(backoff, seed)));
    NextPoll { at: Some(at), why }
}

/// The usual interval for two retries, then twice as long after each failure, up to a day.
fn backoff(usual: Duration, failures: u32) -> Duration {
    let doublings = failures.saturating_sub(PATIENCE).min(20);
    usual.saturating_mul(1 << doublings).min(usual.max(DAY))
}

/// The short waits after the first failures, then the waits after other failures.
fn wait_after_no_answer(usual: Duration, failures: u32) -> PollWait {
    let first = UNREACHED.get(failures.saturating_sub(1) as usize).filter(|wait| **wait < usual);
    let Some(wait) = first else {
        let soon = u32::try_from(UNREACHED.len()).unwrap_or(u32::MAX);
        return retried(usual, failures.saturating_sub(soon), failures);
    };
    PollWait {
        wait: *wait,
        why: format!("after {}: {}", duration_in_words(*wait), failures_in_words(failures)),
    }
}

/// The backoff after `counted` of `failures` failures in a row.
fn retried(usual: Duration, counted: u32, failures: u32) -> PollWait {
    let wait = backoff(usual, counted);
    let as_usual = if counted <= PATIENCE { ", its usual interval" } else { "" };
    PollWait {
        wait,
        why: format!(
            "after {}{as_usual}: {}",
            duration_in_words(wait),
            failures_in_words(failures)
        ),
    }
}

fn failures_in_words(failures: u32) -> String {
    match failures {
        0 | 1 => "the last poll failed".to_owned(),
        2 => "the last two polls failed".to_owned(),
        n => format!("the last {n} polls failed"),
    }
}

/// `wait` and up to a tenth more, so that feeds are not polled at the same time.
fn jittered(wait: Duration, seed: u64) -> Duration {
    wait.saturating_add(random_part(wait / 10, seed))
}

/// A random part of `whole` that `seed` determines.
fn random_part(whole: Duration, seed: u64) -> Duration {
    // Fibonacci hashing: neighbouring seeds give distant results.
    let spread = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54;
    whole * u32::try_from(spread).unwrap_or(0) / 1024
}

#[cfg(test)]
mod tests;
