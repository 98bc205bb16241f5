//! Reads the clocks. All other code gets times as arguments.

mod jump;

use std::time::{Duration, Instant};

use jiff::Timestamp;

pub(crate) use jump::Jump;
use jump::Reading;

/// The longest sleep between two readings of the wall clock. A clock that is set forward, or a
/// machine that was suspended, delays a sleep by no more than this.
const LONGEST_SLEEP: Duration = Duration::from_secs(20);

/// The current time, in whole milliseconds because the store keeps milliseconds.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one clock read; see clippy.toml")]
pub fn now() -> Timestamp {
    let exact = Timestamp::now();
    Timestamp::from_millisecond(exact.as_millisecond()).unwrap_or(exact)
}

/// Waits until the wall clock shows `at`; for ever if `at` is `None`.
pub(crate) async fn sleep_until(at: Option<Timestamp>) {
    let Some(at) = at else { return std::future::pending().await };
    loop {
        let left = until(at, now());
        tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
        if left <= LONGEST_SLEEP {
            return;
        }
    }
}

/// The time from `now` to `at`; zero if `at` has passed.
pub(crate) fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}

/// `now` plus `delay`, at most the end of time.
pub(crate) fn later(now: Timestamp, delay: Duration) -> Timestamp {
    now.checked_add(delay).unwrap_or(Timestamp::MAX)
}

/// Runs `work`, and returns its result and the time it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let watch = Stopwatch::start();
    let made = work();
    (made, watch.elapsed())
}

/// Whether this time of the steady clock has passed.
#[expect(
    clippy::disallowed_methods,
    reason = "the steady clock is compared with a deadline, and no clock time is read"
)]
pub(crate) fn has_passed(deadline: tokio::time::Instant) -> bool {
    tokio::time::Instant::now() >= deadline
}

/// Measures a time by a clock that never goes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts at zero.
    #[expect(
        clippy::disallowed_methods,
        reason = "a duration is measured, and no clock time is read; see clippy.toml"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Detects jumps of the wall clock, such as those of a suspended machine.
#[derive(Debug)]
pub(crate) struct JumpWatch {
    begun: Instant,
    last: Reading,
}

impl JumpWatch {
    /// Starts to watch.
    #[expect(
        clippy::disallowed_methods,
        reason = "the steady clock is compared with the wall clock"
    )]
    pub(crate) fn start() -> Self {
        Self { begun: Instant::now(), last: Reading { wall: now(), steady: Duration::ZERO } }
    }

    /// Starts to watch a wall clock that jumps forward by `jump` before the first reading.
    #[cfg(test)]
    pub(crate) fn start_behind(jump: Duration) -> Self {
        let mut watch = Self::start();
        watch.last.wall -= jump;
        watch
    }

    /// The jump of the wall clock since the last call; `None` if there was none.
    pub(crate) fn observe(&mut self) -> Option<Jump> {
        let reading = Reading { wall: now(), steady: self.begun.elapsed() };
        jump::jump(std::mem::replace(&mut self.last, reading), reading)
    }
}
