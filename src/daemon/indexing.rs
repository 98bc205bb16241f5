//! Indexes alerts once a minute, so that they are found by their words, rules, tags and feeds.

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::clock::{Jump, later, now};
use crate::daemon::scheduler::{Due, Run, Running, Work};
use crate::daemon::{Mode, scheduler};
use crate::store::{Store, StoreError};

/// How often changed alerts are indexed.
const INDEX_INTERVAL: Duration = Duration::from_mins(1);

/// Indexes changed alerts once a minute until `stop`, or once.
pub(crate) async fn keep_indexing(mut indexing: AlertIndexing, stop: CancellationToken) {
    let mode = indexing.mode;
    scheduler::run_work(&mut indexing, mode, &stop).await;
}

/// The indexing of a run. A stop aborts it.
#[derive(Clone, Debug)]
pub(crate) struct AlertIndexing {
    pub(super) store: Store,
    pub(super) mode: Mode,
    pub(super) due: Timestamp,
}

impl Work for AlertIndexing {
    type Key = ();
    type Job = ();
    type Output = ();

    const AT_ONCE: usize = 1;
    const LOOKUP_FAILED: &'static str = "alerts cannot be indexed";
    const JOB_FAILED: &'static str = "alerts cannot be indexed";

    async fn find_due(&mut self, _running: &Running<(), ()>) -> Result<Due<()>, StoreError> {
        Ok(Due::at(self.due))
    }

    fn begin(&self, (): ()) -> ((), Run<()>) {
        let store = self.store.clone();
        let run = async move {
            while store.index_changed_alerts().await? {}
            Ok(())
        };
        ((), Box::pin(run))
    }

    fn end(&mut self, (): (), _output: Option<()>) {
        self.due = later(now(), INDEX_INTERVAL);
    }

    async fn check_clock(&mut self, _jump: Option<Jump>) {
        self.due = self.due.min(later(now(), INDEX_INTERVAL));
    }
}
