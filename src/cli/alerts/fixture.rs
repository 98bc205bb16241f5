//! Alerts of the past for tests.

use jiff::Timestamp;

use crate::alerts::condition_state::ConditionState;
use crate::alerts::{Receiver, RuleMatch, StorySummary};
use crate::lifecycle::message::{AttemptOutcome, MessageStatus};
use crate::store::{AlertRecord, Attempt, Message, PastAlert};
use tidings_rules::story::{Evidence, FeedEntry, FeedName, Field, NotifierName, Read, Severity};

fn at(text: &str) -> Timestamp {
    format!("2026-03-12T{text}Z").parse().expect("a time")
}

pub(super) fn past_alert() -> PastAlert {
    let sentence = "“김정은 has not been seen since,” they write.";
    let evidence = Evidence {
        term: "김정은".to_owned(),
        label: Some("Kim Jong Un".to_owned()),
        clause: Some("SENT($kim AND seen)".to_owned()),
        field: Field::Body,
        sentence: sentence.to_owned(),
        marks: std::iter::once(3..12).collect(),
    };
    PastAlert {
        id: 7,
        created: at("13:20:05.250"),
        event: "7d9b2a10-2222-4ccc-8ddd-000000000001".to_owned(),
        story: StorySummary {
            title: "Freight over the bridge doubles".to_owned(),
            opening: None,
            url: Some("https://wire.example/1".to_owned()),
            published: Some(at("13:05:00")),
            first_seen: at("13:20:00"),
            lang: None,
        },
        read: Read::Teaser("the page answered 403 Forbidden".to_owned()),
        held: false,
        held_until: None,
        feeds: vec![FeedEntry {
            feed: FeedName("Wire".to_owned()),
            title: String::new(),
            url: None,
            seen: at("13:20:00"),
        }],
        rule_match: RuleMatch {
            rule: "Kim in person".to_owned(),
            row: None,
            version: "9c1f".repeat(16),
            text_sha256: Some("00".repeat(32)),
            severity: Severity::High,
            why: Some("sanctions desk".to_owned()),
            owner: Some("ana".to_owned()),
            tags: vec!["korea".to_owned(), "people".to_owned()],
            condition: None,
            evidence: vec![evidence],
        },
    }
}

/// The alert of a rule that waits for three publishers.
pub(super) fn conditional_alert(held: bool, met: bool, progress: Option<&str>) -> PastAlert {
    let condition = "3 publishers within 6h".to_owned();
    let mut past = PastAlert { held, ..past_alert() };
    let progress = progress.map(str::to_owned);
    let counts_until = progress.is_some().then(|| at("19:20:05.250"));
    past.rule_match.condition = Some(ConditionState { condition, met, progress, counts_until });
    past
}

pub(super) fn alert_record() -> AlertRecord {
    let attempt = |started,
                   ended: Option<&str>,
                   outcome: Option<AttemptOutcome>,
                   reply: Option<&str>| Attempt {
        started: at(started),
        ended: ended.map(at),
        outcome,
        reply: reply.map(str::to_owned),
    };
    let message = |id, notifier: &str, recipient: &str, state, attempts| Message {
        id,
        message: format!("0f6e1d4c-1111-4aaa-8bbb-00000000000{id}"),
        receiver: Receiver {
            notifier: NotifierName(notifier.to_owned()),
            recipient: recipient.to_owned(),
        },
        status: state,
        created: at("13:20:05.250"),
        attempts,
    };
    let tries = vec![
        attempt(
            "13:20:05.300",
            Some("13:20:06"),
            Some(AttemptOutcome::Again),
            Some("451 4.3.0 try\u{1b}[2J later"),
        ),
        attempt(
            "13:25:06",
            Some("13:25:06.100"),
            Some(AttemptOutcome::Sent),
            Some("250 2.0.0 queued as 77"),
        ),
    ];
    let under_way = vec![attempt("13:20:05.300", None, None, None)];
    AlertRecord {
        past: past_alert(),
        rule_text: Some(
            "name: Kim in person\nwhen: SENT($kim AND seen)\nterms:\n  kim:\n  - label: Kim Jong Un\n".to_owned(),
        ),
        text_now_sha256: "00".repeat(32),
        messages: vec![
            message(1, "desk", "ana@example.org", MessageStatus::Sent, tries),
            message(2, "ops", "", MessageStatus::Leased, under_way),
        ],
    }
}
