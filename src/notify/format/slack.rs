//! `format: slack`: attachments of an incoming webhook, which Mattermost takes as well.

use serde_json::{Value, json};

use super::bounded::{Bounded, LengthUnit, bounded};
use super::link::{LinkForm, in_markdown, link, link_in_markup};
use super::list::{self, ListForm};
use super::words::{colour, headline};
use crate::notify::view::message_view::{MessageView, StoryItem};

/// The most of a headline. Slack shows no more of a title than fits a line or two.
const TITLE: usize = 300;

/// The most of a text: Slack folds a longer one away.
const TEXT: usize = 3000;

/// The most of a fact.
const FACT: usize = 1000;

/// The longest link behind a title, and in a text.
const LINK: usize = 2000;
const WRITTEN: usize = 2500;

/// The most texts of stories and copies.
const LISTS: usize = 10;

/// The most UTF-16 units of a message as JSON.
const MESSAGE: usize = 40_000;

pub(super) fn message(view: &MessageView) -> Value {
    let title = bounded(&headline(view), TITLE, LengthUnit::Utf16, escape);
    let color = format!("#{:06x}", colour(view));
    let field = |name: &str, value: &str| json!({"title": name, "value": value, "short": false});
    let facts = view.facts.iter().map(|fact| {
        field(fact.name, &bounded(&fact.lines.join("\n"), FACT, LengthUnit::Utf16, escape))
    });
    let mut fields: Vec<Value> = facts.collect();
    let link = view.link.as_deref().map(|address| link(address, LINK, WRITTEN));
    match &link {
        Some(LinkForm::Written(address)) => {
            fields.push(field("link", &format!("<{}>", address.replace('&', "&amp;"))));
        }
        Some(LinkForm::Words(words)) => {
            fields.push(field("link", &bounded(words, WRITTEN, LengthUnit::Utf16, escape)));
        }
        Some(LinkForm::Linked(_)) | None => {}
    }
    let mut first = json!({
        "fallback": title,
        "color": color,
        "title": title,
        "text": text(view),
        "fields": fields,
        "mrkdwn_in": ["text"],
    });
    if let Some(LinkForm::Linked(address)) = link {
        first["title_link"] = json!(address);
    }
    let form = ListForm { unit: LengthUnit::Utf16, escape, heading: &heading, item: &item };
    let with_lists = |most: usize| {
        let lists = list::texts(view, &vec![TEXT; most], &form).into_iter().map(
            |text| json!({"fallback": title, "color": color, "text": text, "mrkdwn_in": ["text"]}),
        );
        json!({"attachments": std::iter::once(first.clone()).chain(lists).collect::<Vec<_>>()})
    };
    // JSON writes some characters longer than they are, so the length is known only afterwards.
    let is_short = |message: &Value| message.to_string().encode_utf16().count() <= MESSAGE;
    (1..=LISTS).rev().map(with_lists).find(is_short).unwrap_or_else(|| with_lists(0))
}

fn text(view: &MessageView) -> String {
    let mut text = Bounded::new(TEXT, LengthUnit::Utf16, escape);
    for quote in &view.quotes {
        text.mark("> ");
        for piece in quote {
            if piece.marked {
                text.push_between("*", &piece.text, "*");
            } else {
                text.push(&piece.text);
            }
        }
        text.mark("\n");
    }
    view.note.iter().for_each(|note| text.push(note));
    text.done()
}

fn heading(words: &str) -> String {
    format!("*{}*", bounded(words, TITLE, LengthUnit::Utf16, escape))
}

fn item(item: &StoryItem) -> String {
    let link =
        item.link.as_deref().map(|address| link_in_markup(&in_markdown(address), WRITTEN, TITLE));
    list::line(item, link, |address, title| format!("<{address}|{title}>"), TITLE, escape)
}

/// Slack knows three escapes; Mattermost reads Markdown besides, and has other ones. What both
/// would read as markup becomes a look-alike, and nobody is called by an `@` with nothing behind
/// it.
fn escape(c: char, text: &mut String) {
    match c {
        '&' => text.push_str("&amp;"),
        '<' => text.push_str("&lt;"),
        '>' => text.push_str("&gt;"),
        '@' => text.push_str("@\u{200b}"),
        '*' => text.push('∗'),
        '_' => text.push('＿'),
        '~' => text.push('∼'),
        '`' => text.push('ˋ'),
        '[' => text.push('［'),
        ']' => text.push('］'),
        other => text.push(other),
    }
}
