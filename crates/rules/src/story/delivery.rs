//! When and how often alerts are sent: what rules and notifiers say of it.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::{Time, Weekday};

use crate::story::Severity;

/// A rule's `burst`: so many alerts at once, then digests until no more come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Burst {
    /// Alerts of a burst that are sent at once.
    pub first: u32,
    /// How long each digest collects alerts. After as long without an alert the burst is over.
    pub then: Duration,
}

/// When a digest goes out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cadence {
    /// So long after its first alert.
    Every(Duration),
    /// At a time of day.
    At {
        /// The time, in the configuration's zone.
        time: Time,
        /// The days; at least one.
        days: BTreeSet<Day>,
    },
}

/// A day of the week, Monday first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i8);

impl Day {
    /// The day of that name, in three letters: `mon`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let index = names.iter().position(|day| *day == name.to_ascii_lowercase())?;
        i8::try_from(index).ok().map(Self)
    }

    /// Every day.
    #[must_use]
    pub fn all() -> BTreeSet<Self> {
        (0..7).map(Self).collect()
    }

    /// The days of a span such as `mon-fri` or `sat-mon`, or of a single name.
    #[must_use]
    pub fn span(text: &str) -> Option<BTreeSet<Self>> {
        let Some((first, last)) = text.split_once('-') else {
            return Some([Self::named(text.trim())?].into());
        };
        let (first, last) = (Self::named(first.trim())?, Self::named(last.trim())?);
        Some(
            (0..=(last.0 - first.0).rem_euclid(7)).map(|step| Self((first.0 + step) % 7)).collect(),
        )
    }

    /// Whether it is that weekday.
    #[must_use]
    pub fn is_weekday(self, weekday: Weekday) -> bool {
        self.0 == weekday.to_monday_zero_offset()
    }
}

/// A notifier's `quiet`: hours in which it sends nothing and collects a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// When it begins.
    pub from: Time,
    /// When it ends, on the next day if that is not after `from`; never the same.
    pub to: Time,
    /// Severities that are sent at any hour.
    pub except: BTreeSet<Severity>,
}

/// A notifier's `limit`: so many messages to a receiver; further alerts are collected in a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// How many; at least one.
    pub most: u32,
    /// In any time as long as this.
    pub per: Duration,
}

/// When and how often a notifier may send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryPolicy {
    /// The hours in which it sends nothing.
    pub quiet: Option<QuietHours>,
    /// How much it may send.
    pub limit: Option<RateLimit>,
}

/// A time of day as people write it: `22:00`.
#[must_use]
pub fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |text: &str| text.parse::<i8>().ok().filter(|_| matches!(text.len(), 1 | 2));
    Time::new(number(hour)?, number(minute).filter(|_| minute.len() == 2)?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(days: &[&str]) -> Option<BTreeSet<Day>> {
        days.iter().map(|day| Day::named(day)).collect()
    }

    #[test]
    fn days_are_named_alone_or_as_a_span_that_may_go_over_sunday() {
        assert_eq!(Day::span("mon-fri"), named(&["mon", "tue", "wed", "thu", "fri"]));
        assert_eq!(Day::span("Sat-mon"), named(&["mon", "sat", "sun"]));
        assert_eq!(Day::span("sun"), named(&["sun"]));
        assert_eq!(Day::span("tue-tue"), named(&["tue"]));
        for text in ["", "monday", "mon-", "mon-fry"] {
            assert_eq!(Day::span(text), None, "{text}");
        }
        assert!(
            Day::named("sun").is_some_and(
                |day| day.is_weekday(Weekday::Sunday) && !day.is_weekday(Weekday::Monday)
            )
        );
    }

    #[test]
    fn times_of_day_have_hours_and_two_digits_of_minutes() {
        assert_eq!(time_of_day("7:05"), Time::new(7, 5, 0, 0).ok());
        for text in ["24:00", "7", "07:5", "07:60", "-1:00", "+1:00x", "07:05:09"] {
            assert_eq!(time_of_day(text), None, "{text}");
        }
    }
}
