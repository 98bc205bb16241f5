//! A few numbers that stand for a text: where two texts share much, the numbers agree in many
//! places. Pure.

/// The numbers of a sketch: of the text's shingles, each takes its share, and keeps the least hash.
const MINIMA: usize = 24;

/// Numbers that have to agree before two sketches are looked at more closely.
const ROWS: usize = 2;

/// How often they may.
pub const BANDS: usize = MINIMA / ROWS;

/// Numbers that the beginning of a text is found by.
pub const LEAD_KEYS: usize = 6;

/// The band of what a headline is found by.
const OF_TITLE: i64 = 12;

const _: () = assert!(BANDS == 12, "the keys have the bands behind those of the minima");

/// The band of what the beginning of a text is found by.
const OF_LEAD: i64 = OF_TITLE + 1;

/// The band of what a brief is found by.
const OF_BRIEF: i64 = OF_TITLE + 2;

/// The first of the bands whose values find texts that need not resemble each other.
pub const FIRST_KEY: i64 = OF_TITLE;

/// What no shingle fell to.
const NONE: u32 = u32::MAX;

/// The sketch of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinHashSignature {
    minima: [u32; MINIMA],
    /// Values of the bands behind those of the minima.
    keys: Vec<(i64, i64)>,
}

impl MinHashSignature {
    /// The sketch of a text with these shingles, this beginning and this headline.
    pub(super) fn new(shingles: &[u64], lead: &[u64], title: Option<u64>) -> Self {
        let mut minima = [NONE; MINIMA];
        for shingle in shingles {
            let [a, b, c, d, share @ ..] = shingle.to_le_bytes();
            let least = &mut minima[u32::from_le_bytes(share) as usize % MINIMA];
            *least = (*least).min(u32::from_le_bytes([a, b, c, d]));
        }
        let lead = lead.iter().map(|key| (OF_LEAD, key.cast_signed()));
        let title = title.map(|key| (OF_TITLE, key.cast_signed()));
        Self { minima, keys: title.into_iter().chain(lead).collect() }
    }

    /// The sketch of a text that is known only as a whole, by this number.
    pub(super) fn from_whole_text(key: u64) -> Self {
        Self { minima: [NONE; MINIMA], keys: vec![(OF_BRIEF, key.cast_signed())] }
    }

    /// What an index finds it by: bands, each with a value. Two texts that share half of their
    /// shingles have a value of the minima in common in 97 of 100 cases, and two that share one in
    /// two hundred in one of 3,000. A short text lacks some.
    #[must_use]
    pub fn bands(&self) -> Vec<(i64, i64)> {
        let rows = (0..).zip(self.minima.chunks_exact(ROWS));
        let of_minima = rows.filter_map(|(band, rows)| match *rows {
            [one, other] if one != NONE && other != NONE => {
                Some((band, i64::from(one) << 32 | i64::from(other)))
            }
            _ => None,
        });
        of_minima.chain(self.keys.iter().copied()).collect()
    }

    /// Whether the two texts may share two fifths of their shingles, as far as sketches can tell.
    #[must_use]
    pub fn may_resemble(&self, other: &Self) -> bool {
        let both = || {
            self.minima
                .iter()
                .zip(&other.minima)
                .filter(|(one, other)| **one != NONE && **other != NONE)
        };
        both().filter(|(one, other)| one == other).count() * 6 >= both().count()
    }

    /// Its minima as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.minima.iter().flat_map(|least| least.to_le_bytes()).collect()
    }

    /// Whether the sketch whose minima are these bytes [`resembles`](Self::resembles) this one;
    /// `false` for anything else.
    #[must_use]
    pub fn resembles_bytes(&self, bytes: &[u8]) -> bool {
        let (minima, []) = bytes.as_chunks() else { return false };
        let minima: Vec<u32> = minima.iter().map(|least| u32::from_le_bytes(*least)).collect();
        minima.try_into().is_ok_and(|minima| self.may_resemble(&Self { minima, keys: Vec::new() }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_sketch_resembles_its_own_bytes(shingles in proptest::collection::vec(any::<u64>(), 0..100)) {
            let sketch = MinHashSignature::new(&shingles, &[], None);
            prop_assert!(sketch.resembles_bytes(&sketch.to_bytes()));
        }
    }

    #[test]
    fn what_is_no_sketch_is_not_read() {
        let sketch = MinHashSignature::new(&[], &[], None);
        assert!(sketch.resembles_bytes(&[0; 96]));
        for length in [0, 95, 97, 100] {
            assert!(!sketch.resembles_bytes(&vec![0; length]), "{length}");
        }
    }

    #[test]
    fn a_short_text_has_no_value_where_no_shingle_fell() {
        let sketch = MinHashSignature::new(&[7, 1 << 63, u64::MAX - 1], &[], None);
        assert_eq!(sketch.bands(), []);
        assert!(sketch.may_resemble(&sketch));
    }
}
