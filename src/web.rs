//! The web listener: one server for health, metrics, the pages of the desk and its API.

mod alert_query;
mod alerts;
mod archives;
mod assets;
mod chart;
mod deliveries;
mod desk;
mod events;
mod feeds;
mod gauges;
pub mod health;
mod problem;
mod rules;
mod silences;
mod status;
mod stream;
mod templates;

use std::future::IntoFuture;
use std::io;
use std::net::IpAddr;
use std::os::unix::prelude::FileTypeExt;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::config::{Config, WebAddress};
use crate::metrics;
use crate::metrics::Metrics;
use crate::store::Store;
use desk::{API, Desk};
use health::Health;
use problem::Problem;
use stream::LiveAlerts;
use tidings_rules::Rules;

/// Returns the configuration and the rules that are in force.
pub type InForceNow = Arc<dyn Fn() -> (Arc<Config>, Arc<Rules>) + Send + Sync>;

/// What the pages are made from.
#[derive(Clone)]
pub struct WebParts {
    /// The store.
    pub store: Store,
    /// The health of the daemon.
    pub health: Arc<Health>,
    /// The metrics of the run.
    pub metrics: Arc<Metrics>,
    /// What is in force.
    pub in_force: InForceNow,
}

impl std::fmt::Debug for WebParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebParts").finish_non_exhaustive()
    }
}

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
    let (store, live) = (parts.store.clone(), LiveAlerts::new());
    let desk = Desk::new(parts.clone(), live.clone());
    let archives = Arc::clone(&desk.archives);
    let pages = probes(parts).merge(desk_pages(desk));
    let served = serve_pages(listener, pages, stop);
    let sent = stop.run_until_cancelled(live.send_new(&store, &archives));
    tokio::join!(served, sent);
}

async fn serve_pages(listener: WebListener, pages: Router, stop: &CancellationToken) {
    let served = match listener {
        WebListener::Tcp(listener) => {
            let local = listener.local_addr().ok();
            let is_loopback = local.is_some_and(|address| address.ip().is_loopback());
            let pages = if is_loopback {
                pages.layer(middleware::from_fn(refuse_other_hosts))
            } else {
                pages
            };
            let server = axum::serve(listener, pages);
            stop.run_until_cancelled(server.into_future()).await
        }
        WebListener::Unix(listener) => {
            let server = axum::serve(listener, pages);
            stop.run_until_cancelled(server.into_future()).await
        }
    };
    if let Some(Err(why)) = served {
        error!(event = "web_failed", "the web listener has ended: {why}");
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
    let api = shared.clone().route("/stream", get(stream::stream));
    Router::new()
        .route("/", get(alerts::live))
        .route("/alerts.atom", get(alerts::atom))
        .route("/assets/{name}", get(assets::serve))
        .merge(shared)
        .nest(API, api)
        .fallback(|| async { Problem::not_found("There is no such page.") })
        .layer(middleware::from_fn_with_state(desk.clone(), desk::show_problems))
        .with_state(desk)
}

/// Refuses requests for another host than this machine. A page of another site that changes its
/// address to this one (DNS rebinding) sends such requests.
async fn refuse_other_hosts(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(is_this_machine) {
        return next.run(request).await;
    }
    (StatusCode::MISDIRECTED_REQUEST, "This server answers requests for this machine only.\n")
        .into_response()
}

/// Whether a `Host` header names this machine: `localhost`, or a loopback address.
fn is_this_machine(host: &str) -> bool {
    let Ok(uri) = format!("http://{host}/").parse::<Uri>() else { return false };
    let name = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
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

#[cfg(test)]
mod tests {
    use super::is_this_machine;

    #[test]
    fn only_loopback_names_are_this_machine() {
        for (host, is_this) in [
            ("localhost", true),
            ("LOCALHOST:9177", true),
            ("127.0.0.1:9177", true),
            ("[::1]:9177", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example:9177", false),
            ("10.0.0.1", false),
            ("", false),
            ("a b", false),
        ] {
            assert_eq!(is_this_machine(host), is_this, "{host}");
        }
    }
}
