//! `format: discord`: embeds without mentions.

use serde_json::{Value, json};

use super::bounded::{BoundedText, LengthUnit, escape_and_truncate};
use super::link::{LinkForm, choose_link_form, encode_for_markdown};
use super::list::{self, ListForm};
use super::shared::{headline_with_severity, push_quote, severity_colour};
use crate::notify::view::message_view::{MessageView, StoryItem};

// Lengths in UTF-16 units. Discord takes a title of 256 characters, a description of 4096, 25
// fields of 1024, an address of 2048, and 6000 characters in all.
const MAX_MESSAGE: usize = 6000;
const MAX_TITLE: usize = 256;
const MAX_DESCRIPTION: usize = 4096;
const MAX_TEXT: usize = 2400;
const MAX_FACT: usize = 600;
const MAX_LINKED: usize = 2000;

/// The longest address that is written out. It leaves room for the facts and a few words.
const MAX_WRITTEN_OUT: usize = 3000;

/// The longest headline and the longest place in a list.
const MAX_LIST_TEXT: usize = 300;

pub(super) fn build_message(view: &MessageView) -> Value {
    let title = escape_and_truncate(
        &headline_with_severity(view),
        MAX_TITLE,
        LengthUnit::Utf16,
        escape_markdown,
    );
    let link =
        view.link.as_deref().map(|address| choose_link_form(address, MAX_LINKED, MAX_WRITTEN_OUT));
    let text = message_text(view, link.as_ref());
    let value = |lines: &[String]| {
        escape_and_truncate(&lines.join("\n"), MAX_FACT, LengthUnit::Utf16, escape_markdown)
    };
    // A field without a value is an error.
    let facts = view
        .facts
        .iter()
        .map(|fact| (fact.name, value(&fact.lines)))
        .filter(|(_, value)| !value.trim().is_empty());
    let facts: Vec<_> = facts.collect();
    let length = |text: &str| LengthUnit::Utf16.length(text);
    let used = length(&title)
        + length(&text)
        + facts.iter().map(|(name, value)| length(name) + length(value)).sum::<usize>();
    let fields = facts.into_iter().map(|(name, value)| json!({"name": name, "value": value}));
    let mut first = json!({
        "title": title,
        "description": text,
        "color": severity_colour(view),
        "fields": fields.collect::<Vec<_>>(),
    });
    if let Some(LinkForm::Linked(address)) = link {
        first["url"] = json!(address);
    }
    let lists = list_texts(view, MAX_MESSAGE.saturating_sub(used));
    let lists =
        lists.into_iter().map(|text| json!({"description": text, "color": severity_colour(view)}));
    json!({"embeds": std::iter::once(first).chain(lists).collect::<Vec<_>>(), "allowed_mentions": {"parse": []}})
}

/// The sentences and the note, and below them the address if it cannot be linked.
fn message_text(view: &MessageView, link: Option<&LinkForm>) -> String {
    let below = match link {
        Some(LinkForm::WrittenOut(address)) => format!("\n<{address}>"),
        Some(LinkForm::Text(words)) => {
            format!(
                "\n{}",
                escape_and_truncate(words, MAX_TEXT, LengthUnit::Utf16, escape_markdown)
            )
        }
        Some(LinkForm::Linked(_)) | None => String::new(),
    };
    let mut text = BoundedText::new(
        (MAX_TEXT + MAX_LIST_TEXT).saturating_sub(below.len()).clamp(MAX_LIST_TEXT, MAX_TEXT),
        LengthUnit::Utf16,
        escape_markdown,
    );
    for quote in &view.quotes {
        text.push_markup("> ");
        push_quote(&mut text, quote, "**", "**");
        text.push_markup("\n");
    }
    view.note.iter().for_each(|note| text.push(note));
    text.into_text() + &below
}

/// The stories and copies, in embeds of their own.
fn list_texts(view: &MessageView, room: usize) -> Vec<String> {
    let heading = |words: &str| {
        format!(
            "**{}**",
            escape_and_truncate(words, MAX_LIST_TEXT, LengthUnit::Utf16, escape_markdown)
        )
    };
    let first = room.min(MAX_DESCRIPTION);
    list::format_lists(
        view,
        &[first, room - first],
        &ListForm {
            unit: LengthUnit::Utf16,
            escape: escape_markdown,
            heading: &heading,
            item: &list_item,
        },
    )
}

fn list_item(item: &StoryItem) -> String {
    let link = item
        .link
        .as_deref()
        .map(|address| choose_link_form(address, MAX_WRITTEN_OUT, MAX_LIST_TEXT));
    list::format_item_on_one_line(
        item,
        link,
        |address, title| format!("[{title}]({})", encode_for_markdown(address)),
        MAX_LIST_TEXT,
        escape_markdown,
    )
}

/// Writes a backslash before each character that may begin markup, a link, an emoji or a mention. A
/// zero-width space after `@` prevents a mention even if the text is copied.
fn escape_markdown(c: char, text: &mut String) {
    if "\\*_~`|>#[]()<:-+".contains(c) {
        text.push('\\');
    }
    text.push(c);
    if c == '@' {
        text.push('\u{200b}');
    }
}
