//! Renders a notification with the user's template. If the template fails, a built-in plain form
//! is sent.

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tracing::warn;

use crate::alerts::{Notification, Receiver};
use crate::config::{Template, Writes};
use crate::notify::quote::join_pieces;
use crate::notify::view::build_view;
use crate::notify::{payload, text};

/// Renders `notification` with `template`. If the template fails, the failure is logged and the
/// notification is sent as JSON or as text.
///
/// # Errors
/// The notification cannot be put into JSON.
pub(super) fn render(
    template: &Template,
    receiver: &Receiver,
    notification: &Notification,
    zone: &TimeZone,
) -> Result<Vec<u8>, String> {
    match template_context(notification, zone).and_then(|context| template.render(&context)) {
        Ok(message) => Ok(message),
        Err(why) => {
            warn!(
                event = "template_failed",
                notifier = %receiver.notifier,
                recipient = receiver.address(),
                "the template of {receiver} failed, so a plain message is sent instead: {why}"
            );
            match template.writes {
                Writes::Json => payload::to_json_line(notification),
                Writes::Text => Ok(text::render_text(notification, zone, false).into_bytes()),
            }
        }
    }
}

/// The variables of a template: the keys of the JSON payload, and the texts that people read.
fn template_context(notification: &Notification, zone: &TimeZone) -> Result<Value, String> {
    let view = build_view(notification, zone);
    let title = join_pieces(&view.title);
    let mut context = payload::to_json_value(notification)?;
    // A notification that is no alert also has a story: its own texts.
    let story = json!({"title": title, "url": null, "published": null, "first_seen": notification.created, "lang": null});
    let fillers = [
        ("event", json!(notification.id)),
        ("story", story),
        ("read", json!({"what": "full"})),
        ("feeds", json!([])),
        ("rules", json!([])),
    ];
    for (name, filler) in fillers {
        if context[name].is_null() {
            context[name] = filler;
        }
    }
    context["title"] = json!(title);
    context["severity"] = json!(view.severity);
    context["link"] = json!(view.link);
    context["text"] = json!(text::render_text(notification, zone, false));
    Ok(context)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::alerts::Content;
    use crate::alerts::digest::{DigestPart, DigestReason};
    use crate::alerts::notice::NoticeKind;
    use crate::notify::fixture;

    /// Collects every path of keys in a value.
    fn paths(value: &Value, at: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(values) => {
                for (key, value) in values {
                    found.insert(format!("{at}.{key}"));
                    paths(value, &format!("{at}.{key}"), found);
                }
            }
            Value::Array(values) => {
                for value in values {
                    paths(value, &format!("{at}[]"), found);
                }
            }
            _ => {}
        }
    }

    fn paths_of(value: &Value) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        paths(value, "", &mut found);
        found
    }

    #[test]
    fn the_samples_that_templates_are_tried_with_have_what_messages_have() {
        let mut digest = fixture::digest(DigestReason::Digest { rule: "bridges".to_owned() });
        if let Content::Digest(digest) = &mut digest.content {
            digest.part = Some(DigestPart::new(1, 2));
            for entry in digest.rules.iter_mut().flat_map(|group| &mut group.stories) {
                entry.text_sha256 = Some(String::new());
                entry.evidence[0].clause = Some("bridge".to_owned());
            }
        }
        for (sample, notification) in [
            (include_str!("../config/template/alert.json"), fixture::alert()),
            (include_str!("../config/template/digest.json"), digest),
            (include_str!("../config/template/notice.json"), fixture::notice(NoticeKind::Down)),
            (include_str!("../config/template/test.json"), fixture::test_message()),
        ] {
            let sample = serde_json::from_str(sample).unwrap();
            assert_eq!(
                paths_of(&sample),
                paths_of(&template_context(&notification, &TimeZone::UTC).unwrap())
            );
        }
    }

    #[test]
    fn what_is_no_alert_has_the_same_names() {
        let names = |notification: &Notification| -> BTreeSet<String> {
            template_context(notification, &TimeZone::UTC)
                .unwrap()
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect()
        };
        for notification in [fixture::test_message(), fixture::notice(NoticeKind::Down)] {
            assert!(names(&notification).is_superset(&names(&fixture::alert())));
        }
    }
}
