//! Takes from the store what `retain` keeps no longer: in small steps, with pauses in which others
//! write.

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::clock::now;
use crate::config::Retain;
use crate::daemon::Mode;
use crate::daemon::context::RunContext;
use crate::store::{Retention, StoreError, SweepCounts, SweepPosition};

/// How often the store is gone through.
const SWEEP_INTERVAL: Duration = Duration::from_hours(6);

/// The pause after each step, unless the run waits for the end.
const STEP_PAUSE: Duration = Duration::from_millis(50);

/// How long an item's key is kept after a poll first lacked it.
const KEY_RETENTION: Duration = Duration::from_hours(90 * 24);

/// Goes through the store every few hours until `stop`, or once. What is cut short goes on with the
/// next round.
pub(crate) async fn keep_sweeping(context: &RunContext, stop: CancellationToken) {
    let rounds = async {
        loop {
            match sweep_store(context).await {
                Ok(gone) if gone == SweepCounts::default() => {}
                Ok(gone) => log_removed(gone),
                Err(why) => {
                    error!(
                        "what `retain` keeps no longer cannot be taken away: {why}; it is tried again later"
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
    let mut gone = SweepCounts::default();
    context.store.delete_gaps_before(kept.keys).await?;
    let mut next = Some(SweepPosition::default());
    while let Some(place) = next {
        let step = context.store.sweep(place, kept, at).await?;
        gone = gone.plus(step.counts);
        next = step.next;
        if context.mode == Mode::Forever {
            tokio::time::sleep(STEP_PAUSE).await;
        }
    }
    Ok(gone)
}

/// What is kept at `now`.
fn retention(retain: Retain, now: Timestamp) -> Retention {
    let before = |age| now.checked_sub(age).unwrap_or(Timestamp::MIN);
    Retention {
        stories: retain.stories.map(before),
        alerts: retain.alerts.map(before),
        keys: before(KEY_RETENTION),
    }
}

fn log_removed(gone: SweepCounts) {
    info!(
        "as `retain` says, the store let go of the texts of {} stories, of {} alerts and {} messages, and of {} items that feeds have had no more for long",
        gone.stories, gone.alerts, gone.messages, gone.keys
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
