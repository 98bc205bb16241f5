//! kill -9 at every step: the next run always delivers the alert.

use crate::support::http::Response;
use crate::support::setup::{Setup, config, serve_one_match};
use crate::support::wire::{self, Entry};

/// Runs again until the alert has arrived at both receivers.
async fn run_until_delivered(setup: &Setup, hooks: usize, mails: usize) {
    let mut tidings = setup.folder.run(&[]);
    setup.server.wait_for("/hook", hooks).await;
    setup.mail.wait_for(mails).await;
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!((setup.server.requests("/hook").len(), setup.mail.received().len()), (hooks, mails));
    assert_eq!(setup.folder.query("SELECT DISTINCT status FROM message").await, ["sent"]);
}

async fn count(setup: &Setup, sql: &'static str) -> i64 {
    setup.folder.query(sql).await[0].parse().expect("a number")
}

/// A feed with one story that matches.
async fn setup_with_match() -> Setup {
    let setup = Setup::new().await;
    serve_one_match(&setup.server);
    setup
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_poll_is_recorded() {
    let setup = setup_with_match().await;
    let stall = setup.server.stall("/feed.xml");
    let mut tidings = setup.folder.run(&[]);
    setup.server.wait_for("/feed.xml", 1).await;
    tidings.kill9().await;
    assert_eq!(count(&setup, "SELECT count(*) FROM story").await, 0);
    stall.release();
    run_until_delivered(&setup, 1, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn between_the_record_of_the_poll_and_the_settling() {
    let setup = setup_with_match().await;
    let entry = Entry::teaser("Freight over the bridge doubles", &setup.server.url("/story"));
    setup.server.serve("/feed.xml", Response::feed(&wire::feed(&[entry])));
    setup.server.serve("/story", Response::html(wire::PAGE));
    let stall = setup.server.stall("/story");
    let mut tidings = setup.folder.run(&[]);
    setup.server.wait_for("/story", 1).await;
    tidings.kill9().await;
    assert_eq!(count(&setup, "SELECT count(*) FROM story").await, 1);
    assert_eq!(count(&setup, "SELECT count(*) FROM alert").await, 0);
    stall.release();
    run_until_delivered(&setup, 1, 1).await;
}

/// `run --once` delivers after all polls. A second feed that never answers keeps it between
/// settling and sending.
#[tokio::test(flavor = "multi_thread")]
async fn between_the_settling_and_the_sending() {
    let setup = setup_with_match().await;
    setup.server.serve("/slow.xml", Response::feed(&wire::feed(&[])));
    let stall = setup.server.stall("/slow.xml");
    let feeds = [setup.server.url("/feed.xml"), setup.server.url("/slow.xml")];
    let hook = setup.server.url("/hook");
    setup.folder.write(
        "config.yaml",
        &config(&feeds, &hook, setup.mail.port(), &["ana@example.org"])
            .replace("network:", "poll: {per_host: 2, first_poll: all}\nnetwork:"),
    );
    let mut tidings = setup.folder.run(&["--once"]);
    setup.folder.wait_until("SELECT count(*) FROM message", |count| count == "2").await;
    tidings.kill9().await;
    assert_eq!(count(&setup, "SELECT count(*) FROM attempt").await, 0);
    stall.release();
    run_until_delivered(&setup, 1, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn during_the_sending() {
    let setup = setup_with_match().await;
    let stalled_hook = setup.server.stall("/hook");
    let stalled_mail = setup.mail.stall_after_data();
    let mut tidings = setup.folder.run(&[]);
    setup.server.wait_for("/hook", 1).await;
    setup.mail.wait_for(1).await;
    tidings.kill9().await;
    stalled_hook.release();
    stalled_mail.release();
    run_until_delivered(&setup, 2, 2).await;
    let (hooks, mails) = (setup.server.requests("/hook"), setup.mail.received());
    assert_eq!(hooks[0].header("webhook-id"), hooks[1].header("webhook-id"));
    assert_eq!(hooks[0].body, hooks[1].body);
    assert_eq!(mails[0].data, mails[1].data);
}
