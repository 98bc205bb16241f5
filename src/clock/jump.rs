//! Detects a jump of the wall clock between two readings. Pure.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The largest difference between wall clock and steady clock that is not a jump.
const DRIFT: SignedDuration = SignedDuration::from_secs(5);

/// Both clocks, read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The time of the wall clock.
    pub wall: Timestamp,
    /// The time since a fixed moment, by a clock that is never set. It stops while the machine is
    /// suspended.
    pub steady: Duration,
}

/// A movement of the wall clock beyond the time that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Jump {
    /// It was set forward, or the machine was suspended.
    Forward(Duration),
    /// It was set back.
    Back(Duration),
}

impl fmt::Display for Jump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written =
            |length: &Duration| humantime::format_duration(Duration::from_secs(length.as_secs()));
        match self {
            Self::Forward(length) => {
                write!(f, "forward by {}, or the machine was suspended", written(length))
            }
            Self::Back(length) => write!(f, "back by {}", written(length)),
        }
    }
}

/// The jump of the wall clock between two readings, if there was one.
pub(crate) fn jump(before: Reading, now: Reading) -> Option<Jump> {
    let passed = SignedDuration::try_from(now.steady.saturating_sub(before.steady))
        .unwrap_or(SignedDuration::MAX);
    let moved = now.wall.duration_since(before.wall);
    let beyond = moved.checked_sub(passed)?;
    if beyond.abs() <= DRIFT {
        return None;
    }
    let length = beyond.unsigned_abs();
    Some(if beyond.is_positive() { Jump::Forward(length) } else { Jump::Back(length) })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn reading(wall: i64, steady: u64) -> Reading {
        let wall = Timestamp::from_second(1_800_000_000 + wall).expect("in range");
        Reading { wall, steady: Duration::from_secs(steady) }
    }

    const YEAR: i64 = 365 * 24 * 3600;

    #[rstest]
    #[case::an_hour_passes((3600, 3600), None)]
    #[case::corrected_by_a_second((59, 60), None)]
    #[case::suspended_for_a_night((8 * 3600 + 5, 5), Some(Jump::Forward(Duration::from_hours(8))))]
    #[case::set_forward((360, 60), Some(Jump::Forward(Duration::from_mins(5))))]
    #[case::set_back_by_a_year((30 - YEAR, 30), Some(Jump::Back(Duration::from_hours(365 * 24))))]
    #[case::set_back_while_time_passed((30, 60), Some(Jump::Back(Duration::from_secs(30))))]
    fn a_jump_is_what_the_wall_clock_moves_beyond_the_time_that_passed(
        #[case] (wall, steady): (i64, u64),
        #[case] expected: Option<Jump>,
    ) {
        assert_eq!(jump(reading(0, 0), reading(wall, steady)), expected);
    }

    #[test]
    fn a_machine_that_was_suspended_has_no_clock_that_jumped_back() {
        let minutes = Duration::from_mins(5);
        assert_eq!(
            Jump::Forward(minutes).to_string(),
            "forward by 5m, or the machine was suspended"
        );
        assert_eq!(Jump::Back(minutes).to_string(), "back by 5m");
    }
}
