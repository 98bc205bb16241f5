//! Items of the store, and the changes of a document to them.

use jiff::Timestamp;

/// An item's key within its feed: its guid, else its normalised link, else a hash of title and
/// text. If items share these, all but one have a longer key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey(pub String);

/// An item of a feed in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownItem {
    /// Its key.
    pub key: ItemKey,
    /// Its guid, if it has one.
    pub guid: Option<String>,
    /// Its normalised link, if it has one.
    pub link: Option<String>,
    /// The part of its link that stays when tokens, hosts and slugs change. `None` also if an
    /// earlier version stored the item without it.
    pub stem: Option<String>,
    /// [`hash_normalized_text`](super::hash_normalized_text) of its title and text when it was last
    /// read.
    pub hash: String,
    /// [`hash_normalized_text`](super::hash_normalized_text) of its text alone, if it had one.
    pub text_hash: Option<String>,
    /// Its story's headline; empty if it is deleted.
    pub title: String,
    /// When its story was published, if known.
    pub published: Option<Timestamp>,
    /// When its story was first seen.
    pub first_seen: Timestamp,
    /// Whether its story is only recorded, and never alerts.
    pub recorded: bool,
    /// The number of attempts to fetch its story's page.
    pub pages: u32,
    /// Whether the feed's last document lacks it.
    pub gone: bool,
}

/// The change of an item since the last poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemChange {
    /// It is new.
    New,
    /// It is known and unchanged.
    Same,
    /// Its title or text changed.
    Edited,
    /// It has another key: the publisher changed its guid or link.
    Rekeyed {
        /// The key it had.
        old: ItemKey,
        /// Whether its title or text changed too.
        edited: bool,
    },
    /// Its guid or link is known, but it is other news. The old item loses its key.
    Renewed,
}

impl ItemChange {
    /// Whether a known item's title or text changed.
    #[must_use]
    pub fn is_edit(&self) -> bool {
        matches!(self, Self::Edited | Self::Rekeyed { edited: true, .. })
    }
}
