//! Removes from the store what `retain` no longer keeps, in small steps with pauses for other
//! writers.

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::clock::{Jump, later, now};
use crate::config::Retain;
use crate::daemon::scheduler::{AfterPanic, Due, Panicked, Run, Running, Work};
use crate::daemon::{Mode, scheduler};
use crate::store::{Retention, Store, StoreError, SweepCounts, SweepPosition};

/// How often the store is swept.
const SWEEP_INTERVAL: Duration = Duration::from_hours(6);

/// The pause after each step. A single round has none.
const STEP_PAUSE: Duration = Duration::from_millis(50);

/// How long an item's key is kept after a poll no longer has the item.
const KEY_RETENTION: Duration = Duration::from_hours(90 * 24);

/// Sweeps the store every few hours until `stop`, or once. The next sweep continues one that was
/// interrupted.
pub(crate) async fn keep_sweeping(mut sweeps: Sweeps, stop: CancellationToken) {
    let mode = sweeps.mode;
    scheduler::run_work(&mut sweeps, mode, &stop).await;
}

/// The sweeps of a run. A stop aborts one.
#[derive(Clone, Debug)]
pub(crate) struct Sweeps {
    pub(super) store: Store,
    pub(super) retain: Retain,
    pub(super) mode: Mode,
    pub(super) due: Timestamp,
}

impl Work for Sweeps {
    type Key = ();
    type Job = ();
    type Output = SweepCounts;

    const AT_ONCE: usize = 1;
    const LOOKUP_FAILED: &'static str = "the store cannot be swept";
    const JOB_FAILED: &'static str = "data that `retain` does not keep cannot be removed";

    async fn find_due(
        &mut self,
        _running: &Running<(), SweepCounts>,
    ) -> Result<Due<()>, StoreError> {
        Ok(Due::at(self.due))
    }

    fn begin(&self, (): ()) -> ((), Run<SweepCounts>) {
        let sweeps = self.clone();
        ((), Box::pin(async move { sweep_store(&sweeps).await }))
    }

    fn end(&mut self, (): (), removed: Option<SweepCounts>) {
        self.due = later(now(), SWEEP_INTERVAL);
        if let Some(removed) = removed.filter(|removed| *removed != SweepCounts::default()) {
            log_removed(removed);
        }
    }

    fn end_after_panic(&mut self, (): (), why: &Panicked) -> AfterPanic<()> {
        error!("{}: {why}; it is tried again at the next sweep", Self::JOB_FAILED);
        self.end((), None);
        AfterPanic::Reschedule
    }

    async fn check_clock(&mut self, _jump: Option<Jump>) {
        self.due = self.due.min(later(now(), SWEEP_INTERVAL));
    }
}

async fn sweep_store(sweeps: &Sweeps) -> Result<SweepCounts, StoreError> {
    let at = now();
    let kept = retention(sweeps.retain, at);
    let mut removed = SweepCounts::default();
    sweeps.store.delete_gaps_before(kept.keys).await?;
    let mut next = Some(SweepPosition::default());
    while let Some(place) = next {
        let step = sweeps.store.sweep(place, kept, at).await?;
        removed = removed.add_counts(step.counts);
        next = step.next;
        if sweeps.mode == Mode::Forever {
            tokio::time::sleep(STEP_PAUSE).await;
        }
    }
    Ok(removed)
}

/// The limits of what is kept at `now`.
fn retention(retain: Retain, now: Timestamp) -> Retention {
    let before = |age| now.checked_sub(age).unwrap_or(Timestamp::MIN);
    Retention {
        stories: retain.stories.map(before),
        alerts: retain.alerts.map(before),
        keys: before(KEY_RETENTION),
    }
}

fn log_removed(removed: SweepCounts) {
    info!(
        "removed as `retain` sets; story texts: {}, alerts: {}, messages: {}, items that left their feeds: {}",
        removed.stories, removed.alerts, removed.messages, removed.keys
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_kept_for_ninety_days_and_the_rest_as_the_configuration_says() {
        let now: Timestamp = "2024-05-01T12:00:00Z".parse().expect("a time");
        let day = Duration::from_hours(24);
        let kept = retention(Retain { stories: Some(7 * day), alerts: None }, now);
        assert_eq!(
            (kept.keys, kept.stories, kept.alerts),
            (now - 90 * day, Some(now - 7 * day), None)
        );
    }
}
