//! Removes from the store what `retain` no longer keeps, in small steps with pauses for other
//! writers.

use std::time::Duration;

use jiff::Timestamp;
use tracing::info;

use crate::clock::now;
use crate::config::Retain;
use crate::daemon::Mode;
use crate::daemon::in_force::Shared;
use crate::daemon::scheduler::Chore;
use crate::store::{Retention, Store, StoreError, SweepCounts, SweepPosition};

/// The pause after each step. A single round has none.
const STEP_PAUSE: Duration = Duration::from_millis(50);

/// How long an item's key is kept after a poll no longer has the item.
const KEY_RETENTION: Duration = Duration::from_hours(90 * 24);

/// For how long the counts of a feed's and a rule's days are kept.
const DAY_RETENTION: Duration = Duration::from_hours(400 * 24);

/// For how long the tallies of groups are kept: longer than the longest window and baseline.
const TALLY_RETENTION: Duration = Duration::from_hours(122 * 24);

/// For how long what `first` looks for is remembered: longer than a rule may ask for.
const KEY_MEMORY: Duration = Duration::from_hours(1097 * 24);

/// The sweeps of the store. Each continues the one before it, if that was interrupted.
#[derive(Clone, Debug)]
pub(crate) struct Sweeps {
    pub(super) store: Store,
    pub(super) in_force: Shared,
    pub(super) mode: Mode,
}

impl Chore for Sweeps {
    const FAILED: &'static str = "data that `retain` does not keep cannot be removed";
    const EVERY: Option<Duration> = Some(Duration::from_hours(6));

    async fn run(self) -> Result<(), StoreError> {
        let at = now();
        let kept = retention(self.in_force.load().config.retain, at);
        self.store.delete_group_counts(before(at, TALLY_RETENTION), before(at, KEY_MEMORY)).await?;
        let mut removed = SweepCounts::default();
        self.store.delete_gaps_before(kept.keys).await?;
        self.store.delete_days_before(before(at, DAY_RETENTION)).await?;
        let mut next = Some(SweepPosition::default());
        while let Some(place) = next {
            let step = self.store.sweep(place, kept, at).await?;
            removed = removed.add_counts(step.counts);
            next = step.next;
            if self.mode == Mode::Forever {
                tokio::time::sleep(STEP_PAUSE).await;
            }
        }
        log_removed(removed);
        Ok(())
    }
}

fn before(now: Timestamp, age: Duration) -> Timestamp {
    now.checked_sub(age).unwrap_or(Timestamp::MIN)
}

/// The limits of what is kept at `now`.
fn retention(retain: Retain, now: Timestamp) -> Retention {
    Retention {
        stories: retain.stories.map(|age| before(now, age)),
        alerts: retain.alerts.map(|age| before(now, age)),
        keys: before(now, KEY_RETENTION),
    }
}

fn log_removed(removed: SweepCounts) {
    if removed != SweepCounts::default() {
        info!(
            event = "history_removed",
            "removed as `retain` sets; story texts: {}, alerts: {}, messages: {}, items that left their feeds: {}",
            removed.stories,
            removed.alerts,
            removed.messages,
            removed.keys
        );
    }
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
