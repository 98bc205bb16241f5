//! Accepts the connections of the web listener, within bounds: how many there are, how long a
//! client may take, how large a header may be.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::{AbortHandle, JoinSet};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

/// The most connections at once.
const MOST_CONNECTIONS: usize = 128;

/// How long a client may take for the header of a request, and how long it may keep a connection
/// without a request.
const HEADER_DEADLINE: Duration = Duration::from_secs(10);

/// How long an answer waits for a client that reads nothing of it.
const READER_DEADLINE: Duration = Duration::from_secs(30);

/// The largest header, in bytes. A larger one gets a 431.
const MOST_HEADER_BYTES: usize = 64 * 1024;

/// Serves `pages` on `listener` until `stop`, which ends all connections. HTTP/1 only.
///
/// - If there are [`MOST_CONNECTIONS`], a new one takes the place of the oldest that has not asked
///   for anything. If all have asked, it takes the place of the oldest. So `/healthz` is answered
///   however many clients hold on to theirs.
/// - A connection without a complete header within [`HEADER_DEADLINE`] is closed, and one whose
///   client reads nothing of an answer for [`READER_DEADLINE`].
///
/// A page finds the client's address as [`ConnectInfo`], if `to_peer` knows it. A page that reads
/// the body of a request limits its size and time itself.
pub(super) async fn serve<L: Listener>(
    mut listener: L,
    pages: Router,
    to_peer: impl Fn(L::Addr) -> Option<SocketAddr>,
    stop: &CancellationToken,
) {
    let mut connections = JoinSet::new();
    let mut clients = Clients::default();
    loop {
        let (client, address) = tokio::select! {
            () = stop.cancelled() => return,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        clients.forget_ended();
        if connections.len() >= MOST_CONNECTIONS {
            clients.close_one();
            connections.join_next().await;
        }
        let has_asked = Arc::new(AtomicBool::new(false));
        let client = serve_client(client, to_peer(address), pages.clone(), Arc::clone(&has_asked));
        let connection = connections.spawn(client);
        clients.0.push_back(Client { has_asked, connection });
    }
}

/// The clients, oldest first.
#[derive(Default)]
struct Clients(VecDeque<Client>);

struct Client {
    has_asked: Arc<AtomicBool>,
    connection: AbortHandle,
}

impl Clients {
    fn forget_ended(&mut self) {
        self.0.retain(|client| !client.connection.is_finished());
    }

    /// Closes the connection of the oldest client that has not asked for anything, or of the
    /// oldest.
    fn close_one(&mut self) {
        let silent = self.0.iter().position(|client| !client.has_asked.load(Ordering::Relaxed));
        if let Some(client) = self.0.remove(silent.unwrap_or(0)) {
            client.connection.abort();
        }
    }
}

async fn serve_client(
    client: impl AsyncRead + AsyncWrite,
    peer: Option<SocketAddr>,
    pages: Router,
    has_asked: Arc<AtomicBool>,
) {
    let mut client = Box::pin(TimeoutStream::new(client));
    client.as_mut().set_write_timeout_pinned(Some(READER_DEADLINE));
    let pages = TowerToHyperService::new(pages);
    let answer = service_fn(move |mut request: Request<Incoming>| {
        has_asked.store(true, Ordering::Relaxed);
        if let Some(peer) = peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        pages.call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .max_buf_size(MOST_HEADER_BYTES);
    // What goes wrong on a connection is the client's fault. It has its answer or none.
    http.serve_connection(TokioIo::new(client), answer).await.ok();
}

#[cfg(test)]
mod tests {
    use std::io;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::sync::mpsc;
    use tokio::time::{Instant, timeout};

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    /// What a connection holds in each direction before its reader reads.
    const ROOM: usize = 512;

    #[expect(clippy::disallowed_methods, reason = "the paused clock of a test")]
    fn paused_now() -> Instant {
        Instant::now()
    }

    /// A server that runs, and the way to it.
    struct PipeServer {
        clients: mpsc::UnboundedSender<DuplexStream>,
        stop: CancellationToken,
        running: JoinSet<()>,
    }

    struct Pipes(mpsc::UnboundedReceiver<DuplexStream>);

    impl Listener for Pipes {
        type Io = DuplexStream;
        type Addr = ();

        async fn accept(&mut self) -> (DuplexStream, ()) {
            (self.0.recv().await.expect("the server outlives no test"), ())
        }

        fn local_addr(&self) -> io::Result<()> {
            Ok(())
        }
    }

    impl PipeServer {
        /// Its only page is larger than [`ROOM`].
        fn start() -> Self {
            let (clients, arrive) = mpsc::unbounded_channel();
            let stop = CancellationToken::new();
            let pages = Router::new().route("/", get(async || "x".repeat(4 * ROOM)));
            let mut running = JoinSet::new();
            let stopped = stop.clone();
            running.spawn(async move { serve(Pipes(arrive), pages, |()| None, &stopped).await });
            Self { clients, stop, running }
        }

        fn connect(&self) -> DuplexStream {
            let (here, there) = duplex(ROOM);
            self.clients.send(there).unwrap();
            here
        }

        /// A client that has sent `bytes`.
        async fn send(&self, bytes: &[u8]) -> DuplexStream {
            let mut client = self.connect();
            client.write_all(bytes).await.unwrap();
            client
        }
    }

    /// All that comes until the connection is closed, and when that is.
    async fn read_to_end(mut client: DuplexStream) -> (String, Duration) {
        let (start, mut text) = (paused_now(), String::new());
        client.read_to_string(&mut text).await.unwrap();
        (text, start.elapsed())
    }

    async fn is_answered(mut client: DuplexStream) -> bool {
        let mut start = [0; 12];
        client.read_exact(&mut start).await.is_ok() && start == *b"HTTP/1.1 200"
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_whole_header_is_closed_after_its_deadline() {
        let server = PipeServer::start();
        for bytes in [&b""[..], b"G", b"GET / HTTP/1.1\r\nHost: local"] {
            let (text, after) = read_to_end(server.send(bytes).await).await;
            assert_eq!((text.as_str(), after.as_secs()), ("", HEADER_DEADLINE.as_secs()));
        }
        let (text, after) = read_to_end(server.send(REQUEST).await).await;
        assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
        assert_eq!(after.as_secs(), HEADER_DEADLINE.as_secs(), "no further request came");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_its_header_slowly_has_no_longer() {
        let server = PipeServer::start();
        let mut client = server.connect();
        let start = paused_now();
        let slowly = async {
            for byte in REQUEST {
                client.write_all(&[*byte]).await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Ok::<_, io::Error>(())
        };
        slowly.await.unwrap_err();
        assert!(start.elapsed() <= HEADER_DEADLINE + Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_header_that_is_too_large_gets_a_431() {
        let server = PipeServer::start();
        let (mut reader, mut writer) = tokio::io::split(server.connect());
        let large = vec![b'a'; 10 * MOST_HEADER_BYTES];
        let (sent, text) = tokio::join!(
            async {
                writer.write_all(b"GET / HTTP/1.1\r\nX: ").await?;
                writer.write_all(&large).await
            },
            async {
                let mut text = String::new();
                reader.read_to_string(&mut text).await.map(|_| text)
            }
        );
        sent.unwrap_err();
        assert!(text.unwrap().starts_with("HTTP/1.1 431 "));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_is_answered_however_many_clients_hold_their_connections() {
        for bytes in [&b""[..], b"GET / HTTP/1.1\r\n", REQUEST] {
            let server = PipeServer::start();
            let mut held = Vec::new();
            for _ in 0..3 * MOST_CONNECTIONS {
                held.push(server.send(bytes).await);
                tokio::task::yield_now().await;
            }
            let start = paused_now();
            assert!(is_answered(server.send(REQUEST).await).await);
            assert_eq!(start.elapsed(), Duration::ZERO);
            let mut open = 0;
            for mut client in held {
                let mut answer = Vec::new();
                tokio::task::yield_now().await;
                // A closed connection has an end.
                let end = timeout(Duration::ZERO, client.read_to_end(&mut answer)).await;
                open += usize::from(end.is_err());
            }
            assert!(open <= MOST_CONNECTIONS, "{open} are open");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_asked_outlives_those_that_have_not() {
        let server = PipeServer::start();
        let mut first = server.send(REQUEST).await;
        let mut start = [0; 12];
        first.read_exact(&mut start).await.unwrap();
        let mut held = Vec::new();
        for _ in 0..2 * MOST_CONNECTIONS {
            held.push(server.connect());
            tokio::task::yield_now().await;
        }
        let mut rest = vec![0; ROOM];
        assert!(first.read(&mut rest).await.unwrap() > 0);
        first.read_exact(&mut rest).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_nothing_is_closed() {
        let mut server = PipeServer::start();
        let mut client = server.send(REQUEST).await;
        tokio::time::sleep(READER_DEADLINE + Duration::from_secs(1)).await;
        let mut text = Vec::new();
        client.read_to_end(&mut text).await.unwrap();
        assert_eq!(text.len(), ROOM, "what fits, and no more");
        server.stop.cancel();
        server.running.join_next().await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_a_connection_in_the_middle_of_a_request() {
        let mut server = PipeServer::start();
        let mut client = server.send(b"GET / HTTP/1.1\r\nHost: local").await;
        tokio::task::yield_now().await;
        server.stop.cancel();
        server.running.join_next().await.unwrap().unwrap();
        assert_eq!(client.read(&mut [0; 9]).await.unwrap(), 0);
    }
}
