//! Items of the store, and how a document changes them.

use jiff::Timestamp;

/// An item's key within its feed: guid, else normalised link, else a hash of title and text; where
/// items share these, more is added to all but one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey(pub String);

/// An item of a feed in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownItem {
    /// Its key.
    pub key: ItemKey,
    /// Its guid, where it gave one.
    pub guid: Option<String>,
    /// Its normalised link, where it has one.
    pub link: Option<String>,
    /// What of its link stays when tokens, hosts and slugs change; `None` too if an earlier
    /// version stored the item without it.
    pub stem: Option<String>,
    /// [`hash_normalized_text`](super::hash_normalized_text) of its title and text when it was last
    /// read.
    pub hash: String,
    /// [`hash_normalized_text`](super::hash_normalized_text) of its text alone, where it had one.
    pub text_hash: Option<String>,
    /// Its story's headline; empty where it is no longer kept.
    pub title: String,
    /// When its story was published, where that is known.
    pub published: Option<Timestamp>,
    /// When its story was first seen.
    pub first_seen: Timestamp,
    /// Whether its story was only recorded, and so never alerts.
    pub recorded: bool,
    /// Page fetches that its story has had.
    pub pages: u32,
    /// Whether the feed's last document lacked it.
    pub gone: bool,
}

/// What happened to an item since the last poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemChange {
    /// Never seen here.
    New,
    /// Seen, unchanged.
    Same,
    /// Seen; its title or text changed.
    Edited,
    /// Seen under another key: the publisher changed its guid or link. `edited`: its text changed
    /// too.
    Rekeyed {
        /// The key it had.
        old: ItemKey,
        /// Whether its title or text changed too.
        edited: bool,
    },
    /// Its guid or link is known, but it is other news: the old item loses its key.
    Renewed,
}

impl ItemChange {
    /// Whether a known item's title or text changed.
    #[must_use]
    pub fn is_edit(&self) -> bool {
        matches!(self, Self::Edited | Self::Rekeyed { edited: true, .. })
    }
}
