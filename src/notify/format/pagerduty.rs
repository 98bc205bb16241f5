//! `format: pagerduty`: a trigger of the Events API, version 2. All messages of an event are one
//! incident.

use serde_json::{Map, Value, json};

use super::bounded::{LengthUnit, as_it_is, bounded};
use super::link::{LinkForm, link};
use super::list::{self, ListForm};
use super::words::{headline, joined};
use crate::alerts::{Content, Notification};
use crate::notify::view::message_view::{MessageView, StoryItem};
use tidings_rules::story::Severity;

/// The most of a summary (1024 characters).
const SUMMARY: usize = 1000;

/// The most of a detail: all of them stay far below the 512 kB of an event.
const DETAIL: usize = 2000;

/// The most of all stories and copies together, in bytes.
const LISTS: usize = 150_000;

/// The longest address in the field for links, and the longest that is written out.
const LINK: usize = 2000;
const WRITTEN: usize = 16_000;

/// The most of a headline and of a place in a list.
const LINE: usize = 500;

pub(super) fn message(view: &MessageView, notification: &Notification) -> Value {
    let key = match &notification.content {
        Content::Alert { event, .. } => event,
        Content::Digest(_) | Content::Notice(_) | Content::Test => &notification.id,
    };
    let link = view.link.as_deref().map(|address| link(address, LINK, WRITTEN));
    let mut details = details(view);
    let mut links = Vec::new();
    match link {
        Some(LinkForm::Linked(href)) => links.push(json!({"href": href, "text": "Read it"})),
        Some(LinkForm::Written(words) | LinkForm::Words(words)) => {
            drop(details.insert("link".to_owned(), words.into()));
        }
        None => {}
    }
    let mut message = json!({
        "event_action": "trigger",
        "dedup_key": key,
        "client": "Tidings",
        "payload": {
            "summary": bounded(&headline(view), SUMMARY, LengthUnit::Utf16, as_it_is),
            "source": source(view),
            "severity": severity(view.severity),
            "timestamp": notification.sent,
            "custom_details": details,
        },
    });
    if !links.is_empty() {
        message["links"] = json!(links);
    }
    message
}

fn source(view: &MessageView) -> String {
    let fact = view.facts.iter().find(|fact| fact.name.starts_with("source"));
    bounded(
        &fact.map_or_else(|| "Tidings".to_owned(), |fact| fact.lines.join(", ")),
        SUMMARY,
        LengthUnit::Utf16,
        as_it_is,
    )
}

fn details(view: &MessageView) -> Map<String, Value> {
    let quotes = view.quotes.iter().map(|quote| joined(quote)).chain(view.note.clone());
    let facts = view.facts.iter().map(|fact| (fact.name.to_owned(), fact.lines.join("\n")));
    let all = std::iter::once(("sentences".to_owned(), quotes.collect::<Vec<_>>().join("\n")))
        .chain(facts);
    let all = all.filter(|(_, text)| !text.is_empty());
    let all =
        all.map(|(name, text)| (name, bounded(&text, DETAIL, LengthUnit::Utf16, as_it_is).into()));
    let form =
        ListForm { unit: LengthUnit::Byte, escape: as_it_is, heading: &str::to_owned, item: &item };
    let name = if view.copies.is_empty() { "stories" } else { "copies" };
    let lists =
        list::texts(view, &[LISTS], &form).into_iter().map(|text| (name.to_owned(), text.into()));
    all.chain(lists).collect()
}

fn item(item: &StoryItem) -> String {
    let cut = |text: &str| bounded(text, LINE, LengthUnit::Utf16, as_it_is);
    let title = format!("- {}", cut(&joined(&item.title)));
    let place = item.place.iter().map(|place| format!("  {}", cut(place)));
    let link = item.link.as_deref().map(|address| match link(address, WRITTEN, LINE) {
        LinkForm::Linked(address) | LinkForm::Written(address) => format!("  {address}"),
        LinkForm::Words(words) => format!("  {}", cut(&words)),
    });
    std::iter::once(title).chain(place).chain(link).collect::<Vec<_>>().join("\n")
}

fn severity(severity: Option<Severity>) -> &'static str {
    match severity {
        None | Some(Severity::Info | Severity::Low) => "info",
        Some(Severity::Medium) => "warning",
        Some(Severity::High) => "error",
        Some(Severity::Critical) => "critical",
    }
}
