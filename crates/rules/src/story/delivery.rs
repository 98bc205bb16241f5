//! When and how often rules and notifiers send alerts.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::{Time, Weekday};

use crate::story::Severity;

/// A rule's `burst`: some alerts at once, then digests until no more come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Burst {
    /// The number of alerts of a burst that are sent at once, from 1 to 1000.
    pub first: u32,
    /// How long each digest gathers alerts. The burst ends after as long without an alert.
    pub then: Duration,
}

/// When a digest is sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cadence {
    /// This time after its first alert.
    Every(Duration),
    /// At a time of day.
    At {
        /// The time, in the configuration's time zone.
        time: Time,
        /// The days of the week. Never empty.
        days: BTreeSet<Day>,
    },
}

/// The names of the days, from Monday on.
const DAY_NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A day of the week. The order begins with Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i8);

impl Day {
    /// The day with this name of three lower-case letters, such as `mon`; `None` for other names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let index = DAY_NAMES.iter().position(|day| *day == name.to_ascii_lowercase())?;
        i8::try_from(index).ok().map(Self)
    }

    /// Its name of three lower-case letters.
    #[must_use]
    pub fn name(self) -> &'static str {
        DAY_NAMES[usize::try_from(self.0).unwrap_or_default() % DAY_NAMES.len()]
    }

    /// Every day.
    #[must_use]
    pub fn all() -> BTreeSet<Self> {
        (0..7).map(Self).collect()
    }

    /// The days of a span such as `mon-fri` or `sat-mon`, or of a single name. `None` for other
    /// texts.
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

/// A notifier's `quiet`: hours in which alerts are gathered into a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// The start.
    pub from: Time,
    /// The end, on the next day if it is not after `from`. It is never equal to `from`.
    pub to: Time,
    /// Severities that are sent at once in quiet hours, too.
    pub except: BTreeSet<Severity>,
}

/// A notifier's `limit`: the most messages for one receiver. Further alerts are gathered into a
/// digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The number of messages, at least one.
    pub most: u32,
    /// The period. No period of this length has more messages.
    pub per: Duration,
}

/// When and how often a notifier sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryPolicy {
    /// The hours in which it gathers alerts.
    pub quiet: Option<QuietHours>,
    /// The most messages that it sends.
    pub limit: Option<RateLimit>,
}

/// Parses a time of day such as `22:00`. `None` for other forms.
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
