//! How a notifier fares after attempts that failed, and how much it is sent meanwhile. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::alert::later;

/// Failures in a row after which a notifier is only probed.
const OPENS_AFTER: u32 = 5;

/// Messages that a notifier is sent at once.
pub const AT_ONCE: u32 = 8;

/// The pause between two probes.
const PROBE: Duration = Duration::from_mins(1);

/// How long a notifier is away before its fellows are told.
const WORTH_TELLING: Duration = Duration::from_hours(1);

/// Until when a notifier rests that said it is gone for good: longer than any daemon runs. A new run tries it once more.
pub const NEVER: Timestamp = Timestamp::constant(253_370_764_800, 0);

/// The state of a notifier whose last attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Attempts in a row that failed.
    pub failures: u32,
    /// When the first of them did.
    pub since: Timestamp,
    /// Nothing is sent before.
    pub rests_until: Timestamp,
    /// Why the last of them failed.
    pub why: String,
    /// Whether its fellows were told.
    pub announced: bool,
}

/// What a notifier may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// All that is due, [`AT_ONCE`].
    All,
    /// One message, to see whether it is back.
    Probe,
    /// Nothing until then.
    NotBefore(Timestamp),
}

impl Health {
    /// Whether it failed so often that it is only probed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.failures >= OPENS_AFTER
    }

    /// Whether it said that it is gone for good.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.rests_until >= NEVER
    }

    /// Whether its fellows are to be told now that it is away.
    #[must_use]
    pub fn is_worth_telling(&self, now: Timestamp) -> bool {
        let long_away = self.is_open() && later(self.since, WORTH_TELLING) <= now;
        !self.announced && (self.is_gone() || long_away)
    }
}

/// The state after one more attempt has failed; `wish` is until when the receiver asked for rest.
#[must_use]
pub fn failed(before: Option<Health>, why: &str, wish: Option<Timestamp>, now: Timestamp) -> Health {
    let before = before.unwrap_or_else(|| Health {
        failures: 0,
        since: now,
        rests_until: now,
        why: String::new(),
        announced: false,
    });
    let failed = Health { failures: before.failures.saturating_add(1), why: why.to_owned(), ..before };
    let pause = if failed.is_open() { later(now, PROBE) } else { now };
    Health { rests_until: failed.rests_until.max(pause).max(wish.unwrap_or(now)), ..failed }
}

/// What a notifier may be sent at `now`; `None` is one that takes messages.
#[must_use]
pub fn room(health: Option<&Health>, now: Timestamp) -> Room {
    match health {
        Some(health) if now < health.rests_until => Room::NotBefore(health.rests_until),
        Some(health) if health.is_open() => Room::Probe,
        _ => Room::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
    }

    /// The state after failures at these seconds.
    fn after(failures: &[i64]) -> Health {
        let mut health = None;
        for second in failures {
            health = Some(failed(health, "connection refused", None, at(*second)));
        }
        health.expect("a failure")
    }

    #[test]
    fn four_failures_hinder_nothing_and_the_fifth_leaves_a_probe_a_minute() {
        assert_eq!(room(None, at(0)), Room::All);
        assert_eq!(room(Some(&after(&[0, 1, 2, 3])), at(3)), Room::All);
        let open = after(&[0, 1, 2, 3, 4]);
        assert_eq!(room(Some(&open), at(63)), Room::NotBefore(at(64)));
        assert_eq!(room(Some(&open), at(64)), Room::Probe);
        assert_eq!(room(Some(&after(&[0, 1, 2, 3, 4, 64])), at(123)), Room::NotBefore(at(124)));
    }

    #[test]
    fn a_wish_for_rest_holds_everything_from_the_first_failure_on() {
        let asked = failed(None, "429", Some(at(90)), at(0));
        assert_eq!(room(Some(&asked), at(89)), Room::NotBefore(at(90)));
        assert_eq!(room(Some(&asked), at(90)), Room::All);
        // What was under way when it asked does not take the wish back.
        let again = failed(Some(asked), "429", None, at(1));
        assert_eq!(again.rests_until, at(90));
    }

    #[test]
    fn one_that_is_gone_for_good_is_sent_nothing_more_and_that_is_told_at_once() {
        let gone = failed(None, "410", Some(NEVER), at(0));
        assert_eq!(room(Some(&gone), at(100_000_000)), Room::NotBefore(NEVER));
        assert!(gone.is_worth_telling(at(0)));
        assert!(!Health { announced: true, ..gone }.is_worth_telling(at(0)));
    }

    #[test]
    fn an_hour_away_is_worth_telling_once() {
        let away = after(&[0, 1, 2, 3, 4]);
        assert!(!away.is_worth_telling(at(3599)));
        assert!(away.is_worth_telling(at(3600)));
        assert!(!Health { announced: true, ..away }.is_worth_telling(at(3600)));
        assert!(!after(&[0, 1]).is_worth_telling(at(9999)), "it may only have had nothing to send");
    }
}
