//! `GET /api/v1/stream`: alerts as they are recorded and told, as server-sent events.
//!
//! The id of an event is the number of its alert. A browser that comes back names the last one that
//! it has (`Last-Event-ID`), and gets what it missed.

use std::collections::VecDeque;
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
use tokio::sync::{OwnedSemaphorePermit, broadcast};

use super::alert_query::AlertQuery;
use super::desk::Desk;
use super::live::{LiveAlert, MOST_STREAMS};
use super::problem::Problem;
use crate::clock::now;
use crate::store::AlertFilter;

/// The most alerts that a stream sends of those that its browser missed.
const MOST_REPLAYED: u32 = 500;

/// How often a stream without alerts sends a comment.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

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
    let asked = known.or(filter.after).unwrap_or(newest);
    let after = asked.clamp(0, newest);
    let missed = archive.alerts_after(after, MOST_REPLAYED + 1).await?;
    let last = missed.last().map_or(after, |alert| alert.id);
    let mut state = StreamState { filter, ready: VecDeque::new(), last, alerts, _slot: slot };
    // A number that was not given yet is of another store.
    if missed.len() > MOST_REPLAYED as usize || asked > newest {
        state.last = newest;
        state.ready.push_back(reset(newest));
    } else {
        let missed = LiveAlert::with_released(&missed, &mut archive).await?;
        let passed = missed.iter().filter(|one| one.passes(&state.filter));
        state.ready.extend(passed.map(|one| one.event()));
    }
    drop(archive);
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
                    if !alert.is_released {
                        self.last = alert.id;
                    }
                    if alert.passes(&self.filter) {
                        return Some(alert.event());
                    }
                }
                Err(RecvError::Lagged(_)) => return Some(reset(self.last)),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
