//! Times of day and days of the week as instants, over changes to and from summer time. Pure.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use tidings_rules::story::delivery::{Cadence, Day, QuietHours, time_of_day};

/// When the quiet hours that hold `at` end; `None` if none do.
///
/// They go from one instant to another: an hour that a change of the clock skips or repeats makes
/// them shorter or longer, and never comes twice.
#[must_use]
pub fn quiet_until(quiet: &QuietHours, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let today = at.to_zoned_datetime(zone.clone()).date();
    let nights = [today.yesterday().ok()?, today].into_iter().filter_map(|evening| {
        let morning = if quiet.from < quiet.to { evening } else { evening.tomorrow().ok()? };
        Some((instant(evening, quiet.from, zone)?, instant(morning, quiet.to, zone)?))
    });
    nights.filter(|(from, to)| *from <= at && at < *to).map(|(_, to)| to).next_back()
}

/// When a digest goes out whose first alert came at `at`.
#[must_use]
pub fn due(cadence: &Cadence, at: Timestamp, zone: &TimeZone) -> Timestamp {
    let next = match cadence {
        Cadence::Every(pause) => at.checked_add(*pause).ok(),
        Cadence::At { time, days } => {
            next_due(*time, at, zone, |date| days.iter().any(|day| day.is_weekday(date.weekday())))
        }
    };
    next.unwrap_or(Timestamp::MAX)
}

/// The instant that a person means by `text`, if it is after `now`: `08:00`, `mon 08:00`,
/// `2026-12-24 08:00`, an RFC 3339 time, or a length of time such as `3h`.
#[must_use]
pub fn until(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    let length = || now.checked_add(humantime::parse_duration(text).ok()?).ok();
    let of_day = || next_due(time_of_day(text)?, now, zone, |_| true);
    let of_week = || {
        let (day, time) = text.split_once(' ')?;
        let day = Day::named(day)?;
        next_due(time_of_day(time)?, now, zone, |date| day.is_weekday(date.weekday()))
    };
    let exact = || text.parse::<Timestamp>().ok();
    let civil = || zone.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    of_day().or_else(of_week).or_else(length).or_else(exact).or_else(civil).filter(|at| *at > now)
}

/// The first instant after `at` that is `time` on a day that `fits`.
fn next_due(
    time: Time,
    at: Timestamp,
    zone: &TimeZone,
    fits: impl Fn(Date) -> bool,
) -> Option<Timestamp> {
    let today = at.to_zoned_datetime(zone.clone()).date();
    let days =
        (0..=8).filter_map(|days| today.checked_add(days.days()).ok()).filter(|date| fits(*date));
    days.filter_map(|date| instant(date, time, zone)).find(|instant| *instant > at)
}

/// `time` on `date`: of a time that comes twice the first, in place of one that is skipped the same
/// time after the skipped hour.
fn instant(date: Date, time: Time, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_timestamp(date.to_datetime(time)).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use rstest::rstest;

    use super::*;

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").expect("a known zone")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn quiet(from: &str, to: &str) -> QuietHours {
        let time = |text| time_of_day(text).expect("a time");
        QuietHours { from: time(from), to: time(to), except: BTreeSet::new() }
    }

    /// In 2026, summer time in Berlin begins at 2026-03-29T01:00:00Z (02:00 becomes 03:00) and ends
    /// at 2026-10-25T01:00:00Z (03:00 becomes 02:00).
    #[rstest]
    #[case::evening("22:00", "07:00", "2026-03-11T21:00:00Z", Some("2026-03-12T06:00:00Z"))]
    #[case::morning("22:00", "07:00", "2026-03-12T05:59:59Z", Some("2026-03-12T06:00:00Z"))]
    #[case::over("22:00", "07:00", "2026-03-12T06:00:00Z", None)]
    #[case::before("22:00", "07:00", "2026-03-12T20:59:59Z", None)]
    #[case::within_a_day("12:00", "13:30", "2026-03-12T12:29:00Z", Some("2026-03-12T12:30:00Z"))]
    #[case::not_yet("12:00", "13:30", "2026-03-12T10:59:59Z", None)]
    #[case::short_night("22:00", "07:00", "2026-03-28T23:00:00Z", Some("2026-03-29T05:00:00Z"))]
    #[case::long_night("22:00", "07:00", "2026-10-24T22:00:00Z", Some("2026-10-25T06:00:00Z"))]
    #[case::ends_in_the_skipped_hour(
        "22:00",
        "02:30",
        "2026-03-29T00:59:00Z",
        Some("2026-03-29T01:30:00Z")
    )]
    #[case::begins_in_the_skipped_hour(
        "02:30",
        "07:00",
        "2026-03-29T01:30:00Z",
        Some("2026-03-29T05:00:00Z")
    )]
    #[case::ends_in_the_repeated_hour(
        "22:00",
        "02:30",
        "2026-10-25T00:29:00Z",
        Some("2026-10-25T00:30:00Z")
    )]
    #[case::does_not_begin_again("22:00", "02:30", "2026-10-25T01:10:00Z", None)]
    #[case::begins_in_the_repeated_hour(
        "02:30",
        "07:00",
        "2026-10-25T01:10:00Z",
        Some("2026-10-25T06:00:00Z")
    )]
    fn quiet_hours_go_from_one_instant_to_another(
        #[case] from: &str,
        #[case] to: &str,
        #[case] now: &str,
        #[case] end: Option<&str>,
    ) {
        assert_eq!(quiet_until(&quiet(from, to), at(now), &berlin()), end.map(at));
    }

    #[rstest]
    #[case::today("08:00", "mon-fri", "2026-03-12T06:59:00Z", "2026-03-12T07:00:00Z")]
    #[case::not_now("08:00", "mon-fri", "2026-03-12T07:00:00Z", "2026-03-13T07:00:00Z")]
    #[case::over_the_weekend("08:00", "mon-fri", "2026-03-13T07:00:00Z", "2026-03-16T07:00:00Z")]
    #[case::a_week_on("08:00", "thu", "2026-03-12T07:00:00Z", "2026-03-19T07:00:00Z")]
    #[case::into_summer("08:00", "sun", "2026-03-28T12:00:00Z", "2026-03-29T06:00:00Z")]
    #[case::out_of_summer("08:00", "sun", "2026-10-24T12:00:00Z", "2026-10-25T07:00:00Z")]
    #[case::in_the_skipped_hour("02:30", "sun", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z")]
    #[case::in_the_repeated_hour_once(
        "02:30",
        "mon-sun",
        "2026-10-25T00:30:00Z",
        "2026-10-26T01:30:00Z"
    )]
    fn a_daily_digest_goes_out_at_its_time(
        #[case] time: &str,
        #[case] days: &str,
        #[case] now: &str,
        #[case] expected: &str,
    ) {
        let (time, days) = (time_of_day(time).expect("a time"), Day::span(days).expect("days"));
        assert_eq!(due(&Cadence::At { time, days }, at(now), &berlin()), at(expected));
    }

    #[test]
    fn an_hourly_digest_goes_out_an_hour_after_its_first_alert_whatever_the_clocks_do() {
        let hourly = Cadence::Every(Duration::from_hours(1));
        assert_eq!(due(&hourly, at("2026-03-29T00:30:00Z"), &berlin()), at("2026-03-29T01:30:00Z"));
    }

    #[rstest]
    #[case("08:00", Some("2026-03-28T07:00:00Z"))]
    #[case("mon 08:00", Some("2026-03-30T06:00:00Z"))]
    #[case("Fri 9:30", Some("2026-04-03T07:30:00Z"))]
    #[case("3h", Some("2026-03-27T15:00:00Z"))]
    #[case("2 days", Some("2026-03-29T12:00:00Z"))]
    #[case("2026-12-24 08:00", Some("2026-12-24T07:00:00Z"))]
    #[case("2026-12-24T08:00:00Z", Some("2026-12-24T08:00:00Z"))]
    #[case("2026-03-01 08:00", None)]
    #[case("soon", None)]
    #[case("0s", None)]
    fn an_end_is_written_as_people_write_it(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(until(text, at("2026-03-27T12:00:00Z"), &berlin()), expected.map(at));
    }
}
