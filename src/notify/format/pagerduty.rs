//! `format: pagerduty`: a trigger of the Events API, version 2. All messages of an event are one incident.

use serde_json::{Map, Value, json};

use super::bounded::{Unit, as_it_is, bounded};
use super::words::{headline, joined, web_link};
use crate::alert::{Content, Letter};
use crate::notify::view::View;
use crate::story::Severity;

/// The most of a summary (1024 characters).
const SUMMARY: usize = 1000;

/// The most of a detail: all of them stay far below the 512 kB of an event.
const DETAIL: usize = 2000;

const LINK: usize = 2000;

pub(super) fn message(view: &View, letter: &Letter) -> Value {
    let key = match &letter.content {
        Content::Alert { event, .. } => event,
        Content::Digest(_) | Content::Notice(_) | Content::Test => &letter.id,
    };
    let mut message = json!({
        "event_action": "trigger",
        "dedup_key": key,
        "client": "Tidings",
        "payload": {
            "summary": bounded(&headline(view), SUMMARY, Unit::Utf16, as_it_is),
            "source": source(view),
            "severity": severity(view.severity),
            "timestamp": letter.created,
            "custom_details": details(view),
        },
    });
    if let Some(link) = web_link(view, LINK) {
        message["links"] = json!([{"href": link, "text": "Read it"}]);
    }
    message
}

fn source(view: &View) -> String {
    let fact = view.facts.iter().find(|fact| fact.name.starts_with("source"));
    bounded(&fact.map_or_else(|| "Tidings".to_owned(), |fact| fact.lines.join(", ")), SUMMARY, Unit::Utf16, as_it_is)
}

fn details(view: &View) -> Map<String, Value> {
    let quotes = view.quotes.iter().map(|quote| joined(quote)).chain(view.note.clone());
    let facts = view.facts.iter().map(|fact| (fact.name.to_owned(), fact.lines.join("\n")));
    let all = std::iter::once(("sentences".to_owned(), quotes.collect::<Vec<_>>().join("\n"))).chain(facts);
    let all = all.filter(|(_, text)| !text.is_empty());
    all.map(|(name, text)| (name, bounded(&text, DETAIL, Unit::Utf16, as_it_is).into())).collect()
}

fn severity(severity: Option<Severity>) -> &'static str {
    match severity {
        None | Some(Severity::Info | Severity::Low) => "info",
        Some(Severity::Medium) => "warning",
        Some(Severity::High) => "error",
        Some(Severity::Critical) => "critical",
    }
}
