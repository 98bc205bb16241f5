//! As few requests as possible, as far apart as possible, and without anything that nobody asked
//! for.

use std::time::Duration;

use super::publisher::{Publisher, Reply, Then, clock};
use super::{a_day_passes, round, round_a_day_later, story, watching};
use crate::support::wire;

#[tokio::test(flavor = "multi_thread")]
async fn one_request_is_made_when_a_feed_is_added() {
    let publisher = Publisher::start().await;
    publisher.serve("/feed", |_| Reply::ok("", &story()));
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/feed"))]);
    let mut tidings = folder.run(&[]);
    tidings.wait_for_output(|line| line.contains("*North Korea* trade")).await;
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(publisher.all().len(), 1, "{:?}", publisher.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_polls_nothing_that_is_not_due() {
    let publisher = Publisher::start().await;
    for path in ["/adaptive", "/every", "/due"] {
        publisher.serve(path, |_| Reply::ok("", &wire::feed(&[])));
    }
    let feed = |name: &str, keys: &str| {
        format!("url: \"{}\", name: {name}{keys}", publisher.url(&format!("/{name}")))
    };
    let folder = watching(&[feed("adaptive", ""), feed("every", ", every: 20m"), feed("due", "")]);
    round(&folder).await;
    let before =
        folder.query("SELECT name || next_poll FROM feed WHERE name != 'due' ORDER BY name").await;
    folder.change("UPDATE feed SET next_poll = 1 WHERE name = 'due'").await;
    for times in 2..=3 {
        let mut tidings = folder.run(&[]);
        publisher.wait_for("/due", times).await;
        assert_eq!(tidings.terminate().await, 0);
        folder.change("UPDATE feed SET next_poll = 1 WHERE name = 'due'").await;
    }
    for path in ["/adaptive", "/every"] {
        assert_eq!(publisher.requests(path).len(), 1, "{path}");
    }
    assert_eq!(
        folder.query("SELECT name || next_poll FROM feed WHERE name != 'due' ORDER BY name").await,
        before
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_that_are_overdue_after_a_week_off_are_spread() {
    const FEEDS: u32 = 100;
    let publisher = Publisher::start().await;
    publisher.serve("/feed", |_| Reply::ok("", &wire::feed(&[])));
    let feeds: Vec<_> = (0..FEEDS)
        .map(|n| format!("url: \"{}\", name: wire-{n}", publisher.url("/feed")))
        .collect();
    let folder = watching(&feeds);
    round(&folder).await;
    for _ in 0..7 {
        a_day_passes(&folder).await;
    }
    let started = clock();
    let mut tidings = folder.run(&[]);
    let requests = publisher.wait_for("/feed", 2 * FEEDS as usize).await;
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(requests.len(), 2 * FEEDS as usize);
    let took = requests.last().expect("a request").at - started;
    assert!(took >= Duration::from_millis(20) * (FEEDS - 1), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_asked_by_one_connection_at_a_time_and_other_hosts_meanwhile() {
    let (slow, other) = (Publisher::start().await, Publisher::start().await);
    slow.serve("/1", |_| Reply::raw(Vec::new()).then(Then::Hold));
    slow.serve("/2", |_| Reply::raw(Vec::new()).then(Then::Hold));
    other.serve("/feed", |_| Reply::ok("", &wire::feed(&[])));
    let folder = watching(&[
        format!("url: \"{}\", name: one", slow.url("/1")),
        format!("url: \"{}\", name: two", slow.url("/2")),
        format!("url: \"{}\", name: other, every: 1s", other.url("/feed")),
    ]);
    let mut tidings = folder.run(&[]);
    other.wait_for("/feed", 3).await;
    assert_eq!(slow.all().len(), 1);
    assert_eq!(tidings.terminate().await, 0, "what is asked is given up at the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_says_who_asks_and_has_no_cookies_and_goes_through_no_proxy_of_the_environment() {
    let publisher = Publisher::start().await;
    publisher.serve("/feed", |_| Reply::ok("Set-Cookie: a=b\r\n", &story()));
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/feed"))]);
    for name in ["http_proxy", "HTTP_PROXY", "ALL_PROXY"] {
        folder.set(name, "http://127.0.0.1:9");
    }
    round(&folder).await;
    round_a_day_later(&folder).await;
    let agent = format!(
        "Tidings/{} (+https://example.org/tidings; ana@example.org)",
        env!("CARGO_PKG_VERSION")
    );
    for request in publisher.requests("/feed") {
        assert_eq!(request.header("user-agent"), Some(agent.as_str()));
        for name in ["cookie", "referer", "authorization", "from"] {
            assert_eq!(request.header(name), None);
        }
        assert!(
            request.header("accept").is_some_and(|accept| accept.contains("application/rss+xml"))
        );
    }
    assert_eq!(publisher.requests("/feed").len(), 2);
}
