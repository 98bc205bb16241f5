//! Which items of a document are new: keys, repeated guids, re-keying, edits. Pure.

use jiff::Timestamp;

use crate::feed::parse::Item;
use crate::story::{FeedName, StoryKey};

/// An item's key within its feed: guid, else normalised link, else a hash of title and text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey(pub String);

/// An item that the store knows of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownItem {
    /// Its key.
    pub key: ItemKey,
    /// Its guid, where it gave one.
    pub guid: Option<String>,
    /// Its normalised link, where it has one.
    pub link: Option<String>,
    /// [`text_hash`] of its title and text when it was last read.
    pub hash: String,
    /// When its story was first seen.
    pub first_seen: Timestamp,
    /// Whether its story was only recorded, and so never alerts.
    pub recorded: bool,
    /// Page fetches that its story has had.
    pub pages: u32,
}

/// What an item of a document is, next to what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Its place in the document's items.
    pub index: usize,
    /// Its key from now on.
    pub key: ItemKey,
    /// Its normalised link, where it has one.
    pub link: Option<String>,
    /// [`text_hash`] of its title and text.
    pub hash: String,
    /// The story it belongs to: shared with other feeds if its link is good enough to be one.
    pub story: StoryKey,
    /// What happened to it.
    pub verdict: Verdict,
}

/// What happened to an item since the last poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Never seen here.
    New,
    /// Seen, unchanged.
    Same,
    /// Seen; its title or text changed.
    Edited,
    /// Seen under another key: the publisher changed its guid or link. `edited`: its text changed too.
    Rekeyed {
        /// The key it had.
        old: ItemKey,
        /// Whether its title or text changed too.
        edited: bool,
    },
}

/// A link as it is compared: scheme and `www.` kept apart from meaning (http = https), tracking parameters dropped, fragment kept. `None` unless http or https.
#[must_use]
pub fn normalise_link(link: &url::Url) -> Option<String> {
    let _ = link;
    todo!()
}

/// A hash of normalised title and text, in hex: equal when a reader would see no change.
#[must_use]
pub fn text_hash(title: &str, text: &str) -> String {
    let _ = (title, text);
    todo!()
}

/// Judges every item of a document of `feed`. An item that repeats an earlier one of the same document is left out.
#[must_use]
pub fn judge(feed: &FeedName, known: &[KnownItem], items: &[Item]) -> Vec<Judged> {
    let _ = (feed, known, items);
    todo!()
}
