//! Takes from the store what `retain` keeps no longer: in small steps, with pauses in which others
//! write.

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::clock::now;
use crate::config::Retain;
use crate::daemon::Mode;
use crate::daemon::world::World;
use crate::store::{Retention, StoreError, SweepCounts, SweepPosition};

/// How often the store is gone through.
const EVERY: Duration = Duration::from_hours(6);

/// The pause after each step, unless the run waits for the end.
const PAUSE: Duration = Duration::from_millis(50);

/// How long an item's key is kept after a poll first lacked it.
const KEYS: Duration = Duration::from_hours(90 * 24);

/// Goes through the store every few hours until `stop`, or once. What is cut short goes on with the
/// next round.
pub(crate) async fn keep_house(world: &World, stop: CancellationToken) {
    let rounds = async {
        loop {
            match round(world).await {
                Ok(gone) if gone == SweepCounts::default() => {}
                Ok(gone) => log_removed(gone),
                Err(why) => {
                    error!(
                        "what `retain` keeps no longer cannot be taken away: {why}; it is tried again later"
                    );
                }
            }
            if world.mode == Mode::Once {
                return;
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = rounds => {}
    }
}

async fn round(world: &World) -> Result<SweepCounts, StoreError> {
    let at = now();
    let kept = retention(world.config.retain, at);
    let mut gone = SweepCounts::default();
    world.store.delete_gaps_before(kept.keys).await?;
    let mut next = Some(SweepPosition::default());
    while let Some(place) = next {
        let step = world.store.sweep(place, kept, at).await?;
        gone = gone.add_counts(step.counts);
        next = step.next;
        if world.mode == Mode::Forever {
            tokio::time::sleep(PAUSE).await;
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
        keys: before(KEYS),
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
