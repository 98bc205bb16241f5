//! Calls a dead man's switch while all is well. When the calls end, its service gives the alarm.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::clock::Stopwatch;
use crate::config::{Heartbeat, SecretUrl};
use crate::daemon::in_force::Shared;
use crate::http;
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
/// A new address is called at once. A failure is logged when its reason is new.
pub(crate) async fn keep_calling(heartbeats: Heartbeats, stop: &CancellationToken) {
    let calling = async {
        let mut last: Option<(SecretUrl, Stopwatch)> = None;
        let mut failure: Option<String> = None;
        loop {
            tokio::time::sleep(CHECK).await;
            let in_force = heartbeats.in_force.load_full();
            let Some(Heartbeat { url, every }) = &in_force.config.heartbeat else { continue };
            let is_called =
                |(called, at): &(SecretUrl, Stopwatch)| called == url && at.elapsed() < *every;
            if last.as_ref().is_some_and(is_called) || !heartbeats.health.obstacles().is_empty() {
                continue;
            }
            last = Some((url.clone(), Stopwatch::start()));
            let why = call(&in_force.send_context.http, url).await.err();
            if let Some(why) = &why
                && failure.as_ref() != Some(why)
            {
                warn!(
                    event = "heartbeat_failed",
                    "the heartbeat does not reach {url}: {why}; it is tried again"
                );
            }
            failure = why;
        }
    };
    stop.run_until_cancelled(calling).await;
}

/// Calls the switch. The reason why it was not reached does not name its address, which is secret.
async fn call(clients: &HttpClients, url: &SecretUrl) -> Result<(), String> {
    let request = async {
        clients.check_hook(&url.0).await.map_err(|why| why.to_string())?;
        let request = clients.default_client().get(url.0.clone());
        request.send().await.map_err(|why| http::explain(&why).to_string())
    };
    let answer = tokio::time::timeout(DEADLINE, request).await;
    let status = match answer {
        Ok(answer) => answer?.status(),
        Err(_) => return Err(format!("no answer came within {} s", DEADLINE.as_secs())),
    };
    match status {
        _ if status.is_success() => Ok(()),
        _ if status.is_redirection() => {
            Err(format!("it answered {status}, and redirects are not followed"))
        }
        _ => Err(format!("it answered {status}")),
    }
}
