//! `docs/payload.schema.json` describes all keys of payloads, and no others.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tidings::alerts::condition_state::ConditionState;
use tidings::alerts::copies::{CopyMark, CopyUpdate, Figure};
use tidings::alerts::desk_links::DeskLinks;
use tidings::alerts::digest;
use tidings::alerts::digest::{DigestGroup, DigestPart, DigestReason};
use tidings::alerts::notice::{
    About, Notice, NoticeKind, ReportKind, RuleCount, RuleNotice, RuleNoticeKind, ServiceReport,
    StoreNotice,
};
use tidings::alerts::{Content, Notification};
use tidings::config::{ConsoleFormat, Notifier};
use tidings::notify;
use tidings::polling::health;
use tidings::polling::health::FeedNotice;
use tidings_rules::story::{FeedName, NotifierName, Read, Severity, WatchlistRow};

use crate::support::http::{Response, Server};
use crate::support::notification::{alert, receiver};
use crate::support::schema;
use crate::support::setup::config;
use crate::support::smtp::Sink;
use crate::support::tidings::Folder;
use crate::support::wire::{self, Entry};

/// A payload of every kind.
fn payloads() -> Vec<Value> {
    let notification = |content| Notification { content, ..alert() };
    let notice = |kind, recipient: Option<&str>| {
        let (notifier, recipient) = (NotifierName("desk".to_owned()), recipient.map(str::to_owned));
        let notice =
            Notice { kind, notifier, recipient, since: alert().created, why: "550".to_owned() };
        notification(Content::Notice(About::Receiver(notice)))
    };
    let of_feed = |kind| {
        let (feed, why) = (FeedName("Wire".to_owned()), "connection refused".to_owned());
        notification(Content::Notice(About::Feed(FeedNotice {
            kind,
            feed,
            since: alert().created,
            why,
        })))
    };
    let desk = "https://desk.example".parse().expect("an address");
    let others = [
        alert(),
        Notification { desk: DeskLinks::of(&desk, &alert().content), ..alert() },
        notification(of_row()),
        notification(of_condition()),
        notification(without_headline()),
        notification(of_update()),
        notification(of_part()),
        notice(NoticeKind::Down, None),
        notice(NoticeKind::Back, None),
        notice(NoticeKind::Refused, Some("ana@example.org")),
        of_feed(health::FeedNoticeKind::Gone),
        of_feed(health::FeedNoticeKind::Failing),
        of_feed(health::FeedNoticeKind::Silent),
        of_feed(health::FeedNoticeKind::Well),
        notification(Content::Notice(About::Store(StoreNotice::damaged(
            "tidings.db".to_owned(),
            "Tree 7 page 9: btreeInitPage() returns error code 11".to_owned(),
            alert().created,
        )))),
        notification(Content::Notice(About::Rule(rule_notice(RuleNoticeKind::Absent)))),
        notification(Content::Notice(About::Rule(rule_notice(RuleNoticeKind::Blind)))),
        notification(Content::Notice(About::Report(report()))),
        notification(Content::Test),
    ];
    others.iter().chain(&digests()).map(payload).collect()
}

/// A digest for every reason.
fn digests() -> [Notification; 7] {
    let rule = || "arms".to_owned();
    let reasons = [
        DigestReason::Burst { rule: rule(), row: Some(row()) },
        DigestReason::Digest { rule: rule() },
        DigestReason::Quiet,
        DigestReason::Limit,
        DigestReason::Silence { id: 7, why: String::new() },
        DigestReason::Late,
        DigestReason::Fired {
            rule: rule(),
            row: Some(row()),
            condition: "2 events within 1h".to_owned(),
            progress: "2 events".to_owned(),
            at: alert().created,
            counts_until: Some(alert().created),
        },
    ];
    reasons.map(|reason| {
        let digest =
            digest::Digest { reason, part: Some(DigestPart::new(3, 25)), rules: vec![group()] };
        Notification { content: Content::Digest(digest), ..alert() }
    })
}

/// A notice of a rule with `absent`.
fn rule_notice(kind: RuleNoticeKind) -> RuleNotice {
    RuleNotice {
        kind,
        rule: "The ministry is silent".to_owned(),
        row: Some(row()),
        condition: "no match for 2h".to_owned(),
        severity: Severity::High,
        why: Some("the desk".to_owned()),
        owner: Some("ana".to_owned()),
        tags: vec!["press".to_owned()],
        since: alert().created,
        failing: vec!["Wire".to_owned()],
    }
}

fn report() -> ServiceReport {
    ServiceReport {
        kind: ReportKind::Report,
        since: alert().created,
        until: alert().created,
        feeds: 2,
        rules: 1,
        alerts: 3,
        matched: vec![RuleCount { rule: "arms".to_owned(), alerts: 3 }],
        failing: vec!["the feed wire is failing: connection refused".to_owned()],
        unseen: vec!["paper".to_owned()],
    }
}

fn row() -> WatchlistRow {
    WatchlistRow { id: "36".to_owned(), label: "Ivan Petrov".to_owned() }
}

/// The alert of a rule with `each`.
fn of_row() -> Content {
    let mut content = alert().content;
    if let Content::Alert { rules, .. } = &mut content {
        rules[0].row = Some(row());
    }
    content
}

/// The alert of a rule with a condition.
fn of_condition() -> Content {
    let mut content = alert().content;
    if let Content::Alert { rules, .. } = &mut content {
        rules[0].condition = Some(condition());
    }
    content
}

fn condition() -> ConditionState {
    let progress = Some("new match: CVE-2027-1234".to_owned());
    let counts_until = Some(alert().created);
    ConditionState {
        condition: "first match in 365d".to_owned(),
        met: true,
        progress,
        counts_until,
    }
}

/// The alert of a story without a headline.
fn without_headline() -> Content {
    let mut content = alert().content;
    if let Content::Alert { story, .. } = &mut content {
        story.title.clear();
        story.opening = Some("The first words.".to_owned());
    }
    content
}

/// The alert of a story of which a part was read.
fn of_part() -> Content {
    let mut content = alert().content;
    if let Content::Alert { read, .. } = &mut content {
        *read = Read::Partial("the page is behind a paywall".to_owned());
    }
    content
}

/// The alert as an update of its event.
fn of_update() -> Content {
    let mut content = alert().content;
    if let Content::Alert { update, .. } = &mut content {
        let figures = vec![Figure { was: "21".to_owned(), now: "12".to_owned() }];
        *update = Some(CopyUpdate { mark: Some(CopyMark::Updated(2)), figures });
    }
    content
}

/// The alert's story as a digest contains it.
fn group() -> DigestGroup {
    let Content::Alert { event, story, read, mut rules, .. } = alert().content else {
        panic!("no alert")
    };
    let matched = rules.remove(0);
    let (feed, version, text_sha256) =
        (FeedName("Wire".to_owned()), matched.version, matched.text_sha256);
    let entry = digest::DigestEntry {
        event,
        story,
        read,
        feed,
        publisher: Some("wire.example".to_owned()),
        version,
        text_sha256,
        evidence: matched.evidence,
    };
    DigestGroup {
        rule: matched.rule,
        row: Some(row()),
        severity: Severity::High,
        why: matched.why,
        owner: matched.owner,
        tags: matched.tags,
        condition: Some(condition()),
        stories: vec![entry],
    }
}

fn payload(notification: &Notification) -> Value {
    let console = Notifier::Console(ConsoleFormat::Json);
    let bytes = notify::render(&console, &receiver("console", ""), notification, &TimeZone::UTC)
        .expect("a payload");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[test]
fn the_schema_is_sound_and_describes_every_kind_of_payload() {
    assert!(jsonschema::meta::is_valid(&schema::published()));
    for payload in payloads() {
        schema::hold(payload.to_string().as_bytes());
    }
}

#[test]
fn every_key_that_the_schema_describes_is_sent() {
    let mut described = BTreeSet::new();
    let published = schema::published();
    for definition in published["$defs"].as_object().expect("definitions").values() {
        described.extend(
            definition["properties"].as_object().into_iter().flat_map(|keys| keys.keys().cloned()),
        );
    }
    let mut sent = BTreeSet::new();
    for payload in payloads() {
        keys(&payload, &mut sent);
    }
    assert_eq!(described, sent);
}

#[test]
fn a_key_that_is_missing_or_not_described_is_found_out_and_one_that_is_added_breaks_no_receiver() {
    let [alert, ..] = &payloads()[..] else { panic!("no payload") };
    let (strict, published) = (schema::strict(), schema::validator(&schema::published()));
    let change = |change: fn(&mut Value)| {
        let mut changed = alert.clone();
        change(&mut changed);
        (
            schema::faults(&strict, &changed).is_empty(),
            schema::faults(&published, &changed).is_empty(),
        )
    };
    let added = change(|payload| payload["rules"][0]["evidence"][0]["colour"] = json!("red"));
    assert_eq!(added, (false, true));
    for broken in [
        change(|payload| _ = payload.as_object_mut().expect("an object").remove("schema")),
        change(|payload| payload["schema"] = json!(2)),
        change(|payload| payload["rules"][0]["version"] = json!("9c1f")),
        change(|payload| payload["story"]["first_seen"] = json!("yesterday")),
        change(|payload| payload["read"] = json!({"what": "teaser"})),
        change(|payload| payload["read"] = json!({"what": "partial"})),
    ] {
        assert_eq!(broken, (false, false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_says_what_was_read_which_clause_it_proves_and_which_text_the_rule_saw() {
    let (server, mail) = (Server::start().await, Sink::start().await);
    let entry =
        Entry::full("Russia and North Korea trade arms", "https://wire.example/1", wire::LONG);
    server.serve("/feed.xml", Response::feed(&wire::feed(&[entry])));
    server.serve("/hook", Response::status(204));
    let config =
        config(&[server.url("/feed.xml")], &server.url("/hook"), mail.port(), &["ana@example.org"]);
    let rule = "terms:\n  dprk: {label: DPRK, any: [North Korea]}\n\
                rules:\n  - name: arms\n    when: title:arms AND Russia NEAR/5 Korea AND SENT($dprk AND Russia)\n";
    let folder = Folder::new(&config, &[("arms.yaml", rule)]);
    assert_eq!(folder.run(&["--once"]).wait().await, 0);
    let hook = server.wait_for("/hook", 1).await.remove(0);
    let payload: Value = serde_json::from_slice(&hook.body).expect("JSON");
    let rule = &payload["rules"][0];
    let clauses: Vec<&str> = rule["evidence"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["clause"].as_str().expect("text"))
        .collect();
    let sentence = "SENT($dprk AND Russia)";
    assert_eq!(
        clauses,
        ["title:arms", "Russia NEAR/5 Korea", "Russia NEAR/5 Korea", sentence, sentence]
    );
    let kept = folder.query("SELECT title || '\n\n' || feed_text FROM story").await;
    assert_eq!(rule["text_sha256"], sha256(&kept[0]));
    let text = folder.query("SELECT text FROM rule_version").await;
    assert_eq!(rule["version"], sha256(&text[0]));
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            found.extend(entries.keys().cloned());
            entries.values().for_each(|value| keys(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}
