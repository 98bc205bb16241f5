//! `GET /api/v1/stream`: alerts as they are recorded, as server-sent events.
//!
//! The id of an event is the number of its alert. A browser that comes back names the last one that
//! it has (`Last-Event-ID`), and gets what it missed.

use std::collections::{BTreeSet, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use tracing::warn;

use super::alert_query::AlertQuery;
use super::archives::Archives;
use super::desk::Desk;
use super::problem::Problem;
use crate::clock::now;
use crate::store::{AlertFilter, PastAlert, Store};

/// The most streams at once.
const MOST_STREAMS: usize = 100;

/// The most alerts that a stream sends of those that its browser missed.
const MOST_REPLAYED: u32 = 500;

/// The most alerts that wait for a stream that is slow.
const BACKLOG: usize = 1024;

/// The pause after commits were noticed, before the alerts are read.
const GATHER: Duration = Duration::from_millis(50);

/// How often a stream without alerts sends a comment.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The alerts of this moment. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct LiveAlerts {
    sender: broadcast::Sender<Arc<LiveAlert>>,
    slots: Arc<Semaphore>,
}

/// An alert that was recorded.
#[derive(Debug)]
struct LiveAlert {
    id: i64,
    terms: BTreeSet<String>,
    json: String,
}

impl LiveAlert {
    fn new(alert: &PastAlert) -> Arc<Self> {
        let json = serde_json::to_string(alert).unwrap_or_default();
        Arc::new(Self { id: alert.id, terms: alert.terms(), json })
    }

    fn event(&self) -> Event {
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
            if commits.changed().await.is_err() {
                return;
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
            let alerts = archive.alerts_after(sent, MOST_REPLAYED).await?;
            let Some(newest_read) = alerts.last().map(|alert| alert.id) else { break };
            for alert in &alerts {
                // The error says that nobody listens.
                let _ = self.sender.send(LiveAlert::new(alert));
            }
            sent = newest_read;
        }
        Ok(newest)
    }
}

/// What a stream sends next.
struct StreamState {
    filter: AlertFilter,
    /// Events that are ready.
    ready: VecDeque<Event>,
    /// The number of the last alert that was sent or passed over.
    last: i64,
    alerts: broadcast::Receiver<Arc<LiveAlert>>,
    _slot: OwnedSemaphorePermit,
}

/// `GET /api/v1/stream`.
pub(super) async fn stream(
    State(desk): State<Desk>,
    query: Result<Query<AlertQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let filter = query.filter(now(), &desk.config().zone)?;
    let slot = Arc::clone(&desk.live.slots).try_acquire_owned().map_err(|_| {
        let why = format!("{MOST_STREAMS} streams are open. Try again later.");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, why)
    })?;
    let alerts = desk.live.sender.subscribe();
    let known = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let mut archive = desk.archive().await?;
    let newest = archive.newest_alert().await?;
    let after = known.or(filter.after).unwrap_or(newest).max(0);
    let missed = archive.alerts_after(after, MOST_REPLAYED + 1).await?;
    drop(archive);
    let last = missed.last().map_or(newest.min(after), |alert| alert.id).max(after);
    let mut state = StreamState { filter, ready: VecDeque::new(), last, alerts, _slot: slot };
    if missed.len() > MOST_REPLAYED as usize {
        state.last = newest;
        state.ready.push_back(reset(newest));
    } else {
        let missed = missed.iter().map(LiveAlert::new);
        let passed: Vec<_> = missed.filter(|one| state.filter.passes(&one.terms)).collect();
        state.ready.extend(passed.iter().map(|one| one.event()));
    }
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(events(state)).keep_alive(keep_alive).into_response())
}

/// Says that alerts were passed over: the reader reads its list anew.
fn reset(newest: i64) -> Event {
    Event::default().event("reset").id(newest.to_string()).data("{}")
}

fn events(state: StreamState) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(state, async |mut state| {
        let event = state.next_event().await?;
        Some((Ok(event), state))
    })
}

impl StreamState {
    async fn next_event(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            match self.alerts.recv().await {
                Ok(alert) if alert.id <= self.last => {}
                Ok(alert) => {
                    self.last = alert.id;
                    if self.filter.passes(&alert.terms) {
                        return Some(alert.event());
                    }
                }
                Err(RecvError::Lagged(_)) => return Some(reset(self.last)),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
