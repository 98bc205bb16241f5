//! Measures the durable deliveries per second to a webhook on loopback, and the time of an item
//! from its fetch to the webhook.
//!
//! It runs the real binary with its real store: every lease and every outcome is synced to the
//! disk. `docs/benchmarks.md` states how to run it.
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::watch;

/// The messages of the first measurement.
const MESSAGES: usize = 10_000;

/// The items of the second measurement.
const ITEMS: usize = 30;

/// A feed and a webhook on one port.
struct Peer {
    port: u16,
    /// The titles in the feed.
    titles: Arc<Mutex<Vec<String>>>,
    /// The number of items and the time of the first fetch of the newest document.
    fetched: watch::Sender<(usize, Option<Instant>)>,
    /// The times of the webhooks.
    arrived: watch::Sender<Vec<Instant>>,
}

/// Turns of each binary, where two are compared.
const TURNS: usize = 5;

#[tokio::main]
async fn main() {
    let here = Path::new(env!("CARGO_BIN_EXE_tidings"));
    if let Some(other) = other_binary() {
        compare(("the other: ", &other, Readers::Nobody), ("this:      ", here, Readers::Nobody))
            .await;
    } else if std::env::args_os().any(|argument| argument == "--desk") {
        compare(
            ("alone:       ", here, Readers::Nobody),
            ("with readers: ", here, Readers::Somebody),
        )
        .await;
    } else {
        print_rate("", throughput(here, Readers::Nobody).await);
        latency(here).await;
    }
}

/// The binary to compare with: the value of the argument `--against`.
fn other_binary() -> Option<PathBuf> {
    std::env::args_os().skip_while(|argument| argument != "--against").nth(1).map(PathBuf::from)
}

/// Who reads the desk meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readers {
    /// There is no desk.
    Nobody,
    /// [`DESK_PAUSE`] lies between two requests.
    Somebody,
}

/// The pause between two requests of the desk: 50 requests a second.
const DESK_PAUSE: Duration = Duration::from_millis(20);

/// What is measured: its name, the binary and its readers.
type Measured<'b> = (&'static str, &'b Path, Readers);

/// The throughput of both, in turns, and the median of the ratios.
async fn compare(first: Measured<'_>, second: Measured<'_>) {
    let mut ratios = Vec::new();
    for _ in 0..TURNS {
        let before = throughput(first.1, first.2).await;
        let after = throughput(second.1, second.2).await;
        print_rate(first.0, before);
        print_rate(second.0, after);
        ratios.push(after / before);
    }
    ratios.sort_unstable_by(f64::total_cmp);
    println!("the second to the first: median {:.2}", ratios[TURNS / 2]);
}

fn print_rate(name: &str, rate: f64) {
    println!("{name}{MESSAGES} durable deliveries, {rate:.0} a second");
}

/// Deliveries a second.
async fn throughput(binary: &Path, readers: Readers) -> f64 {
    let peer = Peer::start().await;
    peer.publish(MESSAGES);
    let folder = folder(peer.port, "1h");
    let reading =
        (readers == Readers::Somebody).then(|| tokio::spawn(read_desk(open_desk(&folder))));
    let mut tidings = run(binary, &folder);
    let arrived = peer.wait_for(MESSAGES).await;
    tidings.kill().await.expect("it runs");
    if let Some(reading) = reading {
        println!("  pages that were read: {}", reading.await.expect("no panic"));
    }
    let seconds = arrived[MESSAGES - 1].duration_since(arrived[0]).as_secs_f64();
    f64::from(u32::try_from(MESSAGES).expect("few")) / seconds
}

async fn latency(binary: &Path) {
    let peer = Peer::start().await;
    let folder = folder(peer.port, "1s");
    let mut tidings = run(binary, &folder);
    let mut waits = Vec::new();
    for number in 1..=ITEMS {
        peer.publish(number);
        let arrived = peer.wait_for(number).await[number - 1];
        let (_, fetched) = *peer.fetched.borrow();
        waits.push(arrived.duration_since(fetched.expect("it was fetched")));
    }
    tidings.kill().await.expect("it runs");
    waits.sort_unstable();
    println!(
        "from fetch to arrival, idle: median {:.1?}, longest {:.1?} of {ITEMS}",
        waits[ITEMS / 2],
        waits[ITEMS - 1]
    );
}

/// Gives the configuration a desk. Returns its port.
fn open_desk(folder: &tempfile::TempDir) -> u16 {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = free.local_addr().expect("an address").port();
    let file = folder.path().join("config.yaml");
    let config = std::fs::read_to_string(&file).expect("it was written");
    std::fs::write(file, format!("{config}web: {{listen: \"127.0.0.1:{port}\"}}\n"))
        .expect("a file");
    port
}

/// The pages that readers ask for, one after the other.
const PAGES: [&str; 10] = [
    "/",
    "/alerts",
    "/feeds",
    "/rules",
    "/silences",
    "/deliveries",
    "/status",
    "/alerts.atom",
    "/api/v1/alerts",
    "/rules/arms",
];

/// Asks for [`PAGES`] on one connection until the desk ends. Returns how many it read.
async fn read_desk(port: u16) -> usize {
    let address = ("127.0.0.1", port);
    let mut desk = loop {
        match TcpStream::connect(address).await {
            Ok(stream) => break BufReader::new(stream),
            Err(_) => tokio::time::sleep(DESK_PAUSE).await,
        }
    };
    let mut every = tokio::time::interval(DESK_PAUSE);
    let mut pages = 0;
    loop {
        every.tick().await;
        if read_page(&mut desk, port, PAGES[pages % PAGES.len()]).await.is_err() {
            return pages;
        }
        pages += 1;
    }
}

async fn read_page(desk: &mut BufReader<TcpStream>, port: u16, page: &str) -> std::io::Result<()> {
    let request = format!("GET {page} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n");
    desk.write_all(request.as_bytes()).await?;
    let ended = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    read_message(desk).await?.map(drop).ok_or_else(ended)
}

/// The first line of the next request or answer, which is read whole. `None` at the end.
async fn read_message(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<String>> {
    let (mut head, mut line, mut length) = (String::new(), String::new(), 0);
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        if head.is_empty() {
            head.clone_from(&line);
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().expect("a length");
        }
    }
    stream.read_exact(&mut vec![0; length]).await?;
    Ok(Some(head))
}

impl Peer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let peer = Self {
            port,
            titles: Arc::default(),
            fetched: watch::Sender::new((0, None)),
            arrived: watch::Sender::new(Vec::new()),
        };
        let (titles, fetched, arrived) =
            (Arc::clone(&peer.titles), peer.fetched.clone(), peer.arrived.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (titles, fetched, arrived) =
                    (Arc::clone(&titles), fetched.clone(), arrived.clone());
                tokio::spawn(
                    async move { converse(stream, &titles, &fetched, &arrived).await.ok() },
                );
            }
        });
        peer
    }

    /// Sets the number of items of the feed.
    fn publish(&self, number: usize) {
        *self.titles.lock().expect("no panic") =
            (0..number).map(|n| format!("Arms, part {n}")).collect();
    }

    /// Waits until this number of webhooks arrived.
    async fn wait_for(&self, number: usize) -> Vec<Instant> {
        let mut arrived = self.arrived.subscribe();
        let arrived = arrived.wait_for(|arrived| arrived.len() >= number);
        tokio::time::timeout(Duration::from_mins(2), arrived)
            .await
            .expect("in time")
            .expect("it serves")
            .clone()
    }
}

async fn converse(
    stream: TcpStream,
    titles: &Mutex<Vec<String>>,
    fetched: &watch::Sender<(usize, Option<Instant>)>,
    arrived: &watch::Sender<Vec<Instant>>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        let Some(head) = read_message(&mut stream).await? else { return Ok(()) };
        let is_hook = head.starts_with("POST");
        let answer = if is_hook {
            arrived.send_modify(|arrived| arrived.push(now()));
            "HTTP/1.1 204 No Content\r\n\r\n".to_owned()
        } else {
            let feed = feed(&titles.lock().expect("no panic"), fetched);
            format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/rss+xml\r\ncontent-length: {}\r\n\r\n{feed}",
                feed.len()
            )
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// The document, whose first fetch is recorded. Its items are dated today, because a first poll
/// matches few undated ones.
fn feed(titles: &[String], fetched: &watch::Sender<(usize, Option<Instant>)>) -> String {
    let today = httpdate::fmt_http_date(today());
    if fetched.borrow().0 < titles.len() {
        fetched.send_replace((titles.len(), Some(now())));
    }
    let items = titles.iter().rev().fold(String::new(), |items, title| {
        items
            + "<item><title>"
            + title
            + "</title><guid isPermaLink=\"false\">"
            + title
            + "</guid><pubDate>"
            + &today
            + "</pubDate></item>"
    });
    format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>Bench</title>{items}</channel></rss>"
    )
}

/// A configuration without waits between polls and deliveries.
fn folder(port: u16, every: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let config = format!(
        "store: sqlite:tidings.db\nrules: rules\nnotify: [hook]\n\
         feeds:\n  - {{url: \"http://127.0.0.1:{port}/feed.xml\", every: {every}, full_text: never}}\n\
         notifiers:\n  hook: {{type: webhook, url: \"http://127.0.0.1:{port}/hook\"}}\n\
         network: {{allow: [127.0.0.0/8]}}\n"
    );
    std::fs::write(folder.path().join("config.yaml"), config).expect("a file");
    std::fs::create_dir(folder.path().join("rules")).expect("a folder");
    std::fs::write(folder.path().join("rules/arms.yaml"), "rules:\n  - {name: arms, when: arms}\n")
        .expect("a file");
    folder
}

fn run(binary: &Path, folder: &tempfile::TempDir) -> Child {
    let mut tidings = Command::new(binary);
    tidings.args(["run", "--config"]).arg(folder.path().join("config.yaml"));
    tidings.stdout(Stdio::null()).kill_on_drop(true).spawn().expect("the binary starts")
}

#[expect(clippy::disallowed_methods, reason = "a bench dates its items")]
fn today() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn now() -> Instant {
    Instant::now()
}
