//! `tidings feeds poll`: one feed fetched and read now, as the rules would see it.

use std::path::Path;

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use url::Url;

use crate::article;
use crate::cli::clauses::TextLayout;
use crate::cli::count::count;
use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::moment::shown_zone;
use crate::cli::output::{self, fail};
use crate::cli::place;
use crate::cli::runtime::block_on;
use crate::feed::document::{Document, Item};
use crate::feed::parse;
use crate::queries::moment::long_date;
use tidings_rules::story::Read;
use tidings_rules::story::headline::headline;
use tidings_rules::text::visible_line;

/// How much of an item's text is shown to people, in characters.
const MOST_TEXT: usize = 400;

/// Shows the feed at `place`: 65 if there is none there, 69 if it cannot be reached.
pub(super) fn show_feed(
    place: &str,
    format: OutputFormat,
    config: Option<&Path>,
) -> Result<(), Exit> {
    let config = place::load_optional_config(config)?;
    let send_context = place::send_context(config.as_ref())?;
    let answer = block_on(place::fetch_place(&send_context, config.as_ref(), place))?;
    let body = answer.body.unwrap_or_default();
    let document = parse::parse(&body, answer.content_type.as_deref(), &answer.url)
        .map_err(|why| fail(format_args!("{place}: {why}"), Exit::Data))?;
    match format {
        OutputFormat::Text => {
            let zone = shown_zone(config.as_ref());
            output::print(&feed_text(&document, place, TextLayout::for_stdout(), &zone))
        }
        OutputFormat::Json => output::print_json([to_json(&document, place, &answer.url)]),
    }
}

/// An item as JSON: its story as payloads show it, with its text.
fn item_json(item: &Item) -> Value {
    let read = if article::is_teaser(item) {
        Read::Teaser("its page is not read".to_owned())
    } else {
        Read::Full
    };
    json!({
        "guid": item.guid,
        "story": {
            "title": item.title, "body": item.text, "url": item.link, "published": item.published,
            "lang": item.lang, "authors": item.authors, "tags": item.tags, "source": item.source,
        },
        "read": read,
    })
}

fn to_json(document: &Document, place: &str, url: &Url) -> Value {
    let items: Vec<Value> = document.items.iter().map(item_json).collect();
    json!({ "feed": document.title.as_deref().unwrap_or(place), "url": url, "items": items })
}

fn feed_text(document: &Document, place: &str, layout: TextLayout, zone: &TimeZone) -> String {
    let name = document.title.as_deref().unwrap_or(place);
    let head = format!("{}: {}", visible_line(name), count(document.items.len(), "item", "items"));
    let items = document.items.iter().map(|item| item_text(item, layout, zone));
    std::iter::once(layout.wrap(&head, "", 2))
        .chain(items)
        .map(|block| block + "\n")
        .collect::<Vec<_>>()
        .join("\n")
}

fn item_text(item: &Item, layout: TextLayout, zone: &TimeZone) -> String {
    let mut lines = vec![layout.wrap(&visible_line(&headline(&item.title, &item.text)), "", 2)];
    lines.extend(item.link.iter().map(|link| format!("  {link}")));
    let facts: Vec<String> =
        item_facts(item, zone).into_iter().map(|fact| visible_line(&fact)).collect();
    lines.push(layout.wrap(&facts.join("; "), "  ", 4));
    let cut: String = item.text.chars().take(MOST_TEXT).collect();
    let more = if cut.len() < item.text.len() { " …" } else { "" };
    if !cut.is_empty() {
        lines.push(layout.wrap(&(visible_line(cut.trim_end()) + more), "  | ", 4));
    }
    lines.join("\n")
}

fn item_facts(item: &Item, zone: &TimeZone) -> Vec<String> {
    let words = count(item.text.split_whitespace().count(), "word", "words");
    let read = if article::is_teaser(item) { "a teaser of" } else { "the whole text," };
    let mut facts =
        vec![item.published.map_or_else(
            || "undated".to_owned(),
            |at| format!("published {}", long_date(at, zone)),
        )];
    facts.extend(item.lang.clone());
    facts.extend((!item.authors.is_empty()).then(|| format!("by {}", item.authors.join(", "))));
    facts.extend((!item.tags.is_empty()).then(|| format!("tagged {}", item.tags.join(", "))));
    facts.extend(item.source.as_ref().map(|source| format!("taken from {source}")));
    facts.push(format!("{read} {words}"));
    facts
}
