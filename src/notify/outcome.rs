//! What came of an attempt at a delivery.

use std::time::Duration;

use crate::alerts::breaker::{FailureCause, FailureScope};

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The first hop took responsibility; what it answered.
    Delivered(String),
    /// It may work later.
    Retry(RetryReason),
    /// It will never work as it is: why, as the receiver said it. Never holds a secret.
    Refused(String),
    /// It is too large for the receiver: why, as the receiver said it. Never holds a secret.
    TooLarge(String),
    /// The receiver no longer exists: nothing is sent to it before the next run. Why; never holds a
    /// secret.
    Gone(String),
}

/// Why an attempt is to be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryReason {
    /// What happened, for a person. Never holds a secret.
    pub why: String,
    /// What kind of failure it was.
    pub cause: FailureCause,
    /// Whom the failure concerns.
    pub scope: FailureScope,
    /// How long the receiver asked us to wait.
    pub requested_wait: Option<Duration>,
}

impl Outcome {
    /// A failure of `cause` that concerns the whole notifier and holds no wish to wait.
    pub(super) fn retry(cause: FailureCause, why: String) -> Self {
        Self::Retry(RetryReason { why, cause, scope: FailureScope::Notifier, requested_wait: None })
    }
}
