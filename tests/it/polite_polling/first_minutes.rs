//! Feeds that fail at first are tried again within seconds: by a start, by a reload, and on
//! request.

use super::publisher::{Publisher, Reply};
use super::{round, story, watching};
use crate::support::tidings::Folder;

/// A folder that watches a good feed and one that answers 500.
async fn one_fails(publisher: &Publisher) -> Folder {
    publisher.serve("/good", |_| Reply::ok("", &story()));
    publisher.serve("/bad", |_| Reply::new("500 No", "", b""));
    let feed = |name: &str| {
        format!("url: \"{}\", name: {name}, every: 1h", publisher.url(&format!("/{name}")))
    };
    let folder = watching(&[feed("good"), feed("bad")]);
    round(&folder).await;
    // As if the shortest interval of the user's own hosts, a second, had passed.
    folder.change("UPDATE feed SET last_poll = last_poll - 2000").await;
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_whose_server_is_not_up_is_tried_again_after_ten_seconds() {
    // Nothing listens on port 1.
    let folder = watching(&["url: \"http://127.0.0.1:1/feed\", name: wire, every: 1h".to_owned()]);
    round(&folder).await;
    let wait = "SELECT ((next_poll - last_poll) / 1000) || ' ' || next_why FROM feed";
    let first = folder.query(wait).await.remove(0);
    assert!(first.starts_with("10 after 10 s: ") || first.starts_with("11 "), "{first}");
    round(&folder).await;
    let second = folder.query(wait).await.remove(0);
    assert!(second.contains("after 1 min: the last two polls failed"), "{second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_a_reload_and_whoever_asks_have_what_fails_polled_at_once() {
    let publisher = Publisher::start().await;
    let folder = one_fails(&publisher).await;
    let mut tidings = folder.run(&[]);
    publisher.wait_for("/bad", 2).await;
    tidings
        .wait_for_log(|line| line.contains("1 of 2 feeds fail: bad: the server answered 500"))
        .await;

    tidings.hang_up();
    publisher.wait_for("/bad", 3).await;

    let said = folder.command(&["feeds", "poll-now"]).await;
    assert_eq!(
        (said.code, said.output.as_str()),
        (
            0,
            "bad: requested; a running Tidings polls it within seconds, unless its host asked for a pause\n"
        )
    );
    publisher.wait_for("/bad", 4).await;
    assert_eq!(publisher.requests("/good").len(), 1);

    assert_eq!(folder.command(&["feeds", "poll-now", "good"]).await.code, 0);
    publisher.wait_for("/good", 2).await;
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_while_nothing_runs_is_polled_by_the_next_start() {
    let publisher = Publisher::start().await;
    let folder = one_fails(&publisher).await;
    assert_eq!(folder.command(&["feeds", "poll-now", "good"]).await.code, 0);
    let mut tidings = folder.run(&[]);
    publisher.wait_for("/good", 2).await;
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_the_configuration_has_not_is_said_with_what_is_near() {
    let publisher = Publisher::start().await;
    let folder = one_fails(&publisher).await;
    let said = folder.command(&["feeds", "poll-now", "bad", "goood"]).await;
    assert_eq!((said.code, said.output.as_str()), (65, ""));
    assert!(said.errors.contains("there is no feed `goood`"), "{}", said.errors);
    assert!(said.errors.contains("did you mean `good`?"), "{}", said.errors);
    assert_eq!(
        folder.query("SELECT count(*) FROM feed WHERE poll_requested IS NOT NULL").await,
        ["0"]
    );
}
