//! `format: pagerduty`: a trigger of the Events API, version 2. All messages of an event are one
//! incident.

use serde_json::{Map, Value, json};

use super::bounded::{LengthUnit, escape_and_truncate};
use super::escape::no_escape;
use super::link::{LinkForm, choose_link_form};
use super::list::{self, ListForm};
use super::shared::headline_with_severity;
use crate::alerts::{Content, Notification};
use crate::notify::quote::join_pieces;
use crate::notify::view::message_view::{MessageView, StoryItem};
use tidings_rules::story::Severity;

/// The longest summary, in UTF-16 units. PagerDuty takes 1024 characters.
const MAX_SUMMARY: usize = 1000;

/// The longest detail, in UTF-16 units. Together they stay far below the 512 kB of an event.
const MAX_DETAIL: usize = 2000;

/// The longest list of stories and copies, in bytes.
const MAX_LISTS: usize = 150_000;

/// The longest address in `links`, and the longest that is written out, in bytes.
const MAX_LINKED: usize = 2000;
const MAX_WRITTEN_OUT: usize = 16_000;

/// The longest headline and the longest place in a list, in UTF-16 units.
const MAX_LIST_TEXT: usize = 500;

pub(super) fn build_message(view: &MessageView, notification: &Notification) -> Value {
    let key = match &notification.content {
        Content::Alert { event, .. } => event,
        Content::Digest(_) | Content::Notice(_) | Content::Test => &notification.id,
    };
    let link =
        view.link.as_deref().map(|address| choose_link_form(address, MAX_LINKED, MAX_WRITTEN_OUT));
    let mut details = custom_details(view);
    let mut links = Vec::new();
    match link {
        Some(LinkForm::Linked(href)) => links.push(json!({"href": href, "text": "Read it"})),
        Some(LinkForm::WrittenOut(words) | LinkForm::Text(words)) => {
            drop(details.insert("link".to_owned(), words.into()));
        }
        None => {}
    }
    let mut message = json!({
        "event_action": "trigger",
        "dedup_key": key,
        "client": "Tidings",
        "payload": {
            "summary": escape_and_truncate(&headline_with_severity(view), MAX_SUMMARY, LengthUnit::Utf16, no_escape),
            "source": incident_source(view),
            "severity": incident_severity(view.severity),
            "timestamp": notification.sent,
            "custom_details": details,
        },
    });
    if !links.is_empty() {
        message["links"] = json!(links);
    }
    message
}

fn incident_source(view: &MessageView) -> String {
    let fact = view.facts.iter().find(|fact| fact.name.starts_with("source"));
    escape_and_truncate(
        &fact.map_or_else(|| "Tidings".to_owned(), |fact| fact.lines.join(", ")),
        MAX_SUMMARY,
        LengthUnit::Utf16,
        no_escape,
    )
}

fn custom_details(view: &MessageView) -> Map<String, Value> {
    let quotes = view.quotes.iter().map(|quote| join_pieces(quote)).chain(view.note.clone());
    let facts = view.facts.iter().map(|fact| (fact.name.to_owned(), fact.lines.join("\n")));
    let all = std::iter::once(("sentences".to_owned(), quotes.collect::<Vec<_>>().join("\n")))
        .chain(facts);
    let all = all.filter(|(_, text)| !text.is_empty());
    let all = all.map(|(name, text)| {
        (name, escape_and_truncate(&text, MAX_DETAIL, LengthUnit::Utf16, no_escape).into())
    });
    let form = ListForm {
        unit: LengthUnit::Byte,
        escape: no_escape,
        heading: &str::to_owned,
        item: &item,
    };
    let name = if view.copies.is_empty() { "stories" } else { "copies" };
    let lists = list::format_lists(view, &[MAX_LISTS], &form)
        .into_iter()
        .map(|text| (name.to_owned(), text.into()));
    all.chain(lists).collect()
}

fn item(item: &StoryItem) -> String {
    let link = item
        .link
        .as_deref()
        .map(|address| choose_link_form(address, MAX_WRITTEN_OUT, MAX_LIST_TEXT));
    list::format_item_on_lines(item, link, "-", MAX_LIST_TEXT, LengthUnit::Utf16)
}

fn incident_severity(severity: Option<Severity>) -> &'static str {
    match severity {
        None | Some(Severity::Info | Severity::Low) => "info",
        Some(Severity::Medium) => "warning",
        Some(Severity::High) => "error",
        Some(Severity::Critical) => "critical",
    }
}
