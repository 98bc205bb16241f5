//! Where a text's letters, spaces and stops are, a bit a byte: what lets plain words be found without a look at each of their bytes.

use std::ops::Range;

/// A bit for each byte of a text.
#[derive(Clone, Debug, Default)]
pub(super) struct Map {
    /// Letters and digits of ASCII.
    words: Vec<u64>,
    /// White space of ASCII.
    spaces: Vec<u64>,
    /// Ends of lines, and what makes a run more than letters, digits and signs that part them: bytes beyond ASCII, signs that are odd, a full stop or
    /// comma between digits, a letter by itself beside a sign.
    stops: Vec<u64>,
    length: usize,
}

/// Sixty-four bytes: a bit for each that is of a class.
#[derive(Clone, Copy)]
struct Block {
    words: u64,
    spaces: u64,
    stops: u64,
    digits: u64,
    joints: u64,
}

/// What is before a text and behind it: space.
const OUTSIDE: Block = Block { words: 0, spaces: u64::MAX, stops: 0, digits: 0, joints: 0 };

impl Map {
    /// Takes in `text`, in the place of what was there.
    pub(super) fn read(&mut self, text: &[u8]) {
        for bits in [&mut self.words, &mut self.spaces, &mut self.stops] {
            bits.clear();
        }
        self.length = text.len();
        let mut before = OUTSIDE;
        let mut blocks = text.chunks(BLOCK).map(block).peekable();
        while let Some(block) = blocks.next() {
            let behind = blocks.peek().copied().unwrap_or(OUTSIDE);
            self.words.push(block.words);
            self.spaces.push(block.spaces);
            self.stops.push(block.stops | more_stops(before, block, behind));
            before = block;
        }
    }

    /// Up to where the runs from `start` on, at which one begins, are plain: no byte of them does anything but be part of a word or part words. They
    /// end with a line, with the text, or before the first run that is not plain; at `start` if that is the first.
    pub(super) fn plain_end(&self, start: usize) -> usize {
        let Some(stop) = next(&self.stops, start) else { return self.length };
        if has(&self.spaces, stop) {
            return stop;
        }
        last(&self.spaces, start..stop).map_or(start, |space| space + 1)
    }

    /// The stretches of letters and digits in those bytes, between which others stand.
    pub(super) fn words(&self, bytes: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let mut at = bytes.start;
        std::iter::from_fn(move || {
            let start = next(&self.words, at).filter(|start| *start < bytes.end)?;
            at = end(&self.words, start);
            Some(start..at)
        })
    }
}

/// Bytes that are looked at together.
const BLOCK: usize = 64;

const WORD: u8 = 1;
const SPACE: u8 = 2;
const STOP: u8 = 4;
const DIGIT: u8 = 8;
const JOINT: u8 = 16;

/// The classes of a byte, as `Alphabet` has them; written so that many are found at once.
fn classes(byte: u8) -> u8 {
    let is = |holds: bool, class: u8| class * u8::from(holds);
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    let space = (byte == b' ') | (byte.wrapping_sub(9) < 5);
    let line = (byte == b'\n') | (byte == b'\r');
    let odd = (byte == b'+') | (byte == b'#') | (byte == b'&') | (byte >= 0x7f) | ((byte < b' ') & !space);
    let joint = (byte == b'.') | (byte == b',');
    is(letter | digit, WORD) | is(space, SPACE) | is(line | odd, STOP) | is(digit, DIGIT) | is(joint, JOINT)
}

fn block(bytes: &[u8]) -> Block {
    let mut of = [SPACE; BLOCK];
    for (class, byte) in of.iter_mut().zip(bytes) {
        *class = classes(*byte);
    }
    let bits = |class: u8| gathered(&of, class.trailing_zeros());
    Block { words: bits(WORD), spaces: bits(SPACE), stops: bits(STOP), digits: bits(DIGIT), joints: bits(JOINT) }
}

/// That bit of each byte, the first byte's lowest.
fn gathered(bytes: &[u8; BLOCK], bit: u32) -> u64 {
    let (eights, _) = bytes.as_chunks::<8>();
    eights.iter().rev().fold(0, |bits, eight| {
        let lowest = (u64::from_le_bytes(*eight) >> bit) & 0x0101_0101_0101_0101;
        // The product's highest byte has the eight bits in their order.
        bits << 8 | lowest.wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}

/// Letters by themselves beside a sign, which may be initials or an ending, and full stops and commas that join digits.
fn more_stops(before: Block, block: Block, behind: Block) -> u64 {
    let left = |of: fn(Block) -> u64| of(block) << 1 | of(before) >> 63;
    let right = |of: fn(Block) -> u64| of(block) >> 1 | of(behind) << 63;
    let (word, space, digit): (fn(Block) -> u64, fn(Block) -> u64, fn(Block) -> u64) =
        (|block| block.words, |block| block.spaces, |block| block.digits);
    let is_alone = block.words & !block.digits & !left(word) & !right(word) & !(left(space) & right(space));
    is_alone | block.joints & left(digit) & right(digit)
}

/// The first bit that is set from `from` on.
fn next(bits: &[u64], from: usize) -> Option<usize> {
    let mut at = from / BLOCK;
    let mut left = bits.get(at)? & (u64::MAX << (from % BLOCK));
    while left == 0 {
        at += 1;
        left = *bits.get(at)?;
    }
    Some(at * BLOCK + left.trailing_zeros() as usize)
}

/// The first bit that is not set behind `from`, which is; the length of all if there is none.
fn end(bits: &[u64], from: usize) -> usize {
    let mut at = from / BLOCK;
    let mut left = bits.get(at).map_or(0, |bits| !bits & (u64::MAX << (from % BLOCK)));
    while left == 0 && at + 1 < bits.len() {
        at += 1;
        left = !bits[at];
    }
    if left == 0 { bits.len() * BLOCK } else { at * BLOCK + left.trailing_zeros() as usize }
}

/// The last bit of those in `range` that is set.
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
    use crate::text::alphabet::{ALPHABET, Kind};

    #[test]
    fn a_byte_is_what_the_alphabet_says() {
        for byte in 0..=u8::MAX {
            let of = classes(byte) & (WORD | SPACE | STOP);
            let is_line = matches!(byte, b'\n' | b'\r');
            let expected = match ALPHABET.ascii(byte) {
                _ if byte >= 0x80 => STOP,
                Kind::Letter | Kind::Digit => WORD,
                Kind::Space if is_line => SPACE | STOP,
                Kind::Space => SPACE,
                Kind::Sign => 0,
                Kind::Odd => STOP,
            };
            assert_eq!(of, expected, "{byte:#x}");
        }
    }

    /// What is plain at the start of `text`, and its words.
    fn plain(text: &str) -> (&str, Vec<&str>) {
        let mut map = Map::default();
        map.read(text.as_bytes());
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
        }
    }
}
