//! Receivers with limits. No message becomes dead, no pause is ignored, and all messages arrive in
//! about the least time that the limit allows.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::support::http::Server;
use crate::support::setup::{RULE, matching_stories};
use crate::support::tidings::Folder;

/// A request may have been in flight when the pause was asked for.
const UNDER_WAY: Duration = Duration::from_millis(100);

/// The time that a service works on a message.
const WORK: Duration = Duration::from_millis(100);

/// The limit of a service.
#[derive(Clone, Copy)]
enum Limit {
    /// This number of messages in any period of this length. The others get 429 with a time.
    Rate(usize, Duration),
    /// This number of messages at once. The others are refused without a time.
    AtOnce(usize),
}

/// The record of a service.
#[derive(Default)]
struct Seen {
    /// The times of accepted messages.
    taken: Vec<Instant>,
    /// The ids of accepted messages.
    ids: BTreeSet<String>,
    under_way: usize,
    turned_away: usize,
    /// The time of the last pause that was asked for, and its end.
    wish: Option<(Instant, Instant)>,
    /// For each request that came too early, the time that remained of the pause.
    broken: Vec<Duration>,
}

/// A running webhook service with a limit. It stops when dropped.
struct Service {
    port: u16,
    seen: Arc<Mutex<Seen>>,
    count: watch::Receiver<usize>,
    serving: tokio::task::JoinHandle<()>,
}

impl Service {
    async fn start(limit: Limit) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (counted, count) = watch::channel(0);
        let shared = Arc::clone(&seen);
        let hook = move |headers: HeaderMap| {
            let (shared, counted) = (Arc::clone(&shared), counted.clone());
            async move {
                let answer = serve(limit, &shared, &headers).await;
                counted.send_replace(lock(&shared).ids.len());
                answer
            }
        };
        let router = Router::new().fallback(post(hook));
        let serving =
            tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { port, seen, count, serving }
    }

    /// Waits until this number of messages was accepted, at most for that time.
    async fn wait_for(&mut self, messages: usize, most: Duration) {
        let waited = timeout(most, self.count.wait_for(|count| *count >= messages)).await;
        assert!(
            waited.is_ok(),
            "after {most:?} only {} of {messages} are there",
            lock(&self.seen).ids.len()
        );
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().expect("no panic")
}

#[expect(clippy::disallowed_methods, reason = "a limit is a matter of time")]
fn now() -> Instant {
    Instant::now()
}

/// Answers one request.
async fn serve(limit: Limit, seen: &Mutex<Seen>, headers: &HeaderMap) -> Response {
    let at = now();
    if let Some(answer) = lock(seen).turn_away(limit, at) {
        return answer;
    }
    sleep(WORK).await;
    let mut seen = lock(seen);
    seen.under_way -= 1;
    seen.ids.insert(headers["webhook-id"].to_str().expect("ASCII").to_owned());
    StatusCode::NO_CONTENT.into_response()
}

impl Seen {
    /// The refusal for a request at `at`; `None` if it is accepted.
    fn turn_away(&mut self, limit: Limit, at: Instant) -> Option<Response> {
        if let Some((_, end)) =
            self.wish.filter(|(uttered, end)| *uttered + UNDER_WAY < at && at < *end)
        {
            self.broken.push(end - at);
        }
        match limit {
            Limit::Rate(most, per) => {
                let first = self.taken.len().checked_sub(most).map(|first| self.taken[first]);
                if let Some(free) = first.map(|first| first + per).filter(|free| at < *free) {
                    self.turned_away += 1;
                    self.wish = Some((at, free));
                    let body =
                        format!("{{\"retry_after\": {:.3}}}", (free - at).as_secs_f64() + 0.0005);
                    return Some((StatusCode::TOO_MANY_REQUESTS, body).into_response());
                }
            }
            Limit::AtOnce(most) if self.under_way >= most => {
                self.turned_away += 1;
                return Some(StatusCode::TOO_MANY_REQUESTS.into_response());
            }
            Limit::AtOnce(_) => {}
        }
        self.taken.push(at);
        self.under_way += 1;
        None
    }
}

/// Sends this number of messages to a service with that limit. Returns the service's record, and
/// the time that it took.
async fn send_all(limit: Limit, messages: usize, least: Duration) -> (Service, Duration) {
    let (server, mut service) = (Server::start().await, Service::start(limit).await);
    server.serve("/feed.xml", matching_stories(&server, 1..=messages));
    let config = format!(
        "notify: [hook]\nnetwork: {{allow: [127.0.0.0/8]}}\npoll: {{first_poll: all}}\nfeeds:\n  - {{url: '{}', full_text: never}}\n\
         notifiers:\n  hook: {{type: webhook, url: 'http://127.0.0.1:{}/hook'}}\n",
        server.url("/feed.xml"),
        service.port,
    );
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    let mut tidings = folder.run(&[]);
    service.wait_for(1, Duration::from_secs(20)).await;
    let begun = lock(&service.seen).taken[0];
    let most = least.mul_f64(1.5);
    service.wait_for(messages, most).await;
    let took = now() - begun;
    folder
        .wait_until("SELECT count(*) FROM message WHERE status != 'sent'", |count| count == "0")
        .await;
    let counted = folder.query("SELECT count(*) FROM message WHERE counted_attempts != 1").await;
    assert_eq!(counted, ["0"], "an attempt that was turned away costs nothing");
    assert_eq!(tidings.terminate().await, 0);
    (service, took)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_a_second_is_obeyed_to_the_second() {
    let (service, took) =
        send_all(Limit::Rate(1, Duration::from_secs(1)), 6, Duration::from_secs(5)).await;
    let seen = lock(&service.seen);
    println!("6 messages at one a second: {took:.1?}, {} turned away", seen.turned_away);
    assert_eq!((seen.broken.as_slice(), seen.ids.len()), (&[][..], 6));
    assert!(seen.turned_away <= 20, "{}", seen.turned_away);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_messages_in_two_seconds_are_sent_as_the_service_takes_them() {
    let (service, took) =
        send_all(Limit::Rate(5, Duration::from_secs(2)), 20, Duration::from_secs(6)).await;
    let seen = lock(&service.seen);
    println!("20 messages at five in two seconds: {took:.1?}, {} turned away", seen.turned_away);
    assert_eq!((seen.broken.as_slice(), seen.ids.len()), (&[][..], 20));
    assert!(seen.turned_away <= 20, "{}", seen.turned_away);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_takes_three_at_once_is_kept_busy_and_not_overrun() {
    let least = WORK * 240 / 3;
    let (service, took) = send_all(Limit::AtOnce(3), 240, least).await;
    let seen = lock(&service.seen);
    println!(
        "240 messages, three at once: {took:.1?} of at least {least:.1?}, {} turned away",
        seen.turned_away
    );
    assert!(seen.turned_away <= 80, "{}", seen.turned_away);
}
