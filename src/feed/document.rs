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
    /// Where it ends.
    pub end: DocumentEnd,
}

/// Where a document ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DocumentEnd {
    /// Where its publisher ended it.
    #[default]
    Whole,
    /// It breaks off after its last item, or within an item of which nothing could be read.
    BetweenItems,
    /// It breaks off within its last item.
    WithinItem,
}

/// One item. Texts are plain: markup removed, entities resolved, paragraphs parted by a blank line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// The publisher's identifier, where it gave one. Never empty.
    pub guid: Option<String>,
    /// The absolute link, where it gave one: `http`, `https`, or `file` in a feed that is a file
    /// itself.
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
    /// Who it was taken from, where a feed of many sources says so (`source` in RSS), in one line.
    pub source: Option<String>,
}

/// Why bytes are no feed, in one sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoFeed(pub String);
