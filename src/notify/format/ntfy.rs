//! `format: ntfy`: a push notification, published as JSON. It has no markup.

use serde_json::{Value, json};

use super::bounded::{BoundedText, LengthUnit, escape_and_truncate};
use super::escape::no_escape;
use super::link::{LinkForm, choose_link_form};
use super::list::{self, ListForm};
use super::shared::headline_with_severity;
use crate::notify::quote::join_pieces;
use crate::notify::view::message_view::{MessageView, StoryItem};
use tidings_rules::story::Severity;

// Lengths in bytes. ntfy makes an attachment of a message of more than 4096 bytes. The whole JSON,
// in which quotes take two bytes, may be twice as long.
const MAX_TITLE: usize = 250;
const MAX_TEXT: usize = 3400;
const MAX_LINKED: usize = 1200;

/// The longest address that is written out, in bytes.
const MAX_WRITTEN_OUT: usize = 2400;

/// The longest headline and the longest place in a list, in bytes.
const MAX_LIST_TEXT: usize = 250;

pub(super) fn build_message(view: &MessageView) -> Value {
    let link =
        view.link.as_deref().map(|address| choose_link_form(address, MAX_LINKED, MAX_WRITTEN_OUT));
    let address = match &link {
        Some(
            LinkForm::Linked(address) | LinkForm::WrittenOut(address) | LinkForm::Text(address),
        ) => address.as_str(),
        None => "",
    };
    let text = message_text(view, MAX_TEXT - address.len());
    let mut message = json!({
        "title": escape_and_truncate(&headline_with_severity(view), MAX_TITLE, LengthUnit::Byte, no_escape),
        "message": text,
        "priority": priority(view.severity),
    });
    match &link {
        Some(LinkForm::Linked(address)) => message["click"] = json!(address),
        Some(LinkForm::WrittenOut(address) | LinkForm::Text(address)) => {
            message["message"] = json!(format!("{text}\n{address}"));
        }
        None => {}
    }
    message
}

fn message_text(view: &MessageView, room: usize) -> String {
    let mut text = BoundedText::new(room, LengthUnit::Byte, no_escape);
    let quotes = view.quotes.iter().map(|quote| join_pieces(quote));
    for line in quotes.chain(view.note.clone()) {
        text.push(&line);
        text.push_markup("\n");
    }
    for fact in &view.facts {
        text.push(&format!("{}: {}", fact.name, fact.lines.join("; ")));
        text.push_markup("\n");
    }
    let text = text.into_text().trim_end().to_owned();
    let left = room.saturating_sub(text.len() + "\n\n".len());
    let form = ListForm {
        unit: LengthUnit::Byte,
        escape: no_escape,
        heading: &str::to_owned,
        item: &item,
    };
    std::iter::once(text)
        .chain(list::format_lists(view, &[left], &form))
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn item(item: &StoryItem) -> String {
    let link = item
        .link
        .as_deref()
        .map(|address| choose_link_form(address, MAX_WRITTEN_OUT, MAX_LIST_TEXT));
    list::format_item_on_lines(item, link, "•", MAX_LIST_TEXT, LengthUnit::Byte)
}

/// The priority, from 1 (no sound) to 5 (repeated until it is noticed).
fn priority(severity: Option<Severity>) -> u8 {
    match severity {
        Some(Severity::Info) => 1,
        Some(Severity::Low) => 2,
        None | Some(Severity::Medium) => 3,
        Some(Severity::High) => 4,
        Some(Severity::Critical) => 5,
    }
}
