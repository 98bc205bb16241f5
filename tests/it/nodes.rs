//! Two nodes on one database of a `PostgreSQL` server: one works, the other waits and takes over.
//! The time in these tests is real, because that of a lease is.

use std::time::{Duration, Instant};

use crate::support::http::Response;
use crate::support::service_manager::{wait_for_notice, with_service_manager};
use crate::support::setup::{RULE, Setup, free_address, matching_stories};
use crate::support::tidings::RunningTidings;

/// How long a takeover may take until the first poll after the running node was killed.
const AFTER_A_KILL: Duration = Duration::from_secs(12);

/// How long a takeover may take after the running node was stopped.
const AFTER_A_STOP: Duration = Duration::from_secs(1);

/// A feed with one story, and a store on the server of the tests; `None` if the tests are not about
/// servers.
async fn setup_on_server() -> Option<Setup> {
    let setup = Setup::new().await;
    setup.folder.is_on_server().then_some(())?;
    setup.server.serve("/feed.xml", matching_stories(&setup.server, [1]));
    Some(setup)
}

/// A node that works, and one that waits for it.
async fn two_nodes(setup: &Setup) -> (RunningTidings, RunningTidings) {
    let mut first = setup.folder.run(&[]);
    first.wait_for_log(is_started).await;
    let mut second = setup.folder.run(&[]);
    let line = second.wait_for_log(waits).await;
    let name = format!("process {} has the store", first.process().as_raw_nonzero());
    assert!(line.contains(&name), "{line}");
    (first, second)
}

/// Waits until the outcomes of this number of messages are recorded.
async fn wait_until_sent(setup: &Setup, messages: usize) {
    let sent = "SELECT count(*) FROM message WHERE status = 'sent'";
    setup.folder.wait_until(sent, |count| count == messages.to_string()).await;
}

fn is_started(line: &str) -> bool {
    line.contains("started with the store")
}

fn waits(line: &str) -> bool {
    line.contains("this node waits")
}

#[expect(clippy::disallowed_methods, reason = "the time of a takeover is measured")]
fn now() -> Instant {
    Instant::now()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_is_replaced_and_what_it_sent_is_sent_again() {
    let Some(setup) = setup_on_server().await else { return };
    let stall = setup.server.stall("/hook");
    let (mut first, mut second) = two_nodes(&setup).await;
    setup.server.wait_for("/hook", 1).await;
    wait_until_sent(&setup, 1).await;
    first.kill9().await;
    let killed = now();
    let polls = setup.server.requests("/feed.xml").len();
    stall.release();
    setup.server.wait_for("/feed.xml", polls + 1).await;
    let elapsed = killed.elapsed();
    assert!(elapsed <= AFTER_A_KILL, "{elapsed:?}");
    let hooks = setup.server.wait_for("/hook", 2).await;
    assert_eq!(hooks[0].header("webhook-id"), hooks[1].header("webhook-id"));
    second
        .wait_for_log(|line| line.contains("messages in flight when the last run ended: 1"))
        .await;
    assert_eq!(second.terminate().await, 0);
    assert_eq!((setup.server.requests("/hook").len(), setup.mail.received().len()), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_is_replaced_at_once() {
    let Some(setup) = setup_on_server().await else { return };
    let (mut first, mut second) = two_nodes(&setup).await;
    setup.server.wait_for("/hook", 1).await;
    setup.mail.wait_for(1).await;
    assert_eq!(first.terminate().await, 0);
    let ended = now();
    second.wait_for_log(is_started).await;
    let elapsed = ended.elapsed();
    assert!(elapsed <= AFTER_A_STOP, "{elapsed:?}");
    setup.server.serve("/feed.xml", matching_stories(&setup.server, [1, 2]));
    setup.server.wait_for("/hook", 2).await;
    setup.mail.wait_for(2).await;
    assert_eq!(second.terminate().await, 0);
    assert_eq!((setup.server.requests("/hook").len(), setup.mail.received().len()), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stood_still_writes_nothing_after_another_took_over_and_waits() {
    let Some(setup) = setup_on_server().await else { return };
    let stall = setup.server.stall("/hook");
    let (mut first, mut second) = two_nodes(&setup).await;
    setup.server.wait_for("/hook", 1).await;
    wait_until_sent(&setup, 1).await;
    first.stop();
    second.wait_for_log(is_started).await;
    stall.release();
    setup.server.wait_for("/hook", 2).await;
    wait_until_sent(&setup, 2).await;
    let written_by_first = "SELECT run.seen || ' ' || count(attempt.id) || ' '
         || count(CASE WHEN outcome = 'unknown' THEN 1 END)
         FROM run LEFT JOIN attempt ON attempt.run = run.id WHERE run.id = 1 GROUP BY run.id";
    let before = setup.folder.query(written_by_first).await;
    first.go_on();
    first.wait_for_log(|line| line.contains("its lease was lost")).await;
    let line = first.wait_for_log(waits).await;
    let name = format!("process {} has the store", second.process().as_raw_nonzero());
    assert!(line.contains(&name), "{line}");
    assert_eq!(setup.folder.query(written_by_first).await, before);
    assert!(before[0].ends_with(" 2 1"), "{before:?}");

    // It takes over again, as any other.
    let begun = first.log().len();
    assert_eq!(second.terminate().await, 0);
    first.wait_for_log_after(begun, is_started).await;
    setup.server.serve("/feed.xml", matching_stories(&setup.server, [1, 2]));
    setup.mail.wait_for(2).await;
    setup.server.wait_for("/hook", 3).await;
    assert_eq!(first.terminate().await, 0);
    assert_eq!((setup.server.requests("/hook").len(), setup.mail.received().len()), (3, 2));
    assert_eq!(setup.folder.query("SELECT DISTINCT status FROM message").await, ["sent"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_waits_serves_nothing_ends_at_once_and_is_shown_in_the_status() {
    let Some(setup) = setup_on_server().await else { return };
    let address = free_address();
    let (mut first, mut second) = two_nodes(&setup).await;
    let names =
        [&first, &second].map(|node| format!("process {}", node.process().as_raw_nonzero()));
    let said = setup.folder.command(&["status"]).await;
    for (what, name) in [("node", &names[0]), ("waits", &names[1])] {
        let line = said.output.lines().find(|line| line.starts_with(what)).unwrap_or_default();
        assert!(line.ends_with(name), "{}", said.output);
    }
    let once = setup.folder.command(&["run", "--once"]).await;
    assert_eq!(once.code, 69);
    assert!(once.errors.contains(&names[0]), "{}", once.errors);
    // What is edited while a node waits is in force when it takes over.
    let config = setup.folder.read("config.yaml");
    setup.folder.write("config.yaml", &format!("{config}web: {{listen: \"{address}\"}}\n"));
    setup.folder.write("rules/more.yaml", &RULE.replace("name: arms", "name: more"));
    let asked = ["health", "--address", &address];
    assert_eq!(setup.folder.bare_command(&asked).await.code, 69);
    let socket = with_service_manager(&setup.folder);
    let mut third = setup.folder.run(&[]);
    third.wait_for_log(waits).await;
    let heard = tokio::task::spawn_blocking(move || {
        wait_for_notice(&socket, "READY=1");
        wait_for_notice(&socket, "STATUS=waits: the store is used by ");
        wait_for_notice(&socket, "WATCHDOG=1");
        wait_for_notice(&socket, "WATCHDOG=1");
    });
    heard.await.expect("all came");
    assert_eq!(third.terminate().await, 0);
    assert_eq!(first.terminate().await, 0);
    let line = second.wait_for_log(is_started).await;
    assert!(line.contains("rules: 2,"), "{line}");
    second.wait_for_log(|line| line.contains("web listener")).await;
    assert_eq!(setup.folder.bare_command(&asked).await.code, 0);
    setup.server.serve("/hook", Response::status(204));
    assert_eq!(second.terminate().await, 0);
}
