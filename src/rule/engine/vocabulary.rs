//! A table from words to numbers. A hash finds, the bytes decide.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::text::PADDING;

/// Words and the number that each of them has.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    /// Where the words stand in `records`.
    places: HashTable<u32>,
    /// Of each word its number, its length and its bytes, which are read together.
    records: Box<[u8]>,
}

/// Bytes of a number or a length.
const NUMBER: usize = 4;

/// Makes hashes that nobody can guess who writes stories: they cannot make all words fall into one place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seed(u64);

impl Seed {
    /// Another one each time.
    pub(super) fn new() -> Self {
        Self(RandomState::new().hash_one(0))
    }
}

/// A hash of `word`: the same words have the same.
pub(super) fn hash(seed: Seed, word: &[u8]) -> u64 {
    let mut hash = begun(seed, word.len());
    for chunk in word.chunks(8) {
        let mut padded = [0; 8];
        padded[..chunk.len()].copy_from_slice(chunk);
        hash = mixed(hash, u64::from_le_bytes(padded));
    }
    hash
}

/// The same hash of the first `length` bytes of `padded`, which has [`PADDING`] more: fast, for the words of stories.
pub(super) fn hash_padded(seed: Seed, padded: &[u8], length: usize) -> u64 {
    let mut hash = begun(seed, length);
    let (chunks, _) = padded.as_chunks::<PADDING>();
    let mut left = length;
    for chunk in chunks {
        let chunk = u64::from_le_bytes(*chunk);
        if left <= 8 {
            let kept = u64::MAX.checked_shr(64 - 8 * u32::try_from(left).unwrap_or(8)).unwrap_or(0);
            return if left == 0 { hash } else { mixed(hash, chunk & kept) };
        }
        hash = mixed(hash, chunk);
        left -= 8;
    }
    hash
}

fn begun(seed: Seed, length: usize) -> u64 {
    seed.0 ^ length as u64
}

fn mixed(hash: u64, chunk: u64) -> u64 {
    let product = u128::from(hash ^ chunk) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    let halves = (product as u64) ^ ((product >> 64) as u64);
    halves
}

impl Vocabulary {
    /// The table of `words`, none of which stands there twice.
    pub(super) fn new<'w>(seed: Seed, words: impl ExactSizeIterator<Item = (&'w [u8], u32)>) -> Self {
        let (mut places, mut records) = (HashTable::with_capacity(words.len()), Vec::with_capacity(words.len() * 16));
        for (word, number) in words {
            let place = u32::try_from(records.len()).expect("rules have less than four gigabytes of words");
            records.extend_from_slice(&number.to_le_bytes());
            records.extend_from_slice(&u32::try_from(word.len()).expect("no rule has four gigabytes").to_le_bytes());
            records.extend_from_slice(word);
            places.insert_unique(hash(seed, word), place, |_| unreachable!("there is room for all of them"));
        }
        Self { places, records: records.into() }
    }

    /// The number of `word`, whose hash is `hash`.
    pub(super) fn get(&self, hash: u64, word: &[u8]) -> Option<u32> {
        let mut number = None;
        self.places.find(hash, |place| {
            number = number_of(&self.records[*place as usize..], word);
            number.is_some()
        });
        number
    }

    /// The bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.places.allocation_size() + self.records.len()
    }
}

/// The number in `record`, if it is that of `word`.
fn number_of(record: &[u8], word: &[u8]) -> Option<u32> {
    let (number, rest) = record.split_first_chunk::<NUMBER>()?;
    let (length, rest) = rest.split_first_chunk::<NUMBER>()?;
    let length = u32::from_le_bytes(*length) as usize;
    (length == word.len() && rest.starts_with(word)).then_some(u32::from_le_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::{Seed, Vocabulary, hash, hash_padded};

    fn get(table: &Vocabulary, seed: Seed, word: &str) -> Option<u32> {
        table.get(hash(seed, word.as_bytes()), word.as_bytes())
    }

    #[test]
    fn words_are_found_and_others_are_not() {
        let words: Vec<String> = (0..10_000).map(|number| format!("word{number}")).collect();
        let seed = Seed::new();
        let table = Vocabulary::new(seed, words.iter().map(String::as_bytes).zip(0_u32..10_000));
        for (number, word) in (0_u32..).zip(&words) {
            assert_eq!(get(&table, seed, word), Some(number));
        }
        for word in ["word", "", "word10000"] {
            assert_eq!(get(&table, seed, word), None);
        }
        assert_eq!(get(&Vocabulary::default(), seed, "a"), None);
    }

    #[test]
    fn a_hash_never_decides_alone() {
        let table = Vocabulary::new(Seed::default(), [(&b"arms"[..], 7)].into_iter());
        let hash = hash(Seed::default(), b"arms");
        assert_eq!(table.get(hash, b"arms"), Some(7));
        assert_eq!(table.get(hash, b"oils"), None);
    }

    #[test]
    fn a_word_has_one_hash_whatever_stands_behind_it() {
        let seed = Seed::new();
        for length in 0..40 {
            let word = vec![b'x'; length];
            let padded = [&word[..], b"what else it is"].concat();
            assert_eq!(hash_padded(seed, &padded, length), hash(seed, &word), "{length}");
        }
    }
}
