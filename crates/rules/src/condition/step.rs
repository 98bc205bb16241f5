//! Decides whether a match is held or told. Pure.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::publishers::different;
use super::spike::SpikeCounts;
use super::{Condition, FirstKey, events};
use crate::story::WatchlistRow;

/// What is known of a group when a match of it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupState {
    /// The match before, by the order in which matches were recorded.
    pub previous: Option<PreviousMatch>,
    /// What the condition looks at.
    pub seen: SeenMatches,
}

/// The match before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreviousMatch {
    /// Its time.
    pub at: Timestamp,
    /// Whether it was told when it was recorded.
    pub told: bool,
}

/// What a condition looks at. Each kind of condition has its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeenMatches {
    /// The publishers of the events in the window, the new one too, in the order in which they
    /// were first written.
    Publishers(Vec<String>),
    /// The number of events in the window, the new one too.
    Events(u32),
    /// The events in the window and in the baseline.
    Spike(SpikeCounts),
    /// The keys of the match, each with the last match before that had it.
    Keys(Vec<(String, Option<Timestamp>)>),
    /// The last match of the other rule in the window.
    Before(Option<Timestamp>),
    /// Since when an absence that was told lasts. `None`: none was told.
    Absence(Option<Timestamp>),
}

/// What becomes of a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is recorded and told to nobody, unless a later match fires.
    Held(ConditionProgress),
    /// The condition is met. The match is told with all that are held in the window.
    Fired(ConditionProgress),
    /// The condition was met before, and the match is told by itself.
    Told,
}

impl Decision {
    /// Whether the match is told.
    #[must_use]
    pub fn is_told(&self) -> bool {
        !matches!(self, Self::Held(_))
    }
}

/// How far a condition is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConditionProgress {
    /// So many publishers, in the order of their names, of as many as are needed.
    Publishers(Vec<String>, u32),
    /// So many events of as many as are needed.
    Events(u32, u32),
    /// The events in the window, and the usual number.
    Spike(SpikeCounts, u32),
    /// The baseline is not known yet.
    Learning,
    /// The keys that are new.
    New(FirstKey, Vec<String>),
    /// None of the keys is new.
    Known(FirstKey, Vec<String>),
    /// The time of the other rule's match. `None`: it has none.
    After(String, Option<Timestamp>),
    /// A match after an absence since that time.
    Present(Timestamp),
    /// A match without an absence.
    NotAbsent,
}

/// Decides what becomes of a match of the time `at`. `state` has what [`SeenMatches`] says for this
/// kind of condition; for another kind the match is held.
#[must_use]
pub fn step(condition: &Condition, state: GroupState, at: Timestamp) -> Decision {
    if is_open(condition, state.previous, at) {
        return Decision::Told;
    }
    let (is_met, progress) = match (condition, state.seen) {
        (Condition::Publishers { least, .. }, SeenMatches::Publishers(names)) => {
            let mut names = different(names);
            names.sort_unstable();
            (names.len() >= *least as usize, ConditionProgress::Publishers(names, *least))
        }
        (Condition::Events { least, .. }, SeenMatches::Events(count)) => {
            (count >= *least, ConditionProgress::Events(count, *least))
        }
        (Condition::Spike(spike), SeenMatches::Spike(counts)) => match counts.is_spike(spike) {
            Some(is_met) => (is_met, ConditionProgress::Spike(counts, spike.least)),
            None => (false, ConditionProgress::Learning),
        },
        (Condition::First { key, within }, SeenMatches::Keys(keys)) => {
            first(*key, keys, *within, at)
        }
        (Condition::After { rule, .. }, SeenMatches::Before(before)) => {
            (before.is_some(), ConditionProgress::After(rule.clone(), before))
        }
        (Condition::Absent(_), SeenMatches::Absence(Some(since))) => {
            (true, ConditionProgress::Present(since))
        }
        _ => (false, ConditionProgress::NotAbsent),
    };
    if is_met { Decision::Fired(progress) } else { Decision::Held(progress) }
}

/// Whether an episode of the group is open at that time: the match before was told, and stands in
/// the window.
#[must_use]
pub fn is_open(condition: &Condition, previous: Option<PreviousMatch>, at: Timestamp) -> bool {
    let Some(within) = condition.within().filter(|_| condition.has_episodes()) else {
        return false;
    };
    previous.is_some_and(|previous| previous.told && is_within(previous.at, within, at))
}

/// Whether `earlier` is later than `at - within`.
pub(super) fn is_within(earlier: Timestamp, within: std::time::Duration, at: Timestamp) -> bool {
    let within = SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX);
    at.duration_since(earlier) < within
}

/// Whether a key has no match of the last `within`, with the keys that are new, or all.
fn first(
    key: FirstKey,
    keys: Vec<(String, Option<Timestamp>)>,
    within: std::time::Duration,
    at: Timestamp,
) -> (bool, ConditionProgress) {
    let within = SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX);
    let is_new = |last: Option<Timestamp>| last.is_none_or(|last| at.duration_since(last) > within);
    let (new, known): (Vec<_>, Vec<_>) = keys.into_iter().partition(|(_, last)| is_new(*last));
    let names = |keys: Vec<(String, _)>| keys.into_iter().map(|(key, _)| key).collect();
    if new.is_empty() {
        return (false, ConditionProgress::Known(key, names(known)));
    }
    (true, ConditionProgress::New(key, names(new)))
}

impl ConditionProgress {
    /// The same, where `first: row` names the row as people read it, not by its id alone.
    #[must_use]
    pub fn with_row(self, row: Option<&WatchlistRow>) -> Self {
        match (self, row) {
            (Self::New(FirstKey::Row, _), Some(row)) => {
                Self::New(FirstKey::Row, vec![row.to_string()])
            }
            (Self::Known(FirstKey::Row, _), Some(row)) => {
                Self::Known(FirstKey::Row, vec![row.to_string()])
            }
            (progress, _) => progress,
        }
    }
}

/// The most names that are shown.
const MOST_NAMES: usize = 10;

/// Names with commas between them, and how many more there are.
struct ShownNames<'n>(&'n [String]);

impl fmt::Display for ShownNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0[..self.0.len().min(MOST_NAMES)];
        f.write_str(&shown.join(", "))?;
        match self.0.len() - shown.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl fmt::Display for ConditionProgress {
    /// How far the condition is met, such as `2 of 3 publishers: afp.com, yna.co.kr`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Publishers(names, least) if names.len() >= *least as usize => {
                write!(f, "{} publishers: {}", names.len(), ShownNames(names))
            }
            Self::Publishers(names, least) if names.is_empty() => {
                write!(f, "0 of {least} publishers")
            }
            Self::Publishers(names, least) => {
                write!(f, "{} of {least} publishers: {}", names.len(), ShownNames(names))
            }
            Self::Events(count, least) if count >= least => write!(f, "{count} events"),
            Self::Events(count, least) => write!(f, "{count} of {least} events"),
            Self::Spike(counts, least) => {
                let (current, usual) = (counts.current, counts.usual());
                if current < *least {
                    write!(f, "{current} of ")?;
                }
                write!(f, "{}, {usual:.1} are usual in that time", events(current.max(*least)))
            }
            Self::Learning => f.write_str("the usual rate is not known yet"),
            Self::New(key, keys) => write!(f, "new {}: {}", key.as_str(), ShownNames(keys)),
            Self::Known(key, keys) if keys.is_empty() => write!(f, "no {}", key.as_str()),
            Self::Known(key, keys) => write!(f, "known {}: {}", key.as_str(), ShownNames(keys)),
            Self::After(rule, None) => write!(f, "no match of {rule} before"),
            Self::After(rule, Some(at)) => {
                write!(f, "{rule} matched at {}", at.strftime("%Y-%m-%d %H:%M UTC"))
            }
            Self::Present(since) => {
                write!(f, "the first match since {}", since.strftime("%Y-%m-%d %H:%M UTC"))
            }
            Self::NotAbsent => f.write_str("no absence before it"),
        }
    }
}
