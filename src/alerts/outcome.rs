//! The outcome of one attempt to deliver a message.

use std::time::Duration;

use crate::alerts::breaker::{FailureCause, FailureScope};

/// The outcome of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The first hop took responsibility. Holds its answer.
    Delivered(String),
    /// A later attempt may work.
    Retry(RetryReason),
    /// No later attempt can work. Holds the receiver's reason, without secrets.
    Refused(String),
    /// The message is too large. Holds the receiver's reason, without secrets.
    TooLarge(String),
    /// The receiver no longer exists. Nothing is sent to it before the next run. Holds the reason,
    /// without secrets.
    Gone(String),
}

/// Why an attempt is to be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryReason {
    /// What happened, in words, without secrets.
    pub why: String,
    /// What kind of failure it was.
    pub cause: FailureCause,
    /// Whom the failure concerns.
    pub scope: FailureScope,
    /// How long the receiver asked us to wait.
    pub requested_wait: Option<Duration>,
}

impl Outcome {
    /// A failure that concerns the whole notifier, whose receiver asked for no wait.
    pub(crate) fn retry(cause: FailureCause, why: String) -> Self {
        Self::Retry(RetryReason { why, cause, scope: FailureScope::Notifier, requested_wait: None })
    }
}
