//! The properties that distinguish the items of a document.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::feed::document::Item;
use crate::feed::identity::address::Address;
use crate::feed::identity::known::ItemKey;
use crate::feed::identity::likeness::MOST_COMPARED;
use crate::feed::identity::link::normalise_link;
use crate::feed::identity::normalized_text::NormalizedText;

/// The number of words from which items with the same text and nearly the same headline are one
/// item with any links.
pub(super) const WORDS_OF_ITS_OWN: usize = 10;

/// The properties that identify an item.
#[derive(Clone, Debug)]
pub(super) struct Face {
    pub(super) index: usize,
    pub(super) guid: Option<String>,
    pub(super) link: Option<String>,
    /// The part of its link that stays when tokens, hosts and slugs change.
    pub(super) stem: Option<String>,
    /// A hash of its title. If it has no title, or neither guid nor link, of its title and text.
    pub(super) title: String,
    /// Its headline, or the first [`MOST_COMPARED`] bytes of it.
    pub(super) headline: String,
    pub(super) hash: String,
    /// A hash of its text, if it has one.
    pub(super) text: Option<String>,
    /// The number of words of its text, counted up to [`WORDS_OF_ITS_OWN`].
    pub(super) words: usize,
    pub(super) published: Option<Timestamp>,
    /// Whether it has so many words that the same words mean the same item.
    pub(super) is_wordy: bool,
}

pub(super) fn item_face(index: usize, item: &Item) -> Face {
    let normalized = NormalizedText::new(&item.title, &item.text);
    let hash = normalized.hash();
    let link = item.link.as_ref().and_then(normalise_link);
    let is_titled = !item.title.is_empty() && (item.guid.is_some() || link.is_some());
    let title = if is_titled { normalized.hash_of_title() } else { hash.clone() };
    let is_wordy = !item.title.is_empty() && !item.text.is_empty();
    let text = (!item.text.is_empty()).then(|| normalized.hash_of_text());
    let headline = item.title[..item.title.floor_char_boundary(MOST_COMPARED.into())].to_owned();
    let (guid, published) = (item.guid.clone(), item.published);
    let words = item.text.split_whitespace().take(WORDS_OF_ITS_OWN).count();
    let stem = link.as_deref().and_then(Address::parse).map(|address| address.stem());
    Face { index, guid, link, stem, title, headline, hash, text, words, published, is_wordy }
}

impl Face {
    /// The parts of its keys, each with its name. An item without guid and link is identified by
    /// all its words.
    pub(super) fn parts(&self) -> Vec<(&'static str, &str)> {
        let link = ("link", self.link.as_deref().unwrap_or_default());
        match (&self.guid, &self.link) {
            (Some(guid), _) => vec![("guid", guid), link, ("title", &self.title)],
            (None, Some(_)) => vec![link, ("title", &self.title)],
            (None, None) => vec![("text", &self.hash)],
        }
    }

    /// The keys that it can have, the plainest first.
    pub(super) fn keys(&self) -> impl Iterator<Item = ItemKey> {
        let parts = self.parts();
        (1..=parts.len()).map(move |few| joined(&parts[..few]))
    }

    /// The key of all its parts.
    pub(super) fn longest_key(&self) -> ItemKey {
        joined(&self.parts())
    }

    /// The key with its title as well, for items that share everything else.
    pub(super) fn titled_key(&self) -> Option<ItemKey> {
        (self.guid.is_some() || self.link.is_some()).then(|| self.longest_key())
    }
}

pub(super) fn joined(parts: &[(&str, &str)]) -> ItemKey {
    let length = parts.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    let mut key = String::with_capacity(length);
    for (name, value) in parts {
        if !key.is_empty() {
            key.push('\n');
        }
        key.push_str(name);
        key.push(' ');
        key.push_str(value);
    }
    ItemKey(key)
}

pub(super) fn count<'a>(links: impl Iterator<Item = &'a str>) -> HashMap<&'a str, usize> {
    let mut counts = HashMap::new();
    for link in links {
        *counts.entry(link).or_default() += 1;
    }
    counts
}
