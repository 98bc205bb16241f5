//! A bit map of the letters, spaces and stops of a text, with one bit for each byte. It finds plain
//! words without reading each of their bytes.

mod scripts;

use std::ops::Range;

use super::alphabet::Alphabet;
use super::words::number;
use scripts::{PlainKind, PlainRun};

/// The bit maps of a text.
#[derive(Clone, Debug, Default)]
pub(super) struct ByteMap {
    blocks: Vec<Block>,
    /// The first byte of each word. Words have letters and digits: those of ASCII, and letters
    /// whose folded form has the same length.
    starts: Vec<u64>,
    /// The first byte after each word.
    ends: Vec<u64>,
    /// ASCII white space.
    spaces: Vec<u64>,
    /// The bytes at which a run may begin: those after ASCII white space, and those between two
    /// characters that are words of their own. The words on either side do not depend on the other.
    begins: Vec<u64>,
    /// Line breaks, and bytes that make a run not plain: other letters, unusual signs, a full stop
    /// or comma between digits, an apostrophe within a word, a single letter beside a sign.
    stops: Vec<u64>,
    length: usize,
}

/// Sixty-four bytes, with a bit in each class for each byte.
#[derive(Clone, Copy, Debug)]
struct Block {
    words: u64,
    spaces: u64,
    stops: u64,
    digits: u64,
    joints: u64,
    apostrophes: u64,
    /// Bytes outside ASCII.
    high: u64,
    /// The bytes before which a word ends, if one is there.
    borders: u64,
    /// The bytes between two characters that are words of their own.
    cuts: u64,
}

/// The block before and after a text: white space.
const OUTSIDE: Block = Block {
    words: 0,
    spaces: u64::MAX,
    stops: 0,
    digits: 0,
    joints: 0,
    apostrophes: 0,
    high: 0,
    borders: 0,
    cuts: 0,
};

impl ByteMap {
    /// Maps `text`, and forgets the text before. Folds the letters that keep their length in
    /// `folded`, which must be a copy of `text`.
    pub(super) fn map_text(&mut self, text: &[u8], folded: &mut [u8], alphabet: &Alphabet) {
        self.length = text.len();
        self.blocks.clear();
        self.blocks.extend(text.chunks(BLOCK).map(block));
        if self.blocks.iter().any(|block| block.high != 0) {
            know(&mut self.blocks, text, folded, alphabet);
        }
        let Self { starts, ends, spaces, begins, stops, .. } = self;
        for bits in [&mut *starts, &mut *ends, &mut *spaces, &mut *begins, &mut *stops] {
            bits.clear();
        }
        let mut before = OUTSIDE;
        for (number, block) in self.blocks.iter().enumerate() {
            let behind = self.blocks.get(number + 1).copied().unwrap_or(OUTSIDE);
            let word_before = left(block.words, before.words);
            starts.push(block.words & (!word_before | block.borders));
            ends.push(word_before & (!block.words | block.borders));
            spaces.push(block.spaces);
            begins.push(left(block.spaces, before.spaces) | block.cuts);
            stops.push(block.stops | more_stops(before, *block, behind));
            before = *block;
        }
    }

    /// The end of the plain runs from `start` on, where a run must begin. Each byte of a plain run
    /// is part of a word or separates words. They end at a line break, at the end of the text, or
    /// before the first run that is not plain. It is `start` if the first run is not plain.
    pub(super) fn plain_end(&self, start: usize) -> usize {
        let Some(stop) = next(&self.stops, start) else { return self.length };
        if has(&self.spaces, stop) {
            return stop;
        }
        last(&self.begins, start..stop + 1).unwrap_or(start)
    }

    /// The place after the run from `start` on that is not plain, where the next run may begin.
    pub(super) fn next_run(&self, start: usize) -> usize {
        let stop = next(&self.stops, start).unwrap_or(start);
        next(&self.begins, stop + 1).map_or(self.length, |begin| begin.min(self.length))
    }

    /// Calls `found` with the start and end of each word in the bytes `bytes`, which must begin and
    /// end between words.
    #[inline]
    pub(super) fn each_word(&self, bytes: Range<usize>, mut found: impl FnMut(u32, u32)) {
        let (first_block, last_block) = (bytes.start / BLOCK, bytes.end / BLOCK);
        for block in first_block..bytes.end.div_ceil(BLOCK) {
            let first = number(block * BLOCK);
            let (mut starts, ends) = (self.starts[block], self.ends[block]);
            if block == first_block {
                starts &= u64::MAX << (bytes.start % BLOCK);
            }
            if block == last_block {
                starts &= !(u64::MAX << (bytes.end % BLOCK));
            }
            while starts != 0 {
                let start = starts.trailing_zeros();
                let ends = ends & (u64::MAX << start << 1);
                let end = if ends == 0 {
                    number(next(&self.ends, (block + 1) * BLOCK).unwrap_or(self.length))
                } else {
                    first + ends.trailing_zeros()
                };
                found(first + start, end);
                starts &= starts - 1;
            }
        }
    }
}

/// The number of bytes in a block.
const BLOCK: usize = 64;

const WORD: u8 = 1;
const SPACE: u8 = 2;
const STOP: u8 = 4;
const DIGIT: u8 = 8;
const JOINT: u8 = 16;
const HIGH: u8 = 32;
const APOSTROPHE: u8 = 64;

/// The classes of a byte as in `Alphabet`. It has no branch, so that the compiler can use vector
/// instructions.
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
fn classes(byte: u8) -> u8 {
    let is = |holds: bool, class: u8| class * u8::from(holds);
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    let space = (byte == b' ') | (byte.wrapping_sub(9) < 5);
    let line = (byte == b'\n') | (byte == b'\r');
    let odd = (byte == b'+')
        | (byte == b'#')
        | (byte == b'&')
        | (byte >= 0x7f)
        | ((byte < b' ') & !space);
    let joint = (byte == b'.') | (byte == b',');
    let apostrophe = (byte == b'\'') | (byte == b'`');
    is(letter | digit, WORD)
        | is(space, SPACE)
        | is(line | odd, STOP)
        | is(digit, DIGIT)
        | is(joint, JOINT)
        | is(byte >= 0x80, HIGH)
        | is(apostrophe, APOSTROPHE)
}

fn block(bytes: &[u8]) -> Block {
    let mut of = [SPACE; BLOCK];
    for (class, byte) in of.iter_mut().zip(bytes) {
        *class = classes(*byte);
    }
    let bits = |class: u8| gathered(&of, class.trailing_zeros());
    let (words, spaces, stops) = (bits(WORD), bits(SPACE), bits(STOP));
    Block {
        words,
        spaces,
        stops,
        digits: bits(DIGIT),
        joints: bits(JOINT),
        apostrophes: bits(APOSTROPHE),
        high: bits(HIGH),
        borders: 0,
        cuts: 0,
    }
}

/// Finds the plain characters outside ASCII: signs that separate words, and letters that are folded
/// in place.
fn know(blocks: &mut [Block], text: &[u8], folded: &mut [u8], alphabet: &Alphabet) {
    let mut marks = Marks::default();
    for ((number, block), bytes) in blocks.iter_mut().enumerate().zip(text.chunks(BLOCK)) {
        if block.high != 0 {
            let start = number * BLOCK;
            let firsts = pairs(bytes);
            let (of_letters, of_signs) = fold_pairs(firsts, start, text, folded, alphabet);
            let both = |firsts: u64| u128::from(firsts) | u128::from(firsts) << 1;
            marks.seen |= both(firsts);
            marks.signs |= both(of_signs);
            marks.letters |= both(of_letters);
            let mut high = block.high & !low(marks.seen);
            while high != 0 {
                let bit = high.trailing_zeros();
                let at = start + bit as usize;
                let run = scripts::plain(text, at, folded).unwrap_or_else(|| {
                    let (is_sign, width) = alphabet.long(&text[at..]);
                    PlainRun::sign(width, is_sign && !is_within_word(text, at, width))
                });
                high &= !marks.add(run, bit);
            }
        }
        marks.mark(block);
    }
}

/// The bytes of characters that begin in a block, with those in the next block: all, and those of
/// plain characters.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    seen: u128,
    signs: u128,
    letters: u128,
    borders: u128,
    cuts: u128,
}

impl Marks {
    /// Adds a run that begins at the bit `bit`. Returns its bytes in the block.
    #[inline]
    fn add(&mut self, run: PlainRun, bit: u32) -> u64 {
        let bits = u128::from(run.bytes()) << bit;
        self.seen |= bits;
        match run.kind {
            PlainKind::Odd => {}
            PlainKind::Sign => self.signs |= bits,
            PlainKind::Letters => self.letters |= bits,
        }
        if run.borders != 0 {
            self.borders |= u128::from(run.borders) << bit;
            self.cuts |= u128::from(run.cuts()) << bit;
        }
        low(bits)
    }

    /// Marks the characters in `block`, and goes on to the next.
    fn mark(&mut self, block: &mut Block) {
        block.words |= low(self.letters);
        block.stops &= !low(self.letters | self.signs);
        (block.borders, block.cuts) = (low(self.borders), low(self.cuts));
        let Self { seen, signs, letters, borders, cuts } = self;
        for bits in [seen, signs, letters, borders, cuts] {
            *bits >>= BLOCK;
        }
    }
}

/// Whether the sign of `width` bytes at `at` may be an apostrophe within a word.
fn is_within_word(text: &[u8], at: usize, width: usize) -> bool {
    let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80;
    matches!(text.get(at + 2), Some(0x98 | 0x99 | 0x9b | 0xb2))
        && at.checked_sub(1).and_then(|before| text.get(before)).is_some_and(is_of_word)
        && text.get(at + width).is_some_and(is_of_word)
}

/// A bit for the first byte of each character of two bytes.
fn pairs(bytes: &[u8]) -> u64 {
    let mut firsts = [0; BLOCK];
    for (first, byte) in firsts.iter_mut().zip(bytes) {
        *first = u8::from(byte & 0xe0 == 0xc0);
    }
    gathered(&firsts, 0)
}

/// Folds the plain letters of two bytes in the block at `start`. Returns the first bytes of those
/// letters and of plain signs. It has no branch, because no processor can predict the kind of the
/// next character.
fn fold_pairs(
    mut pairs: u64,
    start: usize,
    text: &[u8],
    folded: &mut [u8],
    alphabet: &Alphabet,
) -> (u64, u64) {
    let (mut letters, mut signs) = (0, 0);
    while pairs != 0 {
        let bit = pairs.trailing_zeros();
        let at = start + bit as usize;
        let Some(&[lead, last]) = text.get(at..at + 2) else { break };
        let pair = alphabet.pair(lead, last);
        folded[at..at + 2].copy_from_slice(&pair.folded);
        letters |= u64::from(pair.is_letter) << bit;
        signs |= u64::from(pair.is_sign) << bit;
        pairs &= pairs - 1;
    }
    (letters, signs)
}

#[expect(clippy::cast_possible_truncation, reason = "the rest is the next block's")]
fn low(bits: u128) -> u64 {
    bits as u64
}

/// The bit `bit` of each byte, with the first byte's in the lowest place.
fn gathered(bytes: &[u8; BLOCK], bit: u32) -> u64 {
    let (eights, _) = bytes.as_chunks::<8>();
    eights.iter().rev().fold(0, |bits, eight| {
        let lowest = (u64::from_le_bytes(*eight) >> bit) & 0x0101_0101_0101_0101;
        // The highest byte of the product has the eight bits in order.
        bits << 8 | lowest.wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}

/// Single letters beside a sign, which may be initials or an ending, and full stops and commas
/// between digits.
fn more_stops(before: Block, block: Block, behind: Block) -> u64 {
    let right = |bits: u64, behind: u64, by: usize| bits >> by | behind << (BLOCK - by);
    let words_before = left(block.words, before.words);
    let is_same_word = |of: Block| of.words & !of.borders;
    let goes_on = |by| right(is_same_word(block), is_same_word(behind), by);
    let is_free = |by| left(block.spaces, before.spaces) & right(block.spaces, behind.spaces, by);
    let first = block.words & !block.digits & (!words_before | block.borders);
    let of_one_byte = first & !goes_on(1) & !is_free(1);
    let of_two_bytes = first & block.high & goes_on(1) & !goes_on(2) & !is_free(2);
    let joined =
        block.joints & left(block.digits, before.digits) & right(block.digits, behind.digits, 1);
    let within = block.apostrophes & words_before & right(block.words, behind.words, 1);
    of_one_byte | of_two_bytes | joined | within
}

/// For each byte, the bit of the byte before it. `before` are the bits of the block before.
fn left(bits: u64, before: u64) -> u64 {
    bits << 1 | before >> (BLOCK - 1)
}

/// The first bit that is set from `from` on.
fn next(bits: &[u64], from: usize) -> Option<usize> {
    SetBits::from(bits, from).next()
}

/// The bits that are set, in order.
struct SetBits<'b> {
    bits: &'b [u64],
    block: usize,
    /// The bits of the current block that are left.
    left: u64,
}

impl<'b> SetBits<'b> {
    /// The bits that are set from `from` on.
    fn from(bits: &'b [u64], from: usize) -> Self {
        let block = from / BLOCK;
        let left = bits.get(block).map_or(0, |bits| bits & (u64::MAX << (from % BLOCK)));
        Self { bits, block, left }
    }
}

impl Iterator for SetBits<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.left == 0 {
            self.block += 1;
            self.left = *self.bits.get(self.block)?;
        }
        let bit = self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        Some(self.block * BLOCK + bit)
    }
}

/// The last bit in `range` that is set.
fn last(bits: &[u64], range: Range<usize>) -> Option<usize> {
    let mut at = range.end / BLOCK;
    let mut left = bits.get(at).map_or(0, |bits| bits & !(u64::MAX << (range.end % BLOCK)));
    while left == 0 && at > range.start / BLOCK {
        at -= 1;
        left = bits[at];
    }
    let found = at * BLOCK + (left.checked_ilog2()? as usize);
    (found >= range.start).then_some(found)
}

fn has(bits: &[u64], at: usize) -> bool {
    bits[at / BLOCK] >> (at % BLOCK) & 1 != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::alphabet::{ALPHABET, CharacterKind};

    #[test]
    fn a_byte_is_what_the_alphabet_says() {
        for byte in 0..=u8::MAX {
            let of = classes(byte) & (WORD | SPACE | STOP);
            let is_line = matches!(byte, b'\n' | b'\r');
            let expected = match ALPHABET.ascii(byte) {
                _ if byte >= 0x80 => STOP,
                CharacterKind::Letter | CharacterKind::Digit => WORD,
                CharacterKind::Space if is_line => SPACE | STOP,
                CharacterKind::Space => SPACE,
                CharacterKind::Sign => 0,
                CharacterKind::Odd => STOP,
            };
            assert_eq!(of, expected, "{byte:#x}");
        }
    }

    /// The plain runs at the start of `text`, and their words.
    fn plain(text: &str) -> (&str, Vec<&str>) {
        let mut map = ByteMap::default();
        map.map_text(text.as_bytes(), &mut text.as_bytes().to_vec(), &ALPHABET);
        let end = map.plain_end(0);
        let mut words = Vec::new();
        map.each_word(0..end, |start, end| words.push(&text[start as usize..end as usize]));
        (&text[..end], words)
    }

    #[test]
    fn runs_are_plain_up_to_a_line_or_to_one_that_is_not() {
        for (text, expected, words) in [
            ("one, two-three (four)", "one, two-three (four)", vec!["one", "two", "three", "four"]),
            ("a b2 3 c", "a b2 3 c", vec!["a", "b2", "3", "c"]),
            ("one two\nthree", "one two", vec!["one", "two"]),
            ("one two U.S. three", "one two ", vec!["one", "two"]),
            ("one it's", "one ", vec!["one"]),
            ("one 3.5", "one ", vec!["one"]),
            ("one (a b", "one ", vec!["one"]),
            ("one AT&T", "one ", vec!["one"]),
            ("one café", "one ", vec!["one"]),
            ("café", "", vec![]),
            (
                "“Москва” – в мае, “one”",
                "“Москва” – в мае, “one”",
                vec!["Москва", "в", "мае", "one"],
            ),
            ("дом А.Б. дом", "дом ", vec!["дом"]),
            ("дом (и", "дом ", vec!["дом"]),
            ("one\u{a0}two", "", vec![]),
            ("", "", vec![]),
        ] {
            assert_eq!(plain(text), (expected, words), "{text}");
        }
    }

    #[test]
    fn blocks_join_wherever_they_meet() {
        for before in 0..150 {
            let text = " ".repeat(before) + "twenty-one words 3.5";
            assert_eq!(plain(&text).1, ["twenty", "one", "words"], "{before}");
            let text = "x".repeat(before + 1) + " b 1.x";
            assert_eq!(plain(&text).1.last().copied(), Some("b"), "{before}");
            let text = "x".repeat(before + 1) + " “дом” в мае А.";
            assert_eq!(plain(&text).1[1..], ["дом", "в", "мае"], "{before}");
            for word in ["x", "д"] {
                let word = word.repeat(before + 1);
                assert_eq!(plain(&word), (&*word, vec![&*word]));
            }
        }
    }
}
