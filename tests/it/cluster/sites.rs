//! Sites with feeds, pages and receivers. They record requests to one host that overlap or come too
//! soon, and messages that arrive twice at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::support::wire::{self, Entry};

/// The receivers that get a message for each story. Others get digests, too.
pub const HOOKS: [&str; 2] = ["hook-a", "hook-b"];

/// The number of feeds, each of a site of its own.
pub const SITES: usize = 9;

/// The number of public sites.
const PUBLIC_SITES: usize = 5;

/// The most stories that a feed lists.
const LISTED: usize = 40;

/// The least pause between two requests to a host: `poll.gap` is a second, less what a request
/// takes to come here.
const LEAST_GAP: Duration = Duration::from_millis(900);

/// What arrived at the receiver.
#[derive(Clone, Debug)]
pub struct HookArrival {
    /// The id of the message.
    pub id: String,
    /// The path, which names the notifier.
    pub hook: String,
    /// The addresses of its stories: of one, or of those that a digest gathers.
    pub stories: Vec<String>,
}

#[derive(Default)]
struct SiteLog {
    published: usize,
    /// The requests under way, by host and by message.
    under_way: BTreeMap<String, usize>,
    overlaps: Vec<String>,
    /// When the last request to each host ended, and for what it was.
    ended: BTreeMap<String, (Instant, String)>,
    hurried: Vec<String>,
    arrivals: Vec<HookArrival>,
}

/// The sites. They end when this is dropped.
pub struct Sites {
    port: u16,
    seen: Arc<Mutex<SiteLog>>,
    arrived: watch::Sender<usize>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Sites {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A request under way. One that its client gave up has ended, too.
struct UnderWay {
    seen: Arc<Mutex<SiteLog>>,
    key: String,
}

impl UnderWay {
    /// A request to a host. `what` says what for, and of whom.
    fn ask(seen: &Arc<Mutex<SiteLog>>, host: String, what: String) -> Self {
        let mut inner = seen.lock().expect("no panic");
        if let Some((ended, before)) = inner.ended.get(&host)
            && host.ends_with(".example")
            && ended.elapsed() < LEAST_GAP
        {
            let hurried = format!("{host}: {what} {:?} after {before}", ended.elapsed());
            inner.hurried.push(hurried);
        }
        inner.ended.insert(host.clone(), (instant(), what));
        drop(inner);
        Self::begin(seen, host)
    }

    fn begin(seen: &Arc<Mutex<SiteLog>>, key: String) -> Self {
        let mut inner = seen.lock().expect("no panic");
        let count = inner.under_way.entry(key.clone()).or_default();
        *count += 1;
        if *count > 1 {
            inner.overlaps.push(key.clone());
        }
        drop(inner);
        Self { seen: Arc::clone(seen), key }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut seen = self.seen.lock().expect("no panic");
        *seen.under_way.entry(self.key.clone()).or_default() -= 1;
        if let Some((ended, _)) = seen.ended.get_mut(&self.key) {
            *ended = instant();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "gaps between requests are measured")]
fn instant() -> Instant {
    Instant::now()
}

/// The host of a site.
fn host(site: usize) -> String {
    format!("127.0.1.{}", site + 1)
}

impl Sites {
    /// Sites without a story.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (seen, arrived) = (Arc::<Mutex<SiteLog>>::default(), watch::Sender::new(0));
        let state = (Arc::clone(&seen), arrived.clone(), port);
        let router = axum::Router::new().fallback(answer).with_state(state);
        let serving =
            tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { port, seen, arrived, serving }
    }

    /// The address of the feed of a site. The first leads to another site.
    pub fn feed(&self, site: usize) -> String {
        format!("http://{}:{}/feed/{site}", host(site), self.port)
    }

    /// The address of the proxy.
    pub fn proxy(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The address of a receiver.
    pub fn hook(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}/hook/{name}", self.port)
    }

    /// Lets further stories appear. Returns how many there are.
    pub fn publish(&self, more: usize) -> usize {
        let mut seen = self.seen.lock().expect("no panic");
        seen.published += more;
        seen.published
    }

    /// All that arrived.
    pub fn arrivals(&self) -> Vec<HookArrival> {
        self.seen.lock().expect("no panic").arrivals.clone()
    }

    /// Hosts that were asked while a request was under way, and messages that were sent so.
    pub fn overlaps(&self) -> Vec<String> {
        self.seen.lock().expect("no panic").overlaps.clone()
    }

    /// Requests that came too soon after another one to their host.
    pub fn hurried(&self) -> Vec<String> {
        self.seen.lock().expect("no panic").hurried.clone()
    }

    /// Waits until this number of messages of one story arrived at [`HOOKS`], for this time at
    /// most.
    pub async fn wait_for_arrivals(&self, number: usize, longest: Duration) {
        let mut arrived = self.arrived.subscribe();
        drop(tokio::time::timeout(longest, arrived.wait_for(|count| *count >= number)).await);
    }
}

/// The address of a story. Every fourth is a teaser whose page is at a public site, which the nodes
/// reach through this server as their proxy. Public sites alone have gaps between requests.
fn story_url(port: u16, story: usize) -> String {
    if is_teaser(story) {
        return format!("http://site-{}.example/story/{story}", story % PUBLIC_SITES);
    }
    format!("http://{}:{port}/story/{story}", host(story % SITES))
}

fn is_teaser(story: usize) -> bool {
    story % 4 == 3
}

impl Sites {
    /// The address of a story.
    pub fn story(&self, story: usize) -> String {
        story_url(self.port, story)
    }
}

/// The document of a site: its own stories, and every fifth of the site before.
fn document(site: usize, published: usize, port: u16) -> String {
    let before = (site + SITES - 1) % SITES;
    let own = (0..published)
        .rev()
        .filter(|story| story % SITES == site || (story % SITES == before && story % 5 == 0));
    let entry = |story: usize| {
        let title = format!("Russia and North Korea trade arms, part {story}");
        let link = story_url(port, story);
        if is_teaser(story) {
            Entry::teaser(&title, &link)
        } else {
            Entry::full(&title, &link, &wire::long(story))
        }
    };
    wire::feed(&own.take(LISTED).map(entry).collect::<Vec<_>>())
}

fn page(story: usize) -> String {
    let text = wire::long(story);
    format!(
        "<!doctype html><html lang=en><head><title>Arms {story}</title></head><body><article><h1>Russia and North Korea trade arms, part {story}</h1><p>{text}</p></article></body></html>"
    )
}

type SiteState = (Arc<Mutex<SiteLog>>, watch::Sender<usize>, u16);

async fn answer(
    State((seen, arrived, port)): State<SiteState>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().to_owned();
    let text = |name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let number = parts.get(1).and_then(|part| part.parse::<usize>().ok());
    if parts[0] == "hook" {
        return take_message(&seen, &arrived, text("webhook-id"), path, &body).await;
    }
    let what = format!("{path} of {}", text("user-agent"));
    let _request = UnderWay::ask(&seen, text("host"), what);
    let published = seen.lock().expect("no panic").published;
    // Long enough that a second request would meet it.
    tokio::time::sleep(Duration::from_millis(20)).await;
    match (parts[0], number) {
        ("feed", Some(0)) => {
            let to = format!("http://{}:{port}/moved/0", host(4));
            (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
        }
        ("feed" | "moved", Some(site)) => {
            let tag = format!("\"{published}\"");
            if text("if-none-match") == tag {
                return StatusCode::NOT_MODIFIED.into_response();
            }
            let kind = "application/rss+xml".to_owned();
            let document = document(site, published, port);
            ([(header::ETAG, tag), (header::CONTENT_TYPE, kind)], document).into_response()
        }
        ("story", Some(story)) => {
            ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page(story)).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn take_message(
    seen: &Arc<Mutex<SiteLog>>,
    arrived: &watch::Sender<usize>,
    id: String,
    hook: String,
    body: &Bytes,
) -> Response {
    let payload: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut stories = Vec::new();
    read_stories(&payload, &mut stories);
    let _attempt = UnderWay::begin(seen, id.clone());
    tokio::time::sleep(Duration::from_millis(20)).await;
    let mut all = seen.lock().expect("no panic");
    if HOOKS.iter().any(|name| hook.ends_with(name)) {
        arrived.send_modify(|count| *count += 1);
    }
    all.arrivals.push(HookArrival { id, hook, stories });
    StatusCode::NO_CONTENT.into_response()
}

/// Adds the addresses of all stories of a payload.
fn read_stories(payload: &Value, stories: &mut Vec<String>) {
    stories.extend(payload["story"]["url"].as_str().map(str::to_owned));
    match payload {
        Value::Object(parts) => parts.values().for_each(|part| read_stories(part, stories)),
        Value::Array(parts) => parts.iter().for_each(|part| read_stories(part, stories)),
        _ => {}
    }
}
