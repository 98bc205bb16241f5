//! Alerts of the past, listed beside a running Tidings, and a sweep that is killed while it removes
//! what `retain` does not keep.

use serde_json::Value;

use crate::support::http::Response;
use crate::support::setup::{Setup, one_feed_config, serve_one_match};
use crate::support::tidings::RunningTidings;
use crate::support::wire::{self, Entry};

/// A feed with one story that matches.
async fn setup_with_match() -> Setup {
    let setup = Setup::new().await;
    serve_one_match(&setup.server);
    setup
}

async fn list_alerts(setup: &Setup, filters: &[&str]) -> Vec<Value> {
    let said = setup.folder.command(&[&["alerts", "--format", "json"], filters].concat()).await;
    assert_eq!(said.code, 0, "{}", said.errors);
    said.output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// A running Tidings that has sent its alert to the hook and by mail, and the hook's payload.
async fn run_until_sent(setup: &Setup) -> (RunningTidings, Value) {
    let tidings = setup.folder.run(&[]);
    let hook = setup.server.wait_for("/hook", 1).await.remove(0);
    setup.mail.wait_for(1).await;
    setup
        .folder
        .wait_until("SELECT count(*) FROM message WHERE status = 'sent'", |sent| sent == "2")
        .await;
    (tidings, serde_json::from_slice(&hook.body).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_listed_beside_a_running_tidings() {
    let setup = setup_with_match().await;
    let (mut tidings, payload) = run_until_sent(&setup).await;
    let table = setup.folder.command(&["alerts"]).await.output;
    assert!(
        table.contains("Russia and North Korea trade arms") && table.contains("arms"),
        "{table}"
    );
    let listed = list_alerts(&setup, &[]).await.remove(0);
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
        assert_eq!(list_alerts(&setup, filters).await.len(), expected, "{filters:?}");
    }
    for unknown in [["--rule", "trade"], ["--feed", "wire-2"], ["--tag", "korea"]] {
        assert_eq!(
            setup.folder.command(&[&["alerts"], &unknown[..]].concat()).await.code,
            65,
            "{unknown:?}"
        );
    }
    let wrong = setup.folder.command(&["alerts", "--since", "yesterday"]).await;
    assert_eq!(wrong.code, 64);
    assert!(wrong.errors.contains("`yesterday` is not a time"), "{}", wrong.errors);
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_shown_beside_a_running_tidings() {
    let setup = setup_with_match().await;
    let (mut tidings, payload) = run_until_sent(&setup).await;
    let shown = setup.folder.command(&["alerts", "show", "1"]).await.output;
    for part in [
        "*North Korea*",
        "same as the stored text",
        "when: Russia AND North Korea AND arms",
        "for hook: sent",
        "sent, 250",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let shown = setup.folder.command(&["alerts", "show", "1", "--format", "json"]).await.output;
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["messages"][1]["message"], payload["id"]);
    assert_eq!(shown["messages"][1]["attempts"][0]["outcome"], "sent");
    assert_eq!(shown["text_now_sha256"], shown["text_sha256"]);
    let unknown = setup.folder.command(&["alerts", "show", "99"]).await;
    assert_eq!(unknown.code, 65);
    assert!(unknown.errors.contains("no alert has the number 99"), "{}", unknown.errors);
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_coverage_of_a_rule_says_who_was_first_and_who_was_lost() {
    let setup = setup_with_match().await;
    let (_tidings, _) = run_until_sent(&setup).await;
    let said = setup.folder.command(&["coverage", "arms", "--format", "json"]).await;
    let covered: Value = serde_json::from_str(&said.output).expect("JSON");
    assert_eq!((&covered["events"], &covered["sources"]), (&1.into(), &1.into()), "{covered}");
    assert_eq!(covered["first"][0]["feed"], "wire-1");
    assert!(covered["seen_to_sent_seconds"].as_u64().is_some_and(|took| took < 60), "{covered}");
    assert_eq!(covered["lost"].as_array().map(Vec::len), Some(0));
    let said = setup.folder.command(&["coverage", "arms"]).await.output;
    for part in ["events     1\n", "first      wire-1 1\n", "lost       0 of 1 source: none\n"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    // The alert was forty days ago: the feed matched before, and does not now.
    setup.folder.change("UPDATE alert SET created = created - 3456000000").await;
    let said = setup.folder.command(&["coverage", "arms"]).await.output;
    assert!(said.contains("lost       1 of 1 source: wire-1 (well)\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_shown_in_order_of_time() {
    let setup = setup_with_match().await;
    let (_tidings, _) = run_until_sent(&setup).await;
    let (title, link) = ("North Korea and Russia trade arms again", "https://wire.example/1");
    let edited = Entry::full(title, link, wire::LONG);
    setup.server.serve("/feed.xml", Response::feed(&wire::feed(&[edited])));
    setup
        .folder
        .wait_until("SELECT count(*) FROM story_revision", |revisions| revisions == "1")
        .await;
    let event = setup.folder.query("SELECT uid FROM story").await.remove(0);
    let said = setup.folder.command(&["alerts", "event", &event]).await;
    let mut rest = said.output.as_str();
    for part in [
        title,
        "1 story, 1 alert, 2 messages",
        "wire-1 has the story: Russia and North Korea trade arms",
        "the rule arms matched",
        "written; now sent",
        "attempt for",
        "revision 2: the headline changed; the headline was:",
    ] {
        let words = part.split(' ').collect::<Vec<_>>().join("\\s+");
        let found = regex::Regex::new(&words).expect("words").find(rest);
        rest = &rest[found.unwrap_or_else(|| panic!("{part}: {}", said.output)).end()..];
    }
    let said = setup.folder.command(&["alerts", "event", &event, "--format", "json"]).await;
    let record: Value = serde_json::from_str(&said.output).expect("JSON");
    let kinds = record["timeline"].as_array().expect("a list").iter().map(|one| &one["kind"]);
    let kinds: Vec<&str> = kinds.filter_map(Value::as_str).collect();
    let messages = ["message", "message", "attempt", "attempt"];
    assert_eq!(kinds, [&["seen", "alert"], &messages[..], &["revision"]].concat());
    assert_eq!(record["timeline"][0]["title"], "Russia and North Korea trade arms");
    let changes = &record["stories"][0]["revisions"];
    assert_eq!(changes[0]["previous_title"], "Russia and North Korea trade arms");
}

/// Adds 10,000 stories of a year ago that no rule matched.
const LAST_YEAR: &str = "WITH RECURSIVE many (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM many WHERE n < 10001)
    INSERT INTO story (id, uid, key, event, title, feed_text, authors, tags, first_seen, read, status)
    SELECT n, 'u' || n, 'k' || n, 'u' || n, 'Title', format('%4000s', 'x'), '[]', '[]', (SELECT first_seen FROM story) - 31536000000, 'full', 'unmatched' FROM many";

/// Makes the first story, which was sent, a year old.
const AGE: [&str; 3] = [
    "UPDATE story SET first_seen = first_seen - 31536000000 WHERE id = 1",
    "UPDATE alert SET created = created - 31536000000",
    "UPDATE message SET created = created - 31536000000",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_is_killed_goes_on_with_the_next_run_and_nothing_old_is_sent_again() {
    let setup = setup_with_match().await;
    assert_eq!(setup.folder.run(&["--once"]).wait().await, 0);
    setup.folder.change(LAST_YEAR).await;
    for sql in AGE {
        setup.folder.change(sql).await;
    }
    let mut tidings = setup.folder.run(&[]);
    setup
        .folder
        .wait_until("SELECT count(*) FROM story WHERE id > 1", |left| left != "10000")
        .await;
    tidings.kill9().await;
    let left = setup.folder.query("SELECT count(*) FROM story").await;
    assert!(
        left[0].parse::<i64>().expect("a number") > 1,
        "killed too late to show anything: {left:?}"
    );

    let mut tidings = setup.folder.run(&[]);
    setup.folder.wait_until("SELECT count(*) FROM story", |left| left == "1").await;
    let said = tidings.wait_for_log(|line| line.contains("removed as `retain` sets")).await;
    assert!(said.contains("alerts: 0, messages: 0"), "{said}");
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(list_alerts(&setup, &[]).await.len(), 1, "alerts are kept for ever");

    // The sent story is swept too. Its feed still has it, and it is not sent again.
    let text = setup.folder.query("SELECT feed_text FROM story").await;
    assert!(!text[0].is_empty());
    let config = one_feed_config(&setup.server, setup.mail.port());
    setup.folder.write("config.yaml", &(config + "retain: {alerts: 30d}\n"));
    setup.folder.change("UPDATE attempt SET started = 0, ended = 0").await;
    assert_eq!(setup.folder.run(&["--once"]).wait().await, 0);
    assert_eq!(setup.folder.query("SELECT feed_text || title FROM story").await, [""]);
    assert_eq!(list_alerts(&setup, &[]).await.len(), 0);
    let explained = setup.folder.command(&["explain", "https://wire.example/1"]).await.output;
    assert!(explained.contains("teaser only: ") && explained.contains("`retain`"), "{explained}");
    let copy = Entry::full(
        "Russia and North Korea trade arms",
        "https://wire.example/1?utm_source=b",
        wire::LONG,
    );
    setup.server.serve("/feed.xml", Response::feed(&wire::feed(&[copy])));
    assert_eq!(setup.folder.run(&["--once"]).wait().await, 0);
    assert_eq!((setup.server.requests("/hook").len(), setup.mail.received().len()), (1, 1));
}
