//! Hints of servers and feeds lengthen the adaptive interval, also on a 304, and change nothing
//! else.

use super::publisher::{Publisher, Reply};
use super::{round, round_a_day_later, watching};
use crate::support::tidings::Folder;

/// A feed without dates. It is polled every 30 minutes unless it asks for another interval.
fn feed(channel: &str) -> String {
    format!(
        "<rss version=\"2.0\" xmlns:sy=\"http://purl.org/rss/1.0/modules/syndication/\"><channel><title>Wire</title>\
         {channel}<item><title>One</title><link>https://wire.example/1</link></item></channel></rss>"
    )
}

fn skipping(hours: impl Iterator<Item = u32>) -> String {
    let hours: Vec<_> = hours.map(|hour| format!("<hour>{hour}</hour>")).collect();
    format!("<skipHours>{}</skipHours>", hours.concat())
}

/// For every feed, by name: the minutes from its last poll to its next, and the reason.
async fn waits(folder: &Folder) -> Vec<(u32, String)> {
    let rows = folder
        .query(
            "SELECT ((next_poll - last_poll) / 60000) || ' ' || next_why FROM feed ORDER BY name",
        )
        .await;
    let wait = |row: &String| {
        let (minutes, why) = row.split_once(' ').expect("two columns");
        (minutes.parse().expect("a number"), why.to_owned())
    };
    rows.iter().map(wait).collect()
}

/// Headers, hints in the channel, further keys of the configuration; the expected minutes, and a
/// part of the reason.
const ASKED: [(&str, &str, &str, u32, &str); 11] = [
    ("", "", "", 30, "every 30 min, until three dated items"),
    (
        "Cache-Control: public, max-age=7200\r\n",
        "",
        "",
        120,
        "every 2 h: the server asked for 2 h (max-age",
    ),
    (
        "Cache-Control: max-age=7200\r\nAge: 3600\r\n",
        "",
        "",
        60,
        "every 1 h: the server asked for 1 h",
    ),
    (
        "Date: Wed, 01 May 2024 12:00:00 GMT\r\nExpires: Wed, 01 May 2024 15:00:00 GMT\r\n",
        "",
        "",
        180,
        "every 3 h: the server asked for 3 h",
    ),
    ("", "<ttl>90</ttl>", "", 90, "every 1 h 30 min: the feed asked for 1 h 30 min (ttl"),
    (
        "",
        "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>12</sy:updateFrequency>",
        "",
        120,
        "the feed asked for 2 h",
    ),
    ("Cache-Control: max-age=7200\r\n", "<ttl>90</ttl>", "", 120, "the server asked for 2 h"),
    (
        "Cache-Control: max-age=60\r\n",
        "<ttl>1</ttl>",
        "",
        30,
        "every 30 min, until three dated items",
    ),
    (
        "Cache-Control: max-age=31536000\r\n",
        "",
        "",
        360,
        "every 6 h, the longest interval: the server asked for 365 d",
    ),
    (
        "Cache-Control: max-age=7200\r\n",
        "<ttl>90</ttl>",
        ", every: 40m",
        40,
        "every 40 min, as configured",
    ),
    ("", "SKIP ALL", "", 360, "the feed asked for no requests at all times (skipHours, skipDays)"),
];

#[tokio::test(flavor = "multi_thread")]
async fn max_age_expires_age_ttl_and_sy_lengthen_the_adaptive_interval_up_to_the_longest_and_no_other()
 {
    let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let days = days.map(|day| format!("<day>{day}</day>")).concat();
    let publisher = Publisher::start().await;
    let mut feeds = Vec::new();
    for (number, (headers, channel, keys, ..)) in ASKED.into_iter().enumerate() {
        let channel = channel.replace("SKIP ALL", &format!("<skipDays>{days}</skipDays>"));
        publisher.serve(&format!("/{number}"), move |_| Reply::ok(headers, &feed(&channel)));
        feeds.push(format!(
            "url: \"{}\", name: wire-{number:02}{keys}",
            publisher.url(&format!("/{number}"))
        ));
    }
    let folder = watching(&feeds);
    round(&folder).await;
    for ((_, _, _, minutes, why), (waits, because)) in ASKED.into_iter().zip(waits(&folder).await) {
        // Jitter adds up to a tenth.
        assert!(
            waits >= minutes && waits <= minutes + minutes / 10,
            "{waits} min and not {minutes}: {because}"
        );
        assert!(because.contains(why), "{because}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_304_has_hints_of_its_own_and_the_documents_hints_hold_on() {
    let publisher = Publisher::start().await;
    publisher.serve("/server", |_| {
        Reply::ok("ETag: \"1\"\r\nCache-Control: max-age=3600\r\n", &feed(""))
    });
    publisher.serve("/feed", |_| Reply::ok("ETag: \"1\"\r\n", &feed("<ttl>90</ttl>")));
    let folder = watching(&[
        format!("url: \"{}\", name: feed", publisher.url("/feed")),
        format!("url: \"{}\", name: server", publisher.url("/server")),
    ]);
    round(&folder).await;
    for path in ["/server", "/feed"] {
        let headers = if path == "/server" { "Cache-Control: max-age=7200\r\n" } else { "" };
        publisher.serve(path, move |request| {
            assert_eq!(request.header("if-none-match"), Some("\"1\""));
            Reply::new("304 Not Modified", headers, b"")
        });
    }
    round_a_day_later(&folder).await;
    let waits = waits(&folder).await;
    assert!(
        (90..=99).contains(&waits[0].0) && waits[0].1.contains("the feed asked for 1 h 30 min"),
        "{waits:?}"
    );
    assert!(
        (120..=132).contains(&waits[1].0) && waits[1].1.contains("the server asked for 2 h"),
        "{waits:?}"
    );
    assert_eq!(publisher.all().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_the_feed_asks_for_is_kept() {
    let publisher = Publisher::start().await;
    publisher.serve("/feed", |_| Reply::ok("", &feed(&skipping(0..24))));
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/feed"))]);
    round(&folder).await;
    // All hours except the seventh. At any time, the next poll is either far off or in that hour.
    publisher
        .serve("/feed", |_| Reply::ok("", &feed(&skipping((0..24).filter(|hour| *hour != 7)))));
    assert_eq!(folder.query("SELECT (next_poll - last_poll) / 3600000 FROM feed").await, ["6"]);
    round_a_day_later(&folder).await;
    let hour = "SELECT CAST(strftime('%H', next_poll / 1000, 'unixepoch') AS INTEGER) = 7
                    OR next_poll - last_poll >= 6 * 3600000 FROM feed";
    assert_eq!(folder.query(hour).await, ["1"]);
}
