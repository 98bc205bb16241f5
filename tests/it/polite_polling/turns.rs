//! Feeds of one host. A busy feed does not starve the others, and feeds that are due at once take
//! turns.

use rstest::rstest;

use super::publisher::{Publisher, Reply};
use super::{round, watching};
use crate::support::tidings::Folder;
use crate::support::wire;

const ROUTES: usize = 8;

/// A folder with eight feeds that refuse, and after them a good feed of the same host.
fn refusing(publisher: &Publisher, status: &'static str, headers: &'static str) -> Folder {
    let routes: Vec<String> = (0..ROUTES).map(|n| format!("/bad-{n}")).collect();
    for route in &routes {
        publisher.serve(route, move |_| Reply::new(status, headers, b""));
    }
    publisher.serve("/good", |_| Reply::ok("", &wire::feed(&[])));
    let names = routes.iter().map(String::as_str).chain(["/good"]);
    let feeds: Vec<_> =
        names.map(|path| format!("url: \"{}\", name: \"{path}\"", publisher.url(path))).collect();
    watching(&feeds)
}

#[rstest]
#[case("503 Service Unavailable")]
#[case("429 Too Many Requests")]
#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_is_busy_and_names_no_time_rests_alone(#[case] status: &'static str) {
    let publisher = Publisher::start().await;
    let folder = refusing(&publisher, status, "");
    for times in 1..=2 {
        round(&folder).await;
        assert_eq!(publisher.requests("/good").len(), times);
        assert_eq!(
            publisher.all().len(),
            times * (ROUTES + 1),
            "each route was asked once a round"
        );
        folder.change("UPDATE feed SET last_poll = last_poll - 2000").await;
    }
    assert_eq!(folder.query("SELECT count(*) FROM host").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_asks_for_rest_at_every_route_is_asked_for_each_feed_in_its_turn() {
    let publisher = Publisher::start().await;
    let folder = refusing(&publisher, "503 Service Unavailable", "Retry-After: 60\r\n");
    // Feeds that are polled at once may overtake each other, but no feed is always the last.
    let mut rounds = 0;
    while publisher.requests("/good").is_empty() {
        rounds += 1;
        assert!(rounds <= 2 * ROUTES, "the good feed is starved: {:?}", publisher.all());
        round(&folder).await;
        folder.change("UPDATE host SET rests_until = 0").await;
        folder.change("UPDATE feed SET last_poll = last_poll - 2000").await;
    }
}
