//! `format: telegram`: `sendMessage` of the Bot API, in its HTML.

use serde_json::{Value, json};

use super::bounded::{BoundedText, LengthUnit, escape_and_truncate};
use super::escape::escape_html;
use super::link::{LinkForm, choose_link_form_in_markup};
use super::list::{self, ListForm};
use super::shared::{headline_with_severity, push_quote};
use crate::notify::view::message_view::{Fact, MessageView, StoryItem};

/// The longest message, in UTF-16 units. Telegram counts without markup, Tidings with it.
const MAX_MESSAGE: usize = 4096;

/// The longest address, as HTML. It leaves room for a headline and the facts.
const MAX_LINKED: usize = 2600;

/// The longest headline, and the longest text for an address that cannot be linked.
const MAX_TITLE: usize = 500;

/// The longest text of sentences, fact, and fact beside a long address.
const MAX_SENTENCES: usize = 1500;
const MAX_FACT: usize = 300;
const MAX_SHORT_FACT: usize = 120;

/// The largest number of facts.
const MAX_FACTS: usize = 5;

/// The room for the markup of the title and the breaks between parts.
const MARKUP: usize = 40;

/// The longest headline and the longest place in a list.
const MAX_LIST_TEXT: usize = 200;

const _: () = assert!(
    MAX_LINKED + MAX_TITLE + MARKUP + MAX_FACTS * (MAX_SHORT_FACT + 1) <= MAX_MESSAGE,
    "a message has room for all of its parts"
);
const _: () = assert!(
    2 * MAX_TITLE + MAX_SENTENCES + MARKUP + MAX_FACTS * (MAX_FACT + 1) <= MAX_MESSAGE,
    "a usual message is not cut"
);

pub(super) fn build_message(view: &MessageView) -> Value {
    let mut parts = vec![title_part(view)];
    let left = MAX_MESSAGE - length_with_breaks(&parts) - MARKUP;
    let most =
        if left >= MAX_SENTENCES + MAX_FACTS * (MAX_FACT + 1) { MAX_FACT } else { MAX_SHORT_FACT };
    let facts: Vec<String> =
        view.facts.iter().take(MAX_FACTS).map(|fact| fact_line(fact, most)).collect();
    let facts = facts.join("\n");
    let room = left.saturating_sub(LengthUnit::Utf16.length(&facts));
    parts.extend(
        Some(sentences_part(view, room.min(MAX_SENTENCES))).filter(|text| !text.is_empty()),
    );
    parts.extend(Some(facts).filter(|facts| !facts.is_empty()));
    let form = ListForm {
        unit: LengthUnit::Utf16,
        escape: escape_html,
        heading: &list_heading,
        item: &list_item,
    };
    parts.extend(list::format_lists(
        view,
        &[MAX_MESSAGE - length_with_breaks(&parts) - "\n\n".len()],
        &form,
    ));
    json!({"text": parts.join("\n\n"), "parse_mode": "HTML", "link_preview_options": {"is_disabled": true}})
}

/// The length of `parts` with a break after each.
fn length_with_breaks(parts: &[String]) -> usize {
    parts.iter().map(|part| LengthUnit::Utf16.length(part) + "\n\n".len()).sum()
}

fn title_part(view: &MessageView) -> String {
    let words = escape_and_truncate(
        &headline_with_severity(view),
        MAX_TITLE,
        LengthUnit::Utf16,
        escape_html,
    );
    match view
        .link
        .as_deref()
        .map(|address| choose_link_form_in_markup(address, MAX_LINKED, MAX_TITLE))
    {
        None => format!("<b>{words}</b>"),
        Some(LinkForm::Linked(address) | LinkForm::WrittenOut(address)) => {
            format!("<b><a href=\"{address}\">{words}</a></b>")
        }
        Some(LinkForm::Text(link)) => {
            format!(
                "<b>{words}</b>\n{}",
                escape_and_truncate(&link, MAX_TITLE, LengthUnit::Utf16, escape_html)
            )
        }
    }
}

fn fact_line(fact: &Fact, most: usize) -> String {
    let mut line = BoundedText::new(most, LengthUnit::Utf16, escape_html);
    line.push_between("<i>", fact.name, "</i> ");
    line.push(&fact.lines.join("; "));
    line.into_text()
}

fn sentences_part(view: &MessageView, room: usize) -> String {
    let mut text = BoundedText::new(room, LengthUnit::Utf16, escape_html);
    for (number, quote) in view.quotes.iter().enumerate() {
        text.push_markup(if number == 0 { "• " } else { "\n• " });
        push_quote(&mut text, quote, "<b>", "</b>");
    }
    if let Some(note) = &view.note {
        text.push_markup(if view.quotes.is_empty() { "" } else { "\n" });
        text.push(note);
    }
    text.into_text()
}

fn list_heading(words: &str) -> String {
    format!("<b>{}</b>", escape_and_truncate(words, MAX_LIST_TEXT, LengthUnit::Utf16, escape_html))
}

fn list_item(item: &StoryItem) -> String {
    let link = item
        .link
        .as_deref()
        .map(|address| choose_link_form_in_markup(address, MAX_LINKED, MAX_LIST_TEXT));
    list::format_item_on_one_line(
        item,
        link,
        |address, title| format!("<a href=\"{address}\">{title}</a>"),
        MAX_LIST_TEXT,
        escape_html,
    )
}
