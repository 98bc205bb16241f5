//! A store that cannot be written, because the disk is full or another process has it locked: the
//! log says so, no story is half recorded or sent twice, and all is sent when the store can be
//! written again, without a restart.

use crate::support::http::Response;
use crate::support::setup::{self, Setup, matching_stories};
use crate::support::wire::{self, Entry};

/// Stories of the second poll. Together they need more than the room that is left.
const STORIES: usize = 40;

/// Room for some of them.
const ROOM: u64 = 100_000;

async fn setup_with_match() -> Setup {
    let setup = Setup::new().await;
    publish(&setup, 1);
    setup
}

fn publish(setup: &Setup, stories: usize) {
    setup.server.serve("/feed.xml", matching_stories(&setup.server, 0..stories));
}

/// Waits until this number of stories was sent to both receivers, once each.
async fn wait_until_sent(setup: &Setup, stories: usize) {
    setup.server.wait_for("/hook", stories).await;
    setup.mail.wait_for(stories).await;
    let open = "SELECT count(*) FROM message WHERE status != 'sent'";
    setup.folder.wait_until(open, |open| open == "0").await;
    assert_eq!(
        (setup.server.requests("/hook").len(), setup.mail.received().len()),
        (stories, stories)
    );
}

/// Fails unless each story is in the store with its alert and both messages, or not at all.
async fn assert_no_halves(setup: &Setup) {
    let halves = "SELECT count(*) FROM story WHERE status IN ('awaits_page', 'awaits_match') OR
        (SELECT count(*) FROM alert JOIN message_alert ON alert = alert.id WHERE story = story.id) != 2";
    assert_eq!(setup.folder.query(halves).await, ["0"]);
}

/// The size of the store's log, which grows first.
fn log_size(setup: &Setup) -> u64 {
    setup.folder.files("tidings.db-wal").remove(0).len() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_survived() {
    let setup = setup_with_match().await;
    let mut tidings = setup.folder.run_with_limits();
    wait_until_sent(&setup, 1).await;
    tidings.limit_files(Some(log_size(&setup) + ROOM));
    publish(&setup, STORIES);
    let said = tidings.wait_for_log(|line| line.contains("could not be recorded")).await;
    assert!(said.contains("wire-1: its poll could not be recorded: the store: "), "{said}");
    assert_no_halves(&setup).await;
    tidings.limit_files(None);
    wait_until_sent(&setup, STORIES).await;
    assert_no_halves(&setup).await;
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_another_process_has_locked_is_waited_for() {
    let setup = setup_with_match().await;
    let mut tidings = setup.folder.run(&[]);
    wait_until_sent(&setup, 1).await;
    let lock = setup.folder.lock().await;
    publish(&setup, STORIES);
    let said = tidings.wait_for_log(|line| line.contains("could not be recorded")).await;
    assert!(said.contains("database is locked"), "{said}");
    assert_no_halves(&setup).await;
    drop(lock);
    wait_until_sent(&setup, STORIES).await;
    assert_eq!(tidings.terminate().await, 0);
}

/// The text of the story's page comes while the store is locked. The story is settled once more.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_could_not_record_is_counted_once() {
    let address = setup::free_address();
    let web = format!("web: {{listen: \"{address}\"}}\n");
    let config = |config: &str| config.to_owned() + &web;
    let setup = Setup::with_config(config, &[("arms.yaml", setup::RULE)]).await;
    let entry = Entry::teaser("Russia and North Korea trade arms", &setup.server.url("/story"));
    setup.server.serve("/feed.xml", Response::feed(&wire::feed(&[entry])));
    setup.server.serve("/story", Response::html(wire::PAGE));
    let stalled = setup.server.stall("/story");
    let mut tidings = setup.folder.run(&[]);
    setup.server.wait_for("/story", 1).await;
    let lock = setup.folder.lock().await;
    stalled.release();
    tidings.wait_for_log(|line| line.contains("a story could not be settled")).await;
    drop(lock);
    wait_until_sent(&setup, 1).await;

    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = client.get(format!("http://{address}/metrics")).send().await.expect("an answer");
    let metrics = answer.text().await.expect("a text");
    for counted in ["pages_total{result=\"full\"}", "stories_total{status=\"matched\"}"] {
        let line = format!("tidings_{counted} 1\n");
        assert!(metrics.contains(&line), "{line} in {metrics}");
    }
    assert_eq!(tidings.terminate().await, 0);
}
