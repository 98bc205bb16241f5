//! `format: teams`: an adaptive card for a workflow of Microsoft Teams. All text stands in runs, in which nothing is markup.

use serde_json::{Value, json};

use super::bounded::{Unit, as_it_is, bounded};
use super::words::{headline, web_link};
use crate::notify::quote::Piece;
use crate::notify::view::View;
use crate::story::Severity;

/// The most that a workflow takes, less some room, in bytes.
const MOST: usize = 27_000;

/// The most of a headline, a piece of a sentence and a fact, in bytes.
const TITLE: usize = 1000;
const PIECE: usize = 1500;
const FACT: usize = 1500;
const LINK: usize = 2000;

/// The whole card; sentences that have no room are left out, the last first.
pub(super) fn message(mut view: View) -> Value {
    loop {
        let message = card(&view);
        if message.to_string().len() <= MOST || view.quotes.pop().is_none() {
            return message;
        }
    }
}

fn card(view: &View) -> Value {
    let mut title = run(&headline(view), TITLE);
    title["size"] = json!("large");
    title["weight"] = json!("bolder");
    if view.severity.is_some_and(|severity| severity >= Severity::High) {
        title["color"] = json!("attention");
    }
    let quotes = view.quotes.iter().map(|quote| block(&quote.iter().map(piece).collect::<Vec<_>>()));
    let note = view.note.iter().map(|note| block(&[run(note, FACT)]));
    let facts = view.facts.iter().map(|fact| {
        let mut name = run(&format!("{}: ", fact.name), FACT);
        name["isSubtle"] = json!(true);
        block(&[name, run(&fact.lines.join("; "), FACT)])
    });
    let body: Vec<_> = std::iter::once(block(&[title])).chain(quotes).chain(note).chain(facts).collect();
    let link = web_link(view, LINK).map(|link| json!({"type": "Action.OpenUrl", "title": "Read it", "url": link}));
    json!({"type": "message", "attachments": [{
        "contentType": "application/vnd.microsoft.card.adaptive",
        "content": {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "msteams": {"width": "Full"},
            "body": body,
            "actions": Vec::from_iter(link),
        },
    }]})
}

fn block(runs: &[Value]) -> Value {
    json!({"type": "RichTextBlock", "inlines": runs})
}

fn piece(piece: &Piece) -> Value {
    let mut run = run(&piece.text, PIECE);
    if piece.marked {
        run["weight"] = json!("bolder");
        run["highlight"] = json!(true);
    }
    run
}

fn run(text: &str, most: usize) -> Value {
    json!({"type": "TextRun", "text": bounded(text, most, Unit::Byte, as_it_is)})
}
