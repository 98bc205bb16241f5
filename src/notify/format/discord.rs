//! `format: discord`: an embed that calls nobody.

use serde_json::{Value, json};

use super::bounded::{Bounded, Unit, bounded};
use super::words::{colour, headline, web_link};
use crate::notify::view::View;

// Discord takes 256 characters of title, 4096 of description, 25 fields of 1024, 2048 of an address, and 6000 in all.
const TITLE: usize = 256;
const TEXT: usize = 2400;
const FACT: usize = 600;
const LINK: usize = 2000;

pub(super) fn message(view: &View) -> Value {
    let value = |lines: &[String]| bounded(&lines.join("\n"), FACT, Unit::Utf16, escape);
    // A field without a value is an error.
    let facts =
        view.facts.iter().map(|fact| (fact.name, value(&fact.lines))).filter(|(_, value)| !value.trim().is_empty());
    let facts = facts.map(|(name, value)| json!({"name": name, "value": value}));
    let mut embed = json!({
        "title": bounded(&headline(view), TITLE, Unit::Utf16, escape),
        "description": text(view),
        "color": colour(view),
        "fields": facts.collect::<Vec<_>>(),
    });
    if let Some(link) = web_link(view, LINK) {
        embed["url"] = json!(link);
    }
    json!({"embeds": [embed], "allowed_mentions": {"parse": []}})
}

fn text(view: &View) -> String {
    let mut text = Bounded::new(TEXT, Unit::Utf16, escape);
    for quote in &view.quotes {
        text.mark("> ");
        for piece in quote {
            if piece.marked { text.push_between("**", &piece.text, "**") } else { text.push(&piece.text) }
        }
        text.mark("\n");
    }
    view.note.iter().for_each(|note| text.push(note));
    text.done()
}

/// A backslash before all that begins markup, a link, an emoji or a mention; and an `@` that calls nobody even where somebody copies it.
fn escape(c: char, text: &mut String) {
    if "\\*_~`|>#[]()<:-+".contains(c) {
        text.push('\\');
    }
    text.push(c);
    if c == '@' {
        text.push('\u{200b}');
    }
}
