//! A receiver that is away, and one that refuses. Nothing is lost, and the others are notified.

use std::collections::BTreeSet;

use crate::hosts;
use crate::support::http::{Recorded, Response, Server};
use crate::support::setup::{RULE, Setup, matching_stories, one_feed_config};
use crate::support::smtp::Sink;
use crate::support::tidings::Folder;

fn subjects(mail: &Sink) -> Vec<String> {
    let subject = |mail: String| {
        mail.lines().find_map(|line| Some(line.strip_prefix("Subject: ")?.to_owned()))
    };
    mail.received().iter().map(|mail| subject(mail.text()).expect("a subject")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_full_device_did_not_take_is_printed_by_the_next_run() {
    let server = Server::start().await;
    server.serve("/feed.xml", matching_stories(&server, 1..=6));
    let config = hosts::config(
        &[&server.url("/feed.xml")],
        "poll: {first_poll: all}\nnetwork: {allow: [127.0.0.0/8]}\n",
    );
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    let said = folder.command_into(&["run", "--once"], Folder::full_device()).await;
    assert!(
        said.code == 69 && said.errors.contains("not delivered: 6 messages, due at"),
        "{}",
        said.errors
    );
    let said = folder.command(&["run", "--once"]).await;
    assert_eq!(said.code, 0, "{}", said.errors);
    assert_eq!(said.output.matches("rule    arms").count(), 6, "{}", said.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_away_is_reported_by_mail_once_and_so_is_the_return_and_all_that_waited_arrives() {
    let Setup { server, mail, folder } = Setup::new().await;
    server.serve("/feed.xml", matching_stories(&server, 1..=6));
    server.serve("/hook", Response::status(503));
    let mut tidings = folder.run(&[]);
    folder
        .wait_until("SELECT failures FROM health WHERE notifier = 'hook'", |failures| {
            failures == "6"
        })
        .await;
    mail.wait_for(6).await;
    assert_eq!(tidings.terminate().await, 0);
    let tried = server.requests("/hook").len();
    assert!((6..=7).contains(&tried), "after five failures only probes: {tried}");

    // An hour later.
    folder.change("UPDATE health SET since = since - 3600000").await;
    let mut tidings = folder.run(&[]);
    mail.wait_for(7).await;
    assert_eq!(tidings.terminate().await, 0);
    folder.change("UPDATE health SET rests_until = 0").await;
    folder.change("UPDATE message SET due = 0 WHERE status = 'pending'").await;
    server.serve("/hook", Response::status(204));
    let mut tidings = folder.run(&[]);
    mail.wait_for(8).await;
    folder
        .wait_until("SELECT count(*) FROM message WHERE status != 'sent'", |count| count == "0")
        .await;
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(subjects(&mail)[6..], ["hook takes no messages", "hook takes messages again"]);
    let counted = folder.query("SELECT count(*) FROM message WHERE counted_attempts > 1").await;
    assert_eq!(counted, ["0"], "an outage costs no attempt");
    assert_eq!(folder.query("SELECT count(*) FROM health").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_is_gone_is_left_alone_until_the_next_start_and_nothing_for_it_is_lost() {
    let (server, mail) = (Server::start().await, Sink::start().await);
    server.serve("/feed.xml", matching_stories(&server, 1..=12));
    server.serve("/hook", Response::status(410));
    let config = one_feed_config(&server, mail.port());
    let config = config.replace("network:", "poll: {first_poll: all}\nnetwork:");
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    let mut tidings = folder.run(&[]);
    mail.wait_for(13).await;
    folder
        .wait_until("SELECT count(*) FROM message WHERE status = 'leased'", |count| count == "0")
        .await;
    assert_eq!(tidings.terminate().await, 0);
    assert!(server.requests("/hook").len() <= 8, "only what was under way at the first answer");
    assert!(
        subjects(&mail).contains(&"hook takes no messages".to_owned()),
        "{:?}",
        subjects(&mail)
    );

    server.serve("/hook", Response::status(204));
    let mut tidings = folder.run(&[]);
    folder
        .wait_until("SELECT count(*) FROM message WHERE status != 'sent'", |count| count == "0")
        .await;
    assert_eq!(tidings.terminate().await, 0);
    assert!(
        subjects(&mail).contains(&"hook takes messages again".to_owned()),
        "{:?}",
        subjects(&mail)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_reported_once_to_the_others() {
    let Setup { server, mail, folder } = Setup::new().await;
    server.serve("/feed.xml", matching_stories(&server, 1..=3));
    server.serve("/hook", Response::status(413));
    let mut tidings = folder.run(&[]);
    mail.wait_for(3).await;
    folder
        .wait_until("SELECT count(*) FROM message WHERE counted_attempts = 1", |count| count == "6")
        .await;
    assert_eq!(tidings.terminate().await, 0);
    let pending = "SELECT count(*) FROM message WHERE status = 'pending' AND counted_attempts = 1";
    assert_eq!(folder.query(pending).await, ["3"], "a first refusal kills nothing");

    // An hour later.
    folder.change("UPDATE attempt SET started = started - 3600000, ended = ended - 3600000").await;
    folder.change("UPDATE message SET due = 0 WHERE status = 'pending'").await;
    let mut tidings = folder.run(&[]);
    mail.wait_for(4).await;
    folder
        .wait_until("SELECT count(*) FROM message WHERE counted_attempts = 2", |count| count == "3")
        .await;
    assert_eq!(tidings.terminate().await, 0);
    let notices: Vec<_> =
        subjects(&mail).into_iter().filter(|subject| subject.contains("refused")).collect();
    assert_eq!(notices, ["hook refused a message"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_else_can_be_notified_the_log_says_so() {
    let server = Server::start().await;
    server.serve("/feed.xml", matching_stories(&server, 1..=1));
    server.serve("/hook", Response::status(410));
    let config = one_feed_config(&server, 1).replace("notify: [hook, desk]", "notify: [hook]");
    let alone: Vec<&str> = config.lines().filter(|line| !line.contains("desk: {")).collect();
    let folder = Folder::new(&alone.join("\n"), &[("arms.yaml", RULE)]);
    let mut tidings = folder.run(&[]);
    tidings
        .wait_for_log(|line| {
            line.contains("hook has taken no messages") && line.contains("no other receiver")
        })
        .await;
    assert_eq!(tidings.terminate().await, 0);
}

/// Leaves two messages for the hook whose next refusal makes them dead letters: they were tried
/// often, and for more than two days. Returns the first requests for them.
async fn make_dead_letters(server: &Server, folder: &Folder) -> Vec<Recorded> {
    server.serve("/feed.xml", matching_stories(server, 1..=2));
    server.serve("/hook", Response::status(400));
    let mut tidings = folder.run(&[]);
    let requests = server.wait_for("/hook", 2).await;
    folder
        .wait_until("SELECT count(*) FROM message WHERE counted_attempts = 1", |count| count == "4")
        .await;
    assert_eq!(tidings.terminate().await, 0);
    folder.change("UPDATE attempt SET started = started - 172800000").await;
    folder
        .change("UPDATE message SET due = 0, counted_attempts = 9 WHERE status = 'pending'")
        .await;
    requests
}

/// The ids and bodies of webhooks.
fn ids_and_bodies(requests: &[Recorded]) -> BTreeSet<(String, String)> {
    let id_and_body = |request: &Recorded| {
        let body = String::from_utf8(request.body.to_vec()).expect("UTF-8");
        (request.header("webhook-id").expect("an id").to_owned(), body)
    };
    requests.iter().map(id_and_body).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dead_are_listed_and_sent_again_beside_a_running_tidings() {
    let Setup { server, mail: _mail, folder } = Setup::new().await;
    let dead = make_dead_letters(&server, &folder).await;
    let mut tidings = folder.run(&[]);
    folder
        .wait_until("SELECT count(*) FROM message WHERE status = 'dead'", |count| count == "2")
        .await;

    let listed = folder
        .command(&["deliveries", "--status", "dead", "--notifier", "hook", "--format", "json"])
        .await;
    let lines: Vec<serde_json::Value> =
        listed.output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2, "{}", listed.output);
    assert!(lines[0]["why"].as_str().expect("a reason").contains("400"), "{}", lines[0]);
    let shown = folder.command(&["deliveries"]).await.output;
    assert!(shown.contains("Russia and North Korea trade arms, part 1"), "{shown}");

    server.serve("/hook", Response::status(204));
    let id = lines[0]["id"].to_string();
    let unknown = folder.command(&["deliveries", "retry", &id, "999"]).await;
    assert_eq!(
        (unknown.code, unknown.output.as_str()),
        (65, "1 message due now\n"),
        "{}",
        unknown.errors
    );
    assert!(unknown.errors.contains("999"), "{}", unknown.errors);
    assert_eq!(
        folder.command(&["deliveries", "retry", "--all-dead"]).await.output,
        "1 message due now\n"
    );
    let sent = server.wait_for("/hook", 6).await;
    assert_eq!(ids_and_bodies(&sent[4..]), ids_and_bodies(&dead));
    folder
        .wait_until("SELECT count(*) FROM message WHERE status != 'sent'", |count| count == "0")
        .await;
    assert_eq!(
        folder.command(&["deliveries"]).await.output,
        "no message is waiting or dead-lettered\n"
    );
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_outlives_a_redeploy_by_itself() {
    for status in [401, 404, 425] {
        let (server, mail) = (Server::start().await, Sink::start().await);
        server.serve("/feed.xml", matching_stories(&server, 1..=1));
        server.serve("/hook", Response::status(status));
        let config = one_feed_config(&server, mail.port());
        let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
        let mut tidings = folder.run(&[]);
        folder
            .wait_until("SELECT failures FROM health WHERE notifier = 'hook'", |failures| {
                failures == "1"
            })
            .await;
        server.serve("/hook", Response::status(204));
        folder
            .wait_until("SELECT count(*) FROM message WHERE status != 'sent'", |count| count == "0")
            .await;
        assert_eq!(tidings.terminate().await, 0);
        assert_eq!(server.requests("/hook").len(), 2, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_clock_put_off_that_was_a_year_ahead_is_sent_as_if_it_had_been_right() {
    let Setup { server, mail: _mail, folder } = Setup::new().await;
    server.serve("/feed.xml", matching_stories(&server, 1..=6));
    server.serve("/hook", Response::status(503));
    let mut tidings = folder.run(&[]);
    folder
        .wait_until("SELECT failures FROM health WHERE notifier = 'hook'", |failures| {
            failures == "6"
        })
        .await;
    assert_eq!(tidings.terminate().await, 0);
    for ahead in [
        "UPDATE message SET due = due + 31536000000, due_set_at = due_set_at + 31536000000, created = created + 31536000000",
        "UPDATE health SET since = since + 31536000000, rests_until = rests_until + 31536000000, rest_set_at = rest_set_at + 31536000000",
    ] {
        folder.change(ahead).await;
    }
    server.serve("/hook", Response::status(204));
    let mut tidings = folder.run(&[]);
    folder
        .wait_until("SELECT count(*) FROM message WHERE status != 'sent'", |count| count == "0")
        .await;
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_a_notifier_that_left_is_held_and_logged_and_goes_on_when_it_is_back() {
    let (server, mail) = (Server::start().await, Sink::start().await);
    server.serve("/feed.xml", matching_stories(&server, 1..=2));
    server.serve("/hook", Response::status(503));
    let config = one_feed_config(&server, mail.port());
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    let mut tidings = folder.run(&[]);
    server.wait_for("/hook", 2).await;
    mail.wait_for(2).await;
    assert_eq!(tidings.terminate().await, 0);

    let without: Vec<&str> = config.lines().filter(|line| !line.contains("hook: {")).collect();
    folder.write(
        "config.yaml",
        &without.join("\n").replace("notify: [hook, desk]", "notify: [desk]"),
    );
    let mut tidings = folder.run(&[]);
    tidings.wait_for_log(|line| line.contains("messages held until it is back: 2")).await;
    let held = folder.command(&["deliveries", "--status", "held"]).await.output;
    assert_eq!(held.matches(" held ").count(), 2, "{held}");
    assert_eq!(tidings.terminate().await, 0);

    folder.write("config.yaml", &config);
    folder.change("UPDATE message SET due = 0 WHERE status = 'held'").await;
    server.serve("/hook", Response::status(204));
    let mut tidings = folder.run(&[]);
    server.wait_for("/hook", 4).await;
    assert_eq!(tidings.terminate().await, 0);
}
