//! The rate of events in a window, and the usual rate before it. Pure.

use std::ops::Range;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Spike;

/// The step in which baselines are counted, and in which it is known whether feeds were watched.
pub const SLOT: Duration = Duration::from_mins(10);

/// The slot of a time: the number of whole slots since the Unix epoch.
#[must_use]
pub fn slot_of(at: Timestamp) -> i64 {
    at.as_millisecond().div_euclid(slot_millis())
}

fn slot_millis() -> i64 {
    i64::try_from(SLOT.as_millis()).expect("ten minutes")
}

fn slot_start(slot: i64) -> Timestamp {
    Timestamp::from_millisecond(slot.saturating_mul(slot_millis())).unwrap_or(Timestamp::MIN)
}

/// The times that a spike is decided by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpikeSpan {
    /// The start of the window, which ends with the match. If nothing was watched at the start, it
    /// is the last time before at which something was: the first poll after an outage brings the
    /// news of the whole outage.
    pub start: Timestamp,
    /// The slots of the baseline: whole ones, the last of which ends at or before `start`.
    pub baseline: Range<i64>,
}

impl SpikeSpan {
    /// The span of a match at `at`. `watched`: the last watched slot at or before that of the start
    /// of the window.
    #[must_use]
    pub fn new(spike: &Spike, at: Timestamp, watched: Option<i64>) -> Self {
        let start = Self::first_start(spike, at);
        let start = match watched {
            Some(slot) if slot < slot_of(start) => slot_start(slot + 1),
            _ => start,
        };
        let end = slot_of(start);
        let slots = i64::try_from(spike.against.as_millis()).unwrap_or(i64::MAX) / slot_millis();
        Self { start, baseline: end - slots..end }
    }

    /// The start of the window of a match at `at`, if something was watched then.
    #[must_use]
    pub fn first_start(spike: &Spike, at: Timestamp) -> Timestamp {
        at.checked_sub(spike.within).unwrap_or(Timestamp::MIN)
    }
}

/// What is counted for a spike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpikeCounts {
    /// The events in the window.
    pub current: u32,
    /// The time that they stand for: the window, longer after an outage.
    pub covered: Duration,
    /// The events in the baseline.
    pub baseline: u64,
    /// The watched slots of the baseline.
    pub watched: u32,
    /// How long the rule is known at the time of the match.
    pub known_for: Duration,
}

impl SpikeCounts {
    /// Whether the events in the window are a spike. `None` as long as the usual rate is not known:
    /// the rule is not known for window and baseline, or less than half of the baseline was
    /// watched.
    #[must_use]
    pub fn is_spike(&self, spike: &Spike) -> Option<bool> {
        let watched = SLOT.saturating_mul(self.watched);
        if self.known_for < spike.within.saturating_add(spike.against)
            || watched.saturating_mul(2) < spike.against
        {
            return None;
        }
        let usual = u128::from(self.baseline) * self.covered.as_millis();
        let current = u128::from(self.current) * watched.as_millis();
        Some(self.current >= spike.least && current >= u128::from(spike.times) * usual)
    }

    /// The number of events that is usual in the time of the window.
    #[must_use]
    pub fn usual(&self) -> f64 {
        let watched = SLOT.saturating_mul(self.watched).as_secs_f64();
        if watched == 0.0 {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "it is shown with one decimal")]
        let baseline = self.baseline as f64;
        baseline * self.covered.as_secs_f64() / watched
    }
}

/// When feeds were watched, and since when a rule is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedTime {
    /// Since when the rule is known.
    pub known_since: Timestamp,
    /// The watched slots, ascending. `None`: all since then.
    pub slots: Option<Vec<i64>>,
}

impl WatchedTime {
    /// The last watched slot at or before `slot`.
    pub(super) fn last_watched(&self, slot: i64) -> Option<i64> {
        match &self.slots {
            None => (slot >= slot_of(self.known_since)).then_some(slot),
            Some(slots) => slots[..slots.partition_point(|one| *one <= slot)].last().copied(),
        }
    }

    /// The number of watched slots in `span`.
    pub(super) fn count(&self, span: &Range<i64>) -> u32 {
        let count = match &self.slots {
            None => span.end - span.start.max(slot_of(self.known_since)).min(span.end),
            Some(slots) => {
                let before = |end: i64| slots.partition_point(|one| *one < end);
                i64::try_from(before(span.end) - before(span.start)).unwrap_or(i64::MAX)
            }
        };
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// How long the rule is known at `at`.
    #[must_use]
    pub fn known_for(known_since: Timestamp, at: Timestamp) -> Duration {
        let known = at.duration_since(known_since);
        Duration::try_from(known.max(SignedDuration::ZERO)).unwrap_or(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).expect("in range")
    }

    fn spike() -> Spike {
        Spike { times: 5, within: HOUR, against: HOUR * 24, least: 4 }
    }

    fn counts(current: u32, baseline: u64) -> SpikeCounts {
        SpikeCounts { current, covered: HOUR, baseline, watched: 144, known_for: HOUR * 25 }
    }

    #[test]
    fn a_spike_is_so_many_times_the_usual_rate_and_not_few() {
        for (current, baseline, expected) in
            [(3, 0, false), (4, 0, true), (10, 48, true), (9, 48, false), (5, 24, true)]
        {
            assert_eq!(counts(current, baseline).is_spike(&spike()), Some(expected), "{current}");
        }
    }

    #[test]
    fn a_rule_learns_until_it_is_known_and_was_watched() {
        let new =
            SpikeCounts { known_for: Duration::from_millis(25 * 3_600_000 - 1), ..counts(99, 0) };
        assert_eq!(new.is_spike(&spike()), None);
        assert_eq!(SpikeCounts { watched: 71, ..counts(99, 0) }.is_spike(&spike()), None);
        assert_eq!(SpikeCounts { watched: 72, ..counts(99, 0) }.is_spike(&spike()), Some(true));
    }

    #[test]
    fn unwatched_time_is_taken_out_of_the_baseline() {
        let half = SpikeCounts { watched: 72, ..counts(10, 24) };
        assert_eq!(half.is_spike(&spike()), Some(true));
        assert_eq!(SpikeCounts { watched: 72, ..counts(9, 24) }.is_spike(&spike()), Some(false));
    }

    #[test]
    fn the_first_poll_after_an_outage_stands_for_the_whole_outage() {
        let last = slot_of(at(0));
        let span = SpikeSpan::new(&spike(), at(5 * 60), Some(last));
        assert_eq!(span.start, slot_start(last + 1));
        let after = SpikeSpan::new(&spike(), at(60), Some(last));
        assert_eq!((after.start, after.baseline.end), (at(0), last));
        assert_eq!(after.baseline.start, last - 144);
    }
}
