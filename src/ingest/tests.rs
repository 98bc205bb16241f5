//! Lines become stored stories, and bad lines faults with their places, in bounded transactions.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::sync::mpsc;

use super::receivers::tests::feeds;
use super::*;
use crate::config::StorePlace;
use crate::shares::OwnShares;
use crate::store::{RunRole, Store, StoryWait};

/// A new store, and its folder.
async fn new_store() -> (Store, IngestTarget, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tidings.db");
    let compare = Arc::new(|batch: crate::alerts::copies::CopyBatch| {
        let decide: futures_util::future::BoxFuture<'static, _> =
            Box::pin(async move { batch.decide() });
        decide
    });
    let (store, writer) = Store::open(&path, RunRole::Alone, compare).await.unwrap();
    tokio::spawn(writer);
    (store.clone(), IngestTarget::Run(store), folder)
}

fn line(id: usize) -> String {
    format!("{{\"id\": {id}, \"title\": \"Freight {id}\", \"body\": \"Text.\"}}\n")
}

async fn waiting(store: &Store) -> usize {
    store
        .waiting_stories(StoryWait::Match, now(), &[], &OwnShares::All, 10_000)
        .await
        .unwrap()
        .len()
}

#[tokio::test]
async fn good_lines_are_stored_and_bad_ones_are_answered_with_their_place() {
    let (store, target, _folder) = new_store().await;
    let input = [
        "\u{feff}".as_bytes(),
        line(1).as_bytes(),
        b"\r\n",
        b"{\"title\": \"\xff\", \"body\": \"\"}\n",
        "{\"title\": \"\u{dc}b\u{e9}r\"; 1}\n".as_bytes(),
        b"{\"title\": \"a\", \"body\": \"\", \"feed\": \"wire\"}\n",
        line(1).replace("Text", "Edited text").as_bytes(),
        line(1).replace("Text", "Edited text").as_bytes(),
        line(2).trim_end().as_bytes(),
    ]
    .concat();
    let mut told = Vec::new();
    let feeds = feeds(Some("desk"));
    let report = ingest(&input[..], &feeds, &target, |faults| told.extend_from_slice(faults));
    let report = report.await.unwrap();
    assert_eq!((report.new, report.edited, report.known, report.refused), (2, 1, 1, 3));
    let places: Vec<_> = report.faults.iter().map(|fault| (fault.line, fault.column)).collect();
    assert_eq!(places, [(3, Some(12)), (4, Some(17)), (5, None)]);
    assert_eq!((&report.faults, waiting(&store).await), (&told, 2));
    let json = serde_json::to_value(&report.faults[2]).unwrap();
    let why = "the feed `wire` is polled, and receives no stories";
    assert_eq!(json, serde_json::json!({"line": 5, "message": why}));
}

#[tokio::test]
async fn lines_that_come_together_are_bounded_and_many_faults_are_counted() {
    let (store, target, _folder) = new_store().await;
    let input: String = (0..1200).map(line).chain(["no\n".repeat(2000)]).collect();
    let mut faults = Vec::new();
    let feeds = feeds(Some("desk"));
    let report = ingest(input.as_bytes(), &feeds, &target, |told| faults.push(told.len()));
    let report = report.await.unwrap();
    assert_eq!((report.new, report.refused, report.faults.len()), (1200, 2000, MOST_FAULTS));
    assert_eq!(faults, [2000]);
    assert_eq!(waiting(&store).await, 1200);
    let mut batches = 0;
    ingest("\n".repeat(MOST_LINES + 1).as_bytes(), &feeds, &target, |_| batches += 1)
        .await
        .unwrap();
    assert_eq!(batches, 2);
    let long = format!("{{\"title\": \"a\", \"body\": \"{}\"}}\n", "word ".repeat(200_000));
    let mut batches = 0;
    ingest(long.repeat(10).as_bytes(), &feeds, &target, |_| batches += 1).await.unwrap();
    assert_eq!(batches, 2);
}

/// A line of this feed with an id, a publication time in seconds, and a text.
fn dated(feed: &str, id: &str, published: Option<u32>, text: &str) -> String {
    let published = published.map(|second| format!("2026-11-24T10:00:{second:02}Z"));
    let line = serde_json::json!({
        "feed": feed, "id": id, "published": published, "title": "Freight", "body": text,
    });
    format!("{line}\n")
}

#[tokio::test]
async fn stories_that_come_together_wait_in_the_order_of_their_publication() {
    let (store, target, _folder) = new_store().await;
    let input = [
        dated("desk", "undated", None, "Last."),
        dated("desk", "4", Some(30), "Fourth."),
        dated("desk", "2", Some(10), "Edited below."),
        (0..1200).map(|id| dated("desk", &format!("f{id}"), Some(40), "Filler.")).collect(),
        dated("telegram", "3", Some(20), "Third."),
        dated("desk", "2", Some(50), "Second."),
        dated("desk", "1", Some(5), "First."),
    ];
    let feeds = feeds(None);
    let report = ingest(input.concat().as_bytes(), &feeds, &target, |_| ()).await.unwrap();
    assert_eq!((report.new, report.edited, report.refused), (1205, 1, 0));
    let waiting =
        store.waiting_stories(StoryWait::Match, now(), &[], &OwnShares::All, 10_000).await.unwrap();
    let texts: Vec<&str> = waiting.iter().map(|one| one.story.body.as_str()).collect();
    assert_eq!(texts[..5], ["First.", "Second.", "Third.", "Fourth.", "Filler."]);
    assert_eq!(texts.last(), Some(&"Last."));
    let times: Vec<_> = waiting.iter().map(|one| one.story.first_seen).collect();
    assert!(times.iter().all(|time| *time == times[0]), "they have one time");
}

#[tokio::test]
async fn a_line_of_a_pipe_that_stays_open_is_stored_soon() {
    let (store, target, _folder) = new_store().await;
    let (mut pipe, input) = tokio::io::duplex(1 << 10);
    let (told, mut stored) = mpsc::unbounded_channel();
    let ingesting = tokio::spawn(async move {
        let tell = |_: &[LineFault]| told.send(()).expect("the test waits");
        ingest(input, &feeds(Some("desk")), &target, tell).await
    });
    for id in 1..=3 {
        pipe.write_all(line(id).as_bytes()).await.unwrap();
        stored.recv().await.expect("a transaction");
        assert_eq!(waiting(&store).await, id);
    }
    drop(pipe);
    assert_eq!(ingesting.await.unwrap().unwrap().new, 3);
}

/// The listener of a run answers requests on any thread.
#[tokio::test]
async fn lines_can_be_taken_on_any_thread() {
    fn on_any_thread<T: Send>(task: T) -> T {
        task
    }
    let (_, target, _folder) = new_store().await;
    let feeds = feeds(Some("desk"));
    let task = on_any_thread(ingest(&b""[..], &feeds, &target, |_| ()));
    assert_eq!(task.await.unwrap(), IngestReport::default());
}

/// An input that fails.
struct Broken;

impl AsyncRead for Broken {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
    }
}

#[tokio::test]
async fn what_was_stored_before_a_failure_is_reported_with_it() {
    let (store, target, _folder) = new_store().await;
    let lines: String = (0..600).map(line).collect();
    let input = lines.as_bytes().chain(Broken);
    let error = ingest(input, &feeds(Some("desk")), &target, |_| ()).await.unwrap_err();
    assert_eq!((error.report.new, waiting(&store).await), (600, 600));
    assert!(matches!(error.cause, IngestFailure::Input(_)), "{error}");

    let nowhere = IngestTarget::At(StorePlace::File("/nowhere/tidings.db".into()));
    let error = ingest(lines.as_bytes(), &feeds(Some("desk")), &nowhere, |_| ()).await.unwrap_err();
    assert_eq!(error.report, IngestReport::default());
    assert!(matches!(error.cause, IngestFailure::Store(_)), "{error}");
}
