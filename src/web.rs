//! The web listener: one server for health, metrics, the pages of the desk and its API.

pub mod access;
mod alert_query;
mod alerts;
mod archives;
mod assets;
mod chart;
mod connections;
mod deliveries;
mod desk;
mod events;
mod feeds;
mod gauges;
pub mod health;
mod list_page;
mod live;
mod parts;
mod problem;
mod rules;
mod silences;
mod status;
mod stories;
mod stream;
mod templates;
mod trial;
mod trials;

use std::io;
use std::os::unix::prelude::FileTypeExt;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;
use tracing::{info, warn};

use crate::config::WebAddress;
use crate::metrics;
use access::{ConfigInForce, ListenerKind};
use desk::{API, Desk};
use live::LiveAlerts;
pub use parts::{InForceNow, ShownInForce, WebParts};
use problem::Problem;

/// A socket that listens.
#[derive(Debug)]
pub enum WebListener {
    /// A port.
    Tcp(TcpListener),
    /// A socket in the file system.
    Unix(UnixListener),
}

/// Why the web listener cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("`web.listen`: {address} cannot be listened on: {why}")]
pub struct ListenError {
    address: WebAddress,
    why: io::Error,
}

impl WebListener {
    /// Listens on `address`. A socket that a dead process left in the file system is replaced.
    ///
    /// # Errors
    /// If the system refuses.
    pub async fn bind(address: &WebAddress) -> Result<Self, ListenError> {
        let bound = match address {
            WebAddress::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            WebAddress::Unix(path) => bind_unix(path).await.map(Self::Unix),
        };
        let listener = bound.map_err(|why| ListenError { address: address.clone(), why })?;
        info!(
            event = "web_started",
            "web listener: {}",
            listener.local_address().unwrap_or_else(|| address.clone())
        );
        Ok(listener)
    }

    /// Who reaches it.
    fn kind(&self) -> ListenerKind {
        match self {
            Self::Tcp(_) if self.local_address().is_some_and(|address| address.is_local()) => {
                ListenerKind::Loopback
            }
            Self::Tcp(_) => ListenerKind::Network,
            Self::Unix(_) => ListenerKind::Unix,
        }
    }

    /// The address with the port that the system chose, if the configuration has port 0.
    fn local_address(&self) -> Option<WebAddress> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok().map(WebAddress::Tcp),
            Self::Unix(_) => None,
        }
    }
}

/// Listens on a socket in the file system. Nobody listens on one that refuses connections.
async fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    let is_socket =
        std::fs::symlink_metadata(path).is_ok_and(|about| about.file_type().is_socket());
    let is_dead = || async {
        let connected = tokio::net::UnixStream::connect(path).await;
        connected.is_err_and(|why| why.kind() == io::ErrorKind::ConnectionRefused)
    };
    if is_socket && is_dead().await {
        std::fs::remove_file(path)?;
    }
    UnixListener::bind(path)
}

/// Serves the pages until `stop`.
pub async fn serve(listener: WebListener, parts: WebParts, stop: &CancellationToken) {
    let in_force = Arc::clone(&parts.in_force);
    let config: ConfigInForce = Arc::new(move || in_force().config);
    let (store, live) = (parts.store.clone(), LiveAlerts::new());
    let desk = Desk::new(parts.clone(), live.clone());
    let archives = Arc::clone(&desk.archives);
    let pages = probes(parts).merge(desk_pages(desk));
    let pages = access::gated(pages, listener.kind(), config);
    let served = serve_pages(listener, pages, stop);
    let sent = stop.run_until_cancelled(live.send_new(&store, &archives));
    tokio::join!(served, sent);
}

async fn serve_pages(listener: WebListener, pages: Router, stop: &CancellationToken) {
    match listener {
        WebListener::Tcp(listener) => {
            connections::serve(listener, pages, Some, stop).await;
        }
        WebListener::Unix(listener) => {
            connections::serve(listener, pages, |_| None, stop).await;
        }
    }
}

/// The pages for programs that watch the daemon.
fn probes(parts: WebParts) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(write_metrics))
        .with_state(parts)
}

/// The pages for people, and the same as JSON under `/api/v1`.
fn desk_pages(desk: Desk) -> Router {
    let shared = Router::new()
        .route("/alerts", get(alerts::list))
        .route("/alerts/{id}", get(alerts::show))
        .route("/events/{uid}", get(events::show))
        .route("/feeds", get(feeds::list))
        .route("/feeds/{name}", get(feeds::show))
        .route("/feeds/{name}/poll", post(feeds::poll))
        .route("/rules", get(rules::list))
        .route("/rules/{name}", get(rules::show))
        .route("/silences", get(silences::list).post(silences::add))
        .route("/silences/{id}/end", post(silences::end))
        .route("/deliveries", get(deliveries::list))
        .route("/deliveries/{id}/retry", post(deliveries::retry))
        .route("/status", get(status::show));
    let page = shared.clone().route("/try", get(trial::form).post(trial::run));
    let api = shared.route("/stream", get(stream::stream)).route("/try", post(trial::run));
    let api = api.route("/stories", post(stories::take));
    let api = api.route("/openapi.yaml", get(describe_api));
    Router::new()
        .route("/", get(alerts::live))
        .route("/alerts.atom", get(alerts::atom))
        .route("/assets/{name}", get(assets::serve))
        .merge(page)
        .nest(API, api)
        .fallback(|| async { Problem::not_found("There is no such page.") })
        .layer(middleware::from_fn_with_state(desk.clone(), desk::show_problems))
        // Streams of events and small answers stay as they are.
        .layer(CompressionLayer::new())
        .with_state(desk)
}

/// The description of the API (`OpenAPI` 3.1).
async fn describe_api() -> Response {
    let description = include_str!("../docs/openapi.yaml");
    // RFC 9512.
    ([(CONTENT_TYPE, "application/yaml")], description).into_response()
}

/// Answers 200 if the daemon is alive, else 503. The network and the receivers do not count.
async fn healthz(State(parts): State<WebParts>) -> Response {
    answer(&parts.health.ailments())
}

/// Answers 200 if the daemon can do its work, else 503.
async fn readyz(State(parts): State<WebParts>) -> Response {
    answer(&parts.health.obstacles())
}

fn answer(problems: &[String]) -> Response {
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({ "ok": problems.is_empty(), "problems": problems });
    (status, [(CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response()
}

async fn write_metrics(State(parts): State<WebParts>) -> Response {
    match gauges::read(&parts).await {
        Ok(gauges) => {
            ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], parts.metrics.write(&gauges)).into_response()
        }
        Err(why) => {
            warn!(event = "store_failed", "the metrics cannot be read: {why}");
            (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response()
        }
    }
}
