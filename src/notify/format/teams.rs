//! `format: teams`: an adaptive card for a workflow of Microsoft Teams. All text stands in runs, in
//! which nothing is markup.

use serde_json::{Value, json};

use super::bounded::{LengthUnit, as_it_is, bounded};
use super::link::{LinkForm, link};
use super::list;
use super::words::{headline, joined};
use crate::notify::quote::QuotePiece;
use crate::notify::view::message_view::{MessageView, StoryItem};
use tidings_rules::story::Severity;

/// The most that a workflow takes, less some room, in bytes.
const MOST: usize = 27_000;

/// The most of a headline, a piece of a sentence and a fact, in bytes.
const TITLE: usize = 1000;
const PIECE: usize = 1500;
const FACT: usize = 1500;

/// The longest address behind a button or words, and the longest that is written out.
const LINK: usize = 2000;
const WRITTEN: usize = 8000;

/// The most of a headline and of a place in a list.
const LINE: usize = 600;

/// What the line takes that says how many more there are.
const MORE: usize = 900;

/// The whole card. Sentences that have no room are left out, the last first; stories and copies
/// have what room is left.
pub(super) fn message(mut view: MessageView) -> Value {
    loop {
        let used = card(&view, &[]).to_string().len();
        if used <= MOST || view.quotes.pop().is_none() {
            return card(&view, &lists(&view, MOST.saturating_sub(used)));
        }
    }
}

/// The stories and copies as blocks: as many as fit into so many bytes.
fn lists(view: &MessageView, room: usize) -> Vec<Value> {
    let mut lines = Vec::new();
    for (words, items) in view.lists() {
        let blocks = items.iter().map(|one| vec![item(one)]);
        let first = lines.len();
        lines.extend(blocks);
        if let Some(line) = lines.get_mut(first) {
            line.insert(0, heading(words));
        }
    }
    let costs: Vec<usize> = lines
        .iter()
        .map(|line| line.iter().map(|block| block.to_string().len() + 1).sum())
        .collect();
    let shown: usize = list::shares(&costs, &[room], MORE).iter().sum();
    let more =
        list::more(view, shown).filter(|_| room > MORE).map(|more| block(&[run(&more, LINE)]));
    lines.into_iter().take(shown).flatten().chain(more).collect()
}

fn card(view: &MessageView, lists: &[Value]) -> Value {
    let mut title = run(&headline(view), TITLE);
    title["size"] = json!("large");
    title["weight"] = json!("bolder");
    if view.severity.is_some_and(|severity| severity >= Severity::High) {
        title["color"] = json!("attention");
    }
    let quotes =
        view.quotes.iter().map(|quote| block(&quote.iter().map(piece).collect::<Vec<_>>()));
    let note = view.note.iter().map(|note| block(&[run(note, FACT)]));
    let facts = view.facts.iter().map(|fact| self::fact(fact.name, &fact.lines.join("; "), FACT));
    let mut body: Vec<_> =
        std::iter::once(block(&[title])).chain(quotes).chain(note).chain(facts).collect();
    let mut actions = Vec::new();
    match view.link.as_deref().map(|address| link(address, LINK, WRITTEN)) {
        Some(LinkForm::Linked(url)) => {
            actions.push(json!({"type": "Action.OpenUrl", "title": "Read it", "url": url}));
        }
        Some(LinkForm::Written(words) | LinkForm::Words(words)) => {
            body.push(fact("link", &words, WRITTEN));
        }
        None => {}
    }
    body.extend_from_slice(lists);
    json!({"type": "message", "attachments": [{
        "contentType": "application/vnd.microsoft.card.adaptive",
        "content": {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "msteams": {"width": "Full"},
            "body": body,
            "actions": actions,
        },
    }]})
}

fn heading(words: &str) -> Value {
    let mut run = run(words, LINE);
    run["weight"] = json!("bolder");
    let mut block = block(&[run]);
    block["separator"] = json!(true);
    block
}

fn item(item: &StoryItem) -> Value {
    let mut runs = vec![run(&joined(&item.title), LINE)];
    runs.extend(item.place.iter().map(|place| subtle(&format!(" – {place}"), LINE)));
    match item.link.as_deref().map(|address| link(address, WRITTEN, LINE)) {
        Some(LinkForm::Linked(url) | LinkForm::Written(url)) => {
            runs[0]["selectAction"] = json!({"type": "Action.OpenUrl", "url": url});
        }
        Some(LinkForm::Words(words)) => runs.push(subtle(&format!(" – {words}"), LINE)),
        None => {}
    }
    block(&runs)
}

fn fact(name: &str, words: &str, most: usize) -> Value {
    block(&[subtle(&format!("{name}: "), FACT), run(words, most)])
}

fn block(runs: &[Value]) -> Value {
    json!({"type": "RichTextBlock", "inlines": runs})
}

fn piece(piece: &QuotePiece) -> Value {
    let mut run = run(&piece.text, PIECE);
    if piece.marked {
        run["weight"] = json!("bolder");
        run["highlight"] = json!(true);
    }
    run
}

fn subtle(text: &str, most: usize) -> Value {
    let mut run = run(text, most);
    run["isSubtle"] = json!(true);
    run
}

fn run(text: &str, most: usize) -> Value {
    json!({"type": "TextRun", "text": bounded(text, most, LengthUnit::Byte, as_it_is)})
}
