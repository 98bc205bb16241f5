//! Indexes alerts once a minute, so that they are found by their words, rules, tags and feeds.

use std::time::Duration;

use crate::daemon::scheduler::Chore;
use crate::store::{Store, StoreError};

/// The indexing of changed alerts.
#[derive(Clone, Debug)]
pub(crate) struct AlertIndexing(pub(super) Store);

impl Chore for AlertIndexing {
    const FAILED: &'static str = "alerts cannot be indexed";
    const EVERY: Option<Duration> = Some(Duration::from_mins(1));

    async fn run(self) -> Result<(), StoreError> {
        while self.0.index_changed_alerts().await? {}
        Ok(())
    }
}
