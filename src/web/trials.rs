//! The trials in progress.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;

use super::problem::Problem;

/// The visitors whose trials are in progress: one at a time for each.
#[derive(Debug, Default)]
pub(super) struct Trials(Mutex<HashSet<String>>);

/// A trial in progress, until it is dropped.
pub(super) struct TrialInProgress<'t>(&'t Trials, String);

impl Trials {
    pub(super) fn begin(&self, visitor: &str) -> Result<TrialInProgress<'_>, Problem> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if running.insert(visitor.to_owned()) {
            return Ok(TrialInProgress(self, visitor.to_owned()));
        }
        let why = "Your last trial is in progress. Try again in two seconds.";
        Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, why))
    }
}

impl Drop for TrialInProgress<'_> {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}
