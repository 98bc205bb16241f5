//! Removes from the store what `retain` no longer keeps, in small steps with pauses for other
//! writers.

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::clock::now;
use crate::config::Retain;
use crate::daemon::Mode;
use crate::daemon::context::RunContext;
use crate::store::{Retention, StoreError, SweepCounts, SweepPosition};

/// How often the store is swept.
const SWEEP_INTERVAL: Duration = Duration::from_hours(6);

/// The pause after each step. A single round has none.
const STEP_PAUSE: Duration = Duration::from_millis(50);

/// How long an item's key is kept after a poll no longer has the item.
const KEY_RETENTION: Duration = Duration::from_hours(90 * 24);

/// Sweeps the store every few hours until `stop`, or once. The next sweep continues one that was
/// interrupted.
pub(crate) async fn keep_sweeping(context: &RunContext, stop: CancellationToken) {
    let rounds = async {
        loop {
            match sweep_store(context).await {
                Ok(removed) if removed == SweepCounts::default() => {}
                Ok(removed) => log_removed(removed),
                Err(why) => {
                    error!(
                        "data that `retain` does not keep cannot be removed: {why}; the next sweep tries again"
                    );
                }
            }
            if context.mode == Mode::Once {
                return;
            }
            tokio::time::sleep(SWEEP_INTERVAL).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = rounds => {}
    }
}

async fn sweep_store(context: &RunContext) -> Result<SweepCounts, StoreError> {
    let at = now();
    let kept = retention(context.config.retain, at);
    let mut removed = SweepCounts::default();
    context.store.delete_gaps_before(kept.keys).await?;
    let mut next = Some(SweepPosition::default());
    while let Some(place) = next {
        let step = context.store.sweep(place, kept, at).await?;
        removed = removed.add_counts(step.counts);
        next = step.next;
        if context.mode == Mode::Forever {
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
