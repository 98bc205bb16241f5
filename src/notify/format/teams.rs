//! `format: teams`: an adaptive card for a workflow of Microsoft Teams. All text is in text
//! runs, which have no markup.

use serde_json::{Value, json};

use super::bounded::{LengthUnit, escape_and_truncate};
use super::escape::no_escape;
use super::link::{LinkForm, choose_link_form};
use super::list;
use super::shared::headline_with_severity;
use crate::notify::quote::QuotePiece;
use crate::notify::quote::join_pieces;
use crate::notify::view::message_view::{MessageView, StoryItem};
use tidings_rules::story::Severity;

/// The longest message, in bytes. A workflow takes 28 KiB.
const MAX_MESSAGE: usize = 27_000;

/// The longest headline, piece of a sentence, and fact, in bytes.
const MAX_TITLE: usize = 1000;
const MAX_PIECE: usize = 1500;
const MAX_FACT: usize = 1500;

/// The longest address behind a button, and the longest that is written out, in bytes.
const MAX_LINKED: usize = 2000;
const MAX_WRITTEN_OUT: usize = 8000;

/// The longest headline and the longest place in a list, in bytes.
const MAX_LIST_TEXT: usize = 600;

/// The room for the line that says how many items are left out, in bytes.
const MAX_MORE_LINE: usize = 900;

/// Builds the whole card. Sentences without room are left out, the last first. Stories and copies
/// use the rest of the room.
pub(super) fn build_message(mut view: MessageView) -> Value {
    loop {
        let used = build_card(&view, &[]).to_string().len();
        if used <= MAX_MESSAGE || view.quotes.pop().is_none() {
            return build_card(&view, &list_blocks(&view, MAX_MESSAGE.saturating_sub(used)));
        }
    }
}

/// The stories and copies as blocks, as many as fit into `room` bytes.
fn list_blocks(view: &MessageView, room: usize) -> Vec<Value> {
    let mut lines = Vec::new();
    for (words, items) in view.story_lists() {
        let blocks = items.iter().map(|one| vec![item_block(one)]);
        let first = lines.len();
        lines.extend(blocks);
        if let Some(line) = lines.get_mut(first) {
            line.insert(0, heading_block(words));
        }
    }
    let costs: Vec<usize> = lines
        .iter()
        .map(|line| line.iter().map(|block| block.to_string().len() + 1).sum())
        .collect();
    let shown: usize = list::lines_per_room(&costs, &[room], MAX_MORE_LINE).iter().sum();
    let more = list::describe_hidden_items(view, shown)
        .filter(|_| room > MAX_MORE_LINE)
        .map(|more| text_block(&[text_run(&more, MAX_LIST_TEXT)]));
    lines.into_iter().take(shown).flatten().chain(more).collect()
}

fn build_card(view: &MessageView, lists: &[Value]) -> Value {
    let mut title = text_run(&headline_with_severity(view), MAX_TITLE);
    title["size"] = json!("large");
    title["weight"] = json!("bolder");
    if view.severity.is_some_and(|severity| severity >= Severity::High) {
        title["color"] = json!("attention");
    }
    let quotes = view
        .quotes
        .iter()
        .map(|quote| text_block(&quote.iter().map(piece_run).collect::<Vec<_>>()));
    let note = view.note.iter().map(|note| text_block(&[text_run(note, MAX_FACT)]));
    let facts =
        view.facts.iter().map(|fact| fact_block(fact.name, &fact.lines.join("; "), MAX_FACT));
    let mut body: Vec<_> =
        std::iter::once(text_block(&[title])).chain(quotes).chain(note).chain(facts).collect();
    let mut actions = Vec::new();
    match view.link.as_deref().map(|address| choose_link_form(address, MAX_LINKED, MAX_WRITTEN_OUT))
    {
        Some(LinkForm::Linked(url)) => {
            actions.push(json!({"type": "Action.OpenUrl", "title": "Read it", "url": url}));
        }
        Some(LinkForm::WrittenOut(words) | LinkForm::Text(words)) => {
            body.push(fact_block("link", &words, MAX_WRITTEN_OUT));
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

fn heading_block(words: &str) -> Value {
    let mut run = text_run(words, MAX_LIST_TEXT);
    run["weight"] = json!("bolder");
    let mut block = text_block(&[run]);
    block["separator"] = json!(true);
    block
}

fn item_block(item: &StoryItem) -> Value {
    let mut runs = vec![text_run(&join_pieces(&item.title), MAX_LIST_TEXT)];
    runs.extend(item.place.iter().map(|place| subtle_run(&format!(" – {place}"), MAX_LIST_TEXT)));
    match item
        .link
        .as_deref()
        .map(|address| choose_link_form(address, MAX_WRITTEN_OUT, MAX_LIST_TEXT))
    {
        Some(LinkForm::Linked(url) | LinkForm::WrittenOut(url)) => {
            runs[0]["selectAction"] = json!({"type": "Action.OpenUrl", "url": url});
        }
        Some(LinkForm::Text(words)) => runs.push(subtle_run(&format!(" – {words}"), MAX_LIST_TEXT)),
        None => {}
    }
    text_block(&runs)
}

fn fact_block(name: &str, words: &str, most: usize) -> Value {
    text_block(&[subtle_run(&format!("{name}: "), MAX_FACT), text_run(words, most)])
}

fn text_block(runs: &[Value]) -> Value {
    json!({"type": "RichTextBlock", "inlines": runs})
}

fn piece_run(piece: &QuotePiece) -> Value {
    let mut run = text_run(&piece.text, MAX_PIECE);
    if piece.marked {
        run["weight"] = json!("bolder");
        run["highlight"] = json!(true);
    }
    run
}

fn subtle_run(text: &str, most: usize) -> Value {
    let mut run = text_run(text, most);
    run["isSubtle"] = json!(true);
    run
}

fn text_run(text: &str, most: usize) -> Value {
    json!({"type": "TextRun", "text": escape_and_truncate(text, most, LengthUnit::Byte, no_escape)})
}
