//! A few numbers that stand for a text: where two texts share much, the numbers agree in many places. Pure.

use std::array::from_fn;

/// The numbers of a sketch: of the text's shingles, each takes its share, and keeps the least hash.
const MINIMA: usize = 24;

/// Numbers that have to agree before two sketches are looked at more closely.
const ROWS: usize = 2;

/// How often they may.
pub const BANDS: usize = MINIMA / ROWS;

/// What no shingle fell to.
const NONE: u32 = u32::MAX;

/// The sketch of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketch {
    minima: [u32; MINIMA],
}

impl Sketch {
    /// The sketch of a text with these shingles.
    pub(super) fn of(shingles: &[u64]) -> Self {
        let mut minima = [NONE; MINIMA];
        for shingle in shingles {
            let [a, b, c, d, share @ ..] = shingle.to_le_bytes();
            let least = &mut minima[u32::from_le_bytes(share) as usize % MINIMA];
            *least = (*least).min(u32::from_le_bytes([a, b, c, d]));
        }
        Self { minima }
    }

    /// What an index finds it by: two texts of which half the shingles are the same have the same value in one of the places in 97 of 100 cases,
    /// and two that share one in two hundred in one of 3,000. `None` where a short text has none.
    #[must_use]
    pub fn bands(&self) -> [Option<i64>; BANDS] {
        from_fn(|band| match self.minima[band * ROWS..][..ROWS] {
            [one, other] if one != NONE && other != NONE => Some(i64::from(one) << 32 | i64::from(other)),
            _ => None,
        })
    }

    /// Whether the two texts may share two fifths of their shingles, as far as sketches can tell.
    #[must_use]
    pub fn resembles(&self, other: &Self) -> bool {
        let both = || self.minima.iter().zip(&other.minima).filter(|(one, other)| **one != NONE && **other != NONE);
        both().filter(|(one, other)| one == other).count() * 6 >= both().count()
    }

    /// The sketch as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.minima.iter().flat_map(|least| least.to_le_bytes()).collect()
    }

    /// The sketch that [`Self::to_bytes`] made `bytes` of; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (minima, []) = bytes.as_chunks() else { return None };
        let minima: Vec<u32> = minima.iter().map(|least| u32::from_le_bytes(*least)).collect();
        Some(Self { minima: minima.try_into().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_sketch_comes_back_from_its_bytes(shingles in proptest::collection::vec(any::<u64>(), 0..100)) {
            let sketch = Sketch::of(&shingles);
            prop_assert_eq!(Sketch::from_bytes(&sketch.to_bytes()), Some(sketch));
        }
    }

    #[test]
    fn what_is_no_sketch_is_not_read() {
        assert_eq!(Sketch::from_bytes(&[0; 95]), None);
        assert_eq!(Sketch::from_bytes(&[0; 97]), None);
        assert_eq!(Sketch::from_bytes(&[0; 100]), None);
    }

    #[test]
    fn a_short_text_has_no_value_where_no_shingle_fell() {
        let sketch = Sketch::of(&[7, 1 << 63, u64::MAX - 1]);
        assert_eq!(sketch.bands(), [None; BANDS]);
        assert!(sketch.resembles(&sketch));
    }
}
