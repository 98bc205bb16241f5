//! Times and durations as people say them.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

const UNITS: [(&str, u64); 4] = [("d", 24 * 3600), ("h", 3600), ("min", 60), ("s", 1)];

/// A duration in its two largest units.
pub(super) fn words(duration: Duration) -> String {
    let mut left = duration.as_secs();
    let mut parts = Vec::new();
    for (name, unit) in UNITS {
        let count = left / unit;
        left %= unit;
        if count > 0 && parts.len() < 2 {
            parts.push(format!("{count} {name}"));
        }
    }
    if parts.is_empty() { "less than a second".to_owned() } else { parts.join(" ") }
}

/// A moment by day and hour, in UTC, as feeds name their pauses.
pub(super) fn moment(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::UTC).strftime("%a %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_moments_are_said_shortly() {
        let said = [0, 59, 60, 5400, 86_400 + 7200 + 60].map(|seconds| words(Duration::from_secs(seconds)));
        assert_eq!(said, ["less than a second", "59 s", "1 min", "1 h 30 min", "1 d 2 h"]);
        assert_eq!(moment("2024-05-01T06:00:00Z".parse().unwrap()), "Wed 06:00 UTC");
    }
}
