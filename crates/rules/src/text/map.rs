//! A bit map of the letters, spaces and stops of a text, with one bit for each byte. It finds plain
//! words without reading each of their bytes.

mod scripts;

use std::ops::Range;

use super::alphabet::Alphabet;
use scripts::PlainKind;

/// The bit maps of a text.
#[derive(Clone, Debug, Default)]
pub(super) struct ByteMap {
    blocks: Vec<Block>,
    /// The first byte of each word, and the first byte after it. Words have letters and digits:
    /// those of ASCII, and letters whose folded form has the same length.
    edges: Vec<u64>,
    /// ASCII white space.
    spaces: Vec<u64>,
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
}

/// The block before and after a text: white space.
const OUTSIDE: Block =
    Block { words: 0, spaces: u64::MAX, stops: 0, digits: 0, joints: 0, apostrophes: 0, high: 0 };

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
        for bits in [&mut self.edges, &mut self.spaces, &mut self.stops] {
            bits.clear();
        }
        let mut before = OUTSIDE;
        for (number, block) in self.blocks.iter().enumerate() {
            let behind = self.blocks.get(number + 1).copied().unwrap_or(OUTSIDE);
            self.edges.push(block.words ^ (block.words << 1 | before.words >> (BLOCK - 1)));
            self.spaces.push(block.spaces);
            self.stops.push(block.stops | more_stops(before, *block, behind));
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
        last(&self.spaces, start..stop).map_or(start, |space| space + 1)
    }

    /// The words in the bytes `bytes`, which must begin and end between words.
    pub(super) fn words(&self, bytes: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let mut edges = SetBits::from(&self.edges, bytes.start);
        std::iter::from_fn(move || {
            let start = edges.next().filter(|start| *start < bytes.end)?;
            Some(start..edges.next().unwrap_or(self.length))
        })
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
    }
}

/// Finds the plain characters outside ASCII: signs that separate words, and letters that are folded
/// in place.
fn know(blocks: &mut [Block], text: &[u8], folded: &mut [u8], alphabet: &Alphabet) {
    // The bytes of characters that began in the block before: all, those of plain characters, those
    // of letters.
    let (mut seen, mut plain, mut letters) = (0_u128, 0_u128, 0_u128);
    for ((number, block), bytes) in blocks.iter_mut().enumerate().zip(text.chunks(BLOCK)) {
        if block.high != 0 {
            let start = number * BLOCK;
            let firsts = pairs(bytes);
            let (of_letters, of_signs) = fold_pairs(firsts, start, text, folded, alphabet);
            let both = |firsts: u64| u128::from(firsts) | u128::from(firsts) << 1;
            seen |= both(firsts);
            plain |= both(of_letters | of_signs);
            letters |= both(of_letters);
            let mut high = block.high & !low(seen);
            while high != 0 {
                let bit = high.trailing_zeros();
                let at = start + bit as usize;
                let (is_sign, width) = alphabet.long(&text[at..]);
                let run = if is_sign { None } else { scripts::plain(text, at) };
                let (kind, width) = run.map_or((None, width), |(kind, width)| (Some(kind), width));
                let its_bits = ((1_u128 << width) - 1) << bit;
                let is_plain = is_sign && !is_within_word(text, at, width);
                let is_plain_run = matches!(kind, Some(PlainKind::Letters | PlainKind::Sign));
                plain |= if is_plain || is_plain_run { its_bits } else { 0 };
                letters |= if kind == Some(PlainKind::Letters) { its_bits } else { 0 };
                seen |= its_bits;
                high &= !low(its_bits);
            }
        }
        block.words |= low(letters);
        block.stops &= !low(plain);
        (seen, plain, letters) = (seen >> BLOCK, plain >> BLOCK, letters >> BLOCK);
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
    let left = |bits: u64, before: u64| bits << 1 | before >> 63;
    let right = |bits: u64, behind: u64, by: usize| bits >> by | behind << (BLOCK - by);
    let words_before = left(block.words, before.words);
    let words_behind = |by| right(block.words, behind.words, by);
    let is_free = |by| left(block.spaces, before.spaces) & right(block.spaces, behind.spaces, by);
    let first = block.words & !block.digits & !words_before;
    let of_one_byte = first & !words_behind(1) & !is_free(1);
    let of_two_bytes = first & block.high & words_behind(1) & !words_behind(2) & !is_free(2);
    let joined =
        block.joints & left(block.digits, before.digits) & right(block.digits, behind.digits, 1);
    let within = block.apostrophes & words_before & words_behind(1);
    of_one_byte | of_two_bytes | joined | within
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
        (&text[..end], map.words(0..end).map(|word| &text[word]).collect())
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
