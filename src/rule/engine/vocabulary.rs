//! A table from words to numbers. A hash finds, the bytes decide.

use std::hash::{BuildHasher, RandomState};

use crate::text::PADDING;

/// Words and the number that each of them has.
#[derive(Debug)]
pub(super) struct Vocabulary {
    /// In each bucket up to eight words, of each a byte of its hash; 0 where there is none, behind all that are.
    tags: Box<[u64]>,
    /// Where these words stand in `records`.
    places: Box<[[u32; BUCKET]]>,
    /// Of each word its number and its length, then its bytes, eight at a time, which are read together.
    records: Box<[u64]>,
}

/// How many words a bucket has room for.
const BUCKET: usize = 8;

/// How many words there are for a bucket: one in thirty is full, and its next words are in the next.
const FILLED: usize = 4;

/// Makes hashes that nobody can guess who writes stories: they cannot make all words fall into one place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seed(u64);

impl Seed {
    /// Another one each time.
    pub(super) fn new() -> Self {
        Self(RandomState::new().hash_one(0))
    }
}

/// A word as it is hashed and compared: eight bytes at a time, zeros behind its last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'w> {
    /// The word, and perhaps more.
    bytes: &'w [u8],
    length: usize,
}

impl<'w> Key<'w> {
    /// The key of a whole word.
    pub(super) fn of(word: &'w [u8]) -> Self {
        Self { bytes: word, length: word.len() }
    }

    /// The key of the first `length` bytes of `bytes`: faster where there are [`PADDING`] more of them.
    pub(super) fn padded(bytes: &'w [u8], length: usize) -> Self {
        Self { bytes, length }
    }

    /// The word.
    pub(super) fn word(&self) -> &'w [u8] {
        &self.bytes[..self.length]
    }

    fn chunks(&self) -> impl Iterator<Item = u64> {
        (0..self.length).step_by(PADDING).map(|at| {
            let kept = u64::MAX >> (64 - 8 * (self.length - at).min(PADDING));
            match self.bytes[at..].first_chunk() {
                Some(chunk) => u64::from_le_bytes(*chunk) & kept,
                None => {
                    u64::from_le_bytes(std::array::from_fn(|byte| self.bytes.get(at + byte).copied().unwrap_or(0)))
                        & kept
                }
            }
        })
    }

    /// A hash of the word: the same words have the same.
    pub(super) fn hash(&self, seed: Seed) -> u64 {
        self.chunks().fold(seed.0 ^ self.length as u64, mixed)
    }
}

fn mixed(hash: u64, chunk: u64) -> u64 {
    let product = u128::from(hash ^ chunk) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    let halves = (product as u64) ^ ((product >> 64) as u64);
    halves
}

impl Default for Vocabulary {
    fn default() -> Self {
        Self::new(Seed::default(), [].into_iter())
    }
}

impl Vocabulary {
    /// The table of `words`, none of which stands there twice.
    pub(super) fn new<'w>(seed: Seed, words: impl ExactSizeIterator<Item = (&'w [u8], u32)>) -> Self {
        let buckets = words.len() / FILLED + 1;
        let (mut tags, mut places) = (vec![0_u64; buckets], vec![[0; BUCKET]; buckets]);
        let mut records = Vec::with_capacity(words.len() * 3);
        for (word, number) in words {
            let place = u32::try_from(records.len()).expect("rules have less than four thousand million words");
            let length = u32::try_from(word.len()).expect("no rule has four gigabytes");
            let key = Key::of(word);
            records.push(u64::from(number) | u64::from(length) << 32);
            records.extend(key.chunks());
            let hash = key.hash(seed);
            let mut bucket = bucket(hash, buckets);
            while is_full(tags[bucket]) {
                bucket = (bucket + 1) % buckets;
            }
            let free = BUCKET - tags[bucket].leading_zeros() as usize / 8;
            tags[bucket] |= tag(hash) << (8 * free);
            places[bucket][free] = place;
        }
        Self { tags: tags.into(), places: places.into(), records: records.into() }
    }

    /// Whether there may be a word with that hash. Few words get past this that are not there.
    pub(super) fn may_hold(&self, hash: u64) -> bool {
        let tags = self.tags[bucket(hash, self.tags.len())];
        (same(tags, hash) != 0) | is_full(tags)
    }

    /// The number of the word `key`, whose hash is `hash`.
    pub(super) fn get(&self, hash: u64, key: Key<'_>) -> Option<u32> {
        let mut bucket = bucket(hash, self.tags.len());
        loop {
            let tags = self.tags[bucket];
            let mut same = same(tags, hash);
            while same != 0 {
                let number = self.number(self.places[bucket][same.trailing_zeros() as usize / 8], key);
                if number.is_some() {
                    return number;
                }
                same &= same - 1;
            }
            if !is_full(tags) {
                return None;
            }
            bucket = (bucket + 1) % self.tags.len();
        }
    }

    /// The number in the record at `place`, if it is that of `key`.
    #[expect(clippy::cast_possible_truncation, reason = "that half is the number")]
    fn number(&self, place: u32, key: Key<'_>) -> Option<u32> {
        let (head, rest) = self.records[place as usize..].split_first()?;
        let is_it = head >> 32 == key.length as u64 && key.chunks().zip(rest).all(|(one, other)| one == *other);
        is_it.then_some(*head as u32)
    }

    /// The bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.tags) + size_of_val(&*self.places) + size_of_val(&*self.records)
    }
}

/// The bucket in which a word with that hash is looked for first, of so many.
fn bucket(hash: u64, buckets: usize) -> usize {
    (((hash >> 32) * buckets as u64) >> 32) as usize
}

/// A byte of a hash that is not 0.
fn tag(hash: u64) -> u64 {
    hash & 0x7f | 0x80
}

/// A bit in each byte of `tags` that is the tag of `hash`, and perhaps in one behind it that is not.
fn same(tags: u64, hash: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let differ = tags ^ (tag(hash) * ONES);
    differ.wrapping_sub(ONES) & !differ & (ONES << 7)
}

fn is_full(tags: u64) -> bool {
    tags >> 56 != 0
}

#[cfg(test)]
mod tests {
    use super::{Key, Seed, Vocabulary};

    fn get(table: &Vocabulary, seed: Seed, word: &str) -> Option<u32> {
        let key = Key::of(word.as_bytes());
        table.get(key.hash(seed), key)
    }

    #[test]
    fn words_are_found_and_others_are_not() {
        let words: Vec<String> = (0..10_000).map(|number| format!("word{number}")).collect();
        let seed = Seed::new();
        let table = Vocabulary::new(seed, words.iter().map(String::as_bytes).zip(0_u32..10_000));
        for (number, word) in (0_u32..).zip(&words) {
            assert_eq!(get(&table, seed, word), Some(number));
            assert!(table.may_hold(Key::of(word.as_bytes()).hash(seed)));
        }
        for word in ["word", "", "word10000"] {
            assert_eq!(get(&table, seed, word), None);
        }
        assert_eq!(get(&Vocabulary::default(), seed, "a"), None);
    }

    #[test]
    fn a_hash_never_decides_alone() {
        let table = Vocabulary::new(Seed::default(), [(&b"arms"[..], 7)].into_iter());
        let hash = Key::of(b"arms").hash(Seed::default());
        assert_eq!(table.get(hash, Key::of(b"arms")), Some(7));
        assert_eq!(table.get(hash, Key::of(b"oils")), None);
    }

    #[test]
    fn a_word_has_one_hash_whatever_stands_behind_it() {
        let seed = Seed::new();
        for length in 0..40 {
            let word = vec![b'x'; length];
            let padded = [&word[..], b"what else it is"].concat();
            let key = Key::padded(&padded, length);
            assert_eq!((key.hash(seed), key.word()), (Key::of(&word).hash(seed), &*word), "{length}");
        }
    }
}
