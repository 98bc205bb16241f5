//! A publisher's server. It answers as its script says, in HTTP or not, and records every request
//! with its headers and time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::support::DEADLINE;
pub use crate::support::http::Then;

/// A running server. It stops when dropped.
pub struct Publisher {
    port: u16,
    scripts: Arc<Mutex<HashMap<String, PublisherScript>>>,
    seen: watch::Sender<Vec<PublisherRequest>>,
    serving: tokio::task::JoinHandle<()>,
}

type PublisherScript = Arc<dyn Fn(&PublisherRequest) -> Reply + Send + Sync>;

/// A function that makes an answer.
pub type Make = fn() -> Reply;

/// A request as it was sent: a `char` for every byte.
#[derive(Clone, Debug)]
pub struct PublisherRequest {
    pub path: String,
    head: String,
    pub at: Instant,
}

/// An answer.
pub struct Reply {
    bytes: Vec<u8>,
    then: Then,
}

impl PublisherRequest {
    /// A header's value; `None` if the request lacks it.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl Reply {
    /// An answer with that status line, further headers (each with a line break) and a body of the
    /// right length.
    pub fn new(status: &str, headers: &str, body: &[u8]) -> Self {
        let head =
            format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        Self::raw([head.as_bytes(), &bytes(headers), b"\r\n", body].concat())
    }

    /// 200.
    pub fn ok(headers: &str, body: &str) -> Self {
        Self::new("200 OK", headers, body.as_bytes())
    }

    /// A redirect to `url`.
    pub fn redirect(status: &str, url: &str) -> Self {
        Self::new(status, &format!("Location: {url}\r\n"), b"")
    }

    /// Only these bytes.
    pub fn raw(bytes: Vec<u8>) -> Self {
        Self { bytes, then: Then::Close }
    }

    /// This answer, and then that one.
    pub fn then(self, then: Then) -> Self {
        Self { then, ..self }
    }
}

/// The bytes of a text with a `char` for every byte.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).expect("a byte")).collect()
}

impl Publisher {
    /// Listens on a free port; every path is 404 until it has a script.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let scripts: Arc<Mutex<HashMap<String, PublisherScript>>> = Arc::default();
        let seen = watch::Sender::new(Vec::new());
        let (known, record) = (Arc::clone(&scripts), seen.clone());
        let serving = tokio::spawn(async move {
            let mut conversations = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (known, record) = (Arc::clone(&known), record.clone());
                // A client may disconnect in the middle.
                conversations.spawn(async move { converse(stream, &known, &record).await.ok() });
            }
        });
        Self { port, scripts, seen, serving }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Answers `path` in this way from now on.
    pub fn serve(
        &self,
        path: &str,
        script: impl Fn(&PublisherRequest) -> Reply + Send + Sync + 'static,
    ) {
        self.scripts
            .lock()
            .expect("no test panics while it holds this")
            .insert(path.to_owned(), Arc::new(script));
    }

    /// All requests so far.
    pub fn all(&self) -> Vec<PublisherRequest> {
        self.seen.borrow().clone()
    }

    /// All requests for `path` so far.
    pub fn requests(&self, path: &str) -> Vec<PublisherRequest> {
        of_path(&self.seen.borrow(), path)
    }

    /// Waits until `path` was requested `times` times.
    pub async fn wait_for(&self, path: &str, times: usize) -> Vec<PublisherRequest> {
        let mut seen = self.seen.subscribe();
        let waited =
            timeout(DEADLINE, seen.wait_for(|seen| of_path(seen, path).len() >= times)).await;
        of_path(
            &waited
                .unwrap_or_else(|_| panic!("{path} was not asked for {times} times"))
                .expect("it lives"),
            path,
        )
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn of_path(seen: &[PublisherRequest], path: &str) -> Vec<PublisherRequest> {
    seen.iter().filter(|request| request.path == path).cloned().collect()
}

/// The clock of the requests' times.
#[expect(clippy::disallowed_methods, reason = "a duration is measured, no clock is read")]
pub fn clock() -> Instant {
    Instant::now()
}

async fn converse(
    mut stream: TcpStream,
    scripts: &Mutex<HashMap<String, PublisherScript>>,
    seen: &watch::Sender<Vec<PublisherRequest>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head: String = head.into_iter().map(char::from).collect();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let request = PublisherRequest { path, head, at: clock() };
    let script =
        scripts.lock().expect("no test panics while it holds this").get(&request.path).cloned();
    let reply =
        script.map_or_else(|| Reply::new("404 Not Found", "", b""), |script| script(&request));
    seen.send_modify(|seen| seen.push(request));
    stream.write_all(&reply.bytes).await?;
    stream.flush().await?;
    match reply.then {
        Then::Close => stream.shutdown().await,
        Then::Hold => std::future::pending().await,
        Then::Reset => stream.set_zero_linger(),
        Then::Repeat => loop {
            stream.write_all(&reply.bytes).await?;
        },
    }
}
