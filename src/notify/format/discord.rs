//! `format: discord`: embeds without mentions.

use serde_json::{Value, json};

use super::bounded::{Bounded, LengthUnit, bounded};
use super::link::{LinkForm, in_markdown, link};
use super::list::{self, ListForm};
use super::words::{colour, headline};
use crate::notify::view::message_view::{MessageView, StoryItem};

// Discord takes 256 characters of title, 4096 of description, 25 fields of 1024, 2048 of an
// address, and 6000 in all.
const ALL: usize = 6000;
const TITLE: usize = 256;
const DESCRIPTION: usize = 4096;
const TEXT: usize = 2400;
const FACT: usize = 600;
const LINK: usize = 2000;

/// The longest address that is written out: the facts and a few words have room besides.
const WRITTEN: usize = 3000;

/// The most of a headline and of a place in a list.
const LINE: usize = 300;

pub(super) fn message(view: &MessageView) -> Value {
    let title = bounded(&headline(view), TITLE, LengthUnit::Utf16, escape);
    let link = view.link.as_deref().map(|address| link(address, LINK, WRITTEN));
    let text = text(view, link.as_ref());
    let value = |lines: &[String]| bounded(&lines.join("\n"), FACT, LengthUnit::Utf16, escape);
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
        "color": colour(view),
        "fields": fields.collect::<Vec<_>>(),
    });
    if let Some(LinkForm::Linked(address)) = link {
        first["url"] = json!(address);
    }
    let lists = lists(view, ALL.saturating_sub(used));
    let lists = lists.into_iter().map(|text| json!({"description": text, "color": colour(view)}));
    json!({"embeds": std::iter::once(first).chain(lists).collect::<Vec<_>>(), "allowed_mentions": {"parse": []}})
}

/// The sentences and the note, and below them an address that cannot be linked.
fn text(view: &MessageView, link: Option<&LinkForm>) -> String {
    let below = match link {
        Some(LinkForm::Written(address)) => format!("\n<{address}>"),
        Some(LinkForm::Words(words)) => {
            format!("\n{}", bounded(words, TEXT, LengthUnit::Utf16, escape))
        }
        Some(LinkForm::Linked(_)) | None => String::new(),
    };
    let mut text = Bounded::new(
        (TEXT + LINE).saturating_sub(below.len()).clamp(LINE, TEXT),
        LengthUnit::Utf16,
        escape,
    );
    for quote in &view.quotes {
        text.mark("> ");
        for piece in quote {
            if piece.marked {
                text.push_between("**", &piece.text, "**");
            } else {
                text.push(&piece.text);
            }
        }
        text.mark("\n");
    }
    view.note.iter().for_each(|note| text.push(note));
    text.done() + &below
}

/// The stories and copies, in embeds of their own.
fn lists(view: &MessageView, room: usize) -> Vec<String> {
    let heading = |words: &str| format!("**{}**", bounded(words, LINE, LengthUnit::Utf16, escape));
    let first = room.min(DESCRIPTION);
    list::texts(
        view,
        &[first, room - first],
        &ListForm { unit: LengthUnit::Utf16, escape, heading: &heading, item: &item },
    )
}

fn item(item: &StoryItem) -> String {
    let link = item.link.as_deref().map(|address| link(address, WRITTEN, LINE));
    list::line(
        item,
        link,
        |address, title| format!("[{title}]({})", in_markdown(address)),
        LINE,
        escape,
    )
}

/// A backslash before all that begins markup, a link, an emoji or a mention; and an `@` that calls
/// nobody even where somebody copies it.
fn escape(c: char, text: &mut String) {
    if "\\*_~`|>#[]()<:-+".contains(c) {
        text.push('\\');
    }
    text.push(c);
    if c == '@' {
        text.push('\u{200b}');
    }
}
