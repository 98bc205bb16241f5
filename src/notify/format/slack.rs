//! `format: slack`: attachments of an incoming webhook, which Mattermost takes as well.

use serde_json::{Value, json};

use super::bounded::{BoundedText, LengthUnit, escape_and_truncate};
use super::link::{LinkForm, choose_link_form, choose_link_form_in_markup, encode_for_markdown};
use super::list::{self, ListForm};
use crate::notify::format::shared::{headline_with_severity, severity_colour};
use crate::notify::view::message_view::{MessageView, StoryItem};

/// The most of a headline. Slack shows no more of a title than fits a line or two.
const MAX_TITLE: usize = 300;

/// The most of a text: Slack folds a longer one away.
const MAX_TEXT: usize = 3000;

/// The most of a fact.
const MAX_FACT: usize = 1000;

/// The longest link behind a title, and in a text.
const MAX_LINKED: usize = 2000;
const MAX_WRITTEN_OUT: usize = 2500;

/// The most texts of stories and copies.
const MAX_LISTS: usize = 10;

/// The most UTF-16 units of a message as JSON.
const MAX_MESSAGE: usize = 40_000;

pub(super) fn build_message(view: &MessageView) -> Value {
    let title = escape_and_truncate(
        &headline_with_severity(view),
        MAX_TITLE,
        LengthUnit::Utf16,
        escape_slack,
    );
    let color = format!("#{:06x}", severity_colour(view));
    let field = |name: &str, value: &str| json!({"title": name, "value": value, "short": false});
    let facts = view.facts.iter().map(|fact| {
        field(
            fact.name,
            &escape_and_truncate(&fact.lines.join("\n"), MAX_FACT, LengthUnit::Utf16, escape_slack),
        )
    });
    let mut fields: Vec<Value> = facts.collect();
    let link =
        view.link.as_deref().map(|address| choose_link_form(address, MAX_LINKED, MAX_WRITTEN_OUT));
    match &link {
        Some(LinkForm::WrittenOut(address)) => {
            fields.push(field("link", &format!("<{}>", address.replace('&', "&amp;"))));
        }
        Some(LinkForm::Text(words)) => {
            fields.push(field(
                "link",
                &escape_and_truncate(words, MAX_WRITTEN_OUT, LengthUnit::Utf16, escape_slack),
            ));
        }
        Some(LinkForm::Linked(_)) | None => {}
    }
    let mut first = json!({
        "fallback": title,
        "color": color,
        "title": title,
        "text": message_text(view),
        "fields": fields,
        "mrkdwn_in": ["text"],
    });
    if let Some(LinkForm::Linked(address)) = link {
        first["title_link"] = json!(address);
    }
    let form = ListForm {
        unit: LengthUnit::Utf16,
        escape: escape_slack,
        heading: &list_heading,
        item: &list_item,
    };
    let with_lists = |most: usize| {
        let lists = list::format_lists(view, &vec![MAX_TEXT; most], &form).into_iter().map(
            |text| json!({"fallback": title, "color": color, "text": text, "mrkdwn_in": ["text"]}),
        );
        json!({"attachments": std::iter::once(first.clone()).chain(lists).collect::<Vec<_>>()})
    };
    // JSON writes some characters longer than they are, so the length is known only afterwards.
    let is_short = |message: &Value| message.to_string().encode_utf16().count() <= MAX_MESSAGE;
    (1..=MAX_LISTS).rev().map(with_lists).find(is_short).unwrap_or_else(|| with_lists(0))
}

fn message_text(view: &MessageView) -> String {
    let mut text = BoundedText::new(MAX_TEXT, LengthUnit::Utf16, escape_slack);
    for quote in &view.quotes {
        text.push_markup("> ");
        for piece in quote {
            if piece.marked {
                text.push_between("*", &piece.text, "*");
            } else {
                text.push(&piece.text);
            }
        }
        text.push_markup("\n");
    }
    view.note.iter().for_each(|note| text.push(note));
    text.into_text()
}

fn list_heading(words: &str) -> String {
    format!("*{}*", escape_and_truncate(words, MAX_TITLE, LengthUnit::Utf16, escape_slack))
}

fn list_item(item: &StoryItem) -> String {
    let link = item.link.as_deref().map(|address| {
        choose_link_form_in_markup(&encode_for_markdown(address), MAX_WRITTEN_OUT, MAX_TITLE)
    });
    list::format_item_on_one_line(
        item,
        link,
        |address, title| format!("<{address}|{title}>"),
        MAX_TITLE,
        escape_slack,
    )
}

/// Slack knows three escapes; Mattermost reads Markdown besides, and has other ones. What both
/// would read as markup becomes a look-alike, and nobody is called by an `@` with nothing behind
/// it.
fn escape_slack(c: char, text: &mut String) {
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
