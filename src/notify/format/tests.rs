//! The messages of every format, the limits of services, and the escapes of foreign texts.

mod lists;

use insta::assert_snapshot;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::alerts::Content;
use crate::alerts::notice::NoticeKind;
use crate::notify::fixture;
use tidings_rules::story::FeedName;

const ALL: [WebhookFormat; 6] = [
    WebhookFormat::Slack,
    WebhookFormat::Discord,
    WebhookFormat::Teams,
    WebhookFormat::Telegram,
    WebhookFormat::Ntfy,
    WebhookFormat::PagerDuty,
];

fn render_json(format: WebhookFormat, notification: &Notification) -> Value {
    serde_json::from_slice(&render(format, notification, &TimeZone::UTC).unwrap()).unwrap()
}

/// The alert with one text in all places that come from a feed or a rule.
fn alert_with_text_everywhere(text: &str, copies: usize) -> Notification {
    let mut notification = fixture::alert();
    if let Content::Alert { story, feeds, rules, .. } = &mut notification.content {
        text.clone_into(&mut story.title);
        for feed in feeds.iter_mut() {
            feed.feed = FeedName(text.to_owned());
        }
        for rule in rules.iter_mut() {
            text.clone_into(&mut rule.rule);
            (rule.why, rule.owner) = (Some(text.to_owned()), Some(text.to_owned()));
        }
        let more = (0..copies).map(|n| {
            fixture::evidence("a", tidings_rules::story::Field::Body, &format!("{n} a {text}"))
        });
        rules[0].evidence.extend(more);
    }
    notification
}

/// Every text in a message.
fn all_texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(all_texts).collect(),
        Value::Object(values) => values.values().flat_map(all_texts).collect(),
        _ => Vec::new(),
    }
}

fn utf16_length(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.encode_utf16().count())
}

/// Fails where the service would cut or reject the message.
fn assert_limits(format: WebhookFormat, message: &Value) {
    match format {
        WebhookFormat::Standard => {}
        WebhookFormat::Slack => {
            let attachments = message["attachments"].as_array().unwrap();
            assert!(attachments.iter().all(
                |one| utf16_length(&one["title"]) <= 300 && utf16_length(&one["text"]) <= 3000
            ));
            let fields = attachments[0]["fields"].as_array().unwrap();
            assert!(
                fields
                    .iter()
                    .all(|field| utf16_length(&field["value"]) <= 1000 || field["title"] == "link")
            );
            assert!(
                attachments.len() <= 20 && message.to_string().encode_utf16().count() <= 40_000
            );
        }
        WebhookFormat::Discord => assert_discord_limits(message),
        WebhookFormat::Teams => assert!(message.to_string().len() <= 28 * 1024),
        WebhookFormat::Telegram => assert!((1..=4096).contains(&utf16_length(&message["text"]))),
        WebhookFormat::Ntfy => {
            assert!(
                message["message"].as_str().unwrap().len() <= 4096
                    && message.to_string().len() <= 8000
            );
        }
        WebhookFormat::PagerDuty => {
            assert!((1..=1024).contains(&utf16_length(&message["payload"]["summary"])));
            assert!(
                utf16_length(&message["dedup_key"]) <= 255
                    && message.to_string().len() <= 512 * 1024
            );
        }
    }
}

fn assert_discord_limits(message: &Value) {
    let embeds = message["embeds"].as_array().unwrap();
    let embed = &embeds[0];
    let fields = embed["fields"].as_array().unwrap();
    let of_fields =
        fields.iter().map(|field| utf16_length(&field["name"]) + utf16_length(&field["value"]));
    assert!(
        utf16_length(&embed["title"]) <= 256
            && utf16_length(&embed["description"]) <= 4096
            && fields.len() <= 25
    );
    assert!(fields.iter().all(|field| (1..=1024).contains(&utf16_length(&field["value"]))));
    let descriptions = embeds.iter().map(|embed| utf16_length(&embed["description"]));
    assert!(descriptions.clone().all(|length| length <= 4096) && embeds.len() <= 10);
    assert!(
        utf16_length(&embed["title"]) + descriptions.sum::<usize>() + of_fields.sum::<usize>()
            <= 6000
    );
    assert!(embeds[1..].iter().all(|embed| utf16_length(&embed["description"]) > 0));
    assert!(embed["url"].as_str().is_none_or(|url| url.len() <= 2048));
    assert_eq!(message["allowed_mentions"]["parse"], Value::Array(vec![]));
}

#[test]
fn every_format_says_that_a_part_of_the_article_was_read() {
    for format in ALL {
        let message = render_json(format, &fixture::partial_alert());
        let texts = all_texts(&message).join("\n").replace('\\', "");
        let said = "part of the article: the page is behind a paywall";
        assert!(texts.contains(said), "{format:?}: {texts}");
    }
}

#[rstest]
#[case(WebhookFormat::Slack, "slack")]
#[case(WebhookFormat::Discord, "discord")]
#[case(WebhookFormat::Teams, "teams")]
#[case(WebhookFormat::Telegram, "telegram")]
#[case(WebhookFormat::Ntfy, "ntfy")]
#[case(WebhookFormat::PagerDuty, "pagerduty")]
fn an_alert_and_a_test(#[case] format: WebhookFormat, #[case] name: &str) {
    let pretty = |notification: &Notification| {
        serde_json::to_string_pretty(&render_json(format, notification)).unwrap()
    };
    assert_snapshot!(
        name,
        format!("{}\n{}", pretty(&fixture::alert()), pretty(&fixture::test_message()))
    );
    assert_eq!(
        render(format, &fixture::alert(), &TimeZone::UTC),
        render(format, &fixture::alert(), &TimeZone::UTC)
    );
}

#[rstest]
#[case(WebhookFormat::Slack, "slack_fired")]
#[case(WebhookFormat::Discord, "discord_fired")]
#[case(WebhookFormat::Teams, "teams_fired")]
#[case(WebhookFormat::Telegram, "telegram_fired")]
#[case(WebhookFormat::Ntfy, "ntfy_fired")]
#[case(WebhookFormat::PagerDuty, "pagerduty_fired")]
fn a_fired_digest(#[case] format: WebhookFormat, #[case] name: &str) {
    let message = render_json(format, &fixture::fired_digest());
    assert_limits(format, &message);
    assert_snapshot!(name, serde_json::to_string_pretty(&message).unwrap());
}

#[test]
fn every_format_says_how_conditions_were_met() {
    for format in ALL {
        let message = render_json(format, &fixture::conditional_alert());
        assert_limits(format, &message);
        let texts = all_texts(&message).join("\n").replace('\\', "");
        for said in
            ["Kim in person: first source in 30d (new source", "arms: 3 publishers within 6h"]
        {
            assert!(texts.contains(said), "{format:?} lacks {said}: {texts}");
        }
    }
}

#[test]
fn a_notice_has_its_words_in_every_form() {
    let notice = fixture::notice(NoticeKind::Down);
    for format in ALL {
        let message = render_json(format, &notice);
        assert_limits(format, &message);
        assert!(
            all_texts(&message).iter().any(|text| text.contains("503 Service Unavailable")),
            "{message}"
        );
    }
}

#[test]
fn nobody_is_called_and_no_markup_of_a_feed_stays() {
    let hostile = "@everyone <!channel> <@U1> <https://evil.example|bank> [bank](https://evil.example) *b* `c` </b><a href=\"x\">";
    let notification = alert_with_text_everywhere(hostile, 1);
    for format in ALL {
        let message = render_json(format, &notification);
        let whole = all_texts(&message).join("\n");
        let calls =
            matches!(format, WebhookFormat::Teams | WebhookFormat::Ntfy | WebhookFormat::PagerDuty);
        assert!(calls || !whole.contains("@everyone"), "{format:?}: {whole}");
        let marked = match format {
            WebhookFormat::Slack => &["<!", "<@", "<https://evil", "[bank]", "*b*", "`c`"][..],
            WebhookFormat::Discord => &[" *b*", " `c`", " [bank]", " <@"],
            WebhookFormat::Telegram => &["</b><a", "<!", "<@"],
            _ => &[],
        };
        for markup in marked {
            assert!(!whole.contains(markup), "{format:?} has {markup}: {whole}");
        }
    }
}

/// Whether every tag of Telegram's HTML is closed, in order, and every `&` an entity of it.
fn is_well_formed_html(text: &str) -> bool {
    let mut open = Vec::new();
    for part in text.split('<').skip(1) {
        let Some((tag, _)) = part.split_once('>') else { return false };
        match tag.strip_prefix('/') {
            Some(name) if open.pop() != Some(name) => return false,
            Some(_) => {}
            None => open.push(tag.split(' ').next().unwrap_or_default()),
        }
    }
    let entities = text
        .split('&')
        .skip(1)
        .all(|part| ["amp;", "lt;", "gt;"].iter().any(|end| part.starts_with(end)));
    open.is_empty() && entities
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_feed_says_every_limit_holds(text in "([a-z]{1,9}|[*_`~<>&@\\[\\]()|\\\\\"]|북|👩‍🚀|\\PC| ){0,40}", times in 1..300_usize, copies in 0..12_usize) {
        let notification = alert_with_text_everywhere(&text.repeat(times), copies);
        for format in ALL {
            let message = render_json(format, &notification);
            assert_limits(format, &message);
            if format == WebhookFormat::Telegram {
                prop_assert!(is_well_formed_html(message["text"].as_str().unwrap()), "{}", message);
            }
        }
    }
}
