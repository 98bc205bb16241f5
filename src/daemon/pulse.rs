//! The pulse of a run: it shows the health, the store and systemd that the run is alive.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::service_manager;
use crate::clock::now;
use crate::daemon::in_force::Shared;
use crate::store::Store;
use crate::web::health::Health;

/// How often the runtime shows that it turns.
const TURN: Duration = Duration::from_secs(1);

/// How often the store is written.
const WRITE: Duration = Duration::from_secs(5);

/// How often it is noted that feeds are watched. It is shorter than the step of baselines.
const WATCH: Duration = Duration::from_mins(1);

/// How often systemd gets a line of how the run fares.
const STATUS: Duration = Duration::from_secs(15);

/// What the pulse needs.
#[derive(Debug)]
pub(crate) struct Pulse {
    pub(super) store: Store,
    /// The number of the run.
    pub(super) run: i64,
    pub(super) health: Arc<Health>,
    pub(super) in_force: Shared,
}

/// Beats until `stop`.
pub(crate) async fn beat(pulse: Pulse, stop: &CancellationToken) {
    pulse.health.record_start();
    service_manager::notify_ready();
    let beats = async {
        tokio::join!(
            repeat(TURN, async || pulse.health.record_turn()),
            repeat(WRITE, async || pulse.write().await),
            repeat(WATCH, async || pulse.watch().await),
            pulse.feed_watchdog(),
            pulse.describe(),
        )
    };
    stop.run_until_cancelled(beats).await;
    service_manager::notify_stopping();
    pulse.record_end().await;
}

/// Does `work` now, and again after each `pause`.
async fn repeat(pause: Duration, mut work: impl AsyncFnMut()) {
    let mut ticks = interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        work().await;
    }
}

impl Pulse {
    /// Records that the run ends as it should. Otherwise it counts as killed.
    pub(crate) async fn record_end(&self) {
        if let Err(why) = self.store.record_run_end(self.run, now()).await {
            error!(event = "store_failed", "the end of this run cannot be recorded: {why}");
        }
    }

    /// A full disk is an answer of the writer, too. The writer has then not written.
    async fn write(&self) {
        let written = self.store.record_seen(self.run, now()).await;
        self.health.record_answer(written.is_ok());
    }

    /// Notes that feeds are watched, if none is polled. Otherwise polls show whether they are:
    /// stories from elsewhere come while Tidings runs.
    pub(crate) async fn watch(&self) {
        if self.in_force.load().config.feeds.is_empty() {
            // If it fails, so does the write that shows the health.
            self.store.record_watched(now()).await.ok();
        }
    }

    /// Feeds the watchdog of systemd while the run is alive. If it is not, systemd restarts it.
    async fn feed_watchdog(&self) {
        let Some(pause) = service_manager::watchdog_interval() else { return };
        repeat(pause, async || {
            let ailments = self.health.ailments();
            if ailments.is_empty() {
                service_manager::notify_alive();
            } else {
                error!(
                    event = "watchdog_not_fed",
                    "the watchdog is not fed: {}",
                    ailments.join("; ")
                );
            }
        })
        .await;
    }

    /// Tells systemd in one line how the run fares.
    async fn describe(&self) {
        if !service_manager::is_present() {
            return;
        }
        repeat(STATUS, async || {
            if let Ok(status) = self.store.service_status().await {
                let in_force = self.in_force.load();
                let waiting: u64 = status.queues.values().map(|queue| queue.pending).sum();
                let dead: u64 = status.queues.values().map(|queue| queue.dead).sum();
                service_manager::notify_status(&format!(
                    "feeds: {}, rules: {}, messages waiting: {waiting}, dead-lettered: {dead}",
                    in_force.config.feeds.len(),
                    in_force.rules.count(),
                ));
            }
        })
        .await;
    }
}
