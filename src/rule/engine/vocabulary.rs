//! A table from words to numbers. A hash finds, the bytes decide.

use std::hash::{BuildHasher, RandomState};

/// Words and the number that each of them has.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    /// The upper half of a hash and one more than where the word stands in `records`; 0 where there is none. A power of two, or empty.
    slots: Box<[u64]>,
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
    let mix = |one: u64, other: u64| {
        let product = u128::from(one) * u128::from(other);
        #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
        let halves = (product as u64) ^ ((product >> 64) as u64);
        halves
    };
    let mut hash = word.len() as u64 ^ seed.0;
    let (chunks, rest) = word.as_chunks::<8>();
    for chunk in chunks {
        hash = mix(hash ^ u64::from_le_bytes(*chunk), 0x9e37_79b9_7f4a_7c15);
    }
    let last = match *rest {
        [] => 0,
        [one] => u64::from(one),
        [one, two] => u64::from(u16::from_le_bytes([one, two])),
        [one, two, three] => u64::from(u32::from_le_bytes([one, two, three, 0])),
        [one, two, three, four, .., a, b, c, d] => {
            u64::from(u32::from_le_bytes([one, two, three, four])) << 32 | u64::from(u32::from_le_bytes([a, b, c, d]))
        }
        [one, two, three, four, ref more @ ..] => {
            let more = more.iter().fold(0, |more, byte| more << 8 | u64::from(*byte));
            u64::from(u32::from_le_bytes([one, two, three, four])) << 32 | more
        }
    };
    mix(hash ^ last ^ 0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db)
}

impl Vocabulary {
    /// The table of `words`, none of which stands there twice.
    pub(super) fn new<'w>(seed: Seed, words: impl ExactSizeIterator<Item = (&'w [u8], u32)>) -> Self {
        let room = (words.len() * 4 / 3 + 1).next_power_of_two();
        let (mut slots, mut records) = (vec![0_u64; room], Vec::with_capacity(words.len() * 16));
        for (word, number) in words {
            let hash = hash(seed, word);
            let mut slot = place(hash) & (room - 1);
            while slots[slot] != 0 {
                slot = (slot + 1) & (room - 1);
            }
            slots[slot] = hash & TAG | (records.len() as u64 + 1);
            records.extend_from_slice(&number.to_le_bytes());
            records.extend_from_slice(&u32::try_from(word.len()).expect("no rule has four gigabytes").to_le_bytes());
            records.extend_from_slice(word);
        }
        assert!(u32::try_from(records.len()).is_ok(), "rules have four gigabytes of words");
        Self { slots: slots.into(), records: records.into() }
    }

    /// The number of `word`, whose hash is `hash`.
    pub(super) fn get(&self, hash: u64, word: &[u8]) -> Option<u32> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut slot = place(hash) & mask;
        loop {
            let found = *self.slots.get(slot)?;
            if found == 0 {
                return None;
            }
            if (found ^ hash) >> 32 == 0 {
                let record = &self.records[place(found & !TAG) - 1..];
                if let Some(number) = number_of(record, word) {
                    return Some(number);
                }
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.slots) + self.records.len()
    }
}

/// The half of a hash that stands in a slot.
const TAG: u64 = 0xffff_ffff_0000_0000;

/// The lower bits of a hash or slot: where a word is looked for, or stands.
#[expect(clippy::cast_possible_truncation, reason = "the lower half is enough")]
pub(super) fn place(hash: u64) -> usize {
    hash as u32 as usize
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
    use super::{Seed, Vocabulary, hash};

    #[test]
    fn words_are_found_and_others_are_not() {
        let words: Vec<String> = (0..10_000).map(|number| format!("word{number}")).collect();
        let seed = Seed::new();
        let table = Vocabulary::new(seed, words.iter().map(String::as_bytes).zip(0_u32..10_000));
        let get = |word: &str| table.get(hash(seed, word.as_bytes()), word.as_bytes());
        for (number, word) in (0_u32..).zip(&words) {
            assert_eq!(get(word), Some(number));
        }
        assert_eq!((get("word"), get(""), get("word10000")), (None, None, None));
        assert_eq!(Vocabulary::default().get(hash(seed, b"a"), b"a"), None);
    }

    #[test]
    fn a_hash_never_decides_alone() {
        let table = Vocabulary::new(Seed::default(), [(&b"arms"[..], 7)].into_iter());
        assert_eq!(table.get(hash(Seed::default(), b"arms"), b"oils"), None);
    }
}
