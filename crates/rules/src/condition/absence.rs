//! When an absence is due. Pure.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date};

use super::Absent;

impl Absent {
    /// When nothing has matched for long enough, if the last match was at `last`. Time outside the
    /// hours and days that count is left out. `None` beyond the calendar.
    #[must_use]
    pub fn due(&self, last: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut rest = SignedDuration::try_from(self.longest).ok()?;
        // Hours that began on the day before may reach into this one.
        let mut date = zone.to_datetime(last).date().yesterday().ok()?;
        loop {
            let (start, end) = self.hours_of(date, zone)?;
            let start = start.max(last);
            if start < end {
                let free = end.duration_since(start);
                if free >= rest {
                    return start.checked_add(rest).ok();
                }
                rest = rest.checked_sub(free)?;
            }
            date = date.tomorrow().ok()?;
        }
    }

    /// The hours that count and begin on that date; no time at all on a day that does not count.
    fn hours_of(&self, date: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        let moment = |date: Date, time| zone.to_timestamp(date.to_datetime(time)).ok();
        let midnight = jiff::civil::Time::midnight();
        if !self.days.iter().any(|day| day.is_weekday(date.weekday())) {
            let nothing = moment(date, midnight)?;
            return Some((nothing, nothing));
        }
        let (from, to) = self.hours.unwrap_or((midnight, midnight));
        let last = if to > from { date } else { date.checked_add(1.day()).ok()? };
        Some((moment(date, from)?, moment(last, to)?))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::story::delivery::{Day, time_of_day};

    fn absent(hours: u64, from_to: Option<[&str; 2]>, days: &str) -> Absent {
        Absent {
            longest: Duration::from_hours(hours),
            hours: from_to.map(|[from, to]| {
                (time_of_day(from).expect("a time"), time_of_day(to).expect("a time"))
            }),
            days: Day::span(days).expect("days"),
        }
    }

    #[test]
    fn the_clock_stands_still_outside_the_hours_and_days_that_count() {
        let day = Some(["06:00", "22:00"]);
        for (absent, last, due) in [
            // 2027-01-15 is a Friday.
            (absent(2, None, "mon-sun"), "2027-01-15T20:30:00Z", "2027-01-15T22:30:00Z"),
            (absent(2, None, "mon-sun"), "2027-01-15T23:30:00Z", "2027-01-16T01:30:00Z"),
            (absent(2, day, "mon-sun"), "2027-01-15T10:00:00Z", "2027-01-15T12:00:00Z"),
            (absent(2, day, "mon-sun"), "2027-01-15T20:00:00Z", "2027-01-15T22:00:00Z"),
            (absent(2, day, "mon-sun"), "2027-01-15T21:00:00Z", "2027-01-16T07:00:00Z"),
            (absent(2, day, "mon-fri"), "2027-01-15T21:00:00Z", "2027-01-18T07:00:00Z"),
            (absent(2, day, "mon-fri"), "2027-01-16T12:00:00Z", "2027-01-18T08:00:00Z"),
            (
                absent(3, Some(["22:00", "02:00"]), "fri-fri"),
                "2027-01-16T00:30:00Z",
                "2027-01-22T23:30:00Z",
            ),
            (absent(40, day, "mon-fri"), "2027-01-15T06:00:00Z", "2027-01-19T14:00:00Z"),
        ] {
            let found = absent.due(last.parse().expect("a time"), &TimeZone::UTC);
            assert_eq!(found, Some(due.parse().expect("a time")), "{absent} after {last}");
        }
    }

    #[test]
    fn hours_are_those_of_the_zone() {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let absent = absent(2, Some(["06:00", "22:00"]), "mon-sun");
        let last = "2027-01-15T20:30:00Z".parse().expect("a time");
        let due = "2027-01-16T06:30:00Z".parse().expect("a time");
        assert_eq!(absent.due(last, &zone), Some(due));
    }
}
