//! A cache of the derived features of words that are not features, for all stories.

use super::features::Features;

/// Words and their derived features.
#[derive(Debug, Default)]
pub(super) struct StemCache {
    /// For each hash, the number of its entry plus one, or 0. The length is a power of two, or
    /// zero.
    slots: Vec<u32>,
    entries: Vec<CachedWord>,
    words: Vec<u8>,
    features: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct CachedWord {
    hash: u64,
    /// The end of its word in `words`. The word begins where the one before it ends.
    word: u32,
    /// The end of its features in `features`.
    features: u32,
}

/// The bytes of words above which the cache is emptied before the next story.
const MOST: usize = 1 << 20;

impl StemCache {
    /// Empties the cache if it is too large.
    pub(super) fn refresh(&mut self) {
        if self.words.len() > MOST {
            *self = Self::default();
        }
    }

    /// The features of `word` with the hash `hash`. They are derived once.
    pub(super) fn features_of_word(
        &mut self,
        hash: u64,
        word: &[u8],
        features: &Features,
    ) -> &[u32] {
        if self.entries.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut slot = low_bits(hash) & mask;
        while self.slots[slot] != 0 {
            let entry = self.slots[slot] as usize - 1;
            if self.entries[entry].hash == hash && self.word(entry) == word {
                return self.features_of(entry);
            }
            slot = (slot + 1) & mask;
        }
        self.words.extend_from_slice(word);
        let known = &mut self.features;
        features.derive(word, |feature| known.push(feature));
        let end = |length: usize| u32::try_from(length).expect("no story has four gigabytes");
        self.entries.push(CachedWord {
            hash,
            word: end(self.words.len()),
            features: end(self.features.len()),
        });
        self.slots[slot] = end(self.entries.len());
        self.features_of(self.entries.len() - 1)
    }

    fn word(&self, entry: usize) -> &[u8] {
        let start = entry.checked_sub(1).map_or(0, |before| self.entries[before].word);
        &self.words[start as usize..self.entries[entry].word as usize]
    }

    fn features_of(&self, entry: usize) -> &[u32] {
        let start = entry.checked_sub(1).map_or(0, |before| self.entries[before].features);
        &self.features[start as usize..self.entries[entry].features as usize]
    }

    fn grow(&mut self) {
        let room = (self.slots.len() * 2).max(1024);
        self.slots.clear();
        self.slots.resize(room, 0);
        for (number, entry) in (1_u32..).zip(&self.entries) {
            let mut slot = low_bits(entry.hash) & (room - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (room - 1);
            }
            self.slots[slot] = number;
        }
    }
}

/// The lower bits of a hash.
#[expect(clippy::cast_possible_truncation, reason = "the lower half is enough")]
fn low_bits(hash: u64) -> usize {
    hash as u32 as usize
}
