//! What the store's writer counts and measures.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::SECONDS;
use crate::clock::Stopwatch;

/// What the store's writer counts and measures. Clones share the counts.
#[derive(Clone, Debug)]
pub struct WriterMetrics {
    commit_duration: Histogram,
    queue_length: Gauge,
    errors: Counter,
}

/// A commit in progress.
#[derive(Debug)]
pub(crate) struct CommitTimer<'m> {
    metrics: &'m WriterMetrics,
    watch: Stopwatch,
}

impl WriterMetrics {
    /// Counts a command that waits for the writer.
    pub(crate) fn count_queued(&self) {
        self.queue_length.inc();
    }

    /// Starts the commit of this many commands, which no longer wait.
    pub(crate) fn start_commit(&self, commands: usize) -> CommitTimer<'_> {
        self.queue_length.dec_by(i64::try_from(commands).unwrap_or(i64::MAX));
        CommitTimer { metrics: self, watch: Stopwatch::start() }
    }

    pub(super) fn register(&self, to: &mut Registry) {
        to.register(
            "store_commit_duration_seconds",
            "Time to run a batch of commands and to commit it",
            self.commit_duration.clone(),
        );
        to.register(
            "store_queue_length",
            "Commands that wait for the writer of the store",
            self.queue_length.clone(),
        );
        to.register("store_errors", "Commands to the store that failed", self.errors.clone());
    }
}

impl CommitTimer<'_> {
    /// Ends the commit, in which this many commands failed.
    pub(crate) fn end(self, failures: u64) {
        self.metrics.commit_duration.observe(self.watch.elapsed().as_secs_f64());
        self.metrics.errors.inc_by(failures);
    }
}

impl Default for WriterMetrics {
    fn default() -> Self {
        Self {
            commit_duration: Histogram::new(SECONDS),
            queue_length: Gauge::default(),
            errors: Counter::default(),
        }
    }
}
