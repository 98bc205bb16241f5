//! A feed as it was read, and its items.

use jiff::Timestamp;
use url::Url;

use crate::feed::hints::PollHints;

/// The most items that are taken from one document.
pub const MOST_ITEMS: usize = 10_000;

/// A feed as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The feed's own title.
    pub title: Option<String>,
    /// Its hints for polling.
    pub hints: PollHints,
    /// Its items, in document order; at most [`MOST_ITEMS`].
    pub items: Vec<Item>,
    /// How it ends.
    pub end: DocumentEnd,
}

/// How a document ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DocumentEnd {
    /// At its publisher's end tag.
    #[default]
    Whole,
    /// It breaks off after its last item, or within an item without readable parts.
    BetweenItems,
    /// It breaks off within its last item.
    WithinItem,
}

/// One item. Its texts are plain: markup is removed, entities are resolved, and a blank line
/// separates paragraphs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// The publisher's identifier, if there is one. Never empty, and bounded.
    pub guid: Option<String>,
    /// The absolute link, if there is one: `http`, `https`, or `file` in a feed that is a file
    /// itself.
    pub link: Option<Url>,
    /// The headline in one line; may be empty.
    pub title: String,
    /// The text: the content element, else the summary; may be empty.
    pub text: String,
    /// Whether `text` comes from a content element, not from a summary.
    pub is_content: bool,
    /// The time of publication, else of the last update.
    pub published: Option<Timestamp>,
    /// Its language, else the feed's.
    pub lang: Option<String>,
    /// Its authors.
    pub authors: Vec<String>,
    /// Its categories.
    pub tags: Vec<String>,
    /// The publisher from which it was taken, in one line, if a feed of many sources names it
    /// (`source` in RSS).
    pub source: Option<String>,
}

/// Why bytes are not a feed, in one sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoFeed(pub String);
