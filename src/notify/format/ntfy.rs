//! `format: ntfy`: a push notification, published as JSON. Nothing in it is markup.

use serde_json::{Value, json};

use super::bounded::{Bounded, LengthUnit, as_it_is, bounded};
use super::link::{LinkForm, link};
use super::list::{self, ListForm};
use super::words::{headline, joined};
use crate::notify::view::message_view::{MessageView, StoryItem};
use tidings_rules::story::Severity;

// A message of more than 4096 bytes becomes an attachment, and the whole JSON, in which quotes take
// two bytes, may have twice that.
const TITLE: usize = 250;
const ALL: usize = 3400;
const LINK: usize = 1200;

/// The longest address that is written out.
const WRITTEN: usize = 2400;

/// The most of a headline and of a place in a list.
const LINE: usize = 250;

pub(super) fn message(view: &MessageView) -> Value {
    let link = view.link.as_deref().map(|address| link(address, LINK, WRITTEN));
    let address = match &link {
        Some(LinkForm::Linked(address) | LinkForm::Written(address) | LinkForm::Words(address)) => {
            address.as_str()
        }
        None => "",
    };
    let text = text(view, ALL - address.len());
    let mut message = json!({
        "title": bounded(&headline(view), TITLE, LengthUnit::Byte, as_it_is),
        "message": text,
        "priority": priority(view.severity),
    });
    match &link {
        Some(LinkForm::Linked(address)) => message["click"] = json!(address),
        Some(LinkForm::Written(address) | LinkForm::Words(address)) => {
            message["message"] = json!(format!("{text}\n{address}"));
        }
        None => {}
    }
    message
}

fn text(view: &MessageView, room: usize) -> String {
    let mut text = Bounded::new(room, LengthUnit::Byte, as_it_is);
    let quotes = view.quotes.iter().map(|quote| joined(quote));
    for line in quotes.chain(view.note.clone()) {
        text.push(&line);
        text.mark("\n");
    }
    for fact in &view.facts {
        text.push(&format!("{}: {}", fact.name, fact.lines.join("; ")));
        text.mark("\n");
    }
    let text = text.done().trim_end().to_owned();
    let left = room.saturating_sub(text.len() + "\n\n".len());
    let form =
        ListForm { unit: LengthUnit::Byte, escape: as_it_is, heading: &str::to_owned, item: &item };
    std::iter::once(text).chain(list::texts(view, &[left], &form)).collect::<Vec<_>>().join("\n\n")
}

fn item(item: &StoryItem) -> String {
    let cut = |text: &str| bounded(text, LINE, LengthUnit::Byte, as_it_is);
    let title = format!("• {}", cut(&joined(&item.title)));
    let place = item.place.iter().map(|place| format!("  {}", cut(place)));
    let link = item.link.as_deref().map(|address| match link(address, WRITTEN, LINE) {
        LinkForm::Linked(address) | LinkForm::Written(address) => format!("  {address}"),
        LinkForm::Words(words) => format!("  {}", cut(&words)),
    });
    std::iter::once(title).chain(place).chain(link).collect::<Vec<_>>().join("\n")
}

/// From 1, which makes no sound, to 5, which goes on until it is heard.
fn priority(severity: Option<Severity>) -> u8 {
    match severity {
        Some(Severity::Info) => 1,
        Some(Severity::Low) => 2,
        None | Some(Severity::Medium) => 3,
        Some(Severity::High) => 4,
        Some(Severity::Critical) => 5,
    }
}
