//! The API: every operation, with its successes and its problems.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ALERTS, TestDesk};
use crate::support::http::Response;
use crate::support::openapi::Api;
use crate::support::setup::{self, matching_stories};

const RULES: &str = "rules:
  - name: arms
    when: Russia AND North Korea AND arms
    tags: [defence]
    why: Watch the arms trade.
  - name: freight/cars & more
    when: oil
    severity: low
";

async fn desk_with_alerts() -> TestDesk {
    let desk = TestDesk::start(&[("rules.yaml", RULES)]).await;
    desk.setup.server.serve("/feed.xml", matching_stories(&desk.setup.server, 1..=3));
    desk.wait_for(ALERTS, "6").await;
    desk
}

fn texts<'v>(list: &'v Value, key: &str) -> Vec<&'v str> {
    let items = list["items"].as_array().expect("a list");
    items.iter().map(|item| item[key].as_str().expect("a text")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_filtered_paged_and_shown_with_their_messages() {
    let desk = desk_with_alerts().await;
    desk.wait_for("SELECT count(*) FROM attempt WHERE outcome = 'sent'", "6").await;
    let (_, all) = desk.get("/alerts").await;
    assert_eq!(all["items"].as_array().expect("a list").len(), 6);
    for (query, number) in [
        ("rule=arms", 3),
        ("rule=freight%2Fcars%20%26%20more", 3),
        ("tag=defence", 3),
        ("feed=wire-1", 6),
        ("severity=low", 3),
        ("words=part+2", 2),
        ("rule=arms&severity=low", 0),
        ("since=2099-01-01", 0),
        ("rule=&severity=", 6),
        ("before=3", 2),
        ("after=4", 2),
    ] {
        let (status, found) = desk.get(&format!("/alerts?{query}")).await;
        assert_eq!(status, 200);
        assert_eq!(found["items"].as_array().expect("a list").len(), number, "{query}");
    }
    for query in ["since=yesterday", "severity=huge", "rul=arms", "before=x"] {
        let (status, problem) = desk.get(&format!("/alerts?{query}")).await;
        assert_eq!(status, 400, "{problem}");
    }
    let (status, alert) = desk.get("/alerts/1").await;
    assert_eq!((status, alert["rule"].as_str()), (200, Some("arms")));
    assert_eq!(alert["messages"].as_array().expect("a list").len(), 2);
    assert!(alert["rule_text"].as_str().expect("a text").contains("Russia"));
    for id in ["99", "x", "-1"] {
        assert_eq!(desk.get(&format!("/alerts/{id}")).await.0, 404, "{id}");
    }
    let event = alert["event"].as_str().expect("a text");
    let (_, record) = desk.get(&format!("/events/{event}")).await;
    assert_eq!(record["alerts"].as_array().expect("a list").len(), 2);
    assert_eq!(record["stories"][0]["feeds"][0]["feed"], "wire-1");
    let kinds = record["timeline"].as_array().expect("a list").iter().map(|one| &one["kind"]);
    let kinds: BTreeSet<&str> = kinds.filter_map(Value::as_str).collect();
    assert_eq!(kinds, BTreeSet::from(["alert", "attempt", "message", "seen"]));
    assert_eq!(desk.get("/events/none").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_alerts_goes_on_where_its_page_ended() {
    let desk = TestDesk::start(&[("arms.yaml", setup::RULE)]).await;
    desk.setup.server.serve("/feed.xml", matching_stories(&desk.setup.server, 1..=105));
    desk.wait_for(ALERTS, "105").await;
    let (_, first) = desk.get("/alerts?rule=arms").await;
    assert_eq!(first["items"].as_array().expect("a list").len(), 100);
    let next = first["next"].as_str().expect("a next page");
    let (_, second) = desk.get(next.strip_prefix("/api/v1").expect("a path of the API")).await;
    assert_eq!(second["items"].as_array().expect("a list").len(), 5);
    assert_eq!(second["next"], Value::Null);
    let ids = [&first, &second].map(|page| page["items"].as_array().expect("a list"));
    let ids: BTreeSet<i64> =
        ids.into_iter().flatten().map(|alert| alert["id"].as_i64().expect("a number")).collect();
    assert_eq!(ids.len(), 105, "no alert is passed over or shown twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_and_rules_are_shown_with_their_days() {
    let desk = desk_with_alerts().await;
    let (_, feeds) = desk.get("/feeds").await;
    assert_eq!((texts(&feeds, "feed"), texts(&feeds, "health")), (vec!["wire-1"], vec!["well"]));
    assert_eq!(texts(&desk.get("/feeds?health=gone").await.1, "feed"), [""; 0]);
    let (_, feed) = desk.get("/feeds/wire-1").await;
    assert_eq!((&feed["days"][0]["items"], &feed["days"][0]["failures"]), (&json!(3), &json!(0)));
    let (status, problem) = desk.get("/feeds/wire-2").await;
    assert_eq!(status, 404);
    assert_eq!(problem["detail"], "There is no feed `wire-2`. Did you mean `wire-1`?");

    let (_, rules) = desk.get("/rules").await;
    assert_eq!(texts(&rules, "rule"), ["arms", "freight/cars & more"]);
    assert_eq!(texts(&desk.get("/rules?tag=defence").await.1, "rule"), ["arms"]);
    let (_, rule) = desk.get("/rules/freight%2Fcars%20%26%20more").await;
    assert_eq!((&rule["alerts_7d"], &rule["alerts_30d"]), (&json!(3), &json!(3)));
    assert_eq!(rule["feed_count"], 1);
    assert_eq!((&rule["owner"], &rule["marks"]), (&Value::Null, &json!(["no_owner"])));
    assert!(rule["text"].as_str().expect("a text").contains("oil"));
    assert_eq!(desk.get("/rules/none").await.0, 404);

    let before = desk.setup.server.requests("/feed.xml").len();
    let (status, asked) = desk.post("/feeds/wire-1/poll", &json!({})).await;
    assert_eq!((status, &asked["is_asked"]), (200, &json!(true)));
    desk.setup.server.wait_for("/feed.xml", before + 1).await;
    assert_eq!(desk.post("/feeds/none/poll", &json!({})).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn silences_are_added_listed_and_ended() {
    let desk = desk_with_alerts().await;
    let rule = json!({ "kind": "rule", "name": "arms", "until": "8h", "why": "known" });
    let (status, silence) = desk.post("/silences", &rule).await;
    assert_eq!((status, &silence["target"]["name"]), (201, &json!("arms")));
    let event = desk.get("/alerts/1").await.1["event"].clone();
    for target in
        [("tag", "defence"), ("feed", "wire-1"), ("event", event.as_str().expect("an id"))]
    {
        let silence = json!({ "kind": target.0, "name": target.1, "until": "8h" });
        assert_eq!(desk.post("/silences", &silence).await.0, 201, "{target:?}");
    }
    for (kind, name, until) in [
        ("rule", "armz", "8h"),
        ("rule", "arms", "yesterday"),
        ("tag", "none", "8h"),
        ("event", "none", "8h"),
        ("planet", "mars", "8h"),
    ] {
        let silence = json!({ "kind": kind, "name": name, "until": until });
        let (status, problem) = desk.post("/silences", &silence).await;
        assert_eq!(status, 400, "{problem}");
    }
    for body in [json!({ "kind": "rule" }), json!([]), json!({ "kind": "rule", "nam": "arms" })] {
        let (status, problem) = desk.post("/silences", &body).await;
        assert!((400..=422).contains(&status), "{problem}");
    }
    let (_, listed) = desk.get("/silences").await;
    assert_eq!(listed["items"].as_array().expect("a list").len(), 4);
    assert_eq!(desk.post("/silences/1/end", &json!({})).await.0, 200);
    assert_eq!(desk.post("/silences/1/end", &json!({})).await.0, 404);
    assert_eq!(desk.get("/silences").await.1["items"].as_array().expect("a list").len(), 3);
    let (_, all) = desk.get("/silences?all=1").await;
    assert_eq!(all["items"].as_array().expect("a list").len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_message_is_listed_and_sent_again() {
    let desk = TestDesk::start(&[("arms.yaml", setup::RULE)]).await;
    let server = &desk.setup.server;
    server.serve("/hook", Response::status(500));
    server.serve("/feed.xml", matching_stories(server, [1]));
    desk.wait_for("SELECT count(*) FROM attempt WHERE outcome = 'again'", "1").await;
    desk.setup.folder.change("UPDATE message SET status = 'dead' WHERE status = 'pending'").await;
    let (_, listed) = desk.get("/deliveries").await;
    assert_eq!(
        (texts(&listed, "status"), texts(&listed, "notifier")),
        (vec!["dead"], vec!["hook"])
    );
    let id = &listed["items"][0]["id"];
    let (_, status) = desk.get("/status").await;
    assert_eq!(
        (&status["run"]["running"], &status["messages"][0]["dead"]),
        (&json!(true), &json!(1))
    );
    assert!(status["attention"].to_string().contains("dead"), "{status}");

    server.serve("/hook", Response::status(204));
    let (code, retried) = desk.post(&format!("/deliveries/{id}/retry"), &json!({})).await;
    assert_eq!((code, &retried["status"]), (200, &json!("pending")));
    desk.wait_for("SELECT count(*) FROM message WHERE status = 'sent'", "2").await;
    assert_eq!(desk.post(&format!("/deliveries/{id}/retry"), &json!({})).await.0, 404);
    assert_eq!(desk.get("/deliveries").await.1["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expression_or_a_rule_is_tried_against_the_stored_stories() {
    let desk = desk_with_alerts().await;
    let (status, found) = desk.post("/try", &json!({ "text": "oil OR depot" })).await;
    assert_eq!((status, &found["tried"], &found["matched"]), (200, &json!(3), &json!(3)));
    let rule = "name: new\nwhen: Russia AND China AND arms\n";
    let (_, found) = desk.post("/try", &json!({ "text": rule })).await;
    assert_eq!(found["matched"], 0);
    let missing = found["near_misses"][0]["missing"].as_str().expect("a text");
    assert!(missing.contains("China"), "{missing}");
    assert!(found.get("conditions").is_none(), "{found}");
    let rule = "name: many\nwhen: oil OR depot\ntell: {events: 2, within: 30d}\n";
    let (_, found) = desk.post("/try", &json!({ "text": rule })).await;
    let expected = json!({"firings": 1, "told": 3, "held": 0, "uncounted": 0});
    assert_eq!(found["conditions"], expected, "{found}");
    let (status, problem) = desk.post("/try", &json!({ "text": "Russia AND" })).await;
    assert_eq!(status, 422);
    assert!(problem["detail"].as_str().expect("a text").contains("expression:1:8"), "{problem}");
    assert_eq!(desk.post("/try", &json!({ "text": " " })).await.0, 400);
}

#[test]
fn the_description_has_the_paths_of_the_api_and_no_other() {
    let served = include_str!("../../../src/web.rs");
    for (_, path) in Api::published().operations() {
        assert!(
            served.contains(&format!("\"{}\"", path.replace("/events/{id}", "/events/{uid}"))),
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stories_from_elsewhere_are_taken_told_and_known_once() {
    let desk = TestDesk::start_with(&[("rules.yaml", RULES)], |config| {
        config.replace("feeds:\n", "feeds:\n  - {name: telegram, from: ingest}\n")
    });
    let desk = desk.await;
    let send = async |query: &str, lines: String| {
        let request = desk.request(reqwest::Method::POST, &format!("/api/v1/stories{query}"));
        let path = format!("/stories{query}");
        desk.check(reqwest::Method::POST, &path, request.body(lines)).await
    };
    let story = |id: u32, title: &str| json!({ "feed": "telegram", "id": id, "title": title, "body": "Russia and North Korea trade arms." });
    let lines = format!("{}\n{}\n", story(1, "one"), story(2, "two"));
    let (status, report) = send("", lines.clone()).await;
    assert_eq!((status, &report["new"]), (200, &json!(2)));
    desk.setup.server.wait_for("/hook", 1).await;
    let (status, report) = send("", lines).await;
    assert_eq!((status, &report["known"]), (200, &json!(2)));
    let lines =
        format!("{}\nno JSON\n{}\n", story(3, "three"), json!({ "title": "x", "body": "y" }));
    let (status, report) = send("", lines).await;
    assert_eq!((status, &report["new"], &report["refused"]), (422, &json!(1), &json!(2)));
    assert_eq!(
        (&report["faults"][0]["line"], &report["faults"][1]["line"]),
        (&json!(2), &json!(3))
    );
    let lines = json!({ "title": "four", "body": "y" }).to_string();
    assert_eq!(send("?feed=telegram", lines.clone()).await.0, 200);
    let (status, problem) = send("?feed=wire-1", lines).await;
    assert_eq!(status, 400, "{problem}");
    let (_, alerts) = desk.get("/alerts?feed=telegram").await;
    assert!(!alerts["items"].as_array().expect("a list").is_empty());
}
