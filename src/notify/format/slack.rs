//! `format: slack`: attachments for an incoming webhook of Slack or Mattermost.

use serde_json::{Value, json};

use super::bounded::{BoundedText, LengthUnit, escape_and_truncate};
use super::escape::{escape_ampersands, escape_html};
use super::link::{LinkForm, choose_link_form, choose_link_form_in_markup, encode_for_markdown};
use super::list::{self, ListForm};
use super::shared::{headline_with_severity, push_quote, severity_colour};
use crate::notify::view::message_view::{MessageView, StoryItem};

/// The longest headline, in UTF-16 units. Slack shows only a line or two of a title.
const MAX_TITLE: usize = 300;

/// The longest text, in UTF-16 units. Slack folds longer ones.
const MAX_TEXT: usize = 3000;

/// The longest fact, in UTF-16 units.
const MAX_FACT: usize = 1000;

/// The longest address behind a title, and in a text, in bytes.
const MAX_LINKED: usize = 2000;
const MAX_WRITTEN_OUT: usize = 2500;

/// The largest number of texts with stories and copies.
const MAX_LISTS: usize = 10;

/// The longest message as JSON, in UTF-16 units.
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
            fields.push(field("link", &format!("<{}>", escape_ampersands(address))));
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
    // JSON escapes some characters, so the length is known only afterwards.
    let is_short = |message: &Value| message.to_string().encode_utf16().count() <= MAX_MESSAGE;
    (1..=MAX_LISTS).rev().map(with_lists).find(is_short).unwrap_or_else(|| with_lists(0))
}

fn message_text(view: &MessageView) -> String {
    let mut text = BoundedText::new(MAX_TEXT, LengthUnit::Utf16, escape_slack);
    for quote in &view.quotes {
        text.push_markup("> ");
        push_quote(&mut text, quote, "*", "*");
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

/// Slack reads the escapes of HTML only. Mattermost also reads Markdown, whose markup becomes
/// characters that look alike.
fn escape_slack(c: char, text: &mut String) {
    match c {
        '*' => text.push('∗'),
        '_' => text.push('＿'),
        '~' => text.push('∼'),
        '`' => text.push('ˋ'),
        '[' => text.push('［'),
        ']' => text.push('］'),
        other => escape_html(other, text),
    }
}
