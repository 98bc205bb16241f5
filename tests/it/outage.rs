//! A receiver that is away, and one that refuses: nothing is lost, and the others are told.

use crate::support::http::{Response, Server};
use crate::support::smtp::Sink;
use crate::support::tidings::Folder;
use crate::support::wire::{self, Entry};
use crate::whole_way::{RULE, config};

/// A feed of so many stories that match.
fn stories(server: &Server, number: usize) -> String {
    let entry = |n: usize| {
        let title = format!("Russia and North Korea trade arms, part {n}");
        Entry::full(&title, &server.url(&format!("/story/{n}")), wire::LONG)
    };
    wire::feed(&(1..=number).map(entry).collect::<Vec<_>>())
}

fn subjects(mail: &Sink) -> Vec<String> {
    let subject = |letter: String| letter.lines().find_map(|line| Some(line.strip_prefix("Subject: ")?.to_owned()));
    mail.letters().iter().map(|letter| subject(letter.text()).expect("a subject")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_away_is_told_by_mail_once_and_so_is_the_return_and_all_that_waited_arrives() {
    let (server, mail) = (Server::start().await, Sink::start().await);
    server.serve("/feed.xml", Response::feed(&stories(&server, 6)));
    server.serve("/hook", Response::status(503));
    let config = config(&[server.url("/feed.xml")], &server.url("/hook"), mail.port(), &["ana@example.org"]);
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    let mut tidings = folder.run(&[]);
    folder.wait_until("SELECT failures FROM health WHERE notifier = 'hook'", |failures| failures == "6").await;
    mail.wait_for(6).await;
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(server.requests("/hook").len(), 6, "after five failures only a probe a minute");

    // An hour later.
    folder.change("UPDATE health SET since = since - 3600000").await;
    let mut tidings = folder.run(&[]);
    mail.wait_for(7).await;
    assert_eq!(tidings.terminate().await, 0);
    folder.change("UPDATE health SET rests_until = 0").await;
    folder.change("UPDATE message SET due = 0 WHERE state = 'pending'").await;
    server.serve("/hook", Response::status(204));
    let mut tidings = folder.run(&[]);
    mail.wait_for(8).await;
    folder.wait_until("SELECT count(*) FROM message WHERE state != 'sent'", |count| count == "0").await;
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(subjects(&mail)[6..], ["hook takes no messages", "hook takes messages again"]);
    assert_eq!(server.requests("/hook").len(), 12);
    assert_eq!(folder.query("SELECT count(*) FROM health").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_once_through_the_others() {
    let (server, mail) = (Server::start().await, Sink::start().await);
    server.serve("/feed.xml", Response::feed(&stories(&server, 3)));
    server.serve("/hook", Response::status(403));
    let config = config(&[server.url("/feed.xml")], &server.url("/hook"), mail.port(), &["ana@example.org"]);
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    let mut tidings = folder.run(&[]);
    mail.wait_for(4).await;
    folder.wait_until("SELECT count(*) FROM message WHERE state = 'pending'", |count| count == "0").await;
    assert_eq!(tidings.terminate().await, 0);
    let told: Vec<_> = subjects(&mail).into_iter().filter(|subject| subject.contains("refused")).collect();
    assert_eq!(told, ["hook refused a message"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_else_can_be_told_the_log_says_so() {
    let server = Server::start().await;
    server.serve("/feed.xml", Response::feed(&stories(&server, 1)));
    server.serve("/hook", Response::status(403));
    let config = config(&[server.url("/feed.xml")], &server.url("/hook"), 1, &["ana@example.org"])
        .replace("notify: [hook, desk]", "notify: [hook]");
    let alone: Vec<&str> = config.lines().filter(|line| !line.contains("desk: {")).collect();
    let folder = Folder::new(&alone.join("\n"), &[("arms.yaml", RULE)]);
    let mut tidings = folder.run(&[]);
    tidings.wait_for_log(|line| line.contains("hook refuses messages") && line.contains("nobody else")).await;
    assert_eq!(tidings.terminate().await, 0);
}
