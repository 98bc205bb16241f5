//! Answers that break off, are wrong about themselves or never end. Each is one failure with a
//! reason, and nothing is lost.

use std::io::Write;

use super::publisher::{Make, Publisher, Reply, Then};
use super::{round, round_a_day_later, story, watching};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// A stream of Brotli (RFC 7932): a window of 16 bits, one uncompressed block, an empty last one.
fn brotli(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len() - 1).expect("a short body");
    let head = (length << 4 | 1 << 20).to_le_bytes();
    [&head[..3], bytes, &[3]].concat()
}

fn head(headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{headers}\r\n").into_bytes()
}

/// The faults by the feed's name, each with the expected reason.
fn damage() -> Vec<(&'static str, Make, &'static str)> {
    vec![
        (
            "bomb",
            || Reply::new("200 OK", "Content-Encoding: gzip\r\n", &gzip(&vec![b' '; 30 << 20])),
            "larger than the limit of 10 MiB",
        ),
        ("closed", || Reply::raw(Vec::new()), "the server closed the connection without an answer"),
        (
            "endless",
            || Reply::raw([head(""), vec![b'x'; 1 << 20]].concat()).then(Then::Repeat),
            "larger than the limit of 10 MiB",
        ),
        (
            "huge",
            || Reply::raw(head("Content-Length: 1000000000000000000\r\n")),
            "larger than the limit of 10 MiB",
        ),
        (
            "no gzip",
            || Reply::new("200 OK", "Content-Encoding: gzip\r\n", story().as_bytes()),
            "cannot be decompressed",
        ),
        ("nothing", || Reply::ok("", ""), "the answer is empty"),
        ("other", || Reply::raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()), "no usable answer came"),
        (
            "reset",
            || {
                Reply::raw([head("Content-Length: 100000\r\n"), b"<rss>".to_vec()].concat())
                    .then(Then::Reset)
            },
            "the answer broke off in the middle",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_damage_is_one_failure_in_words_and_the_next_good_answer_is_read() {
    let publisher = Publisher::start().await;
    let mut feeds = Vec::new();
    for (number, (name, reply, _)) in damage().into_iter().enumerate() {
        publisher.serve(&format!("/{number}"), move |_| reply());
        feeds.push(format!("url: \"{}\", name: {name}", publisher.url(&format!("/{number}"))));
    }
    let folder = watching(&feeds);
    round(&folder).await;
    let errors = folder
        .query("SELECT name || ': ' || error FROM feed WHERE failures = 1 ORDER BY name")
        .await;
    assert_eq!(errors.len(), damage().len(), "{errors:#?}");
    for ((name, _, why), error) in damage().iter().zip(&errors) {
        assert!(error.starts_with(name) && error.contains(why), "{error}");
    }
    assert_eq!(publisher.all().len(), damage().len(), "none is asked again at once");
    let soon = "SELECT count(*) FROM feed WHERE next_poll - last_poll < 1800000 AND NOT unreached";
    assert_eq!(folder.query(soon).await, ["0"]);

    for number in 0..damage().len() {
        publisher.serve(&format!("/{number}"), |_| Reply::ok("", &story()));
    }
    round_a_day_later(&folder).await;
    assert_eq!(folder.query("SELECT count(*) FROM feed WHERE failures > 0").await, ["0"]);
    assert_eq!(folder.query("SELECT count(*) FROM alert").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_a_feed_outlives_a_damaged_answer() {
    let publisher = Publisher::start().await;
    publisher.serve("/feed", |_| Reply::ok("ETag: \"1\"\r\n", &story()));
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/feed"))]);
    round(&folder).await;
    publisher.serve("/feed", |_| {
        Reply::raw([head("ETag: \"2\"\r\nContent-Length: 9000\r\n"), story().into_bytes()].concat())
    });
    round_a_day_later(&folder).await;
    assert_eq!(
        folder.query("SELECT failures || ' ' || coalesce(etag, 'none') FROM feed").await,
        ["0 none"]
    );
    assert_eq!(
        folder.query("SELECT count(*) FROM feed_entry WHERE removed_at IS NULL").await,
        ["1"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_length_that_is_too_short_costs_only_what_it_cuts_off() {
    let publisher = Publisher::start().await;
    publisher.serve("/feed", |_| {
        let cut = story().len() - "</channel></rss>".len();
        Reply::raw([head(&format!("Content-Length: {cut}\r\n")), story().into_bytes()].concat())
    });
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/feed"))]);
    round(&folder).await;
    assert_eq!(folder.query("SELECT failures FROM feed").await, ["0"]);
    assert_eq!(folder.query("SELECT count(*) FROM alert").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_encoding_that_is_asked_for_is_read() {
    type Encode = fn(&[u8]) -> Vec<u8>;
    const FEED: &str = "<rss><channel><title>Wire</title><item><title>One</title><link>http://a.example/</link></item></channel></rss>";
    let encodings: [(&str, Encode); 3] = [("br", brotli), ("deflate", deflate), ("gzip", gzip)];
    let publisher = Publisher::start().await;
    let mut feeds = Vec::new();
    for (name, encode) in encodings {
        publisher.serve(&format!("/{name}"), move |request| {
            let accepted = request.header("accept-encoding").expect("it says what it can read");
            assert!(accepted.split(',').any(|known| known.trim() == name), "{accepted}");
            Reply::new("200 OK", &format!("Content-Encoding: {name}\r\n"), &encode(FEED.as_bytes()))
        });
        feeds.push(format!("url: \"{}\", name: {name}", publisher.url(&format!("/{name}"))));
    }
    let folder = watching(&feeds);
    round(&folder).await;
    assert_eq!(
        folder.query("SELECT feed FROM feed_entry ORDER BY feed").await,
        ["br", "deflate", "gzip"]
    );
}
