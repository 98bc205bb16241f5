//! A running daemon takes over a changed configuration, and keeps the old one if the new is broken.

use std::os::unix::fs::symlink;

use crate::support::http::{Response, Server};
use crate::support::setup::{self, Setup, matching_stories};
use crate::support::smtp::ServerAction;
use crate::support::tidings::{Folder, RunningTidings};

const CONFIG: &str = "config.yaml";

/// Edits the configuration, and waits until the log says that a change is in force.
async fn edit(folder: &Folder, tidings: &mut RunningTidings, from: &str, to: &str, said: &str) {
    let text = folder.read(CONFIG);
    assert!(text.contains(from), "{from} in {text}");
    let before = tidings.log().len();
    folder.write(CONFIG, &text.replacen(from, to, 1));
    let said = format!("configuration in force: {said}");
    tidings.wait_for_log_after(before, |line| line.ends_with(&said)).await;
}

/// A running Tidings that has sent its first alert.
async fn after_first_alert() -> (Setup, RunningTidings) {
    let setup = Setup::new().await;
    setup.server.serve("/feed.xml", matching_stories(&setup.server, [1]));
    let tidings = setup.folder.run(&[]);
    setup.server.wait_for("/hook", 1).await;
    (setup, tidings)
}

/// The configuration without the notifier `hook`.
fn without_hook(config: &str) -> String {
    let hook = config.lines().find(|line| line.starts_with("  hook:")).expect("a notifier");
    config.replace(&format!("{hook}\n"), "").replace("[hook, desk]", "[desk]")
}

fn feed(server: &Server, name: &str) -> String {
    format!("  - {{url: \"{}\", name: {name}, every: 1s}}\n", server.url(&format!("/{name}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_a_notifier_and_a_header_that_are_added_are_used_within_seconds() {
    let (setup, mut tidings) = after_first_alert().await;
    let Setup { server, folder, .. } = &setup;
    server.serve("/other", matching_stories(server, [2]));
    server.serve("/room", Response::status(204));

    let added = format!("feeds:\n{}", feed(server, "other"));
    edit(folder, &mut tidings, "feeds:\n", &added, "+1 feed").await;
    server.wait_for("/hook", 2).await;

    let room = format!(
        "notify: [room, hook, desk]\nnotifiers:\n  room: {{type: webhook, url: \"{}\"}}\n",
        server.url("/room")
    );
    let text =
        folder.read(CONFIG).replace("notify: [hook, desk]\n", "").replace("notifiers:\n", &room);
    folder.write(CONFIG, &text);
    tidings.wait_for_log(|line| line.contains("in force: +1 notifier, notify edited")).await;
    server.serve("/feed.xml", matching_stories(server, [1, 3]));
    server.wait_for("/room", 1).await;

    let hosts = format!(
        "hosts: {{\"127.0.0.1:{}\": {{headers: {{x-desk: news}}}}}}\nfeeds:\n",
        server.port()
    );
    edit(folder, &mut tidings, "feeds:\n", &hosts, "hosts edited").await;
    let seen = server.requests("/other").len();
    let later = server.wait_for("/other", seen + 2).await;
    assert_eq!(later.last().expect("some").header("x-desk"), Some("news"));
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notifier_and_the_rule_that_names_it_may_be_saved_in_either_order() {
    for rule_first in [true, false] {
        let (setup, mut tidings) = after_first_alert().await;
        let Setup { server, folder, .. } = &setup;
        server.serve("/room", Response::status(204));
        let rule = setup::RULE.replace("AND arms\n", "AND arms\n    notify: room\n");
        // Its line of the log is no other's.
        let rule = format!("{rule}  - {{name: airships, when: zeppelin}}\n");
        let room =
            format!("notifiers:\n  room: {{type: webhook, url: \"{}\"}}\n", server.url("/room"));
        let config = folder.read(CONFIG).replace("notifiers:\n", &room);
        if rule_first {
            folder.write("rules/arms.yaml", &rule);
            tidings.wait_for_log(|line| line.contains("its last good version stays")).await;
            folder.write(CONFIG, &config);
        } else {
            folder.write(CONFIG, &config);
            tidings.wait_for_log(|line| line.contains("in force: +1 notifier")).await;
            folder.write("rules/arms.yaml", &rule);
        }
        tidings.wait_for_log(|line| line.contains("rules in force: 2")).await;
        server.serve("/feed.xml", matching_stories(server, [1, 2]));
        server.wait_for("/room", 1).await;
        assert_eq!(tidings.terminate().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_configuration_changes_nothing_and_is_told_with_its_place() {
    let (setup, mut tidings) = after_first_alert().await;
    let Setup { server, folder, .. } = &setup;
    let sound = folder.read(CONFIG);

    folder.write(CONFIG, &sound.replace("every: 1s", "evry: 1s"));
    tidings.wait_for_log(|line| line.contains("config.yaml:6") || line.contains("evry")).await;
    tidings
        .wait_for_log(|line| {
            line.contains("the configuration in force does not change until its file is corrected")
        })
        .await;
    std::fs::remove_file(folder.place(CONFIG)).expect("it is there");
    tidings.wait_for_log(|line| line.contains("config.yaml cannot be read")).await;
    server.serve("/feed.xml", matching_stories(server, [1, 2]));
    server.wait_for("/hook", 2).await;

    let store = sound.lines().next().expect("a line");
    folder.write(CONFIG, &sound.replace(store, "store: sqlite:other.db"));
    tidings.wait_for_log(|line| line.contains("`store` was edited: restart Tidings")).await;
    assert_eq!(tidings.terminate().await, 0);
    assert!(!folder.names().contains(&"other.db".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_without_what_rules_need_is_refused_and_the_rules_stay() {
    let rule = setup::RULE.replace("AND arms\n", "AND arms\n    notify: hook\n");
    let setup = Setup::with_rules(&[("arms.yaml", &rule)]).await;
    let Setup { server, folder, .. } = &setup;
    server.serve("/feed.xml", matching_stories(server, [1]));
    let mut tidings = folder.run(&[]);
    server.wait_for("/hook", 1).await;
    let sound = folder.read(CONFIG);
    let without = sound.replace("  hook: {", "  room: {").replace("[hook, desk]", "[desk]");
    folder.write(CONFIG, &without);
    tidings.wait_for_log(|line| line.contains("rules need what the new configuration lacks")).await;
    server.serve("/feed.xml", matching_stories(server, [1, 2]));
    server.wait_for("/hook", 2).await;

    folder.write("rules/arms.yaml", setup::RULE);
    tidings
        .wait_for_log(|line| line.contains("in force: +1 notifier, \u{2212}1 notifier, notify"))
        .await;
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_configuration_that_is_taken_back_needs_no_attention() {
    let rule = setup::RULE.replace("AND arms\n", "AND arms\n    notify: hook\n");
    let setup = Setup::with_rules(&[("arms.yaml", &rule)]).await;
    let folder = &setup.folder;
    let mut tidings = folder.run(&[]);
    tidings.wait_for_log(|line| line.contains("started with the store")).await;
    let why = "SELECT coalesce(reload_error, 'none') FROM run";
    let sound = folder.read(CONFIG);
    folder.write(CONFIG, &without_hook(&sound).replace("tidings.db", "other.db"));
    folder.wait_until(why, |why| why.starts_with("rules need what")).await;
    folder.write(CONFIG, &sound);
    tidings.wait_for_log(|line| line.contains("in force are up to date")).await;
    folder.wait_until(why, |why| why == "none").await;
    assert_eq!(tidings.terminate().await, 0);
    let log = tidings.log().join("\n");
    assert!(!log.contains("restart Tidings"), "of a file that was refused: {log}");
    assert!(!log.contains("rules in force: "), "the rules have not changed: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_flight_when_its_notifier_leaves_ends_and_the_rest_is_held_until_it_is_back() {
    let setup = Setup::new().await;
    let Setup { server, folder, mail } = &setup;
    server.serve("/feed.xml", matching_stories(server, [1]));
    let stalled = server.stall("/hook");
    let mut tidings = folder.run(&[]);
    server.wait_for("/hook", 1).await;
    mail.wait_for(1).await;
    let config = folder.read(CONFIG);
    folder.write(CONFIG, &without_hook(&config));
    tidings.wait_for_log(|line| line.contains("\u{2212}1 notifier, notify edited")).await;
    stalled.release();
    let sent =
        "SELECT count(*) || ' of ' || count(DISTINCT notifier) FROM message WHERE status = 'sent'";
    folder.wait_until(sent, |now| now == "2 of 2").await;

    server.serve("/hook", Response::status(204));
    folder.write(CONFIG, &config);
    tidings.wait_for_log(|line| line.contains("in force: +1 notifier, notify edited")).await;
    server.serve("/feed.xml", matching_stories(server, [1, 2]));
    server.wait_for("/hook", 2).await;
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(server.requests("/hook").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_receiver_that_left_are_held_and_sent_when_it_is_back() {
    let setup = Setup::new().await;
    let Setup { server, folder, mail } = &setup;
    server.serve("/feed.xml", matching_stories(server, [1]));
    server.serve("/hook", Response::status(500));
    let mut tidings = folder.run(&[]);
    server.wait_for("/hook", 1).await;
    mail.wait_for(1).await;
    let config = folder.read(CONFIG);
    folder.write(CONFIG, &without_hook(&config));
    folder
        .wait_until("SELECT status FROM message WHERE notifier = 'hook'", |now| now == "held")
        .await;
    server.serve("/hook", Response::status(204));
    folder.write(CONFIG, &config);
    folder
        .wait_until("SELECT status FROM message WHERE notifier = 'hook'", |now| now == "sent")
        .await;
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_is_corrected_is_used_at_once_and_the_old_connection_ends() {
    let setup = Setup::new().await;
    let Setup { server, folder, mail } = &setup;
    server.serve("/feed.xml", matching_stories(server, [1]));
    let mut tidings = folder.run(&[]);
    mail.wait_for(1).await;
    let other = crate::support::smtp::Sink::start().await;
    let (from, to) =
        (format!("smtp://127.0.0.1:{}", mail.port()), format!("smtp://127.0.0.1:{}", other.port()));
    edit(folder, &mut tidings, &from, &to, "1 notifier edited").await;
    mail.wait_to_hear("QUIT").await;
    server.serve("/feed.xml", matching_stories(server, [1, 2]));
    other.wait_for(1).await;

    other.on("MAIL", ServerAction::Say("451 later"));
    server.serve("/feed.xml", matching_stories(server, [1, 2, 3]));
    other.wait_to_hear("MAIL").await;
    folder
        .wait_until("SELECT count(*) FROM message WHERE status = 'pending'", |now| now == "1")
        .await;
    // The next attempt would be minutes away.
    edit(folder, &mut tidings, &to, &from, "1 notifier edited").await;
    mail.wait_for(2).await;
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_left_is_polled_no_more_and_one_that_moved_is_polled_there() {
    let (setup, mut tidings) = after_first_alert().await;
    let Setup { server, folder, .. } = &setup;
    server.serve("/moved", matching_stories(server, [1, 2]));
    edit(folder, &mut tidings, "/feed.xml", "/moved", "1 feed edited").await;
    server.wait_for("/hook", 2).await;
    let before = server.requests("/feed.xml").len();
    let polls = server.requests("/moved").len();
    server.wait_for("/moved", polls + 2).await;
    assert_eq!(server.requests("/feed.xml").len(), before);
    assert_eq!(server.requests("/hook").len(), 2, "no story is told twice");

    let other = feed(server, "other");
    server.serve("/other", matching_stories(server, [1]));
    let moved = format!("  - {{url: \"{}\", name: wire-1, every: 1s}}\n", server.url("/moved"));
    edit(folder, &mut tidings, &moved, &other, "+1 feed, \u{2212}1 feed").await;
    server.wait_for("/other", 1).await;
    let gone = server.requests("/moved").len();
    server.wait_for("/other", 3).await;
    assert_eq!(server.requests("/moved").len(), gone);
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_the_configuration_names_are_watched_through_links() {
    let setup = Setup::with_config(
        |config| config.replace("feeds:\n", "feeds:\n  - {opml: mounted/feeds.opml}\n"),
        &[("arms.yaml", setup::RULE)],
    )
    .await;
    let Setup { server, folder, .. } = &setup;
    server.serve("/feed.xml", matching_stories(server, [1]));
    server.serve("/listed", matching_stories(server, [2]));
    let outline = |name: &str| {
        let url = server.url(&format!("/{name}"));
        format!("<outline type=\"rss\" text=\"{name}\" xmlUrl=\"{url}\"/>")
    };
    let list = |feeds: &str| format!("<opml version=\"2.0\"><body>{feeds}</body></opml>");
    folder.write("mounted/..v1/feeds.opml", &list(&outline("feed.xml")));
    folder.write("mounted/..v2/feeds.opml", &list(&(outline("feed.xml") + &outline("listed"))));
    symlink("..v1", folder.place("mounted/..data")).expect("a link");
    symlink("..data/feeds.opml", folder.place("mounted/feeds.opml")).expect("a link");
    let mut tidings = folder.run(&[]);
    server.wait_for("/hook", 1).await;
    // As Kubernetes replaces the files of a mounted ConfigMap.
    symlink("..v2", folder.place("mounted/..new")).expect("a link");
    std::fs::rename(folder.place("mounted/..new"), folder.place("mounted/..data")).expect("a move");
    tidings.wait_for_log(|line| line.contains("in force: +1 feed")).await;
    server.wait_for("/hook", 2).await;
    assert_eq!(tidings.terminate().await, 0);
}
