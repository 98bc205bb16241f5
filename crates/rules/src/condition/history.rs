//! The matches of one group in memory, for examples and backtests.
//!
//! A history forgets what no condition can reach any more. So its size depends on the matches of a
//! window and a baseline, and not on how long it lasts.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use foldhash::fast::RandomState;
use jiff::Timestamp;

use super::slots::SlotCounts;
use super::spike::{SpikeCounts, SpikeSpan, WatchedTime, slot_of};
use super::step::{GroupState, PreviousMatch, SeenMatches, is_open, is_within};
use super::{Condition, Decision, Spike, step};

/// The number of matches, events, keys or slots from which the old ones are forgotten.
const FORGETS_FROM: usize = 256;

/// How long an event is known. A copy joins its event within three days.
const EVENT_LASTS: Duration = Duration::from_hours(7 * 24);

/// A match of a group.
#[derive(Clone, Copy, Debug)]
pub struct GroupMatch<'m> {
    /// Its time.
    pub at: Timestamp,
    /// The number of its event. `None`: an event of its own.
    pub event: Option<u64>,
    /// The publisher of its event.
    pub publisher: &'m str,
    /// What `first` looks for.
    pub keys: &'m [String],
    /// The last match before of the rule that `after` names, in the window.
    pub before: Option<Timestamp>,
}

/// The matches of one group.
#[derive(Clone, Debug, Default)]
pub struct GroupHistory {
    previous: Option<PreviousMatch>,
    events: CountedEvents,
    /// The times and publishers of events, in the order in which they were recorded. Publishers are
    /// empty where they do not count.
    matches: VecDeque<(Timestamp, Box<str>)>,
    /// Whether the clock was set back between two of them.
    is_unsorted: bool,
    /// The last match of each key.
    keys: HashMap<String, Timestamp, RandomState>,
    /// The number of keys from which the old ones are forgotten.
    most_keys: usize,
    /// The events of each slot.
    tally: SlotCounts,
    /// Since when an absence lasts that was told.
    absent_since: Option<Timestamp>,
}

/// The events that were counted, as long as they take copies.
#[derive(Clone, Debug, Default)]
struct CountedEvents {
    /// Ascending by number. A later event has a higher number, so that nearly all are added at the
    /// end.
    known: VecDeque<CountedEvent>,
}

/// An event that was counted.
#[derive(Clone, Copy, Debug)]
struct CountedEvent {
    number: u64,
    /// When it was counted.
    at: Timestamp,
    /// Whether somebody was told of it.
    is_told: bool,
}

impl CountedEvents {
    /// Counts an event. Returns whether it is new.
    fn add(&mut self, number: u64, at: Timestamp) -> bool {
        let Err(place) = self.place(number) else { return false };
        self.known.insert(place, CountedEvent { number, at, is_told: false });
        while self.known.len() > FORGETS_FROM
            && self.known.pop_front_if(|first| !is_within(first.at, EVENT_LASTS, at)).is_some()
        {
        }
        true
    }

    /// Notes that somebody is told of an event. Returns whether that is new.
    fn tell(&mut self, number: u64) -> bool {
        let Ok(place) = self.place(number) else { return false };
        !std::mem::replace(&mut self.known[place].is_told, true)
    }

    /// Notes that somebody is told of the events that were counted in the window that ends at `at`.
    fn tell_window(&mut self, within: Duration, at: Timestamp) {
        for event in &mut self.known {
            event.is_told |= event.at <= at && is_within(event.at, within, at);
        }
    }

    /// The place of an event, or the one at which it is to be added.
    fn place(&self, number: u64) -> Result<usize, usize> {
        match self.known.back() {
            Some(last) if last.number == number => Ok(self.known.len() - 1),
            Some(last) if last.number > number => {
                self.known.binary_search_by_key(&number, |event| event.number)
            }
            _ => Err(self.known.len()),
        }
    }
}

impl GroupHistory {
    /// Adds a match, and decides what becomes of it. `None`: its event was counted before, and
    /// copies do not count. A copy is told in an open episode if nobody was told of its event.
    pub fn add(
        &mut self,
        condition: &Condition,
        found: &GroupMatch<'_>,
        watch: &WatchedTime,
    ) -> Option<Decision> {
        let is_counted = |event| !self.events.add(event, found.at);
        if !condition.counts_copies() && found.event.is_some_and(is_counted) {
            let is_told = is_open(condition, self.previous, found.at)
                && found.event.is_some_and(|event| self.events.tell(event));
            return is_told.then_some(Decision::Told);
        }
        self.count(condition, found);
        let seen = if is_open(condition, self.previous, found.at) {
            SeenMatches::Events(0)
        } else {
            self.seen(condition, found, watch)
        };
        let decision = step(condition, GroupState { previous: self.previous, seen }, found.at);
        self.note_keys(condition, found);
        self.note_told(condition, found, &decision);
        self.absent_since = None;
        self.previous = Some(PreviousMatch { at: found.at, told: decision.is_told() });
        Some(decision)
    }

    /// Notes that the absence since the last match was told.
    pub fn tell_absence(&mut self, since: Timestamp) {
        self.absent_since = Some(since);
    }

    /// The time of the last match.
    #[must_use]
    pub fn last_match(&self) -> Option<Timestamp> {
        self.previous.map(|previous| previous.at)
    }

    /// The number of events in the window of the condition that ends at `at`.
    #[must_use]
    pub fn events_in_window(&self, condition: &Condition, at: Timestamp) -> usize {
        condition.within().map_or(0, |within| self.count_events(within, at) as usize)
    }

    fn count(&mut self, condition: &Condition, found: &GroupMatch<'_>) {
        let Some(within) = condition.within().filter(|_| condition.has_episodes()) else { return };
        if let Condition::Spike(_) = condition {
            self.tally.add(slot_of(found.at));
        }
        let counts_publishers = matches!(condition, Condition::Publishers { .. });
        let publisher = if counts_publishers { found.publisher } else { "" };
        self.is_unsorted |= self.matches.back().is_some_and(|(last, _)| *last > found.at);
        self.matches.push_back((found.at, publisher.into()));
        if self.matches.len() > FORGETS_FROM {
            self.forget(within, found.at);
        }
    }

    /// Forgets the oldest matches that no window reaches any more.
    fn forget(&mut self, within: Duration, at: Timestamp) {
        let twice = within.saturating_mul(2);
        while self.matches.front().is_some_and(|(first, _)| !is_within(*first, twice, at)) {
            self.matches.pop_front();
        }
    }

    fn note_told(&mut self, condition: &Condition, found: &GroupMatch<'_>, decision: &Decision) {
        let Some(within) = condition.within().filter(|_| condition.has_episodes()) else { return };
        match (decision, found.event) {
            (Decision::Fired(_), _) => self.events.tell_window(within, found.at),
            (Decision::Told, Some(event)) => _ = self.events.tell(event),
            _ => {}
        }
    }

    fn note_keys(&mut self, condition: &Condition, found: &GroupMatch<'_>) {
        let Condition::First { key: kind, .. } = condition else { return };
        for key in found.keys {
            let key = kind.compared(key);
            match self.keys.get_mut(&*key) {
                Some(last) => *last = found.at,
                None => _ = self.keys.insert(key.into_owned(), found.at),
            }
        }
        if self.keys.len() > self.most_keys.max(FORGETS_FROM) {
            let twice = condition.within().unwrap_or_default().saturating_mul(2);
            self.keys.retain(|_, last| is_within(*last, twice, found.at));
            self.most_keys = 2 * self.keys.len();
        }
    }

    fn seen(
        &mut self,
        condition: &Condition,
        found: &GroupMatch<'_>,
        watch: &WatchedTime,
    ) -> SeenMatches {
        match condition {
            Condition::Publishers { within, .. } => {
                let mut names: Vec<String> = Vec::new();
                for (_, publisher) in self.window(*within, found.at) {
                    if !names.iter().any(|name| **name == **publisher) {
                        names.push(publisher.to_string());
                    }
                }
                SeenMatches::Publishers(names)
            }
            Condition::Events { within, .. } => {
                SeenMatches::Events(self.count_events(*within, found.at))
            }
            Condition::Spike(spike) => {
                SeenMatches::Spike(self.spike_counts(spike, found.at, watch))
            }
            Condition::First { key: kind, .. } => {
                let last = |key: &String| self.keys.get(&*kind.compared(key)).copied();
                let keys = found.keys.iter().map(|key| (key.clone(), last(key)));
                SeenMatches::Keys(keys.collect())
            }
            Condition::After { .. } => SeenMatches::Before(found.before),
            Condition::Absent(_) => SeenMatches::Absence(self.absent_since),
        }
    }

    /// The events in the window that ends at `at`, in the order in which they were recorded.
    fn window(
        &self,
        within: Duration,
        at: Timestamp,
    ) -> impl Iterator<Item = &(Timestamp, Box<str>)> {
        let found = self.matches.range(self.window_start(within, at)..);
        found.filter(move |(one, _)| *one <= at && is_within(*one, within, at))
    }

    fn count_events(&self, within: Duration, at: Timestamp) -> u32 {
        let is_last = self.matches.back().is_none_or(|(last, _)| *last <= at);
        let count = if is_last && !self.is_unsorted {
            self.matches.len() - self.window_start(within, at)
        } else {
            self.window(within, at).count()
        };
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// The place of the first match that may be in the window.
    fn window_start(&self, within: Duration, at: Timestamp) -> usize {
        let is_old = |one: &(Timestamp, Box<str>)| !is_within(one.0, within, at);
        if self.is_unsorted { 0 } else { self.matches.partition_point(is_old) }
    }

    fn spike_counts(&mut self, spike: &Spike, at: Timestamp, watch: &WatchedTime) -> SpikeCounts {
        let start = slot_of(SpikeSpan::first_start(spike, at));
        let span = SpikeSpan::new(spike, at, watch.last_watched(start));
        self.tally.forget(span.baseline.start, FORGETS_FROM);
        SpikeCounts {
            current: self.count_events(spike.within, at),
            covered: WatchedTime::known_for(span.start, at),
            baseline: self.tally.count(&span.baseline),
            watched: watch.count(&span.baseline),
            known_for: WatchedTime::known_for(watch.known_since, at),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::FirstKey;
    use super::*;

    #[test]
    fn a_long_history_is_no_larger_than_its_windows() {
        let (day, hour) = (Duration::from_hours(24), Duration::from_hours(1));
        let spike = Spike { times: 2, within: hour, against: day, least: 3 };
        let conditions = [
            Condition::Publishers { least: 9, within: hour },
            Condition::Spike(spike),
            Condition::First { key: FirstKey::Match, within: hour },
        ];
        let start = Timestamp::from_second(1_800_000_000).expect("in range");
        let watch = WatchedTime { known_since: start, slots: None };
        for condition in conditions {
            let mut history = GroupHistory::default();
            for minute in 0..100_000_i64 {
                let at = start.checked_add(SignedDuration::from_mins(minute)).expect("in range");
                let (event, keys) = (minute.unsigned_abs(), [minute.to_string()]);
                let found = GroupMatch {
                    at,
                    event: Some(event),
                    publisher: "a",
                    keys: &keys,
                    before: None,
                };
                history.add(&condition, &found, &watch).expect("a new event");
            }
            let GroupHistory { events, matches, keys, tally, .. } = &history;
            assert!(events.known.len() <= 7 * 24 * 60 + 1, "{condition}: {}", events.known.len());
            assert!(matches.len() <= FORGETS_FROM + 1, "{condition}: {}", matches.len());
            assert!(keys.len() <= 2 * FORGETS_FROM, "{condition}: {}", keys.len());
            assert!(tally.len() <= FORGETS_FROM + 1, "{condition}: {}", tally.len());
        }
    }
}
