//! Times: parsed from a day, a time or an age, and formatted for people.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// The edge of a day that is meant if only a day is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Its first moment.
    Start,
    /// The first moment after it.
    End,
}

/// Parses `text`, in `zone` unless it names its own. The error says why it is not a time.
pub fn parse_moment(
    text: &str,
    edge: Edge,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Timestamp, String> {
    let text = text.trim();
    let beyond = |_| format!("`{text}` is beyond the calendar");
    if let Ok(age) = humantime::parse_duration(text) {
        return now.checked_sub(age).map_err(beyond);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let named: DateTime = text.parse().map_err(|_| format!("`{text}` is not a time"))?;
    let is_day = !text.contains(':');
    let after = if is_day && edge == Edge::End { 1.day() } else { 0.days() };
    let local = named.checked_add(after).map_err(beyond)?;
    local.to_zoned_datetime(zone.clone()).map(|at| at.timestamp()).map_err(beyond)
}

/// `at` for tables about months and years.
#[must_use]
pub fn day_and_minute(at: Timestamp, zone: &TimeZone) -> String {
    show(at, zone, "%Y-%m-%d %H:%M %Z")
}

/// `at` for tables about the current days.
#[must_use]
pub fn short_date(at: Timestamp, zone: &TimeZone) -> String {
    show(at, zone, "%d %b %H:%M %Z")
}

/// `at` for sentences.
#[must_use]
pub fn long_date(at: Timestamp, zone: &TimeZone) -> String {
    show(at, zone, "%a %-d %b %Y, %H:%M %Z")
}

/// `at` to the millisecond.
#[must_use]
pub fn exact_time(at: Timestamp, zone: &TimeZone) -> String {
    show(at, zone, "%Y-%m-%d %H:%M:%S%.3f %Z")
}

fn show(at: Timestamp, zone: &TimeZone, form: &str) -> String {
    at.to_zoned_datetime(zone.clone()).strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("30d", Edge::Start, "2026-10-25T09:00:00Z")]
    #[case("12h", Edge::End, "2026-11-23T21:00:00Z")]
    #[case("2026-11-01", Edge::Start, "2026-10-31T23:00:00Z")]
    #[case("2026-11-01", Edge::End, "2026-11-01T23:00:00Z")]
    #[case(" 2026-11-01 08:30 ", Edge::End, "2026-11-01T07:30:00Z")]
    #[case("2026-11-01T08:30", Edge::Start, "2026-11-01T07:30:00Z")]
    #[case("2026-11-01T08:30:00+09:00", Edge::Start, "2026-10-31T23:30:00Z")]
    // The day on which clocks are put back has 25 hours.
    #[case("2026-10-25", Edge::Start, "2026-10-24T22:00:00Z")]
    #[case("2026-10-25", Edge::End, "2026-10-25T23:00:00Z")]
    fn people_name_moments_in_their_own_zone(
        #[case] text: &str,
        #[case] edge: Edge,
        #[case] expected: &str,
    ) {
        let (now, zone) =
            ("2026-11-24T09:00:00Z".parse().unwrap(), TimeZone::get("Europe/Berlin").unwrap());
        assert_eq!(parse_moment(text, edge, now, &zone), Ok(expected.parse().unwrap()));
    }

    #[test]
    fn every_time_carries_its_zone() {
        let at = "2026-07-01T12:00:00.25Z".parse().unwrap();
        for (zone, name) in [("Europe/Berlin", " CEST"), ("America/Sao_Paulo", " -03")] {
            let zone = TimeZone::get(zone).unwrap();
            for show in [day_and_minute, short_date, long_date, exact_time] {
                assert!(show(at, &zone).ends_with(name), "{}", show(at, &zone));
            }
        }
    }

    #[rstest]
    #[case("yesterday")]
    #[case("2026-13-01")]
    #[case("")]
    #[case("100000000y")]
    fn what_names_none_is_refused(#[case] text: &str) {
        let now = "2026-11-24T09:00:00Z".parse().unwrap();
        assert!(
            parse_moment(text, Edge::End, now, &TimeZone::UTC)
                .unwrap_err()
                .starts_with(&format!("`{text}` is "))
        );
    }
}
