//! `format: ntfy`: a push notification, published as JSON. Nothing in it is markup.

use serde_json::{Value, json};

use super::bounded::{Bounded, Unit, as_it_is, bounded};
use super::words::{headline, joined, web_link};
use crate::notify::view::View;
use crate::story::Severity;

// A message of more than 4096 bytes becomes an attachment, and the whole JSON may have twice that.
const TITLE: usize = 250;
const TEXT: usize = 2800;
const LINK: usize = 1000;

pub(super) fn message(view: &View) -> Value {
    let mut message = json!({
        "title": bounded(&headline(view), TITLE, Unit::Byte, as_it_is),
        "message": text(view),
        "priority": priority(view.severity),
    });
    if let Some(link) = web_link(view, LINK) {
        message["click"] = json!(link);
    }
    message
}

fn text(view: &View) -> String {
    let mut text = Bounded::new(TEXT, Unit::Byte, as_it_is);
    let quotes = view.quotes.iter().map(|quote| joined(quote));
    for line in quotes.chain(view.note.clone()) {
        text.push(&line);
        text.mark("\n");
    }
    for fact in &view.facts {
        text.push(&format!("{}: {}", fact.name, fact.lines.join("; ")));
        text.mark("\n");
    }
    text.done().trim_end().to_owned()
}

/// From 1, which makes no sound, to 5, which goes on until it is heard.
fn priority(severity: Option<Severity>) -> u8 {
    match severity {
        Some(Severity::Info) => 1,
        Some(Severity::Low) => 2,
        None | Some(Severity::Medium) => 3,
        Some(Severity::High) => 4,
        Some(Severity::Critical) => 5,
    }
}
