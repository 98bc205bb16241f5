//! The words of a text, by whether they may be features or have some.

use super::features::Features;
use super::vocabulary::Key;

/// Words are sorted first and looked into later: of which kind the next word is nobody can foresee,
/// no processor either.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    hashes: Vec<u64>,
    /// Those that may be features, so many as `known_count` says.
    known: Vec<u32>,
    known_count: usize,
    /// Others that may have features all the same.
    others: Vec<u32>,
    others_count: usize,
}

impl Sorted {
    /// Sorts words, which are numbered as they come.
    pub(super) fn sort<'w>(
        &mut self,
        words: impl ExactSizeIterator<Item = Key<'w>>,
        features: &Features,
    ) {
        self.hashes.clear();
        self.known.resize(words.len(), 0);
        self.others.resize(words.len(), 0);
        (self.known_count, self.others_count) = (0, 0);
        for (number, word) in (0..).zip(words) {
            let hash = features.hash(word);
            let is_known = features.may_be_word(hash);
            self.hashes.push(hash);
            self.known[self.known_count] = number;
            self.known_count += usize::from(is_known);
            self.others[self.others_count] = number;
            self.others_count += usize::from(!is_known & features.may_derive(word));
        }
    }

    /// The numbers and hashes of the words that may be features, ascending.
    pub(super) fn known(&self) -> impl Iterator<Item = (u32, u64)> {
        self.known[..self.known_count].iter().map(|number| (*number, self.hashes[*number as usize]))
    }

    /// The same of others that may have some.
    pub(super) fn others(&self) -> impl Iterator<Item = (u32, u64)> {
        self.others[..self.others_count]
            .iter()
            .map(|number| (*number, self.hashes[*number as usize]))
    }
}
