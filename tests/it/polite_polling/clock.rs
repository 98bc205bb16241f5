//! A clock that was ahead is set back. Nothing waits for the wrong time.

use super::publisher::{Publisher, Reply};
use super::{round, story, watching};

/// Twenty hours in milliseconds, which is shorter than the longest interval of a feed.
const AHEAD: &str =
    "UPDATE feed SET last_poll = last_poll + 72000000, next_poll = next_poll + 72000000";
const REST_AHEAD: &str =
    "UPDATE host SET since = since + 72000000, rests_until = rests_until + 72000000";

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_was_polled_by_a_clock_that_was_ahead_waits_no_longer_than_its_interval() {
    let publisher = Publisher::start().await;
    publisher.serve("/feed", |_| Reply::ok("", &story()));
    let folder = watching(&[format!("url: \"{}\", name: wire, every: 2s", publisher.url("/feed"))]);
    round(&folder).await;
    assert_eq!(folder.change(AHEAD).await, 1);
    let mut tidings = folder.run(&[]);
    publisher.wait_for("/feed", 3).await;
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_asked_a_clock_that_was_ahead_for_rest_rests_no_longer_than_it_asked_for() {
    let publisher = Publisher::start().await;
    publisher.serve("/busy", |_| Reply::new("503 Busy", "Retry-After: 2\r\n", b""));
    let folder = watching(&[format!("url: \"{}\", name: wire, every: 1s", publisher.url("/busy"))]);
    round(&folder).await;
    folder.wait_until("SELECT count(*) FROM host", |rows| rows == "1").await;
    assert_eq!((folder.change(AHEAD).await, folder.change(REST_AHEAD).await), (1, 1));
    let mut tidings = folder.run(&[]);
    publisher.wait_for("/busy", 2).await;
    assert_eq!(tidings.terminate().await, 0);
}
