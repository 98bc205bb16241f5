//! The one place that reads a clock; everywhere else time is an argument.

use std::time::Duration;

use jiff::Timestamp;

/// The present, to the millisecond that the store keeps.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one clock read; see clippy.toml")]
pub fn now() -> Timestamp {
    let exact = Timestamp::now();
    Timestamp::from_millisecond(exact.as_millisecond()).unwrap_or(exact)
}

/// Waits until `at`; for ever if there is no such time.
pub(crate) async fn sleep_until(at: Option<Timestamp>) {
    match at {
        Some(at) => tokio::time::sleep(until(at, now())).await,
        None => std::future::pending().await,
    }
}

/// The time from `now` to `at`; none if it has passed.
pub(crate) fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}

/// `now` and `delay` later, or the end of time.
pub(crate) fn after(now: Timestamp, delay: Duration) -> Timestamp {
    now.checked_add(delay).unwrap_or(Timestamp::MAX)
}

/// What `work` makes, and how long that took by a clock that never goes back.
#[expect(clippy::disallowed_methods, reason = "a duration is measured, no time is told; see clippy.toml")]
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = std::time::Instant::now();
    let made = work();
    (made, start.elapsed())
}
