//! Digests, copies and links in every format: what fits is shown, and the rest is counted.

use super::*;
use crate::alerts::digest::{Digest, DigestEntry, DigestGroup, DigestReason};
use tidings_rules::story::FeedEntry;

/// A digest of so many stories under each of these rules.
fn digest_of(rules: &[(&str, usize)]) -> Notification {
    let Content::Digest(sample) = fixture::digest(DigestReason::Quiet).content else {
        panic!("no digest")
    };
    let entry = |rule: &str, number: usize| {
        let mut entry: DigestEntry = sample.rules[0].stories[1].clone();
        entry.event = format!("{rule}-{number}");
        entry.story.title = format!("Talks on {rule} in Pyongyang, day {number}.");
        entry.story.url = Some(format!("https://wire.example/{rule}/{number}?a=1&b=2"));
        entry.evidence.clear();
        entry
    };
    let group = |(rule, number): &(&str, usize)| DigestGroup {
        rule: (*rule).to_owned(),
        stories: (1..=*number).map(|number| entry(rule, number)).collect(),
        ..sample.rules[0].clone()
    };
    let rules = rules.iter().map(group).collect();
    Notification {
        content: Content::Digest(Digest { reason: DigestReason::Quiet, part: None, rules }),
        ..fixture::test_message()
    }
}

/// All of a message as one text, with what its form escapes read back.
fn readable_text(format: WebhookFormat, message: &Value) -> String {
    let text = all_texts(message).join("\n").replace("&amp;", "&");
    if format == WebhookFormat::Discord { text.replace('\\', "") } else { text }
}

/// The alert with that link.
fn alert_with_link(link: &str) -> Notification {
    let mut notification = fixture::alert();
    if let Content::Alert { story, .. } = &mut notification.content {
        story.url = Some(link.to_owned());
    }
    notification
}

#[rstest]
#[case(WebhookFormat::Slack, "slack_digest")]
#[case(WebhookFormat::Discord, "discord_digest")]
#[case(WebhookFormat::Teams, "teams_digest")]
#[case(WebhookFormat::Telegram, "telegram_digest")]
#[case(WebhookFormat::Ntfy, "ntfy_digest")]
#[case(WebhookFormat::PagerDuty, "pagerduty_digest")]
fn a_digest(#[case] format: WebhookFormat, #[case] name: &str) {
    let notification =
        fixture::digest(DigestReason::Silence { id: 7, why: "the parade".to_owned() });
    assert_snapshot!(
        name,
        serde_json::to_string_pretty(&render_json(format, &notification)).expect("JSON")
    );
}

#[test]
fn a_digest_has_its_stories_and_then_says_how_many_more_there_are() {
    let notification = digest_of(&[("arms", 120), ("oil", 6), ("gas", 4)]);
    for format in ALL {
        let message = render_json(format, &notification);
        assert_limits(format, &message);
        let text = readable_text(format, &message);
        let shown = (1..=120).take_while(|number| {
            let (title, link) =
                (format!("arms in Pyongyang, day {number}."), format!("/arms/{number}?a=1&b=2"));
            text.contains(&title)
                && text.contains(&link)
                && text.contains("Wire, Thu 12 Mar 2026, 09:30 UTC")
        });
        let shown = shown.count();
        assert!(shown >= 15, "{format:?} shows {shown}");
        if shown < 120 {
            let hidden = 120 - shown;
            let more =
                format!("and {} more: {hidden} of arms (120), oil (6), gas (4)", hidden + 10);
            assert!(text.contains(&more), "{format:?}: {text}");
        } else {
            assert!(
                text.contains("/gas/4?a=1&b=2") && !text.contains(" more"),
                "{format:?}: {text}"
            );
        }
    }
}

#[test]
fn copies_are_listed_with_headline_source_and_link() {
    let mut notification = fixture::alert();
    if let Content::Alert { feeds, .. } = &mut notification.content {
        *feeds = (1..=4)
            .map(|number| FeedEntry {
                feed: FeedName(format!("Paper {number}")),
                title: format!("Headline {number}"),
                url: Some(format!("https://paper.example/{number}")),
                seen: feeds[0].seen,
            })
            .collect();
    }
    for format in ALL {
        let text = readable_text(format, &render_json(format, &notification));
        for number in 1..=4 {
            for part in [
                format!("Headline {number}"),
                format!("Paper {number}, Thu"),
                format!("paper.example/{number}"),
            ] {
                assert!(text.contains(&part), "{format:?} lacks {part}: {text}");
            }
        }
    }
}

#[rstest]
#[case::bar("https://wire.example/a?id=1|2", "https://wire.example/a?id=1%7C2")]
#[case::angle("https://wire.example/a>b", "https://wire.example/a%3Eb")]
#[case::space("https://wire.example/a b", "https://wire.example/a%20b")]
#[case::quote("https://wire.example/a?\"b\"", "https://wire.example/a?%22b%22")]
#[case::parentheses("https://wire.example/Foo_(bar)", "https://wire.example/Foo_(bar)")]
#[case::ampersands("https://wire.example/?a=1&b=2", "https://wire.example/?a=1&b=2")]
#[case::file("file:///srv/feeds/a", "file:///srv/feeds/a")]
fn every_link_is_there_whatever_is_in_it(#[case] link: &str, #[case] expected: &str) {
    for format in ALL {
        let text = readable_text(format, &render_json(format, &alert_with_link(link)));
        assert!(text.contains(expected), "{format:?}: {text}");
    }
}

#[rstest]
fn every_link_is_there_whatever_its_length(#[values(301, 641, 1100, 2049, 2400)] length: usize) {
    let link = format!("https://wire.example/{}", "a".repeat(length - 21));
    for format in ALL {
        let message = render_json(format, &alert_with_link(&link));
        assert_limits(format, &message);
        assert!(
            readable_text(format, &message).contains(&link),
            "{format:?} has no link of {length}: {message}"
        );
    }
}

#[test]
fn a_link_beyond_all_room_is_said_and_costs_no_story_of_a_digest() {
    let link = format!("https://wire.example/{}", "a&".repeat(9990));
    let mut notification = digest_of(&[("arms", 3)]);
    if let Content::Digest(digest) = &mut notification.content {
        digest.rules[0].stories[0].story.url = Some(link.clone());
    }
    for format in ALL {
        let alert = render_json(format, &alert_with_link(&link));
        assert_limits(format, &alert);
        assert!(
            readable_text(format, &alert).contains("its link has 20001 characters"),
            "{format:?}: {alert}"
        );
        let text = readable_text(format, &render_json(format, &notification));
        assert!(
            text.contains("its link has 20001 characters") && text.contains("/arms/3?a=1"),
            "{format:?}: {text}"
        );
    }
}

#[test]
fn a_story_without_a_headline_is_called_by_its_first_words() {
    let mut notification = fixture::minimal_alert();
    if let Content::Alert { story, .. } = &mut notification.content {
        story.opening = Some("The ferry is back from noon on.".to_owned());
    }
    for format in ALL {
        let text = readable_text(format, &render_json(format, &notification));
        assert!(text.contains("The ferry is back from noon on."), "{format:?}: {text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_a_digest_says_every_limit_holds(
        text in "([a-z]{1,9}|[*_`~<>&@\\[\\]()|\\\\\"]|북|👩‍🚀|\\PC| ){1,40}",
        link in "https://wire\\.example/([a-z]|[&|()<>\" ]|é){0,80}",
        times in 1..60_usize,
        stories in 1..60_usize,
    ) {
        let mut notification = digest_of(&[("arms", stories), ("oil", 2)]);
        let mut alert = alert_with_text_everywhere(&text.repeat(times), 3);
        if let Content::Digest(digest) = &mut notification.content {
            for entry in digest.rules.iter_mut().flat_map(|group| &mut group.stories) {
                entry.story.title = text.repeat(times);
                entry.story.url = Some(link.repeat(times));
                entry.feed = FeedName(text.clone());
            }
        }
        if let Content::Alert { story, feeds, .. } = &mut alert.content {
            story.url = Some(link.repeat(times));
            let copy = FeedEntry { title: text.repeat(times), url: Some(link.repeat(times)), ..feeds[0].clone() };
            *feeds = vec![copy; stories];
        }
        for format in ALL {
            for notification in [&notification, &alert] {
                let message = render_json(format, notification);
                assert_limits(format, &message);
                if format == WebhookFormat::Telegram {
                    prop_assert!(is_well_formed_html(message["text"].as_str().expect("a text")), "{}", message);
                }
            }
        }
    }
}
