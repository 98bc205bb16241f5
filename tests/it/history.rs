//! What was told, listed beside a running Tidings; stores of older versions; and what `retain`
//! takes away while it is killed.

use serde_json::Value;

use crate::support::http::{Response, Server};
use crate::support::smtp::Sink;
use crate::support::tidings::Folder;
use crate::support::wire::{self, Entry};
use crate::whole_way::{RULE, config, serve_settled};

struct World {
    server: Server,
    mail: Sink,
    folder: Folder,
}

impl World {
    async fn new() -> Self {
        let (server, mail) = (Server::start().await, Sink::start().await);
        serve_settled(&server);
        let config = config(
            &[server.url("/feed.xml")],
            &server.url("/hook"),
            mail.port(),
            &["ana@example.org"],
        );
        let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
        Self { server, mail, folder }
    }

    async fn listed(&self, arguments: &[&str]) -> Vec<Value> {
        let said =
            self.folder.command(&[&["alerts", "--format", "json"], arguments].concat()).await;
        assert_eq!(said.code, 0, "{}", said.errors);
        said.output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_is_listed_and_shown_beside_a_running_tidings() {
    let world = World::new().await;
    let mut tidings = world.folder.run(&[]);
    let hook = world.server.wait_for("/hook", 1).await.remove(0);
    world.mail.wait_for(1).await;
    world
        .folder
        .wait_until("SELECT count(*) FROM message WHERE status = 'sent'", |sent| sent == "2")
        .await;

    let table = world.folder.command(&["alerts"]).await.output;
    assert!(
        table.contains("Russia and North Korea trade arms") && table.contains("arms"),
        "{table}"
    );
    let payload: Value = serde_json::from_slice(&hook.body).expect("JSON");
    let listed = world.listed(&[]).await.remove(0);
    for key in ["event", "story", "read", "feeds"] {
        assert_eq!(listed[key], payload[key], "{key}");
    }
    for key in ["rule", "version", "text_sha256", "severity", "evidence"] {
        assert_eq!(listed[key], payload["rules"][0][key], "{key}");
    }
    for (filters, expected) in [
        (&["--rule", "arms", "--feed", "wire-1", "--since", "1h", "--words", "NORTH korea"][..], 1),
        (&["--until", "2020-01-01"][..], 0),
        (&["--words", "football"][..], 0),
        (&["--limit", "0"][..], 0),
    ] {
        assert_eq!(world.listed(filters).await.len(), expected, "{filters:?}");
    }
    for unknown in [["--rule", "trade"], ["--feed", "wire-2"], ["--tag", "korea"]] {
        assert_eq!(
            world.folder.command(&[&["alerts"], &unknown[..]].concat()).await.code,
            65,
            "{unknown:?}"
        );
    }
    let wrong = world.folder.command(&["alerts", "--since", "yesterday"]).await;
    assert_eq!(wrong.code, 64);
    assert!(wrong.errors.contains("`yesterday` is no time"), "{}", wrong.errors);

    let shown = world.folder.command(&["alerts", "show", "1"]).await.output;
    for part in [
        "*North Korea*",
        "as it is kept",
        "when: Russia AND North Korea AND arms",
        "for hook: sent",
        "sent, 250",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let shown = world.folder.command(&["alerts", "show", "1", "--format", "json"]).await.output;
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["messages"][1]["message"], payload["id"]);
    assert_eq!(shown["messages"][1]["attempts"][0]["outcome"], "sent");
    assert_eq!(shown["text_now_sha256"], shown["text_sha256"]);
    let unknown = world.folder.command(&["alerts", "show", "99"]).await;
    assert_eq!(unknown.code, 65);
    assert!(unknown.errors.contains("no alert has the number 99"), "{}", unknown.errors);
    assert_eq!(tidings.terminate().await, 0);
}

/// 10,000 stories of a year ago that nobody was told of.
const LAST_YEAR: &str = "WITH RECURSIVE many (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM many WHERE n < 10001)
    INSERT INTO story (id, uid, key, event, title, feed_text, authors, tags, first_seen, read, status)
    SELECT n, 'u' || n, 'k' || n, 'u' || n, 'Title', hex(zeroblob(2000)), '[]', '[]', (SELECT first_seen FROM story) - 31536000000, 'full', 'unmatched' FROM many";

/// Where the first story, which was told, stands a year ago, too.
const AGE: [&str; 3] = [
    "UPDATE story SET first_seen = first_seen - 31536000000 WHERE id = 1",
    "UPDATE alert SET created = created - 31536000000",
    "UPDATE message SET created = created - 31536000000",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_is_killed_goes_on_with_the_next_run_and_nothing_old_is_told_again() {
    let world = World::new().await;
    assert_eq!(world.folder.run(&["--once"]).wait().await, 0);
    world.folder.change(LAST_YEAR).await;
    for sql in AGE {
        world.folder.change(sql).await;
    }
    let mut tidings = world.folder.run(&[]);
    world
        .folder
        .wait_until("SELECT count(*) FROM story WHERE id > 1", |left| left != "10000")
        .await;
    tidings.kill9().await;
    let left = world.folder.query("SELECT count(*) FROM story").await;
    assert!(
        left[0].parse::<i64>().expect("a number") > 1,
        "killed too late to tell anything: {left:?}"
    );

    let mut tidings = world.folder.run(&[]);
    world.folder.wait_until("SELECT count(*) FROM story", |left| left == "1").await;
    let said = tidings.wait_for_log(|line| line.contains("as `retain` says")).await;
    assert!(said.contains("of 0 alerts and 0 messages"), "{said}");
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(world.listed(&[]).await.len(), 1, "alerts are kept for ever");

    // What was told goes, too, but its feed still has the story: it is not told again.
    let text = world.folder.query("SELECT feed_text FROM story").await;
    assert!(!text[0].is_empty());
    let config = config(
        &[world.server.url("/feed.xml")],
        &world.server.url("/hook"),
        world.mail.port(),
        &["ana@example.org"],
    );
    world.folder.write("config.yaml", &(config + "retain: {alerts: 30d}\n"));
    world.folder.change("UPDATE attempt SET started = 0, ended = 0").await;
    assert_eq!(world.folder.run(&["--once"]).wait().await, 0);
    assert_eq!(world.folder.query("SELECT feed_text || title FROM story").await, [""]);
    assert_eq!(world.listed(&[]).await.len(), 0);
    let explained = world.folder.command(&["explain", "https://wire.example/1"]).await.output;
    assert!(explained.contains("only a teaser") && explained.contains("`retain`"), "{explained}");
    let copy = Entry::full(
        "Russia and North Korea trade arms",
        "https://wire.example/1?utm_source=b",
        wire::LONG,
    );
    world.server.serve("/feed.xml", Response::feed(&wire::feed(&[copy])));
    assert_eq!(world.folder.run(&["--once"]).wait().await, 0);
    assert_eq!((world.server.requests("/hook").len(), world.mail.letters().len()), (1, 1));
}
