//! The `MinHash` signature of a text. The more two texts share, the more of its numbers agree.
//! Pure.

/// The numbers of a signature. Each shingle belongs to one of them, which keeps the smallest hash.
const MINIMA: usize = 24;

/// The numbers of a band. Two texts are compared only if all numbers of a band agree.
const ROWS: usize = 2;

/// The bands of a signature.
pub const BANDS: usize = MINIMA / ROWS;

/// The keys by which the beginning of a text is found.
pub const LEAD_KEYS: usize = 6;

/// The band with the key of a headline.
const OF_TITLE: i64 = 12;

const _: () = assert!(BANDS == 12, "the keys have the bands behind those of the minima");

/// The band with the keys of a text's beginning.
const OF_LEAD: i64 = OF_TITLE + 1;

/// The band with the key of a brief text.
const OF_BRIEF: i64 = OF_TITLE + 2;

/// The first band that holds keys. Texts with the same key need not resemble each other.
pub const FIRST_KEY: i64 = OF_TITLE;

/// The number to which no shingle belongs.
const NONE: u32 = u32::MAX;

/// The `MinHash` signature of a text, with keys of its headline and beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinHashSignature {
    minima: [u32; MINIMA],
    /// Bands after those of the minima, each with its key.
    keys: Vec<(i64, i64)>,
}

impl MinHashSignature {
    /// The signature of a text with these shingles, keys of its beginning and key of its headline.
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

    /// The signature of a text that is compared only as a whole. `key` is its hash.
    pub(super) fn from_whole_text(key: u64) -> Self {
        Self { minima: [NONE; MINIMA], keys: vec![(OF_BRIEF, key.cast_signed())] }
    }

    /// The bands with their values, for an index. Two texts that share half of their shingles have
    /// an equal band of minima in 97 of 100 cases. Two that share one shingle in two hundred have
    /// one in 1 of 3,000 cases. A short text has fewer bands.
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

    /// Whether the two texts may share two fifths of their shingles, judged by their signatures.
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

    /// The minima as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.minima.iter().flat_map(|least| least.to_le_bytes()).collect()
    }

    /// Whether the signature with these minima [`may_resemble`](Self::may_resemble) this one.
    /// `false` if the bytes are not minima.
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
        fn a_signature_resembles_its_own_bytes(shingles in proptest::collection::vec(any::<u64>(), 0..100)) {
            let signature = MinHashSignature::new(&shingles, &[], None);
            prop_assert!(signature.resembles_bytes(&signature.to_bytes()));
        }
    }

    #[test]
    fn bytes_of_another_length_are_no_signature() {
        let signature = MinHashSignature::new(&[], &[], None);
        assert!(signature.resembles_bytes(&[0; 96]));
        for length in [0, 95, 97, 100] {
            assert!(!signature.resembles_bytes(&vec![0; length]), "{length}");
        }
    }

    #[test]
    fn a_short_text_has_no_value_where_no_shingle_fell() {
        let signature = MinHashSignature::new(&[7, 1 << 63, u64::MAX - 1], &[], None);
        assert_eq!(signature.bands(), []);
        assert!(signature.may_resemble(&signature));
    }
}
