//! Alerts as they are recorded, for the streams that are open.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::Event;
use tokio::sync::{Semaphore, broadcast};
use tracing::warn;

use super::archives::Archives;
use super::problem::Problem;
use crate::alerts::condition_state::ConditionState;
use crate::store::{AlertFilter, Archive, PastAlert, Store, StoreError};

/// The most streams at once.
pub(super) const MOST_STREAMS: usize = 100;

/// The most alerts that wait for a stream that is slow.
const BACKLOG: usize = 1024;

/// The alerts that are read at once.
const STEP: u32 = 500;

/// The pause after commits were noticed, before the alerts are read.
const GATHER: Duration = Duration::from_millis(50);

/// How often alerts are read that other nodes recorded.
const OTHER_NODES: Duration = Duration::from_secs(1);

/// The alerts of this moment. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct LiveAlerts {
    pub(super) sender: broadcast::Sender<Arc<LiveAlert>>,
    /// The places of streams.
    pub(super) slots: Arc<Semaphore>,
}

/// An alert that was recorded, or told after it was held.
#[derive(Debug)]
pub(super) struct LiveAlert {
    /// The number of the alert, or of the one that met the condition.
    pub(super) id: i64,
    /// Whether it was held until that one came.
    pub(super) is_released: bool,
    terms: BTreeSet<String>,
    held: bool,
    json: String,
}

impl LiveAlert {
    /// These alerts with those that they released. The released come first: a reader whose stream
    /// ends between them has the last number still before it, and gets all again.
    pub(super) async fn with_released(
        alerts: &[PastAlert],
        archive: &mut Archive,
    ) -> Result<Vec<Arc<Self>>, StoreError> {
        let mut all = Vec::with_capacity(alerts.len());
        for alert in alerts {
            let condition = alert.rule_match.condition.as_ref();
            if condition.is_some_and(ConditionState::is_met_by_it) {
                let released = archive.alerts_released_by(alert.id).await?;
                all.extend(released.iter().map(|one| Self::new(one, alert.id, true)));
            }
            all.push(Self::new(alert, alert.id, false));
        }
        Ok(all)
    }

    fn new(alert: &PastAlert, id: i64, is_released: bool) -> Arc<Self> {
        let json = serde_json::to_string(alert).unwrap_or_default();
        Arc::new(Self { id, is_released, terms: alert.terms(), held: alert.held, json })
    }

    /// Whether it passes the filter of a stream.
    pub(super) fn passes(&self, filter: &AlertFilter) -> bool {
        // Who reads the alerts that are held learns which are no longer.
        let held = self.held || (self.is_released && filter.held == Some(true));
        filter.passes(&self.terms, held)
    }

    pub(super) fn event(&self) -> Event {
        if self.is_released {
            return Event::default().event("told").data(&self.json);
        }
        Event::default().event("alert").id(self.id.to_string()).data(&self.json)
    }
}

impl LiveAlerts {
    pub(super) fn new() -> Self {
        let slots = Arc::new(Semaphore::new(MOST_STREAMS));
        Self { sender: broadcast::channel(BACKLOG).0, slots }
    }

    /// Sends new alerts to the streams, until the store is closed.
    pub(super) async fn send_new(&self, store: &Store, archives: &Archives) {
        let mut commits = store.commits();
        let mut last = None;
        loop {
            commits.mark_unchanged();
            match self.send_after(last, archives).await {
                Ok(sent) => last = Some(sent),
                Err(why) => {
                    warn!(event = "store_failed", "new alerts cannot be read: {}", why.detail);
                }
            }
            let other_nodes = async {
                match store.joint_run() {
                    Some(_) => tokio::time::sleep(OTHER_NODES).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                committed = commits.changed() => if committed.is_err() { return },
                () = other_nodes => {}
            }
            tokio::time::sleep(GATHER).await;
        }
    }

    /// Sends the alerts after `last`, if anybody listens. Returns the newest. `last` is `None` at
    /// the start.
    async fn send_after(&self, last: Option<i64>, archives: &Archives) -> Result<i64, Problem> {
        let mut archive = archives.borrow().await?;
        let newest = archive.newest_alert().await?;
        // A stream that begins from here on reads for itself what is recorded until now.
        let is_heard = self.sender.receiver_count() > 0;
        let Some(mut sent) = last.filter(|_| is_heard) else { return Ok(newest) };
        while sent < newest {
            let alerts = archive.alerts_after(sent, STEP).await?;
            let Some(newest_read) = alerts.last().map(|alert| alert.id) else { break };
            for alert in LiveAlert::with_released(&alerts, &mut archive).await? {
                // The error says that nobody listens.
                let _ = self.sender.send(alert);
            }
            sent = newest_read;
        }
        Ok(newest)
    }
}
