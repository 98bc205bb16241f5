//! Alerts that a condition holds: each list says so, nobody is told, and the release is seen.

use serde_json::Value;

use super::stream::Events;
use super::{ALERTS, TestDesk};
use crate::support::schema;
use crate::support::setup::{hook_payloads, matching_stories};

/// Two stories within an hour are told together.
const RULE: &str = "rules:
  - name: arms
    when: Russia AND North Korea AND arms
    severity: high
    tell: {events: 2, within: 1h}
";

/// A desk with the alert 1, which is held.
async fn desk_with_held() -> TestDesk {
    let desk = TestDesk::start(&[("arms.yaml", RULE)]).await;
    desk.setup.server.serve("/feed.xml", matching_stories(&desk.setup.server, 1..=1));
    desk.wait_for(ALERTS, "1").await;
    desk
}

/// The second story comes, which meets the condition.
async fn release(desk: &TestDesk) {
    desk.setup.server.serve("/feed.xml", matching_stories(&desk.setup.server, 1..=2));
    desk.wait_for(ALERTS, "2").await;
}

/// The numbers of the alerts that the API lists.
async fn listed(desk: &TestDesk, query: &str) -> Vec<i64> {
    let (status, list) = desk.get(&format!("/alerts{query}")).await;
    assert_eq!(status, 200, "{list}");
    let items = list["items"].as_array().expect("a list").iter();
    items.map(|alert| alert["id"].as_i64().expect("a number")).collect()
}

async fn command(desk: &TestDesk, arguments: &[&str]) -> String {
    let said = desk.setup.folder.command(arguments).await;
    assert_eq!(said.code, 0, "{arguments:?}: {}", said.errors);
    // Lines are wrapped anywhere.
    said.output.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Fails unless each part is on the page.
async fn hold_page(desk: &TestDesk, path: &str, parts: &[&str]) {
    let (status, page) = desk.page(path).await;
    assert_eq!(status, 200, "{path}");
    for part in parts {
        assert!(page.contains(part), "{path} lacks {part}: {page}");
    }
}

async fn event_of(desk: &TestDesk, alert: i64) -> String {
    let (_, alert) = desk.get(&format!("/alerts/{alert}")).await;
    alert["event"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_list_says_what_is_held_and_nobody_is_told() {
    let desk = desk_with_held().await;
    let (_, list) = desk.get("/alerts").await;
    let alert = &list["items"][0];
    assert_eq!((&alert["held"], alert.get("held_until")), (&Value::Bool(true), None));
    let state = &alert["condition"];
    assert_eq!((&state["condition"], &state["met"]), (&"2 events within 1h".into(), &false.into()));
    assert_eq!(
        (&state["progress"], state["counts_until"].is_string()),
        (&"1 of 2 events".into(), true)
    );
    assert_eq!(listed(&desk, "?held=true").await, [1]);
    assert_eq!(listed(&desk, "?held=true&rule=arms").await, [1]);
    assert_eq!(listed(&desk, "?held=false").await, [0; 0]);
    assert_eq!(listed(&desk, "?held=false&words=arms").await, [0; 0]);
    assert_eq!(desk.get("/alerts?held=perhaps").await.0, 400);
    let event = event_of(&desk, 1).await;
    let (_, record) = desk.get(&format!("/events/{event}")).await;
    let matched = record["timeline"].as_array().expect("a list").last().expect("an alert");
    assert_eq!((&matched["kind"], &matched["held"]), (&"alert".into(), &true.into()));
    assert_eq!(matched["standing"], "held: 1 of 2 events");
    let (_, rule) = desk.get("/rules/arms").await;
    assert_eq!((&rule["alerts_30d"], &rule["held_30d"]), (&1.into(), &1.into()));

    let held = "held: <span dir=\"auto\">1 of 2 events</span>";
    for path in ["/", "/alerts", "/alerts?held=true"] {
        hold_page(&desk, path, &[held, "standing held"]).await;
    }
    hold_page(&desk, "/alerts?held=false", &["No alert passes", "selected>not held"]).await;
    hold_page(&desk, "/status", &["Rules that hold matches", "1 of 2 events"]).await;
    hold_page(&desk, "/alerts/1", &[held, "2 events within 1h", "Counts until", "nobody was told"])
        .await;
    hold_page(&desk, &format!("/events/{event}"), &["; held: 1 of 2 events."]).await;
    let parts =
        ["rule=arms\">1 held</a>", "<dt>Condition</dt>", "Rules that hold", "1 of 2 events"];
    hold_page(&desk, "/rules/arms", &parts).await;
    let (_, feed) = desk.page("/alerts.atom").await;
    assert!(feed.contains("<feed") && !feed.contains("<entry>"), "{feed}");

    for (arguments, said) in [
        (&["alerts"][..], "CONDITION HEADLINE"),
        (&["alerts", "--held"], "held: 1 of 2 events"),
        (&["alerts", "--held=false"], "no alert fits"),
        (&["alerts", "--format", "json"], "\"held\":true"),
        (&["alerts", "--format", "csv"], ",true,,1 of 2 events"),
        (&["alerts", "show", "1"], "condition 2 events within 1h standing held: 1 of 2 events"),
        (&["alerts", "show", "1"], "It is held: nobody was told."),
        (&["alerts", "event", &event], "the rule arms matched; held: 1 of 2 events"),
        (&["rules"], "1 1 1 - -"),
    ] {
        let output = command(&desk, arguments).await;
        assert!(output.contains(said), "{arguments:?} lacks {said}: {output}");
    }
    desk.wait_for("SELECT count(*) FROM message", "0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absence_of_a_rule_that_never_matched_shows_no_last_match() {
    let desk = desk_with_held().await;
    // As if an absence had been told.
    let absence = "INSERT INTO absence (rule, dedup_key, last, matched, told) VALUES ('Silent', '', 0, FALSE, 1)";
    desk.setup.folder.change(absence).await;
    let rule = r#"INSERT INTO conditional_rule (rule, state) VALUES ('Silent',
        '{"condition": "no match for 2h", "is_absent": true, "rows": null, "until": null}')"#;
    desk.setup.folder.change(rule).await;
    let never =
        ["Rules without a match", "<bdi>Silent</bdi>", "no match yet, in force since <time"];
    hold_page(&desk, "/status", &never).await;
    let (_, status) = desk.get("/status").await;
    assert_eq!(status["absent_groups"][0]["last_match"], Value::Null);
    desk.setup.folder.change("UPDATE absence SET matched = TRUE").await;
    let (_, page) = desk.page("/status").await;
    assert!(page.contains("<bdi>Silent</bdi>") && !page.contains("no match yet"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absence_of_a_row_shows_its_label() {
    let desk = desk_with_held().await;
    // As if an absence had been told.
    let absence = "INSERT INTO absence (rule, dedup_key, last, matched, told) VALUES ('Silent', '36', 0, TRUE, 1)";
    desk.setup.folder.change(absence).await;
    let rule = r#"INSERT INTO conditional_rule (rule, state) VALUES ('Silent',
        '{"condition": "no match for 2h", "is_absent": true, "rows": {"36": "Ryonbong"}, "until": null}')"#;
    desk.setup.folder.change(rule).await;
    hold_page(&desk, "/status", &["<bdi>Silent</bdi>", "<bdi>Ryonbong</bdi>"]).await;
    let (_, status) = desk.get("/status").await;
    let row = serde_json::json!({"id": "36", "label": "Ryonbong"});
    assert_eq!(status["absent_groups"][0]["row"], row);
    let output = command(&desk, &["status"]).await;
    assert!(output.contains("Silent: Ryonbong (36) is absent since"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_shows_its_condition_and_what_it_holds() {
    let desk = desk_with_held().await;
    let (_, rule) = desk.get("/rules/arms").await;
    assert_eq!(rule["condition"], "2 events within 1h");
    assert_eq!(rule["held_groups"][0]["progress"], "1 of 2 events");
    let page = ["<dt>Condition</dt>", "2 events within 1h", "Rules that hold", "1 of 2 events"];
    hold_page(&desk, "/rules/arms", &page).await;
    // As if an absence of another rule had been told.
    let absence = "INSERT INTO absence (rule, dedup_key, last, matched, told) VALUES ('Silent', '', 0, FALSE, 1)";
    desk.setup.folder.change(absence).await;
    assert_eq!(desk.get("/rules/arms").await.1["absent_groups"], Value::Array(vec![]));
    release(&desk).await;
    assert_eq!(desk.get("/rules/arms").await.1["held_groups"], Value::Array(vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_released_is_shown_as_told_and_told() {
    let desk = desk_with_held().await;
    release(&desk).await;
    let (_, alert) = desk.get("/alerts/1").await;
    assert_eq!((&alert["held"], &alert["condition"]["met"]), (&false.into(), &false.into()));
    let told = desk.get("/alerts/2").await.1["created"].clone();
    assert_eq!(alert["held_until"], told);
    assert_eq!(alert["messages"].as_array().expect("a list").len(), 2);
    assert_eq!(listed(&desk, "?held=true").await, [0; 0]);
    assert_eq!(listed(&desk, "?held=false&words=arms").await, [2, 1]);
    let event = event_of(&desk, 1).await;
    let (_, record) = desk.get(&format!("/events/{event}")).await;
    let kinds = record["timeline"].as_array().expect("a list").iter().map(|one| &one["kind"]);
    let kinds: Vec<&str> = kinds.filter_map(Value::as_str).collect();
    assert!(kinds.starts_with(&["seen", "alert", "told", "message"]), "{kinds:?}");

    hold_page(&desk, "/alerts", &["held until <time", "condition met: "]).await;
    hold_page(&desk, "/alerts/1", &["held until <time"]).await;
    let was_told = "The condition of <bdi>arms</bdi> was met, and <a href=\"/alerts/1\">";
    hold_page(&desk, &format!("/events/{event}"), &["; held: 1 of 2", was_told]).await;
    let entries = ["<entry>", "part 1", "(held until ", "part 2", "(condition met: 2 events)"];
    hold_page(&desk, "/alerts.atom", &entries).await;
    let (_, none) = desk.page("/alerts.atom?held=true").await;
    assert!(!none.contains("<entry>"), "{none}");
    for (arguments, said) in [
        (&["alerts"][..], "condition met: 2 events"),
        (&["alerts", "show", "1"], "standing held until "),
        (&["alerts", "event", &event], "alert 1 is no longer held: the condition of arms was met"),
    ] {
        let output = command(&desk, arguments).await;
        assert!(output.contains(said), "{arguments:?} lacks {said}: {output}");
    }

    let request = desk.setup.server.wait_for("/hook", 1).await.remove(0);
    schema::hold(&request.body);
    let payload = hook_payloads(&desk.setup.server).remove(0);
    assert_eq!(payload["reason"]["what"], "fired", "{payload}");
    assert_eq!(payload["reason"]["progress"], "2 events");
    let group = &payload["rules"][0];
    assert_eq!(
        (&group["condition"]["met"], group["stories"].as_array().map(Vec::len)),
        (&true.into(), Some(2))
    );
    assert!(group["stories"][1]["publisher"].is_string(), "{payload}");
    let mail = desk.setup.mail.wait_for(1).await.remove(0);
    assert!(mail.plain().contains("met. Its stories were held until then."), "{}", mail.plain());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_says_what_is_told_after_it_was_held() {
    let desk = desk_with_held().await;
    let mut all = Events::open(&desk, "", None).await;
    let mut told = Events::open(&desk, "?held=false", None).await;
    let mut held = Events::open(&desk, "?held=true&after=0", None).await;
    assert_eq!(held.next().await, "alert 1");
    release(&desk).await;
    for stream in [&mut all, &mut told] {
        assert_eq!((stream.next().await, stream.next().await), ("told ".into(), "alert 2".into()));
    }
    assert_eq!(held.next().await, "told ");
    let mut back = Events::open(&desk, "", Some("1")).await;
    assert_eq!((back.next().await, back.next().await), ("told ".into(), "alert 2".into()));
    desk.setup.server.serve("/feed.xml", matching_stories(&desk.setup.server, 1..=3));
    assert_eq!((all.next().await, back.next().await), ("alert 3".into(), "alert 3".into()));
}
