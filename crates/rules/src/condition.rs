//! When the matches of a rule are told: at once, or when many stories together meet a condition.

mod absence;
mod history;
#[cfg(test)]
mod oracle;
mod publishers;
mod slots;
mod spike;
mod step;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use jiff::civil::Time;

use crate::story::delivery::Day;

pub use history::{GroupHistory, GroupMatch};
pub use publishers::{Publishers, Sighting, is_public_suffix, publisher_key};
pub use spike::{SLOT, SpikeCounts, SpikeSpan, WatchedTime, slot_of};
pub use step::{
    ConditionProgress, Decision, GroupState, PreviousMatch, SeenMatches, is_open, step,
};

/// The condition of a rule over its matches: its `tell` or its `absent`. It holds for each group,
/// which is a rule, or a row of a rule with `each`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// So many publishers have it.
    Publishers {
        /// The least number of publishers, at least 2.
        least: u32,
        /// The length of the window.
        within: Duration,
    },
    /// So many events match.
    Events {
        /// The least number of events, at least 2.
        least: u32,
        /// The length of the window.
        within: Duration,
    },
    /// Many more events match than usual.
    Spike(Spike),
    /// Something is new.
    First {
        /// What is new.
        key: FirstKey,
        /// The time for which it was not seen.
        within: Duration,
    },
    /// Another rule matched before.
    After {
        /// The name of the other rule.
        rule: String,
        /// The longest time between both matches.
        within: Duration,
        /// Whether only a match of the same row counts: both rules have `each` of one list.
        same_row: bool,
    },
    /// Nothing matches.
    Absent(Absent),
}

/// A rate that is compared with the rate of the time before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Spike {
    /// How many times as many events are a spike, at least 2.
    pub times: u32,
    /// The length of the window.
    pub within: Duration,
    /// The length of the baseline before the window, a multiple of [`SLOT`].
    pub against: Duration,
    /// The least number of events, at least 1.
    pub least: u32,
}

/// What `first` looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FirstKey {
    /// The row of the watchlist.
    Row,
    /// The publisher of the event.
    Source,
    /// An author of the story.
    Author,
    /// A tag of the story.
    Tag,
    /// The text that a pattern or a wildcard matched.
    Match,
}

/// A time without matches that is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Absent {
    /// How long nothing matches, in hours that count.
    pub longest: Duration,
    /// The hours that count, in the configuration's time zone: the start, and the end, which is on
    /// the next day if it is not later. `None`: all hours.
    pub hours: Option<(Time, Time)>,
    /// The days that count. Never empty.
    pub days: BTreeSet<Day>,
}

impl FirstKey {
    /// Every key, in the order of the guide.
    pub const ALL: [Self; 5] = [Self::Match, Self::Row, Self::Source, Self::Author, Self::Tag];

    /// The word in rules.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::Source => "source",
            Self::Author => "author",
            Self::Tag => "tag",
            Self::Match => "match",
        }
    }

    /// What a key of this kind is compared by. The name of a publisher is a key as it is written;
    /// other keys are folded.
    #[must_use]
    pub fn compared(self, key: &str) -> Cow<'_, str> {
        match self {
            Self::Source => Cow::Owned(publisher_key(key)),
            Self::Row | Self::Author | Self::Tag | Self::Match => Cow::Borrowed(key),
        }
    }
}

impl Condition {
    /// The length of its window. `None`: it has none.
    #[must_use]
    pub fn within(&self) -> Option<Duration> {
        match self {
            Self::Publishers { within, .. }
            | Self::Events { within, .. }
            | Self::First { within, .. }
            | Self::After { within, .. } => Some(*within),
            Self::Spike(spike) => Some(spike.within),
            Self::Absent(_) => None,
        }
    }

    /// Whether a copy counts of an event that has matched before: it shows that there is something,
    /// and ends an absence.
    #[must_use]
    pub fn counts_copies(&self) -> bool {
        matches!(self, Self::Absent(_))
    }

    /// Whether matches are told one by one from the first message on, until the window passes
    /// without a match.
    #[must_use]
    pub fn has_episodes(&self) -> bool {
        matches!(self, Self::Publishers { .. } | Self::Events { .. } | Self::Spike(_))
    }
}

impl fmt::Display for Condition {
    /// The condition in words, such as `3 publishers within 6h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |time: &Duration| written_time(*time);
        match self {
            Self::Publishers { least, within } => {
                write!(f, "{least} publishers within {}", time(within))
            }
            Self::Events { least, within } => write!(f, "{least} events within {}", time(within)),
            Self::Spike(Spike { times, within, against, least }) => write!(
                f,
                "{times} times the usual rate within {}, against {}, at least {}",
                time(within),
                time(against),
                events(*least)
            ),
            Self::First { key, within } => {
                write!(f, "first {} in {}", key.as_str(), time(within))
            }
            Self::After { rule, within, .. } => write!(f, "after {rule}, within {}", time(within)),
            Self::Absent(absent) => absent.fmt(f),
        }
    }
}

impl fmt::Display for Absent {
    /// The condition in words, such as `no match for 2h from 06:00 to 22:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no match for {}", written_time(self.longest))?;
        if let Some((from, to)) = self.hours {
            write!(f, " from {} to {}", from.strftime("%H:%M"), to.strftime("%H:%M"))?;
        }
        if self.days != Day::all() {
            let names: Vec<&str> = self.days.iter().map(|day| day.name()).collect();
            write!(f, " on {}", names.join(", "))?;
        }
        Ok(())
    }
}

/// So many events in words.
fn events(count: u32) -> String {
    if count == 1 { "1 event".to_owned() } else { format!("{count} events") }
}

/// A length of time as rule files write it: `90d`, `1h 30m`. Nothing is longer than a day in it,
/// because a month is not a whole number of days.
pub(crate) fn written_time(time: Duration) -> String {
    if time.is_zero() || time.subsec_nanos() != 0 {
        return humantime::format_duration(time).to_string();
    }
    let seconds = time.as_secs();
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let written = parts.into_iter().filter(|(count, _)| *count > 0);
    written.map(|(count, unit)| format!("{count}{unit}")).collect::<Vec<_>>().join(" ")
}
