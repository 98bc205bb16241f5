//! A hash table from words to numbers. Words with equal hashes are compared by their bytes. Words
//! of a single character of three bytes, such as Han, are in a table of their own.

use std::hash::{BuildHasher, RandomState};

use super::characters::Characters;
use crate::text::code_of;

/// Words and their numbers.
#[derive(Debug)]
pub(super) struct Vocabulary {
    buckets: Box<[Bucket]>,
    /// For each word its number and length, then its chunks, which are read together.
    records: Box<[u64]>,
    characters: Characters,
}

/// Up to eight words.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// One byte of the hash of each word. Free entries are 0 and come last.
    tags: u64,
    /// The place of each word in `records`.
    places: [u32; 8],
}

/// The mean number of words in a bucket. One bucket in twenty is full, and its further words are in
/// the next.
const FILLED: usize = 4;

/// A random seed for hashes. So authors of stories cannot choose words that collide.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seed(u64);

impl Seed {
    /// A new random seed.
    pub(super) fn new() -> Self {
        Self(RandomState::new().hash_one(0))
    }
}

/// A word for hashing and comparison, in chunks of eight bytes: padded with zeros, and at least
/// sixteen bytes long, because no processor can predict the length of the next word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'w> {
    /// The word, which other bytes may follow.
    bytes: &'w [u8],
    length: usize,
}

/// The number of bytes that are hashed and compared together.
const CHUNK: usize = 8;

/// For each number of bytes of a word in a chunk, the bits of the chunk that are kept.
const KEPT: [u64; CHUNK + 1] = {
    let mut kept = [u64::MAX; CHUNK + 1];
    let mut bytes = 0;
    while bytes < CHUNK {
        kept[bytes] = (1 << (8 * bytes)) - 1;
        bytes += 1;
    }
    kept
};

impl<'w> Key<'w> {
    /// The key of a whole word.
    pub(super) fn from_word(word: &'w [u8]) -> Self {
        Self { bytes: word, length: word.len() }
    }

    /// The key of the first `length` bytes of `bytes`. It is faster if sixteen more bytes follow.
    #[inline]
    pub(super) fn padded(bytes: &'w [u8], length: usize) -> Self {
        Self { bytes, length }
    }

    /// The word.
    pub(super) fn word(&self) -> &'w [u8] {
        &self.bytes[..self.length]
    }

    /// The code of the word, if it is a single character of three bytes.
    #[inline]
    pub(super) fn character(&self) -> Option<usize> {
        match self.bytes.first_chunk() {
            Some(word @ [0xe0..=0xff, _, _]) if self.length == 3 => Some(code_of(*word) as usize),
            _ => None,
        }
    }

    /// Its first chunk.
    #[inline]
    pub(super) fn start(&self) -> u64 {
        self.chunk(0)
    }

    /// The chunk from the byte `at` on.
    #[inline]
    fn chunk(&self, at: usize) -> u64 {
        let kept = KEPT[self.length.saturating_sub(at).min(CHUNK)];
        let whole = self.bytes.get(at..).and_then(<[u8]>::first_chunk);
        kept & whole.map_or_else(|| self.last_chunk(at), |chunk| u64::from_le_bytes(*chunk))
    }

    /// The chunk from the byte `at` on, if no padding follows the word.
    #[cold]
    fn last_chunk(&self, at: usize) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|byte| {
            self.bytes.get(at + byte).copied().unwrap_or(0)
        }))
    }

    /// The starts of its chunks after the first two.
    #[inline]
    fn further_chunks(&self) -> impl Iterator<Item = usize> {
        (2 * CHUNK..self.length).step_by(CHUNK)
    }

    /// A hash of the word. Equal words have equal hashes. Authors cannot choose many words of one
    /// character, so that its code is a good hash.
    #[inline]
    pub(super) fn hash(&self, seed: Seed) -> u64 {
        if let Some(code) = self.character() {
            return code as u64;
        }
        let short = mixed(mixed(seed.0 ^ self.length as u64, self.chunk(0)), self.chunk(CHUNK));
        self.further_chunks().fold(short, |hash, at| mixed(hash, self.chunk(at)))
    }
}

#[inline]
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
    /// The table of `words`, which must be distinct.
    pub(super) fn new<'w>(
        seed: Seed,
        words: impl ExactSizeIterator<Item = (&'w [u8], u32)>,
    ) -> Self {
        let mut buckets = vec![Bucket::default(); words.len() / FILLED + 1];
        let mut records = Vec::with_capacity(words.len() * 3);
        let mut characters = Characters::default();
        for (word, number) in words {
            let key = Key::from_word(word);
            if let Some(code) = key.character() {
                characters.insert(code, number);
                continue;
            }
            let place =
                u32::try_from(records.len()).expect("rules have less than 32 gigabytes of words");
            let length = u32::try_from(word.len()).expect("no rule has four gigabytes");
            records.push(u64::from(number) | u64::from(length) << 32);
            records
                .extend([0, CHUNK].into_iter().chain(key.further_chunks()).map(|at| key.chunk(at)));
            let hash = key.hash(seed);
            let mut at = first_bucket(hash, buckets.len());
            while buckets[at].is_full() {
                at = (at + 1) % buckets.len();
            }
            buckets[at].add(hash, place);
        }
        Self { buckets: buckets.into(), records: records.into(), characters }
    }

    /// Whether the character of three bytes with that code is in the table.
    #[inline]
    pub(super) fn holds_character(&self, code: usize) -> bool {
        self.characters.get(code).is_some()
    }

    /// Whether another word with that hash may be in the table. It is `false` for most words that
    /// are not.
    #[inline]
    pub(super) fn may_hold(&self, hash: u64) -> bool {
        let bucket = &self.buckets[first_bucket(hash, self.buckets.len())];
        (bucket.alike(hash) != 0) | bucket.is_full()
    }

    /// The number of the word `key` with the hash `hash`.
    #[inline]
    pub(super) fn get(&self, hash: u64, key: Key<'_>) -> Option<u32> {
        if let Some(code) = key.character() {
            return self.characters.get(code);
        }
        let mut at = first_bucket(hash, self.buckets.len());
        loop {
            let bucket = &self.buckets[at];
            let mut alike = bucket.alike(hash);
            while alike != 0 {
                let number = self.number(bucket.places[alike.trailing_zeros() as usize / 8], key);
                if number.is_some() {
                    return number;
                }
                alike &= alike - 1;
            }
            if !bucket.is_full() {
                return None;
            }
            at = (at + 1) % self.buckets.len();
        }
    }

    /// The number in the record at `place`, if its word is `key`.
    #[expect(clippy::cast_possible_truncation, reason = "that half is the number")]
    #[inline]
    fn number(&self, place: u32, key: Key<'_>) -> Option<u32> {
        let [head, first, second, ref rest @ ..] = self.records[place as usize..] else {
            return None;
        };
        let is_alike = (head >> 32 == key.length as u64)
            & (first == key.chunk(0))
            & (second == key.chunk(CHUNK));
        let is_it =
            is_alike && key.further_chunks().zip(rest).all(|(at, chunk)| key.chunk(at) == *chunk);
        is_it.then_some(head as u32)
    }

    /// Its memory in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.buckets) + size_of_val(&*self.records) + self.characters.bytes()
    }
}

/// The first bucket in which a word with that hash is searched, among `buckets`.
#[inline]
fn first_bucket(hash: u64, buckets: usize) -> usize {
    (((hash >> 32) * buckets as u64) >> 32) as usize
}

/// A byte of a hash that is not 0.
#[inline]
fn tag(hash: u64) -> u64 {
    hash & 0x7f | 0x80
}

impl Bucket {
    /// Adds a word. The bucket must have room for it.
    fn add(&mut self, hash: u64, place: u32) {
        let free = self.places.len() - self.tags.leading_zeros() as usize / 8;
        self.tags |= tag(hash) << (8 * free);
        self.places[free] = place;
    }

    /// A bit for each word with the tag of `hash`. A bit for a word after such a word may be set,
    /// too.
    #[inline]
    fn alike(&self, hash: u64) -> u64 {
        const ONES: u64 = 0x0101_0101_0101_0101;
        let differ = self.tags ^ (tag(hash) * ONES);
        differ.wrapping_sub(ONES) & !differ & (ONES << 7)
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.tags >> 56 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Seed, Vocabulary};

    fn get(table: &Vocabulary, seed: Seed, word: &str) -> Option<u32> {
        let key = Key::from_word(word.as_bytes());
        table.get(key.hash(seed), key)
    }

    #[test]
    fn words_are_found_and_others_are_not() {
        let characters = ('一'..'丐').chain(['ก', '。', 'é']).map(String::from);
        let words: Vec<String> =
            (0..10_000).map(|number| format!("word{number}")).chain(characters).collect();
        let seed = Seed::new();
        let table = Vocabulary::new(seed, words.iter().map(String::as_bytes).zip(0_u32..20_000));
        for (number, word) in (0_u32..).zip(&words) {
            assert_eq!(get(&table, seed, word), Some(number));
            let key = Key::from_word(word.as_bytes());
            let is_held = match key.character() {
                Some(code) => table.holds_character(code),
                None => table.may_hold(key.hash(seed)),
            };
            assert!(is_held, "{word}");
        }
        for word in ["word", "", "word10000", "丐", "一一", "ข", "è"] {
            assert_eq!(get(&table, seed, word), None);
        }
        assert_eq!(get(&Vocabulary::default(), seed, "a"), None);
    }

    #[test]
    fn a_hash_never_decides_alone() {
        let table = Vocabulary::new(Seed::default(), [(&b"arms"[..], 7)].into_iter());
        let hash = Key::from_word(b"arms").hash(Seed::default());
        assert_eq!(table.get(hash, Key::from_word(b"arms")), Some(7));
        assert_eq!(table.get(hash, Key::from_word(b"oils")), None);
    }

    #[test]
    fn a_word_has_one_hash_whatever_stands_behind_it() {
        let seed = Seed::new();
        for length in 0..40 {
            let word = vec![b'x'; length];
            let padded = [&word[..], b"what else it is"].concat();
            let key = Key::padded(&padded, length);
            assert_eq!(
                (key.hash(seed), key.word()),
                (Key::from_word(&word).hash(seed), &*word),
                "{length}"
            );
        }
    }
}
