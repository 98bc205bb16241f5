//! `format: telegram`: `sendMessage` of the Bot API, in its HTML.

use serde_json::{Value, json};

use super::bounded::{Bounded, LengthUnit, bounded};
use super::link::{LinkForm, link_in_markup};
use super::list::{self, ListForm};
use super::words::headline;
use crate::notify::view::message_view::{Fact, MessageView, StoryItem};

/// The most of a message (4096 after its markup is read; ours counts before).
const MOST: usize = 4096;

/// The longest address, as HTML writes it: beside it are a headline and the facts.
const LINK: usize = 2600;

/// The most of a headline, and of the words for an address that is none of the web.
const TITLE: usize = 500;

/// The most of the sentences and of a fact; of a fact beside a long address.
const TEXT: usize = 1500;
const FACT: usize = 300;
const SHORT_FACT: usize = 120;

/// The most facts that there are.
const FACTS: usize = 5;

/// Marks of the title and breaks between the parts.
const MARKS: usize = 40;

/// The most of a headline and of a place in a list.
const LINE: usize = 200;

const _: () = assert!(
    LINK + TITLE + MARKS + FACTS * (SHORT_FACT + 1) <= MOST,
    "a message has room for all of its parts"
);
const _: () =
    assert!(2 * TITLE + TEXT + MARKS + FACTS * (FACT + 1) <= MOST, "a usual message is not cut");

pub(super) fn message(view: &MessageView) -> Value {
    let mut parts = vec![title(view)];
    let left = MOST - length(&parts) - MARKS;
    let most = if left >= TEXT + FACTS * (FACT + 1) { FACT } else { SHORT_FACT };
    let facts: Vec<String> =
        view.facts.iter().take(FACTS).map(|fact| self::fact(fact, most)).collect();
    let facts = facts.join("\n");
    let room = left.saturating_sub(LengthUnit::Utf16.length(&facts));
    parts.extend(Some(text(view, room.min(TEXT))).filter(|text| !text.is_empty()));
    parts.extend(Some(facts).filter(|facts| !facts.is_empty()));
    let form = ListForm { unit: LengthUnit::Utf16, escape, heading: &heading, item: &item };
    parts.extend(list::texts(view, &[MOST - length(&parts) - "\n\n".len()], &form));
    json!({"text": parts.join("\n\n"), "parse_mode": "HTML", "link_preview_options": {"is_disabled": true}})
}

/// The length of these parts with a break after each.
fn length(parts: &[String]) -> usize {
    parts.iter().map(|part| LengthUnit::Utf16.length(part) + "\n\n".len()).sum()
}

fn title(view: &MessageView) -> String {
    let words = bounded(&headline(view), TITLE, LengthUnit::Utf16, escape);
    match view.link.as_deref().map(|address| link_in_markup(address, LINK, TITLE)) {
        None => format!("<b>{words}</b>"),
        Some(LinkForm::Linked(address) | LinkForm::Written(address)) => {
            format!("<b><a href=\"{address}\">{words}</a></b>")
        }
        Some(LinkForm::Words(link)) => {
            format!("<b>{words}</b>\n{}", bounded(&link, TITLE, LengthUnit::Utf16, escape))
        }
    }
}

fn fact(fact: &Fact, most: usize) -> String {
    let mut line = Bounded::new(most, LengthUnit::Utf16, escape);
    line.push_between("<i>", fact.name, "</i> ");
    line.push(&fact.lines.join("; "));
    line.done()
}

fn text(view: &MessageView, room: usize) -> String {
    let mut text = Bounded::new(room, LengthUnit::Utf16, escape);
    for (number, quote) in view.quotes.iter().enumerate() {
        text.mark(if number == 0 { "• " } else { "\n• " });
        for piece in quote {
            if piece.marked {
                text.push_between("<b>", &piece.text, "</b>");
            } else {
                text.push(&piece.text);
            }
        }
    }
    if let Some(note) = &view.note {
        text.mark(if view.quotes.is_empty() { "" } else { "\n" });
        text.push(note);
    }
    text.done()
}

fn heading(words: &str) -> String {
    format!("<b>{}</b>", bounded(words, LINE, LengthUnit::Utf16, escape))
}

fn item(item: &StoryItem) -> String {
    let link = item.link.as_deref().map(|address| link_in_markup(address, LINK, LINE));
    list::line(
        item,
        link,
        |address, title| format!("<a href=\"{address}\">{title}</a>"),
        LINE,
        escape,
    )
}

/// What HTML reads as markup, and an `@` that calls nobody.
fn escape(c: char, text: &mut String) {
    match c {
        '&' => text.push_str("&amp;"),
        '<' => text.push_str("&lt;"),
        '>' => text.push_str("&gt;"),
        '@' => text.push_str("@\u{200b}"),
        other => text.push(other),
    }
}
