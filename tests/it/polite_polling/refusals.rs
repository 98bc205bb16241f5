//! Servers that refuse: when they are asked again, and when never.

use rstest::rstest;

use super::publisher::{Publisher, Reply};
use super::{a_day_passes, round, round_a_day_later, story, watching};
use crate::support::tidings::Folder;
use crate::support::wire::{self, Entry};

/// The minutes from the last poll of the feed `wire` to its next, and the reason.
async fn wait(folder: &Folder) -> (u32, String) {
    let rows =
        folder.query("SELECT ((next_poll - last_poll) / 60000) || ' ' || next_why FROM feed WHERE name = 'wire'").await;
    let (minutes, why) = rows[0].split_once(' ').expect("two columns");
    (minutes.parse().expect("a number"), why.to_owned())
}

#[rstest]
#[case("429 Too Many Requests", "Retry-After: 7200\r\n", "", 120)]
#[case("503 Service Unavailable", "Retry-After: 7200\r\n", ", every: 40m", 120)]
#[case("429 Too Many Requests", "Retry-After: Fri, 31 Dec 2100 23:59:59 GMT\r\n", "", 24 * 60)]
#[case("503 Service Unavailable", "Retry-After: 99999999999999999999\r\n", "", 24 * 60)]
#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_obeyed_in_both_forms_for_the_whole_host_over_restarts_and_for_a_day_at_most(
    #[case] status: &'static str,
    #[case] headers: &'static str,
    #[case] keys: &str,
    #[case] minutes: u32,
) {
    let (busy, other) = (Publisher::start().await, Publisher::start().await);
    for path in ["/1", "/2", "/3"] {
        busy.serve(path, move |_| Reply::new(status, headers, b""));
    }
    other.serve("/feed", |_| Reply::ok("", &story()));
    let mut feeds: Vec<_> = ["/1", "/2", "/3"]
        .map(|path| format!("url: \"{}\", name: wire{path}{keys}", busy.url(path)))
        .to_vec();
    feeds.push(format!("url: \"{}\", name: other", other.url("/feed")));
    let folder = watching(&feeds);
    round(&folder).await;
    assert_eq!(
        (busy.all().len(), other.all().len()),
        (1, 1),
        "who waited for the busy host is sent away"
    );
    let asked =
        "SELECT ((next_poll - last_poll) / 60000) || ' ' || next_why FROM feed WHERE failures > 0";
    let asked = folder.query(asked).await;
    let (waits, why) = asked[0].split_once(' ').expect("two columns");
    assert_eq!(waits.parse(), Ok(minutes), "{why}");
    assert!(why.contains("the server asked for") && why.contains("(Retry-After)"), "{why}");
    assert_eq!(
        folder
            .query("SELECT count(*) FROM feed WHERE next_why LIKE 'its host asked for a pause%'")
            .await,
        ["2"]
    );

    folder.change("UPDATE feed SET last_poll = last_poll - 600000").await;
    round(&folder).await;
    assert_eq!((busy.all().len(), other.all().len()), (1, 2));
    a_day_passes(&folder).await;
    round(&folder).await;
    assert_eq!((busy.all().len(), other.all().len()), (2, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_does_not_lead_to_a_host_that_rests() {
    let (busy, other) = (Publisher::start().await, Publisher::start().await);
    let to = busy.url("/feed");
    busy.serve("/feed", |_| Reply::new("429 Too Many Requests", "Retry-After: 7200\r\n", b""));
    other.serve("/feed", move |_| Reply::redirect("302 Found", &to));
    let folder = watching(&[
        format!("url: \"{}\", name: one", other.url("/feed")),
        format!("url: \"{}\", name: two", other.url("/feed")),
    ]);
    round(&folder).await;
    assert_eq!((busy.all().len(), other.all().len()), (1, 2));
    let rows = folder.query("SELECT failures || ' ' || next_why FROM feed ORDER BY failures").await;
    assert!(
        rows[0].starts_with("0 its host asked for a pause"),
        "who was not asked did not fail: {rows:?}"
    );
    assert!(rows[1].starts_with("1 after 2 h"), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_page_that_is_refused_with_retry_after_rests_its_host_for_feeds_too_over_a_restart()
 {
    let (feeds, pages) = (Publisher::start().await, Publisher::start().await);
    let teaser =
        wire::feed(&[Entry::teaser("Russia and North Korea trade arms", &pages.url("/page"))]);
    feeds.serve("/feed", move |_| Reply::ok("", &teaser));
    pages.serve("/page", |_| Reply::new("429 Too Many Requests", "Retry-After: 7200\r\n", b""));
    pages.serve("/feed", |_| Reply::ok("", &story()));
    let one = format!("url: \"{}\", name: one", feeds.url("/feed"));
    let two = format!("url: \"{}\", name: two", pages.url("/feed"));
    let folder = watching(std::slice::from_ref(&one));
    let config = String::from_utf8(folder.files("config.yaml").remove(0)).expect("UTF-8");
    let config = config.replace("full_text: never", "full_text: always");
    folder.write("config.yaml", &config);
    round(&folder).await;
    folder.write("config.yaml", &config.replace(&one, &format!("{one}}}\n  - {{{two}")));
    folder.change("UPDATE feed SET last_poll = last_poll - 600000").await;
    round(&folder).await;
    assert_eq!(
        (pages.requests("/page").len(), pages.requests("/feed").len(), feeds.all().len()),
        (1, 0, 2)
    );
    round_a_day_later(&folder).await;
    assert_eq!(pages.requests("/feed").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_server_that_names_no_time_is_not_asked_for_that_feed_for_a_while() {
    let publisher = Publisher::start().await;
    publisher.serve("/feed", |_| Reply::new("503 Service Unavailable", "", b""));
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/feed"))]);
    round(&folder).await;
    let (minutes, why) = wait(&folder).await;
    assert!((30..=33).contains(&minutes), "{minutes}");
    assert_eq!(why, "after 30 min: the server is busy");
    assert_eq!(
        folder.query("SELECT count(*) FROM host").await,
        ["0"],
        "its other feeds are asked as usual"
    );
}

#[rstest]
#[case("400 Bad Request")]
#[case("401 Unauthorized")]
#[case("403 Forbidden")]
#[case("500 Internal Server Error")]
#[case("502 Bad Gateway")]
#[tokio::test(flavor = "multi_thread")]
async fn other_refusals_are_retried_twice_and_then_ever_less_often(#[case] status: &'static str) {
    let publisher = Publisher::start().await;
    publisher.serve("/feed", move |_| Reply::new(status, "", b""));
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/feed"))]);
    round(&folder).await;
    for expected in [30, 30, 60, 120, 240, 480, 960, 1440, 1440] {
        let (minutes, why) = wait(&folder).await;
        assert!(
            minutes >= expected && minutes <= expected + expected / 10,
            "{minutes} and not {expected}: {why}"
        );
        round_a_day_later(&folder).await;
    }
    assert_eq!(
        folder.query("SELECT error FROM feed").await,
        [format!("the server answered {status}")]
    );
    publisher.serve("/feed", |_| Reply::ok("", &story()));
    let log = round_a_day_later(&folder).await;
    assert!(log.iter().any(|line| line.contains("wire: can be read again")), "{log:#?}");
    assert!((30..=33).contains(&wait(&folder).await.0), "at its usual interval again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_not_found_is_tried_daily_after_two_retries() {
    let publisher = Publisher::start().await;
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/feed"))]);
    round(&folder).await;
    for expected in [30, 30, 1440, 1440] {
        let (minutes, why) = wait(&folder).await;
        assert!(
            minutes >= expected && minutes <= expected + expected / 10,
            "{minutes} and not {expected}: {why}"
        );
        a_day_passes(&folder).await;
        round_a_day_later(&folder).await;
    }
    assert_eq!(publisher.all().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_gone_is_switched_off_and_logged_until_its_address_changes() {
    let publisher = Publisher::start().await;
    publisher.serve("/feed", |_| Reply::new("410 Gone", "", b""));
    publisher.serve("/feed2", |_| Reply::ok("", &story()));
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/feed"))]);
    for number in 0..3 {
        let log = if number == 0 { round(&folder).await } else { round_a_day_later(&folder).await };
        let expected =
            "wire: no longer polled: its server answered that it is permanently gone (410)";
        assert!(log.iter().any(|line| line.contains(expected)), "{log:#?}");
    }
    assert_eq!(publisher.all().len(), 1);
    let config = String::from_utf8(folder.files("config.yaml").remove(0)).expect("UTF-8");
    folder.write("config.yaml", &config.replace(&publisher.url("/feed"), &publisher.url("/feed2")));
    round(&folder).await;
    assert_eq!(publisher.requests("/feed2").len(), 1);
}
