//! A table of single characters for the fast scan of a text. The slow scan fills it once.

use std::sync::LazyLock;

use super::fold::fold;

/// The meaning of a character for the fast scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CharacterKind {
    /// White space: it ends a run.
    Space,
    /// A letter or letters that fold to the same everywhere.
    Letter,
    /// `0` to `9`.
    Digit,
    /// It separates words. A full stop, a comma and an apostrophe can also join them.
    Sign,
    /// Its run needs the slow scan.
    Odd,
}

/// The characters of two bytes in the table: Latin, Greek and Cyrillic letters, and the signs
/// between them.
const LETTERS: std::ops::Range<u32> = 0x80..0x530;

/// The letters of two bytes that are folded in place: those, and Arabic.
const PAIRS: std::ops::Range<u32> = LETTERS.start..0x700;

/// The signs of three bytes in the table: dashes, quotation marks, ellipsis.
const SIGNS: std::ops::Range<u32> = 0x2010..0x2040;

/// A character's kind and folded form.
#[derive(Clone, Copy, Debug)]
pub(super) struct CharacterEntry {
    pub(super) kind: CharacterKind,
    /// The number of bytes of `folded` that are used.
    pub(super) length: u8,
    pub(super) folded: [u8; 4],
}

const ODD: CharacterEntry = CharacterEntry { kind: CharacterKind::Odd, length: 0, folded: [0; 4] };

/// A character of two bytes, as far as it can be folded in place.
#[derive(Clone, Copy, Debug)]
pub(super) struct TwoByteCharacter {
    /// The folded bytes of a letter; the bytes of any other character.
    pub(super) folded: [u8; 2],
    /// Whether it is a letter that folds to two bytes.
    pub(super) is_letter: bool,
    pub(super) is_sign: bool,
}

impl TwoByteCharacter {
    fn from_code(code: u32, entry: CharacterEntry) -> Self {
        let mut itself = [0; 2];
        if let Some(c) = char::from_u32(code) {
            c.encode_utf8(&mut itself);
        }
        let is_letter = entry.kind == CharacterKind::Letter && entry.length == 2;
        let folded = if is_letter { [entry.folded[0], entry.folded[1]] } else { itself };
        Self { folded, is_letter, is_sign: entry.kind == CharacterKind::Sign }
    }
}

/// The table, made on first use.
pub(super) static ALPHABET: LazyLock<Alphabet> = LazyLock::new(Alphabet::new);

/// Every character of the fast scan.
#[derive(Clone, Debug)]
pub(super) struct Alphabet {
    ascii: [CharacterKind; 128],
    letters: Box<[CharacterEntry]>,
    /// The same characters, for `map`.
    pairs: Box<[TwoByteCharacter]>,
    signs: Box<[CharacterEntry]>,
}

impl Alphabet {
    /// Fills the table with the results of [`fold`](super::fold).
    fn new() -> Self {
        let of = |codes: std::ops::Range<u32>| {
            codes.map(|code| char::from_u32(code).map_or(ODD, entry)).collect()
        };
        let mut ascii = [CharacterKind::Odd; 128];
        for (code, place) in (0_u8..).zip(&mut ascii) {
            *place = entry(char::from(code)).kind;
        }
        let (letters, signs): (Box<[CharacterEntry]>, _) = (of(LETTERS), of(SIGNS));
        let known = LETTERS.zip(&letters).map(|(code, entry)| (code, *entry));
        let arabic = (LETTERS.end..PAIRS.end).map(|code| (code, arabic(code)));
        let pairs = known
            .chain(arabic)
            .map(|(code, entry)| TwoByteCharacter::from_code(code, entry))
            .collect();
        Self { ascii, letters, pairs, signs }
    }

    /// The kind of a character of one byte.
    pub(super) fn ascii(&self, byte: u8) -> CharacterKind {
        self.ascii[usize::from(byte & 0x7f)]
    }

    /// The kind of a character of several bytes.
    pub(super) fn kind_of(&self, c: char) -> CharacterKind {
        match c {
            '€' => CharacterKind::Sign,
            _ => self.entry(c).map_or(
                if c.is_whitespace() { CharacterKind::Space } else { CharacterKind::Odd },
                |entry| entry.kind,
            ),
        }
    }

    /// The entry of the character of several bytes at the start of `bytes`, if it is in the table;
    /// and its number of bytes. `bytes` must begin at a character.
    fn at(&self, bytes: &[u8]) -> (Option<&CharacterEntry>, usize) {
        let low = |byte: &u8| usize::from(byte & 0x3f);
        match bytes {
            [lead @ 0xc2..=0xdf, last, ..] => (
                self.letters
                    .get((usize::from(lead & 0x1f) << 6 | low(last)) - LETTERS.start as usize),
                2,
            ),
            [0xe2, 0x80, last, ..] => {
                ((low(last)).checked_sub(0x10).and_then(|at| self.signs.get(at)), 3)
            }
            [0xe0..=0xef, ..] => (None, 3),
            _ => (None, 4),
        }
    }

    /// The character of these two bytes.
    #[inline]
    pub(super) fn pair(&self, lead: u8, last: u8) -> TwoByteCharacter {
        let code = usize::from(lead & 0x1f) << 6 | usize::from(last & 0x3f);
        let known = self.pairs.get(code.wrapping_sub(LETTERS.start as usize));
        known.copied().unwrap_or(TwoByteCharacter {
            folded: [lead, last],
            is_letter: false,
            is_sign: false,
        })
    }

    /// Whether the character of more than two bytes at the start of `bytes` is a plain sign, and
    /// its number of bytes.
    pub(super) fn long(&self, bytes: &[u8]) -> (bool, usize) {
        let (entry, width) = self.at(bytes);
        (entry.is_some_and(|entry| entry.kind == CharacterKind::Sign), width)
    }

    /// The entry of the letter of two bytes at the start of `bytes`, if it is in the table. No
    /// letter of more bytes is.
    pub(super) fn letter(&self, bytes: &[u8]) -> Option<&CharacterEntry> {
        self.at(bytes).0.filter(|entry| entry.kind == CharacterKind::Letter)
    }

    fn entry(&self, c: char) -> Option<&CharacterEntry> {
        let code = u32::from(c);
        let at = |start: u32| code.checked_sub(start).map_or(usize::MAX, |at| at as usize);
        self.letters.get(at(LETTERS.start)).or_else(|| self.signs.get(at(SIGNS.start)))
    }
}

fn entry(c: char) -> CharacterEntry {
    let sign = CharacterEntry { kind: CharacterKind::Sign, ..ODD };
    match c {
        _ if c.is_whitespace() => CharacterEntry { kind: CharacterKind::Space, ..ODD },
        '0'..='9' => {
            letters(c).map_or(ODD, |entry| CharacterEntry { kind: CharacterKind::Digit, ..entry })
        }
        '+' | '#' | '&' => ODD,
        _ if c.is_ascii_punctuation() => sign,
        '¡'
        | '¢'
        | '£'
        | '¥'
        | '§'
        | '©'
        | '«'
        | '®'
        | '°'
        | '±'
        | '¶'
        | '·'
        | '»'
        | '¿'
        | '×'
        | '÷'
        | '‐'..='―'
        | '‘'..='‣'
        | '…'
        | '‰'
        | '‹'
        | '›' => sign,
        _ if c.is_alphabetic() && !is_modifier(c) => letters(c).unwrap_or(ODD),
        _ => ODD,
    }
}

/// The entry of a letter or digit, if all of its folded characters are of the same kind.
fn letters(c: char) -> Option<CharacterEntry> {
    let folded = fold(&c.to_string()).text;
    let plain = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, 'ß'..='ÿ' | 'Ā'..='ɏ' | 'ʹ'..='Ͽ' | 'Ѐ'..='ԯ')
                && c.is_alphabetic()
                && !is_modifier(c)
    };
    let mut entry = CharacterEntry { kind: CharacterKind::Letter, length: 0, folded: [0; 4] };
    let fits =
        !folded.is_empty() && folded.len() <= entry.folded.len() && folded.chars().all(plain);
    fits.then(|| {
        entry.length = u8::try_from(folded.len()).unwrap_or_default();
        entry.folded[..folded.len()].copy_from_slice(folded.as_bytes());
        entry
    })
}

/// The entry of an Arabic letter that folds to another, or of an Arabic sign.
fn arabic(code: u32) -> CharacterEntry {
    match char::from_u32(code) {
        Some('،' | '؛' | '؟' | '۔') => CharacterEntry { kind: CharacterKind::Sign, ..ODD },
        Some(c @ ('\u{620}'..='\u{63f}' | '\u{641}'..='\u{64a}' | '\u{671}'..='\u{6d3}')) => {
            let folded = fold(&c.to_string()).text;
            let mut entry = CharacterEntry { kind: CharacterKind::Letter, length: 2, ..ODD };
            match folded.as_bytes() {
                [lead @ 0xd8..=0xdb, last] => {
                    entry.folded[..2].copy_from_slice(&[*lead, *last]);
                    entry
                }
                _ => ODD,
            }
        }
        _ => ODD,
    }
}

/// Letters that stand for a sign or modify another letter, and characters between the alphabets.
fn is_modifier(c: char) -> bool {
    matches!(c, 'ª' | 'º' | 'µ' | '\u{250}'..='\u{385}')
}
