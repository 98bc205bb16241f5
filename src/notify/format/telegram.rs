//! `format: telegram`: `sendMessage` of the Bot API, in its HTML.

use serde_json::{Value, json};

use super::bounded::{Bounded, Unit};
use super::words::{headline, web_link};
use crate::notify::view::View;

/// The most of a message (4096 after its markup is read; ours counts before).
const MOST: usize = 4096;

/// The most of a headline with its link, of the sentences, and of each fact: all within a message.
const TITLE: usize = 700;
const TEXT: usize = 1500;
const FACT: usize = 300;
const LINK: usize = 300;

/// The most facts that there are.
const FACTS: usize = 5;

const _: () = assert!(TITLE + TEXT + 4 + FACTS * (FACT + 1) <= MOST, "a message has room for all of its parts");

pub(super) fn message(view: &View) -> Value {
    let mut whole = title(view) + "\n\n";
    let text = text(view);
    if !text.is_empty() {
        whole = whole + &text + "\n\n";
    }
    for fact in &view.facts {
        let mut line = Bounded::new(FACT, Unit::Utf16, escape);
        line.push_between("<i>", fact.name, "</i> ");
        line.push(&fact.lines.join("; "));
        whole = whole + &line.done() + "\n";
    }
    json!({"text": whole.trim_end(), "parse_mode": "HTML", "link_preview_options": {"is_disabled": true}})
}

fn title(view: &View) -> String {
    let mut title = Bounded::new(TITLE, Unit::Utf16, escape);
    let (open, close) = match web_link(view, LINK) {
        Some(link) => (format!("<b><a href=\"{}\">", link.replace('&', "&amp;")), "</a></b>"),
        None => ("<b>".to_owned(), "</b>"),
    };
    title.push_between(&open, &headline(view), close);
    title.done()
}

fn text(view: &View) -> String {
    let mut text = Bounded::new(TEXT, Unit::Utf16, escape);
    for (number, quote) in view.quotes.iter().enumerate() {
        text.mark(if number == 0 { "• " } else { "\n• " });
        for piece in quote {
            if piece.marked { text.push_between("<b>", &piece.text, "</b>") } else { text.push(&piece.text) }
        }
    }
    if let Some(note) = &view.note {
        text.mark(if view.quotes.is_empty() { "" } else { "\n" });
        text.push(note);
    }
    text.done()
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
