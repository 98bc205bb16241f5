//! The hours and days (UTC) at which a feed must not be polled: `skipHours` and `skipDays`.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Hours of the day and days of the week, as bits: hours from bit 0, days from bit 24, Monday
/// first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pauses(u32);

const HOURS_OF_A_WEEK: u32 = 7 * 24;

const DAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl Pauses {
    /// The hours and days of a number from [`Pauses::bits`]. Unknown bits are dropped.
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        Self(bits & ((1 << 31) - 1))
    }

    /// A number for them; 0 if there are none.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }

    /// The end of the pause that contains `at`, on a full hour. The end of time if every hour is a
    /// pause. `None` if `at` is in no pause.
    #[must_use]
    pub fn end(self, at: Timestamp) -> Option<Timestamp> {
        if !self.holds(at) {
            return None;
        }
        let hour = at.as_second().div_euclid(3600) * 3600;
        let begun = Timestamp::from_second(hour).unwrap_or(at);
        let hours = (1..=HOURS_OF_A_WEEK)
            .map(|n| begun.saturating_add(SignedDuration::from_hours(n.into())));
        Some(hours.filter_map(Result::ok).find(|hour| !self.holds(*hour)).unwrap_or(Timestamp::MAX))
    }

    fn holds(self, at: Timestamp) -> bool {
        if self.0 == 0 {
            return false;
        }
        let there = at.to_zoned_datetime(TimeZone::UTC);
        let hour = u32::from(there.hour().unsigned_abs());
        let day = u32::from(there.weekday().to_monday_zero_offset().unsigned_abs());
        self.0 & (1 << hour | 1 << (24 + day)) != 0
    }

    /// Adds an hour from 0 to 23. 24 is midnight, as in older feeds. Other texts are ignored.
    pub(super) fn skip_hour(&mut self, text: &str) {
        if let Some(hour) = text.parse::<u32>().ok().filter(|hour| *hour <= 24) {
            self.0 |= 1 << (hour % 24);
        }
    }

    /// Adds a day by its English name. Other texts are ignored.
    pub(super) fn skip_day(&mut self, text: &str) {
        if let Some(day) = DAYS.iter().position(|day| text.eq_ignore_ascii_case(day)) {
            self.0 |= 1 << (24 + day);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pauses(hours: &[&str], days: &[&str]) -> Pauses {
        let mut pauses = Pauses::default();
        for hour in hours {
            pauses.skip_hour(hour);
        }
        for day in days {
            pauses.skip_day(day);
        }
        pauses
    }

    fn end(pauses: Pauses, at: &str) -> Option<String> {
        pauses.end(at.parse().unwrap()).map(|end| end.to_string())
    }

    #[test]
    fn a_pause_goes_on_over_hours_midnight_and_days() {
        let night = pauses(&["22", "23", "24", "1"], &[]);
        assert_eq!(end(night, "2024-05-01T21:59:59Z"), None);
        assert_eq!(end(night, "2024-05-01T22:00:00Z").as_deref(), Some("2024-05-02T02:00:00Z"));
        let weekend = pauses(&["0"], &["Saturday", "SUNDAY"]);
        assert_eq!(end(weekend, "2024-05-04T10:00:00Z").as_deref(), Some("2024-05-06T01:00:00Z"));
        assert_eq!(end(weekend, "2024-05-07T01:00:00Z"), None);
    }

    #[test]
    fn a_feed_that_is_never_to_be_asked_has_no_end_of_its_pause() {
        assert_eq!(pauses(&[], &DAYS).end(Timestamp::UNIX_EPOCH), Some(Timestamp::MAX));
    }

    proptest! {
        #[test]
        fn a_pause_ends_where_none_is_and_its_number_stands_for_it(bits: u32, second in 0_i64..4_000_000_000) {
            let (pauses, at) = (Pauses::from_bits(bits), Timestamp::from_second(second).unwrap());
            prop_assert_eq!(Pauses::from_bits(pauses.bits()), pauses);
            if let Some(end) = pauses.end(at) {
                prop_assert!(end > at);
                prop_assert!(end == Timestamp::MAX || pauses.end(end).is_none());
            }
        }
    }
}
