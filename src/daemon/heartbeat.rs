//! Calls a dead man's switch while all is well. When the calls end, its service gives the alarm.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::clock::Stopwatch;
use crate::config::SecretUrl;
use crate::daemon::in_force::Shared;
use crate::http::HttpClients;
use crate::web::health::Health;

/// How often the configuration is read for a switch.
const CHECK: Duration = Duration::from_secs(1);

/// How long a call may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// What the calls need.
#[derive(Debug)]
pub(crate) struct Heartbeats {
    pub(super) in_force: Shared,
    pub(super) health: Arc<Health>,
}

/// Calls the switch of the configuration as often as it says, while the run is ready, until `stop`.
pub(crate) async fn keep_calling(heartbeats: Heartbeats, stop: &CancellationToken) {
    let calling = async {
        let mut last: Option<Stopwatch> = None;
        let mut is_failing = false;
        loop {
            tokio::time::sleep(CHECK).await;
            let in_force = heartbeats.in_force.load_full();
            let Some(heartbeat) = &in_force.config.heartbeat else { continue };
            let is_due = last.is_none_or(|last| last.elapsed() >= heartbeat.every);
            if !is_due || !heartbeats.health.obstacles().is_empty() {
                continue;
            }
            last = Some(Stopwatch::start());
            let called = call(&in_force.send_context.http, &heartbeat.url).await;
            if let Err(why) = &called
                && !is_failing
            {
                warn!(
                    event = "heartbeat_failed",
                    "the heartbeat does not reach {}: {why}; it is tried again", heartbeat.url
                );
            }
            is_failing = called.is_err();
        }
    };
    stop.run_until_cancelled(calling).await;
}

async fn call(clients: &HttpClients, url: &SecretUrl) -> Result<(), String> {
    clients.check_hook(&url.0).await.map_err(|why| why.to_string())?;
    let request = clients.default_client().get(url.0.clone()).timeout(DEADLINE);
    // The error of a request names the address, which is secret.
    let answer = request.send().await.map_err(|why| why.without_url().to_string())?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(format!("it answered {}", answer.status()))
}
