//! Reads XML feeds with feed-rs, the first of the two readers, which reads feeds that nearly follow
//! a standard.

use std::time::SystemTime;

use feed_rs::model::{Entry, Feed, FeedType, Person, Text};
use jiff::Timestamp;
use url::Url;

use crate::feed::depth;
use crate::feed::document::{Document, DocumentEnd, Item, MOST_ITEMS};
use crate::feed::hints::PollHints;
use crate::feed::publisher::own_text;
use crate::feed::repair::repair;
use crate::markup::bytes;
use crate::markup::date::parse_date;
use crate::markup::link::resolve;
use crate::markup::plain;
use crate::markup::shield::catch_panic;
use tidings_rules::text::one_line;

/// The most references in a document. The lexer returns each reference by itself, which takes ten
/// times as long as a plain character.
const MOST_REFERENCES: usize = 500_000;

/// Reads a feed that came from `base`, after common repairs. `hints` reads its hints, and `choice`
/// decides how it ends. `None` if feed-rs refuses it, panics, or cannot read it safely.
pub(super) fn read_with_feed_rs(text: &str, base: &Url) -> Option<Document> {
    if bytes::count(text.as_bytes(), b'&') > MOST_REFERENCES {
        return None;
    }
    let text = repair(text);
    if !depth::is_safe(&text) {
        return None;
    }
    let parser = feed_rs::parser::Builder::new()
        .base_uri(Some(base.as_str()))
        // An id that the publisher did not give must be missing. feed-rs would make one, which is
        // random if there is no link.
        .id_generator(|_, _, _| String::new())
        // Both readers read the same dates.
        .timestamp_parser(|date| Some(SystemTime::try_from(parse_date(date)?).ok()?.into()))
        .sanitize_content(false)
        .build();
    let feed = catch_panic(|| parser.parse(text.as_bytes()))?.ok()?;
    Some(document(feed, base))
}

fn document(feed: Feed, base: &Url) -> Document {
    let kind = feed.feed_type;
    let lang = feed.language.as_deref();
    Document {
        title: feed.title.map(|title| headline(&title, &kind)).filter(|title| !title.is_empty()),
        hints: PollHints::default(),
        items: feed
            .entries
            .into_iter()
            .take(MOST_ITEMS)
            .map(|entry| item(entry, &kind, base, lang))
            .collect(),
        end: DocumentEnd::Whole,
    }
}

fn item(entry: Entry, kind: &FeedType, base: &Url, lang: Option<&str>) -> Item {
    let guid = Some(entry.id.trim().to_owned()).filter(|id| !id.is_empty());
    let title = entry.title.as_ref().map(|title| headline(title, kind)).unwrap_or_default();
    let content = content(&entry, &title).filter(|text| !text.is_empty());
    let is_content = content.is_some();
    let text = content
        .or_else(|| entry.summary.as_ref().map(|summary| prose(summary, kind, &title)))
        .filter(|text| !text.is_empty());
    let described = || {
        let texts = entry.media.iter().filter_map(|media| media.description.as_ref());
        texts.map(|text| prose(text, kind, &title)).next()
    };
    Item {
        link: entry_link(&entry, guid.as_deref(), base),
        guid,
        is_content,
        text: text.or_else(described).unwrap_or_default(),
        title,
        published: entry
            .published
            .or(entry.updated)
            .and_then(|date| Timestamp::from_millisecond(date.timestamp_millis()).ok()),
        lang: entry
            .language
            .or_else(|| lang.map(ToOwned::to_owned))
            .filter(|lang| !lang.is_empty()),
        authors: distinct(entry.authors.iter().filter_map(author)),
        tags: distinct(
            entry.categories.into_iter().map(|category| category.label.unwrap_or(category.term)),
        ),
        // feed-rs does not read it.
        source: None,
    }
}

fn content(entry: &Entry, title: &str) -> Option<String> {
    let content = entry.content.as_ref()?;
    let body = content.body.as_deref()?;
    match content.content_type.as_str() {
        "text/plain" => Some(plain::from_either(body)),
        "text/html" | "text/xml" | "application/xml" | "application/xhtml+xml" => {
            Some(own_text(body, title))
        }
        // A picture or similar in base64.
        _ => None,
    }
}

fn headline(text: &Text, kind: &FeedType) -> String {
    one_line(&prose(text, kind, ""))
}

/// The text of an item with the headline `title`. RSS does not define whether its texts are markup;
/// in practice they are. Atom defines it, but its `text` is often markup.
fn prose(text: &Text, kind: &FeedType, title: &str) -> String {
    let is_plain = text.content_type.as_str() == "text/plain" && *kind == FeedType::Atom;
    if is_plain { plain::from_either(&text.content) } else { own_text(&text.content, title) }
}

/// The page of an entry: its alternate link, else its first link to a page, else a guid that is an
/// address.
fn entry_link(entry: &Entry, guid: Option<&str>, base: &Url) -> Option<Url> {
    let is_alternate = |rel: Option<&str>| matches!(rel, Some("alternate") | None);
    let alternates = entry.links.iter().filter(|link| is_alternate(link.rel.as_deref()));
    let guid = guid.filter(|guid| guid.starts_with("http://") || guid.starts_with("https://"));
    alternates.map(|link| link.href.as_str()).chain(guid).find_map(|link| resolve(link, base))
}

/// A person's name. feed-rs reads RSS's `author`, an address with an optional name, as a person
/// called "author".
fn author(person: &Person) -> Option<String> {
    let name = person.name.split_once('<').filter(|(_, address)| address.contains('@'));
    let name = name.map_or(&*person.name, |(name, _)| name);
    let name = one_line(&plain::from_markup(name));
    let Some(email) = person.email.as_deref().map(one_line).filter(|email| !email.is_empty())
    else {
        return Some(name).filter(|name| !matches!(name.as_str(), "" | "unknown" | "author"));
    };
    if !matches!(name.as_str(), "" | "unknown" | "author") {
        return Some(name);
    }
    let named = email.split_once('(').and_then(|(_, name)| name.strip_suffix(')'));
    Some(named.unwrap_or(&email).trim().to_owned())
}

fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    names
        .map(|name| one_line(&plain::from_markup(&name)))
        .filter(|name| !name.is_empty() && seen.insert(name.clone()))
        .collect()
}
