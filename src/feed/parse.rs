//! Bytes to items: any feed format, decoded, checked for depth and parsed, with plain texts.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

/// A feed as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The feed's own title.
    pub title: Option<String>,
    /// The shortest time between polls that the feed asks for (`ttl`, `sy:updatePeriod`).
    pub ttl: Option<Duration>,
    /// Its items, in document order; at most 10,000.
    pub items: Vec<Item>,
}

/// One item. Texts are plain: markup removed, entities resolved, paragraphs parted by a blank line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// The publisher's identifier, where it gave one.
    pub guid: Option<String>,
    /// The absolute link, where it gave one.
    pub link: Option<Url>,
    /// The headline; may be empty.
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
    let _ = (bytes, content_type, base);
    todo!()
}
