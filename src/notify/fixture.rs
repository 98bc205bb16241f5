//! Notifications for tests.

use jiff::Timestamp;

use crate::alerts::condition_state::ConditionState;
use crate::alerts::digest::{Digest, DigestEntry, DigestGroup, DigestReason};
use crate::alerts::notice::{About, Notice, NoticeKind, RuleNotice, RuleNoticeKind};
use crate::alerts::{Content, Notification, RuleMatch, StorySummary};
use crate::polling::health;
use crate::polling::health::FeedNotice;
use tidings_rules::story::{Evidence, FeedEntry, FeedName, Field, NotifierName, Read, Severity};

/// An alert with every field set. The integration tests read the same file.
pub(super) fn alert() -> Notification {
    serde_json::from_str(include_str!("fixture.json")).expect("fixture.json is a notification")
}

/// An alert with as few fields as possible.
pub(super) fn minimal_alert() -> Notification {
    let seen: Timestamp = "2026-03-12T13:20:00Z".parse().expect("a time");
    let content = Content::Alert {
        event: "7d9b2a10-2222-4ccc-8ddd-000000000002".to_owned(),
        story: StorySummary {
            title: String::new(),
            opening: None,
            url: None,
            published: None,
            first_seen: seen,
            lang: None,
        },
        read: Read::Full,
        update: None,
        feeds: vec![FeedEntry {
            feed: FeedName("Wire".to_owned()),
            title: String::new(),
            url: None,
            seen,
        }],
        rules: vec![rule_match("arms", vec![])],
    };
    Notification { content, ..alert() }
}

/// The minimal alert, for a story of which a part was read.
pub(super) fn partial_alert() -> Notification {
    let mut notification = minimal_alert();
    if let Content::Alert { read, .. } = &mut notification.content {
        *read = Read::Partial("the page is behind a paywall".to_owned());
    }
    notification
}

/// The minimal alert with this headline.
pub(super) fn alert_with_title(title: &str) -> Notification {
    let mut notification = minimal_alert();
    if let Content::Alert { story, .. } = &mut notification.content {
        title.clone_into(&mut story.title);
    }
    notification
}

/// The minimal alert with this number of sentences of evidence.
pub(super) fn alert_with_sentences(sentences: usize) -> Notification {
    let mut notification = minimal_alert();
    if let Content::Alert { rules, .. } = &mut notification.content {
        let sentence =
            |n| evidence("arms", Field::Body, &format!("They sell arms for the {n}. time."));
        rules[0].evidence = (1..=sentences).map(sentence).collect();
    }
    notification
}

/// The minimal alert with this number of copies.
pub(super) fn alert_with_copies(copies: usize) -> Notification {
    let mut notification = minimal_alert();
    if let Content::Alert { feeds, .. } = &mut notification.content {
        let paper = |n| FeedEntry { feed: FeedName(format!("Paper {n}")), ..feeds[0].clone() };
        *feeds = (1..=copies).map(paper).collect();
    }
    notification
}

/// A test message.
pub(super) fn test_message() -> Notification {
    let created = "2026-03-12T13:21:00Z".parse().expect("a time");
    Notification {
        id: "0f6e1d4c-1111-4aaa-8bbb-000000000002".to_owned(),
        created,
        sent: created,
        desk: None,
        content: Content::Test,
    }
}

/// A digest for this reason, of two rules and three stories.
pub(super) fn digest(reason: DigestReason) -> Notification {
    let at = |time: &str| time.parse::<Timestamp>().expect("a time");
    let story = |title: &str, number: u32, time: &str| StorySummary {
        title: title.to_owned(),
        opening: None,
        url: Some(format!("https://wire.example/{number}")),
        published: Some(at(time)),
        first_seen: at("2026-03-12T13:20:00Z"),
        lang: None,
    };
    let entry = |story: StorySummary, evidence: Vec<Evidence>| DigestEntry {
        event: story.url.clone().unwrap_or_default(),
        story,
        read: Read::Full,
        feed: FeedName("Wire".to_owned()),
        publisher: None,
        version: "00".repeat(32),
        text_sha256: None,
        evidence,
    };
    let freight = story("Freight over the bridge doubles", 1, "2026-03-12T11:05:00Z");
    let talks = story("Talks on arms in Pyongyang", 2, "2026-03-12T09:30:00Z");
    let sale = "Both denied any trade in arms, which a third side had reported on Tuesday.";
    let stories = vec![
        entry(freight.clone(), vec![evidence("arms", Field::Body, sale)]),
        entry(talks.clone(), vec![evidence("arms", Field::Title, "Talks on arms in Pyongyang")]),
    ];
    let bridge = evidence("bridge", Field::Title, "Freight over the bridge doubles");
    let rules = vec![
        DigestGroup {
            rule: "Russia-North Korea arms".to_owned(),
            row: None,
            severity: Severity::High,
            why: Some("sanctions desk".to_owned()),
            owner: Some("ana".to_owned()),
            tags: vec!["korea".to_owned()],
            condition: None,
            stories,
        },
        DigestGroup {
            rule: "bridges".to_owned(),
            row: None,
            severity: Severity::Low,
            why: None,
            owner: None,
            tags: Vec::new(),
            condition: None,
            stories: vec![entry(freight, vec![bridge])],
        },
    ];
    Notification {
        content: Content::Digest(Digest { reason, part: None, rules }),
        ..test_message()
    }
}

/// The alert of two rules with conditions: one met it, the other was told before.
pub(super) fn conditional_alert() -> Notification {
    let mut notification = alert();
    if let Content::Alert { rules, .. } = &mut notification.content {
        rules[0].condition =
            Some(condition_state("first source in 30d", Some("new source: wire.example")));
        rules[1].condition = Some(condition_state("3 publishers within 6h", None));
    }
    notification
}

/// A digest of stories that were held until three publishers had them.
pub(super) fn fired_digest() -> Notification {
    let mut notification = digest(DigestReason::Fired {
        rule: "Refinery blast".to_owned(),
        row: None,
        condition: "3 publishers within 6h".to_owned(),
        progress: "3 publishers: afp.com, apnews.com, yna.co.kr".to_owned(),
        at: "2026-03-12T13:20:58Z".parse().expect("a time"),
        counts_until: None,
    });
    if let Content::Digest(digest) = &mut notification.content {
        let mut group = digest.rules.remove(0);
        "Refinery blast".clone_into(&mut group.rule);
        group.condition = Some(condition_state(
            "3 publishers within 6h",
            Some("3 publishers: afp.com, apnews.com, yna.co.kr"),
        ));
        group.stories.push(group.stories[1].clone());
        for (entry, (number, title, publisher)) in group.stories.iter_mut().zip([
            (3, "Blasts at a refinery", "apnews.com"),
            (2, "Explosion at a refinery, three hurt", "yna.co.kr"),
            (1, "An explosion at the refinery", "afp.com"),
        ]) {
            title.clone_into(&mut entry.story.title);
            entry.event = format!("7d9b2a10-2222-4ccc-8ddd-00000000000{number}");
            entry.story.url = Some(format!("https://{publisher}/{number}"));
            entry.publisher = Some(publisher.to_owned());
            entry.evidence = vec![evidence("refinery", Field::Title, title)];
        }
        digest.rules = vec![group];
    }
    notification
}

/// A condition that was met, by the match itself if there is progress.
pub(super) fn condition_state(condition: &str, progress: Option<&str>) -> ConditionState {
    ConditionState {
        condition: condition.to_owned(),
        met: true,
        progress: progress.map(str::to_owned),
        counts_until: None,
    }
}

/// A notice of this kind about a webhook.
pub(super) fn notice(kind: NoticeKind) -> Notification {
    let since = "2026-03-12T12:21:00Z".parse().expect("a time");
    let why = "the server answered 503 Service Unavailable".to_owned();
    let notice =
        Notice { kind, notifier: NotifierName("ops".to_owned()), recipient: None, since, why };
    Notification { content: Content::Notice(About::Receiver(notice)), ..test_message() }
}

/// A notice of this kind about a feed.
pub(super) fn feed_notice(kind: health::FeedNoticeKind) -> Notification {
    let since = "2026-03-11T12:21:00Z".parse().expect("a time");
    let (feed, why) =
        (FeedName("Yonhap".to_owned()), "the server answered 503 Service Unavailable".to_owned());
    Notification {
        content: Content::Notice(About::Feed(FeedNotice { kind, feed, since, why })),
        ..test_message()
    }
}

/// A notice of this kind about a rule with `absent`.
pub(super) fn rule_notice(kind: RuleNoticeKind) -> Notification {
    let failing = match kind {
        RuleNoticeKind::Absent => vec![],
        RuleNoticeKind::Blind => vec!["Wire".to_owned()],
    };
    let notice = RuleNotice {
        kind,
        rule: "The ministry is silent".to_owned(),
        row: None,
        condition: "no match for 2h from 06:00 to 22:00".to_owned(),
        severity: Severity::High,
        why: Some("it briefs each morning".to_owned()),
        owner: Some("ana".to_owned()),
        tags: vec![],
        since: "2026-03-12T08:05:00Z".parse().expect("a time"),
        failing,
    };
    Notification { content: Content::Notice(About::Rule(notice)), ..test_message() }
}

/// A match of a rule without `why`, owner and tags.
pub(super) fn rule_match(rule: &str, evidence: Vec<Evidence>) -> RuleMatch {
    RuleMatch {
        rule: rule.to_owned(),
        row: None,
        version: "00".repeat(32),
        text_sha256: None,
        severity: Severity::Medium,
        why: None,
        owner: None,
        tags: vec![],
        condition: None,
        evidence,
    }
}

/// Evidence for the first `term` in `sentence`.
pub(super) fn evidence(term: &str, field: Field, sentence: &str) -> Evidence {
    let marks = sentence
        .match_indices(term)
        .take(1)
        .map(|(start, found)| start..start + found.len())
        .collect();
    Evidence {
        term: term.to_owned(),
        label: None,
        clause: None,
        field,
        sentence: sentence.to_owned(),
        marks,
    }
}
