//! Times and durations in words.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Units and their lengths in seconds, each with the next smaller one.
const UNITS: [(u64, &str, u64, &str); 3] =
    [(24 * 3600, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")];

/// A duration in its two largest units, rounded.
pub(super) fn duration_in_words(duration: Duration) -> String {
    let seconds = duration.saturating_add(Duration::from_millis(500)).as_secs();
    for (unit, name, smaller, smaller_name) in UNITS {
        let rounded = seconds.saturating_add(smaller / 2) / smaller * smaller;
        let (whole, rest) = (rounded / unit, rounded % unit / smaller);
        match (whole, rest) {
            (0, _) => {}
            (_, 0) => return format!("{whole} {name}"),
            _ => return format!("{whole} {name} {rest} {smaller_name}"),
        }
    }
    if seconds == 0 { "less than a second".to_owned() } else { format!("{seconds} s") }
}

/// A time as weekday and hour in UTC, because feeds state their pauses so.
pub(super) fn day_and_hour(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::UTC).strftime("%a %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_moments_are_said_shortly() {
        let said = [0, 59, 60, 61, 5400, 7199, 86_399, 86_400 + 7200 + 60]
            .map(|seconds| duration_in_words(Duration::from_secs(seconds)));
        let expected = [
            "less than a second",
            "59 s",
            "1 min",
            "1 min 1 s",
            "1 h 30 min",
            "2 h",
            "1 d",
            "1 d 2 h",
        ];
        assert_eq!(said, expected);
        assert_eq!(duration_in_words(Duration::from_millis(59_999)), "1 min");
        assert_eq!(duration_in_words(Duration::MAX), "213503982334601 d 7 h");
        assert_eq!(day_and_hour("2024-05-01T06:00:00Z".parse().unwrap()), "Wed 06:00 UTC");
    }
}
