//! Limits of one fetch in time and bytes.

use std::time::Duration;

use crate::http::body::BodyBudget;
use crate::http::error::FetchError;

/// The largest answer or file that is read, in bytes after decompression: 10 MiB.
pub const MOST_BYTES: usize = 10 << 20;

/// Limits of one fetch.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The longest wait for the headers of an answer, and between two parts of its body.
    pub idle: Duration,
    /// The longest wait for the headers of a feed, which some servers make when it is requested.
    pub feed: Duration,
    /// The longest time for all requests of the fetch, redirects included. Waiting for `admit` does
    /// not count.
    pub total: Duration,
    /// The largest body, in bytes after decompression.
    pub body: usize,
    /// The memory that this body shares with all others in flight.
    pub room: BodyBudget,
}

impl Default for Limits {
    /// 15 s between parts, 20 s before a feed, 30 s in all, 10 MiB, and a budget of its own.
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(15),
            feed: Duration::from_secs(20),
            total: Duration::from_secs(30),
            body: MOST_BYTES,
            room: BodyBudget::default(),
        }
    }
}

/// Runs `work` for at most `left`, and subtracts the time it took. `None` if the time is over. A
/// timer measures the time, because only `clock` reads clocks.
pub(super) async fn within<T>(left: &mut Duration, work: impl Future<Output = T>) -> Option<T> {
    let end = tokio::time::sleep(*left).deadline();
    let done = tokio::time::timeout_at(end, work).await.ok();
    *left = end.saturating_duration_since(tokio::time::sleep(Duration::ZERO).deadline());
    done
}

pub(super) fn too_slow(limit: Duration) -> FetchError {
    FetchError::Broken(format!(
        "the server did not finish its answer within {} s",
        limit.as_secs_f32()
    ))
}
