//! Bytes to items: any feed format, decoded, checked for depth and parsed, with plain texts.

use std::time::Duration;

use feed_rs::model::{Entry, Feed, FeedType, Person, Text};
use jiff::Timestamp;
use url::Url;

use crate::feed::decode::decode;
use crate::feed::repair::repair;
use crate::feed::shield::shielded;
use crate::feed::{json, plain, sniff, xml};

/// The most items that are taken from one document.
pub const MOST_ITEMS: usize = 10_000;

/// A feed as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The feed's own title.
    pub title: Option<String>,
    /// The shortest time between polls that the feed asks for (`ttl`).
    pub ttl: Option<Duration>,
    /// Its items, in document order; at most [`MOST_ITEMS`].
    pub items: Vec<Item>,
}

/// One item. Texts are plain: markup removed, entities resolved, paragraphs parted by a blank line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// The publisher's identifier, where it gave one. Never empty.
    pub guid: Option<String>,
    /// The absolute link, where it gave one: `http`, `https`, or `file` in a feed that is a file itself.
    pub link: Option<Url>,
    /// The headline in one line; may be empty.
    pub title: String,
    /// The text: the content element, else the summary; may be empty.
    pub text: String,
    /// Whether `text` came from a content element, rather than a summary.
    pub is_content: bool,
    /// When it says it was published, else updated.
    pub published: Option<Timestamp>,
    /// Its language, else the feed's.
    pub lang: Option<String>,
    /// Its authors.
    pub authors: Vec<String>,
    /// Its categories.
    pub tags: Vec<String>,
}

/// Why bytes are no feed, in one sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoFeed(pub String);

/// Reads `bytes`, which came from `base` with that `Content-Type`. Never panics, and takes bounded time and stack whatever the bytes.
///
/// # Errors
/// Where no feed can be found in the bytes: HTML, JSON that is no feed, damage with no entry left. An empty but sound feed is no error.
pub fn parse(bytes: &[u8], content_type: Option<&str>, base: &Url) -> Result<Document, NoFeed> {
    let text = decode(bytes, content_type);
    match sniff::kind(&text) {
        sniff::Kind::Empty => Err(NoFeed("the answer is empty".to_owned())),
        sniff::Kind::Json => json::parse(&text, base),
        sniff::Kind::Html => Err(web_page(&text, base)),
        sniff::Kind::Other => Err(NoFeed("this is not a feed, nor any XML or JSON".to_owned())),
        sniff::Kind::Xml => parse_xml(&repair(&text), base),
    }
}

fn web_page(html: &str, base: &Url) -> NoFeed {
    NoFeed(match sniff::alternate(html, base) {
        Some(feed) => format!("this is a web page, not a feed; the page names {feed} as its feed"),
        None => "this is a web page, not a feed".to_owned(),
    })
}

fn parse_xml(text: &str, base: &Url) -> Result<Document, NoFeed> {
    xml::check(text).map_err(|why| NoFeed(format!("the feed is not read: {why}")))?;
    let parser = feed_rs::parser::Builder::new()
        .base_uri(Some(base.as_str()))
        // An id that the publisher did not give must be seen as none: feed-rs would make one up, a random one if there is no link.
        .id_generator(|_, _, _| String::new())
        .sanitize_content(false)
        .build();
    let feed = shielded(|| parser.parse(text.as_bytes()))
        .ok_or_else(|| NoFeed("the feed is damaged in a way that the parser cannot bear".to_owned()))?
        .map_err(|error| NoFeed(format!("this is no feed that can be read: {error}")))?;
    Ok(document(feed, base))
}

fn document(feed: Feed, base: &Url) -> Document {
    let kind = feed.feed_type;
    let lang = feed.language.as_deref();
    Document {
        title: feed.title.map(|title| headline(&title, &kind)).filter(|title| !title.is_empty()),
        ttl: feed.ttl.filter(|minutes| *minutes > 0).map(|minutes| Duration::from_secs(u64::from(minutes) * 60)),
        items: feed.entries.into_iter().take(MOST_ITEMS).map(|entry| item(entry, &kind, base, lang)).collect(),
    }
}

fn item(entry: Entry, kind: &FeedType, base: &Url, lang: Option<&str>) -> Item {
    let guid = Some(entry.id.trim().to_owned()).filter(|id| !id.is_empty());
    let content = content(&entry).filter(|text| !text.is_empty());
    let is_content = content.is_some();
    let text =
        content.or_else(|| entry.summary.as_ref().map(|summary| prose(summary, kind))).filter(|text| !text.is_empty());
    let described = || entry.media.iter().find_map(|media| Some(prose(media.description.as_ref()?, kind)));
    Item {
        link: link(&entry, guid.as_deref(), base),
        guid,
        title: entry.title.as_ref().map(|title| headline(title, kind)).unwrap_or_default(),
        is_content,
        text: text.or_else(described).unwrap_or_default(),
        published: entry.published.or(entry.updated).and_then(|date| Timestamp::from_second(date.timestamp()).ok()),
        lang: entry.language.or_else(|| lang.map(ToOwned::to_owned)).filter(|lang| !lang.is_empty()),
        authors: distinct(entry.authors.iter().filter_map(author)),
        tags: distinct(entry.categories.into_iter().map(|category| category.label.unwrap_or(category.term))),
    }
}

fn content(entry: &Entry) -> Option<String> {
    let content = entry.content.as_ref()?;
    let body = content.body.as_deref()?;
    match content.content_type.as_str() {
        "text/plain" => Some(plain::from_either(body)),
        "text/html" | "text/xml" | "application/xml" | "application/xhtml+xml" => Some(plain::from_markup(body)),
        // A picture or the like in base64.
        _ => None,
    }
}

fn headline(text: &Text, kind: &FeedType) -> String {
    plain::one_line(&prose(text, kind))
}

/// RSS does not say whether its texts are markup, and in practice they are; Atom says so, and is often wrong about `text`.
fn prose(text: &Text, kind: &FeedType) -> String {
    let is_plain = text.content_type.as_str() == "text/plain" && *kind == FeedType::Atom;
    if is_plain { plain::from_either(&text.content) } else { plain::from_markup(&text.content) }
}

/// The page of an entry: its alternate link, else its first that is no other thing, else a guid that is an address.
fn link(entry: &Entry, guid: Option<&str>, base: &Url) -> Option<Url> {
    let is_alternate = |rel: Option<&str>| matches!(rel, Some("alternate") | None);
    let alternates = entry.links.iter().filter(|link| is_alternate(link.rel.as_deref()));
    let guid = guid.filter(|guid| guid.starts_with("http://") || guid.starts_with("https://"));
    alternates.map(|link| link.href.as_str()).chain(guid).find_map(|link| resolve(link, base))
}

/// `link` made absolute against `base`. Nothing but `http` and `https`, and `file` for a feed in a file.
pub(super) fn resolve(link: &str, base: &Url) -> Option<Url> {
    let link = link.trim();
    let mut url = base.join(link).ok().filter(|_| !link.is_empty())?;
    // A relative link takes the feed's user and password over, which must reach no reader and no store.
    url.set_username("").and_then(|()| url.set_password(None)).ok();
    (matches!(url.scheme(), "http" | "https") || url.scheme() == "file" && base.scheme() == "file").then_some(url)
}

/// A person's name. feed-rs puts RSS's `author`, an address that may carry a name, into a person called "author".
fn author(person: &Person) -> Option<String> {
    let name = plain::one_line(&plain::from_markup(&person.name));
    let Some(email) = person.email.as_deref().map(plain::one_line).filter(|email| !email.is_empty()) else {
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
        .map(|name| plain::one_line(&plain::from_markup(&name)))
        .filter(|name| !name.is_empty() && seen.insert(name.clone()))
        .collect()
}

/// An instant as feeds write it: RFC 3339, else RFC 2822.
pub(super) fn moment(date: &str) -> Option<Timestamp> {
    let date = date.trim();
    date.parse().ok().or_else(|| jiff::fmt::rfc2822::parse(date).ok().map(|zoned| zoned.timestamp()))
}

#[cfg(test)]
mod tests;
