//! `format: slack`: an attachment of an incoming webhook, which Mattermost takes as well.

use serde_json::{Value, json};

use super::bounded::{Bounded, Unit, bounded};
use super::words::{colour, headline, web_link};
use crate::notify::view::View;

/// The most of a headline. Slack shows no more of a title than fits a line or two.
const TITLE: usize = 300;

/// The most of the sentences together: Slack folds a longer text away.
const TEXT: usize = 3000;

/// The most of a fact.
const FACT: usize = 1000;

/// The longest link.
const LINK: usize = 2000;

pub(super) fn message(view: &View) -> Value {
    let title = bounded(&headline(view), TITLE, Unit::Utf16, escape);
    let field = |name: &str, value: &str| json!({"title": name, "value": value, "short": false});
    let facts =
        view.facts.iter().map(|fact| field(fact.name, &bounded(&fact.lines.join("\n"), FACT, Unit::Utf16, escape)));
    let mut attachment = json!({
        "fallback": title,
        "color": format!("#{:06x}", colour(view)),
        "title": title,
        "text": text(view),
        "fields": facts.collect::<Vec<_>>(),
        "mrkdwn_in": ["text"],
    });
    if let Some(link) = web_link(view, LINK) {
        attachment["title_link"] = json!(link);
    }
    json!({"attachments": [attachment]})
}

fn text(view: &View) -> String {
    let mut text = Bounded::new(TEXT, Unit::Utf16, escape);
    for quote in &view.quotes {
        text.mark("> ");
        for piece in quote {
            if piece.marked { text.push_between("*", &piece.text, "*") } else { text.push(&piece.text) }
        }
        text.mark("\n");
    }
    view.note.iter().for_each(|note| text.push(note));
    text.done()
}

/// Slack knows three escapes; Mattermost reads Markdown besides, and has other ones. What both would read as markup becomes a look-alike, and nobody is
/// called by an `@` with nothing behind it.
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
