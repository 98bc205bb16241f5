//! No answer of a server stops the daemon or delays another feed.

use std::io::Write;

use super::publisher::{Make, Publisher, Reply, Then};
use super::{story, watching};
use crate::support::wire;

const OK: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\n";

/// Answers that keep a connection open for as long as they can.
const SLOW: [(&str, Make); 4] = [
    ("says nothing", || Reply::raw(Vec::new()).then(Then::Hold)),
    ("half a head", || Reply::raw(b"HTTP/1.1 200 OK\r\nX-Slow: lo".to_vec()).then(Then::Hold)),
    ("half a body", || {
        Reply::raw(format!("{OK}Content-Length: 99\r\n\r\n<rss>").into_bytes()).then(Then::Hold)
    }),
    ("never ends", || Reply::raw(format!("{OK}\r\n<rss>").into_bytes()).then(Then::Hold)),
];

/// Answers that could exhaust a core, the memory or the stack.
const EVIL: [(&str, Make); 12] = [
    ("bomb", bomb),
    ("flood", || {
        Reply::raw(format!("{OK}\r\n{}", " ".repeat(1 << 16)).into_bytes()).then(Then::Repeat)
    }),
    ("headers", || Reply::raw(b"HTTP/1.1 200 OK\r\nX-More: x".to_vec()).then(Then::Repeat)),
    ("validator", || Reply::ok(&format!("ETag: \"{}\"\r\n", "e".repeat(50_000)), &wire::feed(&[]))),
    ("rest", || {
        Reply::new("503 Service Unavailable", "Retry-After: 99999999999999999999\r\n", b"")
    }),
    ("reset", || {
        Reply::raw(format!("{OK}Content-Length: 99\r\n\r\n<rss>").into_bytes()).then(Then::Reset)
    }),
    ("circle", || Reply::redirect("301 Moved Permanently", "?")),
    ("nonsense", || {
        Reply::new("200 OK", "Content-Type: text/xml; charset=utf-16\r\n", &[0xd8; 100_001])
    }),
    ("deep", || Reply::ok("", &format!("<rss><channel>{}", "<media:group>".repeat(100_000)))),
    ("laughs", laughs),
    ("one line", || {
        Reply::ok(
            "",
            &format!("<rss><channel><item><title>{}</title></item>", "a&b<".repeat(200_000)),
        )
    }),
    ("hints", || {
        let hints = "<ttl>4294967295</ttl><sy:updatePeriod>yearly</sy:updatePeriod><skipDays><day>Monday</day></skipDays>";
        let date = "<pubDate>Fri, 31 Dec 9999 23:59:59 GMT</pubDate>";
        let item = format!("<item><title>x</title>{date}</item>");
        Reply::ok(
            "Cache-Control: max-age=99999999999999999999\r\n",
            &format!("<rss><channel>{hints}{}", item.repeat(3)),
        )
    }),
];

fn bomb() -> Reply {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&vec![b' '; 20 << 20]).expect("memory");
    Reply::new("200 OK", "Content-Encoding: gzip\r\n", &encoder.finish().expect("memory"))
}

fn laughs() -> Reply {
    let entity = |n: usize| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10));
    let entities: String = (1..10).map(entity).collect();
    let text = "<rss><channel><item><title>&l9;</title></item></channel></rss>";
    Reply::ok("", &format!("<!DOCTYPE rss [<!ENTITY l0 \"ha\">{entities}]>{text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_feed_alerts_while_hostile_servers_do_their_worst_and_the_daemon_outlives_them() {
    let good = Publisher::start().await;
    good.serve("/feed", |_| Reply::ok("", &wire::feed(&[])));
    let mut hostile = Vec::new();
    let mut feeds = vec![format!("url: \"{}\", name: good, every: 1s", good.url("/feed"))];
    for (kind, answers) in [("slow", &SLOW[..]), ("evil", &EVIL[..])] {
        for (name, reply) in answers {
            let publisher = Publisher::start().await;
            let reply = *reply;
            publisher.serve("/feed", move |_| reply());
            publisher.serve("/feed?", move |_| reply());
            feeds.push(format!("url: \"{}\", name: {kind} {name}", publisher.url("/feed")));
            hostile.push(publisher);
        }
    }
    let folder = watching(&feeds);
    let mut tidings = folder.run(&[]);
    for publisher in &hostile {
        publisher.wait_for("/feed", 1).await;
    }
    good.serve("/feed", |_| Reply::ok("", &story()));
    tidings.wait_for_output(|line| line.contains("*North Korea* trade")).await;
    let outcomes = folder.query("SELECT count(*) FROM feed WHERE name LIKE 'slow%'").await;
    assert_eq!(outcomes, ["0"], "the slow ones are still being waited for");

    folder
        .wait_until("SELECT count(*) FROM feed WHERE name LIKE 'evil%'", |count| count == "12")
        .await;
    let polls = good.requests("/feed").len();
    good.wait_for("/feed", polls + 2).await;
    let late =
        folder.query("SELECT name FROM feed WHERE next_poll - last_poll > 27 * 3600000").await;
    assert_eq!(
        late,
        Vec::<String>::new(),
        "nobody puts off the next poll for longer than a day and a tenth"
    );
    assert_eq!(tidings.terminate().await, 0, "{:#?}", tidings.log());
    let log = tidings.log().join("\n");
    assert!(!log.contains("bug in Tidings") && !log.contains("panicked"), "{log}");
}
