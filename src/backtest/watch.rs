//! When feeds were watched in the time of a backtest.

use std::time::Duration;

use jiff::Timestamp;

use tidings_rules::condition::{WatchedTime, slot_of};

/// A file whose stories are further apart than this has a gap between them.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// What is known of the time in which feeds were watched.
#[derive(Debug)]
pub(crate) enum PastWatch {
    /// The slots that the store has, ascending. Before the first of them, all count as watched.
    Stored(Vec<i64>),
    /// The stories of a file tell: nobody watched while no story came for a day.
    ByStories,
}

impl PastWatch {
    /// The watched time of a backtest whose first story comes at `start`.
    pub(crate) fn begin(&self, start: Timestamp) -> WatchedTime {
        let slots = match self {
            Self::Stored(slots) => slots.first().map(|first| {
                (slot_of(start)..*first).chain(slots.iter().copied()).collect::<Vec<_>>()
            }),
            Self::ByStories => None,
        };
        WatchedTime { known_since: start, slots }
    }

    /// Notes that a story comes at `at`, after the one at `before`.
    pub(crate) fn note(&self, watch: &mut WatchedTime, before: Timestamp, at: Timestamp) {
        let Self::ByStories = self else { return };
        let is_pause = at.duration_since(before).unsigned_abs() <= LONGEST_PAUSE;
        if is_pause && watch.slots.is_none() {
            return;
        }
        let until_now = || (slot_of(watch.known_since)..=slot_of(before)).collect();
        let slots: &mut Vec<i64> = watch.slots.get_or_insert_with(until_now);
        let last = slots.last().copied().unwrap_or(i64::MIN);
        let first = if is_pause { slot_of(before) } else { slot_of(at) };
        slots.extend(first.max(last.saturating_add(1))..=slot_of(at));
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_hours(hours)).unwrap()
    }

    #[test]
    fn a_file_is_watched_except_while_no_story_came_for_a_day() {
        let past = PastWatch::ByStories;
        let mut watch = past.begin(at(0));
        for (before, now) in [(0, 0), (0, 1), (1, 25), (25, 50), (50, 50), (50, 51)] {
            past.note(&mut watch, at(before), at(now));
        }
        let expected: Vec<i64> = (0..=25 * 6).chain(50 * 6..=51 * 6).collect();
        assert_eq!(watch, WatchedTime { known_since: at(0), slots: Some(expected) });
    }

    #[test]
    fn all_is_watched_before_the_first_slot_that_the_store_has() {
        let slots = |stored: Vec<i64>| PastWatch::Stored(stored).begin(at(1)).slots;
        assert_eq!(slots(vec![9, 12]), Some(vec![6, 7, 8, 9, 12]));
        assert_eq!(slots(vec![6, 8]), Some(vec![6, 8]));
        assert_eq!(slots(vec![]), None);
    }
}
