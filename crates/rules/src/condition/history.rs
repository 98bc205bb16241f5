//! The matches of one group in memory, for examples and backtests.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::spike::{SpikeCounts, SpikeSpan, WatchedTime, slot_of};
use super::step::{GroupState, PreviousMatch, Seen, is_within};
use super::{Condition, Decision, Spike, step};

/// The number of matches from which those are forgotten that no window reaches.
const FORGETS_FROM: usize = 4096;

/// A match of a group.
#[derive(Clone, Copy, Debug)]
pub struct GroupMatch<'m> {
    /// Its time.
    pub at: Timestamp,
    /// Its event. `None`: an event of its own.
    pub event: Option<&'m str>,
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
    events: HashSet<String>,
    /// The times and publishers of events, in the order in which they were recorded.
    matches: VecDeque<(Timestamp, String)>,
    /// The last match of each key.
    keys: HashMap<String, Timestamp>,
    /// The events of each slot.
    tally: BTreeMap<i64, u32>,
    /// Since when an absence lasts that was told.
    absent_since: Option<Timestamp>,
}

impl GroupHistory {
    /// Adds a match, and decides what becomes of it. `None`: its event was counted before.
    pub fn add(
        &mut self,
        condition: &Condition,
        found: &GroupMatch<'_>,
        watch: &WatchedTime,
    ) -> Option<Decision> {
        if found.event.is_some_and(|event| !self.events.insert(event.to_owned())) {
            return None;
        }
        self.count(condition, found);
        let state =
            GroupState { previous: self.previous, seen: self.seen(condition, found, watch) };
        let decision = step(condition, state, found.at);
        for key in found.keys {
            self.keys.insert(key.clone(), found.at);
        }
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

    fn count(&mut self, condition: &Condition, found: &GroupMatch<'_>) {
        let Some(within) = condition.within() else { return };
        if !condition.has_episodes() {
            return;
        }
        if let Condition::Spike(_) = condition {
            *self.tally.entry(slot_of(found.at)).or_default() += 1;
        }
        self.matches.push_back((found.at, found.publisher.to_owned()));
        if self.matches.len() >= FORGETS_FROM {
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

    fn seen(&self, condition: &Condition, found: &GroupMatch<'_>, watch: &WatchedTime) -> Seen {
        match condition {
            Condition::Publishers { within, .. } => {
                let mut names: Vec<String> = Vec::new();
                for (_, publisher) in self.window(*within, found.at) {
                    if !names.contains(publisher) {
                        names.push(publisher.clone());
                    }
                }
                Seen::Publishers(names)
            }
            Condition::Events { within, .. } => Seen::Events(self.count_events(*within, found.at)),
            Condition::Spike(spike) => Seen::Spike(self.spike_counts(spike, found.at, watch)),
            Condition::First { .. } => {
                let keys = found.keys.iter();
                Seen::Keys(keys.map(|key| (key.clone(), self.keys.get(key).copied())).collect())
            }
            Condition::After { .. } => Seen::Before(found.before),
            Condition::Absent(_) => Seen::Absence(self.absent_since),
        }
    }

    /// The events in the window that ends at `at`, in the order in which they were recorded.
    fn window(
        &self,
        within: Duration,
        at: Timestamp,
    ) -> impl Iterator<Item = &(Timestamp, String)> {
        self.matches.iter().filter(move |(one, _)| *one <= at && is_within(*one, within, at))
    }

    fn count_events(&self, within: Duration, at: Timestamp) -> u32 {
        u32::try_from(self.window(within, at).count()).unwrap_or(u32::MAX)
    }

    fn spike_counts(&self, spike: &Spike, at: Timestamp, watch: &WatchedTime) -> SpikeCounts {
        let start = slot_of(SpikeSpan::first_start(spike, at));
        let span = SpikeSpan::new(spike, at, watch.last_watched(start));
        let baseline = self.tally.range(span.baseline.clone());
        SpikeCounts {
            current: self.count_events(spike.within, at),
            covered: WatchedTime::known_for(span.start, at),
            baseline: baseline.map(|(_, events)| u64::from(*events)).sum(),
            watched: watch.count(&span.baseline),
            known_for: WatchedTime::known_for(watch.known_since, at),
        }
    }
}
