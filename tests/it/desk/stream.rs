//! The stream of alerts: at once, once each, and after an absence.

use std::time::Duration;

use reqwest::{Method, Response};

use super::{ALERTS, TestDesk};
use crate::support::DEADLINE;
use crate::support::setup::{self, matching_stories};

/// The names and ids of the next events of a stream.
pub(super) struct Events {
    answer: Response,
    text: String,
}

impl Events {
    pub(super) async fn open(desk: &TestDesk, query: &str, last: Option<&str>) -> Self {
        let mut request = desk.request(Method::GET, &format!("/api/v1/stream{query}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self { answer, text: String::new() }
    }

    /// The next event as `name id`.
    pub(super) async fn next(&mut self) -> String {
        let next = tokio::time::timeout(DEADLINE, self.read_next()).await;
        next.expect("an event in time")
    }

    async fn read_next(&mut self) -> String {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let found = event.lines().find_map(|line| line.strip_prefix(name));
                    found.unwrap_or_default().trim().to_owned()
                };
                let found = format!("{} {}", field("event:"), field("id:"));
                self.text = String::from(rest);
                if found != " " {
                    return found;
                }
                continue;
            }
            let part = self.answer.chunk().await.expect("bytes").expect("no end");
            self.text += std::str::from_utf8(&part).expect("UTF-8");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_come_as_they_are_recorded_and_once_after_an_absence() {
    let desk = TestDesk::start(&[("arms.yaml", setup::RULE)]).await;
    let server = &desk.setup.server;
    let mut all = Events::open(&desk, "", None).await;
    let mut filtered = Events::open(&desk, "?words=part+3", None).await;
    server.serve("/feed.xml", matching_stories(server, 1..=2));
    assert_eq!((all.next().await, all.next().await), ("alert 1".to_owned(), "alert 2".to_owned()));
    drop(all);
    server.serve("/feed.xml", matching_stories(server, 1..=3));
    assert_eq!(filtered.next().await, "alert 3");
    let mut back = Events::open(&desk, "", Some("1")).await;
    assert_eq!(
        (back.next().await, back.next().await),
        ("alert 2".to_owned(), "alert 3".to_owned())
    );
    let mut after = Events::open(&desk, "?after=2", None).await;
    assert_eq!(after.next().await, "alert 3");
    server.serve("/feed.xml", matching_stories(server, 1..=4));
    assert_eq!(
        (back.next().await, after.next().await),
        ("alert 4".to_owned(), "alert 4".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_missed_too_much_reads_its_list_anew() {
    let desk = TestDesk::start(&[("arms.yaml", setup::RULE)]).await;
    let server = &desk.setup.server;
    server.serve("/feed.xml", matching_stories(server, 1..=502));
    desk.wait_for(ALERTS, "502").await;
    let mut late = Events::open(&desk, "", Some("1")).await;
    assert_eq!(late.next().await, "reset 502");
    let mut in_time = Events::open(&desk, "", Some("2")).await;
    assert_eq!(in_time.next().await, "alert 3");
    let mut of_another_store = Events::open(&desk, "", Some("99999")).await;
    assert_eq!(of_another_store.next().await, "reset 502");
    server.serve("/feed.xml", matching_stories(server, 1..=503));
    assert_eq!(late.next().await, "alert 503");
    assert_eq!(of_another_store.next().await, "alert 503");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_bounded_and_free_their_place() {
    let desk = TestDesk::start(&[("arms.yaml", setup::RULE)]).await;
    let mut streams = Vec::new();
    for _ in 0..100 {
        streams.push(Events::open(&desk, "", None).await);
    }
    let refused = desk.get("/stream").await;
    assert_eq!(refused.0, 503);
    streams.clear();
    let is_free = async {
        loop {
            let answer = desk.request(Method::GET, "/api/v1/stream").send().await;
            if answer.expect("an answer").status() == 200 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, is_free).await.expect("a place is free again");
}
