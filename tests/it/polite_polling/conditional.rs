//! Conditional requests: which validators are sent, and when they are replaced.

use super::publisher::{Publisher, PublisherRequest, Reply};
use super::{round, round_a_day_later, story, watching};

/// 304 if the request has `etag`, else 200 with these headers.
fn known_by(request: &PublisherRequest, etag: &str, headers: &str) -> Reply {
    if request.header("if-none-match") == Some(etag) {
        Reply::new("304 Not Modified", "", b"")
    } else {
        Reply::ok(headers, &story())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn validators_come_back_byte_for_byte_over_a_restart() {
    let publisher = Publisher::start().await;
    let headers = "ETag: W/\"\u{e9}\u{ff} 1\"\r\nLast-Modified: yesterday, about noon\r\n";
    publisher.serve("/feed", move |request| known_by(request, "W/\"\u{e9}\u{ff} 1\"", headers));
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/feed"))]);
    round(&folder).await;
    round_a_day_later(&folder).await;
    round_a_day_later(&folder).await;
    let requests = publisher.requests("/feed");
    assert_eq!(
        (requests[0].header("if-none-match"), requests[0].header("if-modified-since")),
        (None, None)
    );
    for again in &requests[1..] {
        assert_eq!(again.header("if-none-match"), Some("W/\"\u{e9}\u{ff} 1\""));
        assert_eq!(again.header("if-modified-since"), Some("yesterday, about noon"));
    }
    assert_eq!(requests.len(), 3);
    assert_eq!(folder.query("SELECT failures FROM feed").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn validators_are_replaced_together_after_every_200() {
    let publisher = Publisher::start().await;
    publisher.serve("/feed", |_| Reply::ok("ETag: \"1\"\r\nLast-Modified: Mon\r\n", &story()));
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/feed"))]);
    round(&folder).await;
    publisher.serve("/feed", |_| Reply::ok("ETag: \"2\"\r\n", &story()));
    round_a_day_later(&folder).await;
    publisher.serve("/feed", |_| Reply::ok("", &story()));
    round_a_day_later(&folder).await;
    round_a_day_later(&folder).await;
    let sent: Vec<_> = publisher
        .requests("/feed")
        .iter()
        .map(|request| {
            let header = |name| request.header(name).unwrap_or("none").to_owned();
            (header("if-none-match"), header("if-modified-since"))
        })
        .collect();
    let expected = [("none", "none"), ("\"1\"", "Mon"), ("\"2\"", "none"), ("none", "none")];
    assert_eq!(sent, expected.map(|(etag, date)| (etag.to_owned(), date.to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_304_replaces_the_validators_that_it_carries_and_keeps_the_others() {
    let publisher = Publisher::start().await;
    publisher.serve("/feed", |_| Reply::ok("ETag: \"1\"\r\nLast-Modified: Mon\r\n", &story()));
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/feed"))]);
    round(&folder).await;
    publisher.serve("/feed", |_| Reply::new("304 Not Modified", "ETag: \"2\"\r\n", b""));
    round_a_day_later(&folder).await;
    round_a_day_later(&folder).await;
    let last = publisher.requests("/feed").remove(2);
    assert_eq!(
        (last.header("if-none-match"), last.header("if-modified-since")),
        (Some("\"2\""), Some("Mon"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ignores_validators_is_logged_once_and_asked_no_more_often() {
    let publisher = Publisher::start().await;
    publisher.serve("/feed", |_| Reply::ok("ETag: \"1\"\r\n", &story()));
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/feed"))]);
    round(&folder).await;
    round_a_day_later(&folder).await;
    round_a_day_later(&folder).await;
    assert!(
        publisher.requests("/feed")[1..]
            .iter()
            .all(|request| request.header("if-none-match") == Some("\"1\""))
    );
    assert_eq!(folder.query("SELECT count(*) FROM story").await, ["1"]);
    assert_eq!(folder.query("SELECT count(*) FROM alert").await, ["1"]);
    assert_eq!(folder.query("SELECT count(*) FROM message WHERE status = 'sent'").await, ["1"]);
    assert_eq!(
        folder.query("SELECT count(*) FROM feed_entry WHERE removed_at IS NOT NULL").await,
        ["0"]
    );
    assert_eq!(folder.query("SELECT next_poll - last_poll >= 1800000 FROM feed").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_feed_replaces_no_validators() {
    let publisher = Publisher::start().await;
    publisher.serve("/feed", |_| Reply::ok("ETag: \"1\"\r\n", &story()));
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/feed"))]);
    round(&folder).await;
    publisher
        .serve("/feed", |_| Reply::ok("ETag: \"oops\"\r\n", "<!doctype html><title>Oops</title>"));
    round_a_day_later(&folder).await;
    assert_eq!(folder.query("SELECT error FROM feed").await, ["this is a web page, not a feed"]);
    assert_eq!(
        folder.query("SELECT count(*) FROM feed_entry WHERE removed_at IS NOT NULL").await,
        ["0"]
    );
    round_a_day_later(&folder).await;
    assert_eq!(publisher.requests("/feed")[2].header("if-none-match"), Some("\"1\""));
}
