//! Truncated documents are read to their end, and the next poll requests the whole.

use std::io::Write;

use super::publisher::{Publisher, Reply};
use super::{round, round_a_day_later, watching};
use crate::support::wire::{self, Entry};

/// Six stories that match and are no copies.
fn whole() -> String {
    let entry = |n: usize| {
        Entry::full(
            &format!("Arms, part {n}"),
            &format!("https://wire.example/{n}"),
            &wire::long(n),
        )
    };
    wire::feed(&(1..=6).map(entry).collect::<Vec<_>>())
}

fn json() -> String {
    let item = |n: usize| {
        let (link, text) = (format!("https://wire.example/{n}"), wire::long(n));
        serde_json::json!({ "id": link, "url": link, "title": format!("Arms, part {n}"), "content_text": text })
    };
    let items: Vec<_> = (1..=6).map(item).collect();
    format!(
        "{{\"version\": \"https://jsonfeed.org/version/1.1\", \"items\": {}}}",
        serde_json::Value::from(items)
    )
}

/// The start of the story with that number, and a few bytes more.
fn within(document: &str, n: usize, more: usize) -> usize {
    document.find(&format!("Arms, part {n}")).expect("it is there") + more
}

fn head(headers: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nETag: \"1\"\r\nLast-Modified: Mon\r\n{headers}\r\n"
    )
    .into_bytes()
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// A gzip stream that ends after these bytes. They are flushed.
fn half_a_gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(bytes).expect("memory");
    encoder.flush().expect("memory");
    encoder.get_ref().clone()
}

type Cut = (&'static str, fn() -> String, fn(&str) -> Vec<u8>);

/// The truncation of each document, by the feed's name.
const CUTS: [Cut; 8] = [
    ("between items", whole, |all| {
        [head(""), all[..all.find("<item><title>Arms, part 4").expect("it")].into()].concat()
    }),
    ("within a text", whole, |all| [head(""), all[..within(all, 4, 300)].into()].concat()),
    ("within a title", whole, |all| [head(""), all[..within(all, 4, 6)].into()].concat()),
    ("within a tag", whole, |all| {
        [head(""), all[..all.find("itle>Arms, part 4").expect("it")].into()].concat()
    }),
    ("promised more", whole, |all| {
        [head(&format!("Content-Length: {}\r\n", all.len())), all[..within(all, 4, 300)].into()]
            .concat()
    }),
    ("one byte more", whole, |all| {
        [head(&format!("Content-Length: {}\r\n", all.len() + 1)), all.into()].concat()
    }),
    ("chunks", whole, |all| {
        [
            head("Transfer-Encoding: chunked\r\n"),
            chunk(&all.as_bytes()[..within(all, 4, 300)]),
            b"ff\r\nx".to_vec(),
        ]
        .concat()
    }),
    ("json", json, |all| [head(""), all[..within(all, 4, 6)].into()].concat()),
];

async fn alert_counts(folder: &crate::support::tidings::Folder) -> Vec<String> {
    let of_feed = "SELECT feed || ': ' || count(*) FROM feed_entry JOIN alert ON alert.story = feed_entry.story GROUP BY feed ORDER BY feed";
    folder.query(of_feed).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_is_read_as_far_as_it_goes_and_then_asked_for_whole() {
    let publisher = Publisher::start().await;
    let mut feeds = Vec::new();
    for (number, (name, document, cut)) in CUTS.into_iter().enumerate() {
        let path = format!("/{number}");
        publisher.serve(&path, move |request| match request.header("if-none-match") {
            None => Reply::raw(cut(&document())),
            Some(_) => Reply::new("304 Not Modified", "", b""),
        });
        feeds.push(format!("url: \"{}\", name: {name}", publisher.url(&path)));
    }
    let folder = watching(&feeds);
    round(&folder).await;
    let read = |(name, ..): &Cut| {
        if *name == "one byte more" { format!("{name}: 6") } else { format!("{name}: 3") }
    };
    let mut expected: Vec<String> = CUTS.iter().map(read).collect();
    expected.sort();
    assert_eq!(alert_counts(&folder).await, expected);
    assert_eq!(
        folder.query("SELECT count(*) FROM feed WHERE failures = 0 AND etag IS NULL AND last_modified IS NULL").await,
        ["8"]
    );

    for (number, (_, document, _)) in CUTS.into_iter().enumerate() {
        publisher.serve(&format!("/{number}"), move |_| Reply::ok("ETag: \"1\"\r\n", &document()));
    }
    round_a_day_later(&folder).await;
    let mut expected: Vec<String> = CUTS.iter().map(|(name, ..)| format!("{name}: 6")).collect();
    expected.sort();
    assert_eq!(alert_counts(&folder).await, expected);
    let texts = "SELECT count(DISTINCT feed_text) || ' of ' || count(*) FROM story";
    assert_eq!(folder.query(texts).await, ["6 of 6"]);
    assert_eq!(folder.query("SELECT count(*) FROM feed WHERE etag = '\"1\"'").await, ["8"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gzip_that_breaks_off_loses_nothing() {
    let publisher = Publisher::start().await;
    publisher.serve("/feed", |_| {
        Reply::raw(
            [
                head("Content-Encoding: gzip\r\n"),
                half_a_gzip(&whole().as_bytes()[..within(&whole(), 4, 300)]),
            ]
            .concat(),
        )
    });
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/feed"))]);
    round(&folder).await;
    assert_eq!(folder.query("SELECT etag IS NULL FROM feed").await, ["1"]);
    publisher.serve("/feed", |_| Reply::ok("", &whole()));
    round_a_day_later(&folder).await;
    assert_eq!(alert_counts(&folder).await, ["wire: 6"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn items_that_a_cut_document_lacks_are_not_gone_and_leave_no_gap() {
    let publisher = Publisher::start().await;
    publisher.serve("/feed", |_| Reply::ok("ETag: \"1\"\r\n", &whole()));
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/feed"))]);
    round(&folder).await;
    publisher.serve("/feed", |_| {
        let other = whole()
            .replace("wire.example/", "wire.example/new/")
            .replace("Arms, part ", "Arms, new part ");
        let other = other.replace("They believe", "Some believe");
        let end = other.find("<item><title>Arms, new part 3").expect("it");
        Reply::raw([head("Cache-Control: max-age=80000\r\n"), other[..end].into()].concat())
    });
    round_a_day_later(&folder).await;
    assert_eq!(
        folder.query("SELECT count(*) FROM feed_entry WHERE removed_at IS NOT NULL").await,
        ["0"]
    );
    assert_eq!(folder.query("SELECT count(*) FROM gap").await, ["0"]);
    assert_eq!(
        folder.query("SELECT next_poll - last_poll < 40000000 FROM feed").await,
        ["1"],
        "no word of its headers"
    );
}
