//! The features of a story, each found once.

use super::features::Feature;

/// The features that were found. The next story of the same engine reuses the memory.
#[derive(Debug, Default)]
pub(super) struct FoundFeatures {
    /// The slot of each feature: its index in `found`, if `found` has it there.
    slots: Vec<u32>,
    /// The first `count` entries are in use. There is room for every feature.
    found: Vec<Feature>,
    count: usize,
    /// A bit for each feature: whether headline or text has it. One more bit after them is always
    /// set.
    in_text: Vec<u64>,
}

impl FoundFeatures {
    /// Removes all features, and makes room for `features` of them.
    pub(super) fn clear(&mut self, features: usize) {
        for feature in &self.found[..self.count] {
            self.in_text[*feature as usize / 64] = 0;
        }
        self.count = 0;
        self.slots.resize(features, 0);
        self.found.resize(features + 1, 0);
        self.in_text.resize(features / 64 + 1, 0);
        self.in_text[features / 64] |= 1 << (features % 64);
    }

    /// Inserts `feature`, and returns its slot. It has no branch, because no processor can predict
    /// whether the feature is new.
    #[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
    #[inline]
    pub(super) fn insert(&mut self, feature: Feature, in_text: bool) -> u32 {
        self.in_text[feature as usize / 64] |= u64::from(in_text) << (feature % 64);
        let slot = self.slots[feature as usize];
        let next =
            u32::try_from(self.count).expect("there are at most as many features as numbers");
        let is_known = (slot < next) & (self.found[slot as usize] == feature);
        self.found[self.count] = feature;
        self.count += usize::from(!is_known);
        let slot = if is_known { slot } else { next };
        self.slots[feature as usize] = slot;
        slot
    }

    /// The number of features that were found.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The feature in the slot `slot`.
    #[inline]
    pub(super) fn feature_at(&self, slot: usize) -> Option<Feature> {
        self.found[..self.count].get(slot).copied()
    }

    /// The slot of `feature`, if it was found.
    #[inline]
    pub(super) fn slot(&self, feature: Feature) -> Option<usize> {
        let slot = self.slots[feature as usize] as usize;
        (self.feature_at(slot) == Some(feature)).then_some(slot)
    }

    /// Whether `feature` was found.
    pub(super) fn contains(&self, feature: Feature) -> bool {
        self.slot(feature).is_some()
    }

    /// Whether headline or text has `feature`.
    #[inline]
    pub(super) fn in_text(&self, feature: Feature) -> bool {
        self.in_text[feature as usize / 64] & (1 << (feature % 64)) != 0
    }
}
