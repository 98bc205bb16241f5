//! How long and how much one fetch may take.

use std::time::Duration;

use crate::http::body::BodyBudget;
use crate::http::error::FetchError;

/// The most that is read of any answer or file, after decompression: 10 MiB.
pub const MOST_BYTES: usize = 10 << 20;

/// How long and how much one fetch may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The longest silence: until the answer's headers, and between two parts of its body.
    pub idle: Duration,
    /// The longest time for the whole, redirects included; waiting to be admitted does not count.
    pub total: Duration,
    /// The most bytes of body, after decompression.
    pub body: usize,
    /// What this body shares with all others that are in flight.
    pub room: BodyBudget,
}

impl Default for Limits {
    /// 15 s of silence, 30 s in all, 10 MiB, and room of their own.
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(15),
            total: Duration::from_secs(30),
            body: MOST_BYTES,
            room: BodyBudget::default(),
        }
    }
}

/// Runs `work` for at most `left`, and subtracts the time it took. It is measured with a timer,
/// because only `clock` reads clocks.
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
