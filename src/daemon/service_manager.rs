//! Tells systemd how the run fares (`sd_notify(3)`). Without `NOTIFY_SOCKET`, nothing is sent.

use std::time::Duration;

use sd_notify::NotifyState;
use tracing::warn;

/// The run is ready, for the first time or after a reload.
pub(super) fn notify_ready() {
    notify(&[NotifyState::Ready]);
}

/// A reload begins.
pub(super) fn notify_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(why) => warn!(event = "systemd_failed", "systemd cannot be told of the reload: {why}"),
    }
}

/// The run stops.
pub(super) fn notify_stopping() {
    notify(&[NotifyState::Stopping]);
}

/// The run is alive.
pub(super) fn notify_alive() {
    notify(&[NotifyState::Watchdog]);
}

/// How the run fares, in one line for `systemctl status`.
pub(super) fn notify_status(status: &str) {
    notify(&[NotifyState::Status(status)]);
}

/// Whether a service manager listens.
pub(super) fn is_present() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some()
}

/// How often systemd wants to hear that the run is alive: half of its limit. `None`: never.
pub(super) fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

/// Does `work`, and feeds the watchdog meanwhile. The manager may expect that, because a node that
/// waits is ready.
pub(super) async fn feed_watchdog_during<T>(work: impl Future<Output = T>) -> T {
    let feeding = async {
        let Some(pause) = watchdog_interval() else { return std::future::pending().await };
        loop {
            notify_alive();
            tokio::time::sleep(pause).await;
        }
    };
    tokio::select! {
        done = work => done,
        never = feeding => never,
    }
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(why) = sd_notify::notify(states) {
        warn!(event = "systemd_failed", "systemd cannot be told how Tidings fares: {why}");
    }
}
