//! A scripted HTTP server on loopback that records its requests: feeds, pages and webhooks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use tidings::clock::now;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::tls::{Stream, secured};
use super::{DEADLINE, schema};

/// A running server. It stops when dropped.
pub struct Server {
    port: u16,
    shared: Arc<ServerState>,
    serving: tokio::task::JoinHandle<()>,
}

struct ServerState {
    script: Mutex<HashMap<String, Response>>,
    stalls: Mutex<HashMap<String, watch::Receiver<bool>>>,
    seen: watch::Sender<Vec<Recorded>>,
    answered: watch::Sender<Vec<(String, u16)>>,
}

/// A prepared answer.
#[derive(Clone)]
pub struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
    /// The largest request that is accepted, in bytes. A larger one gets a 413.
    most: usize,
}

/// A request as it was sent.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// When it came.
    pub at: Timestamp,
}

/// A server that answers every request with the same bytes, which need not be HTTP. It stops when
/// dropped.
pub struct Raw {
    port: u16,
    heard: watch::Sender<Vec<Vec<u8>>>,
    serving: tokio::task::JoinHandle<()>,
}

/// What a raw server does after its bytes.
#[derive(Clone, Copy)]
pub enum Then {
    /// It closes the connection.
    Close,
    /// It keeps the connection open and silent.
    Hold,
    /// It resets the connection (RST).
    Reset,
    /// It repeats the bytes without end.
    Repeat,
}

/// Holds the answers for a path until it is released.
pub struct StalledAnswers(watch::Sender<bool>);

impl StalledAnswers {
    /// Releases all answers.
    pub fn release(self) {
        self.0.send(true).ok();
    }
}

impl Response {
    /// An empty answer.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), most: usize::MAX }
    }

    /// 200 with an RSS document.
    pub fn feed(document: &str) -> Self {
        Self::ok("application/rss+xml", document)
    }

    /// 200 with a page.
    pub fn html(page: &str) -> Self {
        Self::ok("text/html; charset=utf-8", page)
    }

    /// The same with an `ETag`. A request with that validator gets a 304.
    pub fn etag(self, etag: &str) -> Self {
        self.header("etag", etag)
    }

    /// The same with a header.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The same for requests of at most this number of bytes. Larger ones get a 413.
    pub fn at_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// The same with a body.
    pub fn body(mut self, body: &str) -> Self {
        self.body = Bytes::copy_from_slice(body.as_bytes());
        self
    }

    fn ok(content_type: &str, body: &str) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self { headers, body: Bytes::copy_from_slice(body.as_bytes()), ..Self::status(200) }
    }

    fn to(&self, request: &HeaderMap) -> axum::response::Response {
        let etag =
            self.headers.iter().find(|(name, _)| *name == "etag").map(|(_, value)| value.as_str());
        let known = request.get("if-none-match").and_then(|value| value.to_str().ok());
        let unchanged = etag.is_some() && etag == known;
        let status = if unchanged { 304 } else { self.status };
        let mut answer =
            axum::http::Response::builder().status(StatusCode::from_u16(status).expect("a status"));
        for (name, value) in &self.headers {
            answer = answer.header(*name, value);
        }
        answer
            .body(if unchanged { Body::empty() } else { Body::from(self.body.clone()) })
            .expect("an answer")
    }
}

impl Recorded {
    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("ASCII"))
    }
}

impl Server {
    /// Listens on a free port. Every path is 404 until it has an answer.
    pub async fn start() -> Self {
        Self::start_on("127.0.0.1").await
    }

    /// The same at every address of loopback: each is a site of its own.
    pub async fn start_with_sites() -> Self {
        Self::start_on("0.0.0.0").await
    }

    async fn start_on(address: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(ServerState {
            script: Mutex::default(),
            stalls: Mutex::default(),
            seen: watch::Sender::new(Vec::new()),
            answered: watch::Sender::new(Vec::new()),
        });
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let router = router.layer(axum::extract::DefaultBodyLimit::disable());
        let serving =
            tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { port, shared, serving }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Answers `path` in this way from now on.
    pub fn serve(&self, path: &str, response: Response) {
        lock(&self.shared.script).insert(path.to_owned(), response);
    }

    /// Records requests for `path`, and answers none until it is released.
    pub fn stall(&self, path: &str) -> StalledAnswers {
        let (release, stalled) = watch::channel(false);
        lock(&self.shared.stalls).insert(path.to_owned(), stalled);
        StalledAnswers(release)
    }

    /// All requests for `path` so far. Fails if one of them has a payload that the published schema
    /// does not describe.
    pub fn requests(&self, path: &str) -> Vec<Recorded> {
        sound(of_path(&self.shared.seen.borrow(), path))
    }

    /// Waits until `path` was requested `times` times. Fails as [`Server::requests`] does.
    pub async fn wait_for(&self, path: &str, times: usize) -> Vec<Recorded> {
        let mut seen = self.shared.seen.subscribe();
        let waited =
            timeout(DEADLINE, seen.wait_for(|seen| of_path(seen, path).len() >= times)).await;
        let seen = waited.unwrap_or_else(|_| {
            let asked: Vec<_> =
                self.shared.seen.borrow().iter().map(|request| request.path.clone()).collect();
            panic!("{path} was not asked for {times} times, only: {asked:?}")
        });
        sound(of_path(&seen.expect("the server lives"), path))
    }

    /// Waits for the status of the answer to the `number`th request for `path`.
    pub async fn answered(&self, path: &str, number: usize) -> u16 {
        let nth = |answered: &[(String, u16)]| {
            answered.iter().filter(|(of, _)| of == path).nth(number - 1).map(|(_, status)| *status)
        };
        let mut answered = self.shared.answered.subscribe();
        let waited = timeout(DEADLINE, answered.wait_for(|answered| nth(answered).is_some())).await;
        let answered = waited.expect("answered in time").expect("the server lives");
        nth(&answered).expect("waited for")
    }
}

impl Raw {
    /// Listens on a free port.
    pub async fn start(bytes: &'static [u8], then: Then) -> Self {
        Self::serve("127.0.0.1:0", None, bytes, then).await
    }

    /// The same on the loopback address of IPv6.
    pub async fn start_on_ipv6(bytes: &'static [u8], then: Then) -> Self {
        Self::serve("[::1]:0", None, bytes, then).await
    }

    /// The same with TLS.
    pub async fn start_with_tls(tls: TlsAcceptor, bytes: &'static [u8], then: Then) -> Self {
        Self::serve("127.0.0.1:0", Some(tls), bytes, then).await
    }

    async fn serve(
        address: &str,
        tls: Option<TlsAcceptor>,
        bytes: &'static [u8],
        then: Then,
    ) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let heard = watch::Sender::new(Vec::new());
        let record = heard.clone();
        let serving = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                let stream: std::io::Result<Box<dyn Stream>> = match &tls {
                    Some(tls) => secured(Box::new(stream), tls).await,
                    None => Ok(Box::new(stream)),
                };
                if let Ok(Some(stream)) = match stream {
                    Ok(stream) => converse(stream, &record, bytes, then).await,
                    Err(broken) => Err(broken),
                } {
                    held.push(stream);
                }
            }
        });
        Self { port, heard, serving }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The bytes of every request before its answer.
    pub fn heard(&self) -> Vec<String> {
        self.heard
            .borrow()
            .iter()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .collect()
    }

    /// Waits for a request.
    pub async fn wait_for_request(&self) {
        let mut heard = self.heard.subscribe();
        let waited = timeout(DEADLINE, heard.wait_for(|heard| !heard.is_empty())).await;
        waited.expect("nobody asked").expect("the server lives");
    }
}

/// Answers the request on `stream`. Returns the connection if it is held open.
async fn converse(
    mut stream: Box<dyn Stream>,
    heard: &watch::Sender<Vec<Vec<u8>>>,
    bytes: &[u8],
    then: Then,
) -> std::io::Result<Option<Box<dyn Stream>>> {
    // A connection that is closed with unread bytes is reset, and the answer is lost.
    let mut request = vec![0; 64 * 1024];
    let length = stream.read(&mut request).await?;
    request.truncate(length);
    heard.send_modify(|heard| heard.push(request));
    stream.write_all(bytes).await?;
    stream.flush().await?;
    match then {
        Then::Close => Ok(None),
        Then::Hold => Ok(Some(stream)),
        Then::Reset => {
            stream.reset_when_dropped();
            Ok(None)
        }
        Then::Repeat => loop {
            stream.write_all(bytes).await?;
        },
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn of_path(seen: &[Recorded], path: &str) -> Vec<Recorded> {
    seen.iter().filter(|request| request.path == path).cloned().collect()
}

/// The same requests. Fails if a payload of our own format among them breaks the schema.
fn sound(requests: Vec<Recorded>) -> Vec<Recorded> {
    for request in &requests {
        let payload =
            serde_json::from_slice::<serde_json::Value>(&request.body).unwrap_or_default();
        if payload["id"].as_str().is_some_and(|id| request.header("webhook-id") == Some(id)) {
            schema::hold(&request.body);
        }
    }
    requests
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test panics while it holds this")
}

async fn answer(
    State(shared): State<Arc<ServerState>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> axum::response::Response {
    let path = uri.path().to_owned();
    let size = body.len();
    shared.seen.send_modify(|seen| {
        let (path, headers, at) = (path.clone(), headers.clone(), now());
        seen.push(Recorded { method, path, headers, body, at });
    });
    let stalled = lock(&shared.stalls).get(&path).cloned();
    if let Some(mut stalled) = stalled {
        stalled.wait_for(|released| *released).await.ok();
    }
    let response =
        lock(&shared.script).get(&path).cloned().unwrap_or_else(|| Response::status(404));
    let response = if size > response.most { Response::status(413) } else { response };
    let answer = response.to(&headers);
    shared.answered.send_modify(|answered| answered.push((path, answer.status().as_u16())));
    answer
}

/// Fails unless a webhook has the signature of Standard Webhooks for `secret`, computed here from
/// the raw request.
pub fn verify_signature(request: &Recorded, secret: &str) {
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length");
    for part in ["webhook-id", "webhook-timestamp"] {
        mac.update(request.header(part).unwrap_or_else(|| panic!("{part} is missing")).as_bytes());
        mac.update(b".");
    }
    mac.update(&request.body);
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let sent = request.header("webhook-signature").expect("signed");
    assert!(sent.split(' ').any(|one| one == signature), "{sent} does not hold {signature}");
}
