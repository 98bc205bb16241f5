//! Permanent redirects. They are followed after six days, logged, and given up if the new address
//! fails.

use super::publisher::{Publisher, Reply};
use super::{round, round_a_day_later, story, watching};
use crate::support::tidings::Folder;

/// A publisher that redirects `/old` to `/new` with that status, and a folder that polls `/old`.
async fn moved(status: &'static str) -> (Publisher, Folder) {
    let publisher = Publisher::start().await;
    let new = publisher.url("/new");
    publisher.serve("/old", move |_| Reply::redirect(status, &new));
    publisher.serve("/new", |_| Reply::ok("", &story()));
    let folder = watching(&[format!("url: \"{}\", name: wire", publisher.url("/old"))]);
    (publisher, folder)
}

fn count(publisher: &Publisher) -> (usize, usize) {
    (publisher.requests("/old").len(), publisher.requests("/new").len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_held_for_six_days_is_adopted_and_named_as_the_edit_to_make() {
    for status in ["301 Moved Permanently", "308 Permanent Redirect"] {
        let (publisher, folder) = moved(status).await;
        round(&folder).await;
        for _ in 0..5 {
            let log = round_a_day_later(&folder).await;
            assert!(!log.iter().any(|line| line.contains("moved permanently")), "{log:#?}");
        }
        assert_eq!(count(&publisher), (6, 6), "followed each time until then");
        let edit = format!("in the configuration, set its url to {}", publisher.url("/new"));
        let log = round_a_day_later(&folder).await;
        assert!(
            log.iter().any(|line| line.contains("wire: moved permanently") && line.contains(&edit)),
            "{log:#?}"
        );
        assert_eq!(count(&publisher), (7, 7));
        let log = round_a_day_later(&folder).await;
        assert!(log.iter().any(|line| line.contains(&edit)), "said at each start: {log:#?}");
        assert_eq!(count(&publisher), (7, 8), "the old address is not asked any more");
        assert_eq!(folder.query("SELECT count(*) FROM alert").await, ["1"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_off_in_which_nobody_polled_is_not_six_days_of_holding() {
    let (publisher, folder) = moved("301 Moved Permanently").await;
    round(&folder).await;
    for _ in 0..9 {
        super::a_day_passes(&folder).await;
    }
    round(&folder).await;
    assert_eq!(
        count(&publisher),
        (2, 2),
        "the old address is asked once more before the new one is believed"
    );
    round_a_day_later(&folder).await;
    assert_eq!(count(&publisher), (2, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_redirects_are_followed_and_never_adopted() {
    for status in ["302 Found", "307 Temporary Redirect", "303 See Other"] {
        let (publisher, folder) = moved(status).await;
        round(&folder).await;
        for _ in 0..8 {
            round_a_day_later(&folder).await;
        }
        assert_eq!(count(&publisher), (9, 9));
        assert_eq!(folder.query("SELECT count(*) FROM feed WHERE moved_to IS NULL").await, ["1"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_hop_that_is_not_for_good_keeps_a_chain_from_being_adopted() {
    let (publisher, folder) = moved("301 Moved Permanently").await;
    let (between, new) = (publisher.url("/between"), publisher.url("/new"));
    publisher.serve("/old", move |_| Reply::redirect("301 Moved Permanently", &between));
    publisher.serve("/between", move |_| Reply::redirect("302 Found", &new));
    round(&folder).await;
    for _ in 0..8 {
        round_a_day_later(&folder).await;
    }
    assert_eq!(count(&publisher), (9, 9));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_to_what_is_no_feed_is_a_failure_and_begins_nothing() {
    let (publisher, folder) = moved("301 Moved Permanently").await;
    publisher
        .serve("/new", |_| Reply::ok("", "<!doctype html><title>This domain is for sale</title>"));
    round(&folder).await;
    for _ in 0..8 {
        round_a_day_later(&folder).await;
    }
    assert_eq!(count(&publisher), (9, 9));
    assert_eq!(folder.query("SELECT error FROM feed").await, ["this is a web page, not a feed"]);
    assert_eq!(folder.query("SELECT count(*) FROM feed WHERE moved_to IS NULL").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_the_configuration_is_asked_again_when_the_adopted_one_fails() {
    for failure in ["404 Not Found", "410 Gone", "500 Internal Server Error"] {
        let (publisher, folder) = moved("301 Moved Permanently").await;
        round(&folder).await;
        for _ in 0..7 {
            round_a_day_later(&folder).await;
        }
        assert_eq!(count(&publisher), (7, 8), "adopted");
        publisher.serve("/new", move |_| Reply::new(failure, "", b""));
        let log = round_a_day_later(&folder).await;
        assert!(
            log.iter().any(|line| line.contains("cannot be read at its new address")),
            "{log:#?}"
        );
        assert_eq!(
            folder
                .query("SELECT ((next_poll - last_poll) / 60000) BETWEEN 30 AND 33 FROM feed")
                .await,
            ["1"]
        );
        publisher.serve("/old", |_| Reply::ok("", &story()));
        round_a_day_later(&folder).await;
        assert_eq!(count(&publisher), (8, 9));
        assert_eq!(folder.query("SELECT failures FROM feed").await, ["0"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_new_address_stays_adopted() {
    let (publisher, folder) = moved("301 Moved Permanently").await;
    round(&folder).await;
    for _ in 0..7 {
        round_a_day_later(&folder).await;
    }
    publisher.serve("/new", |_| Reply::new("503 Service Unavailable", "", b""));
    round_a_day_later(&folder).await;
    round_a_day_later(&folder).await;
    assert_eq!(count(&publisher), (7, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_an_address_holds_a_secret_none_that_it_leads_to_is_kept_or_shown() {
    let publisher = Publisher::start().await;
    let new = publisher.url("/new?key=t0k3n");
    publisher.serve("/old?key=t0k3n", move |_| Reply::redirect("301 Moved Permanently", &new));
    publisher.serve("/new?key=t0k3n", |_| Reply::ok("", &story()));
    let folder =
        watching(&[format!("url: \"{}?key=${{KEY}}\", name: wire", publisher.url("/old"))]);
    folder.set("KEY", "t0k3n");
    let mut log = round(&folder).await;
    for _ in 0..8 {
        log.extend(round_a_day_later(&folder).await);
    }
    assert_eq!(publisher.requests("/old?key=t0k3n").len(), 9);
    assert!(!log.join("\n").contains("t0k3n"), "{log:#?}");
    let store = folder.files("tidings.db").concat();
    assert!(!store.windows(5).any(|part| part == b"t0k3n"), "the store holds the secret");
}
