//! Sorts the words of a text by whether they may be features or have derived features.

use super::features::Features;
use super::vocabulary::Key;

/// Words are sorted first and looked up later, because no processor can predict the kind of the
/// next word.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    hashes: Vec<u64>,
    /// The first `known_count` are the words that may be features.
    known: Vec<u32>,
    known_count: usize,
    /// The other words that may have derived features.
    others: Vec<u32>,
    others_count: usize,
}

impl Sorted {
    /// Sorts words, which are numbered in their order.
    pub(super) fn sort<'w>(
        &mut self,
        words: impl ExactSizeIterator<Item = Key<'w>>,
        features: &Features,
    ) {
        let room = self.known.len().max(words.len());
        self.hashes.resize(room, 0);
        self.known.resize(room, 0);
        self.others.resize(room, 0);
        (self.known_count, self.others_count) = (0, 0);
        for ((number, word), kept) in (0..).zip(words).zip(&mut self.hashes) {
            let (hash, is_known, may_derive) = features.look_at(word);
            *kept = hash;
            self.known[self.known_count] = number;
            self.known_count += usize::from(is_known);
            self.others[self.others_count] = number;
            self.others_count += usize::from(!is_known & may_derive);
        }
    }

    /// The ascending numbers and the hashes of the words that may be features.
    pub(super) fn known(&self) -> impl Iterator<Item = (u32, u64)> {
        self.known[..self.known_count].iter().map(|number| (*number, self.hashes[*number as usize]))
    }

    /// The same for the other words that may have derived features.
    pub(super) fn others(&self) -> impl Iterator<Item = (u32, u64)> {
        self.others[..self.others_count]
            .iter()
            .map(|number| (*number, self.hashes[*number as usize]))
    }
}
