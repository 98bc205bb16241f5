//! The words of texts in memory that is used again: exactly what `tokenise` yields, by a fast way where there is one.

use std::ops::Range;

use super::alphabet::{ALPHABET, Alphabet, Kind};
use super::folded_words;
use super::runs::shows_nothing;

/// The words of one text after another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    /// The folded words, and full stops that stood behind some.
    folded: Vec<u8>,
    places: Vec<Place>,
    /// The number of the next paragraph.
    paragraph: u32,
    /// The words of the run that is looked at.
    parts: Vec<Part>,
}

/// Where a word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    at: u32,
    length: u32,
    /// Its first byte in its text.
    pub(crate) start: u32,
    /// The byte behind its last.
    pub(crate) end: u32,
    /// Its paragraph, counted over all texts: two texts share none.
    pub(crate) paragraph: u32,
}

/// A word of a run: a stretch of letters and digits, or letters with dots between.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Its folded bytes.
    at: usize,
    end: usize,
    /// Its bytes in the text.
    from: usize,
    to: usize,
    /// The letters that it has, if it is one letter or has dots between letters; else 0.
    initials: u32,
}

impl Words {
    /// Forgets all words, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.folded.clear();
        self.places.clear();
        self.paragraph = 0;
    }

    /// Adds the words of `text`, which begins a paragraph; the numbers that they have.
    pub(crate) fn add(&mut self, text: &str) -> Range<usize> {
        let alphabet = &*ALPHABET;
        let first = self.places.len();
        let mut at = 0;
        while let Some((start, lines)) = next_run(text, at, alphabet) {
            self.paragraph += u32::from(at > 0 && lines > 1);
            at = self.quick_run(text, start, alphabet).unwrap_or_else(|| self.slow_run(text, start));
        }
        self.paragraph += 1;
        first..self.places.len()
    }

    /// Where each word stands.
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// The word at `place`, folded.
    pub(crate) fn folded(&self, place: &Place) -> &[u8] {
        &self.folded[place.at as usize..][..place.length as usize]
    }

    /// Adds the words of the run at `start` by what is known of its characters; its end, or `None` if one of them is odd.
    fn quick_run(&mut self, text: &str, start: usize, alphabet: &Alphabet) -> Option<usize> {
        let bytes = text.as_bytes();
        let before = self.folded.len();
        self.parts.clear();
        let mut part: Option<Part> = None;
        let mut at = start;
        while let Some(&byte) = bytes.get(at) {
            let (entry, width) = if byte < 0x80 {
                (alphabet.ascii(byte), 1)
            } else {
                let c = text[at..].chars().next()?;
                (alphabet.of(c), c.len_utf8())
            };
            match entry.kind {
                Kind::Letter | Kind::Digit => {
                    let folded = self.folded.len();
                    part.get_or_insert(Part { at: folded, end: 0, from: at, to: 0, initials: 0 });
                    if entry.length == 1 {
                        self.folded.push(entry.folded[0]);
                    } else {
                        self.folded.extend_from_slice(&entry.folded[..usize::from(entry.length)]);
                    }
                }
                Kind::Sign if part.is_some() && joins_digits(bytes, at) => self.folded.push(byte),
                Kind::Sign => {
                    self.close(part.take(), at);
                    if byte == b'.' {
                        self.folded.push(byte);
                    }
                }
                Kind::Space => break,
                Kind::Odd => {
                    self.folded.truncate(before);
                    return None;
                }
            }
            at += width;
        }
        self.close(part, at);
        self.take_parts(text, start);
        Some(at)
    }

    /// Ends `part` before the byte `to`.
    fn close(&mut self, part: Option<Part>, to: usize) {
        let Some(part) = part else { return };
        let end = self.folded.len();
        let initials = u32::from(is_letter(&self.folded[part.at..end]));
        let part = Part { end, to, initials, ..part };
        match self.parts.last_mut() {
            // Letters with a dot between them are one word: `u.s`. Where a part is folded right behind a dot, nothing else parts the two.
            Some(last) if last.initials > 0 && initials > 0 && last.to + 1 == part.from && last.end + 1 == part.at => {
                *last = Part { at: last.at, from: last.from, initials: last.initials + 1, ..part };
            }
            _ => self.parts.push(part),
        }
    }

    fn take_parts(&mut self, text: &str, run: usize) {
        for part in &self.parts {
            if &self.folded[part.at..part.end] == b"s" && is_genitive(&text[run..part.from]) {
                continue;
            }
            let behind = if part.initials > 1 { dot(&text.as_bytes()[part.to..]) } else { 0 };
            self.places.push(Place {
                at: number(part.at),
                length: number(part.end - part.at),
                start: number(part.from),
                end: number(part.to + behind),
                paragraph: self.paragraph,
            });
        }
    }

    /// Adds the words of the run at `start` as `tokenise` finds them; its end.
    fn slow_run(&mut self, text: &str, start: usize) -> usize {
        let run = text[start..].split(char::is_whitespace).next().unwrap_or_default();
        for token in folded_words(run, start, self.paragraph) {
            let at = number(self.folded.len());
            self.folded.extend_from_slice(token.word.as_bytes());
            let (length, paragraph) = (number(token.word.len()), token.paragraph);
            let (start, end) = (number(token.span.start), number(token.span.end));
            self.places.push(Place { at, length, start, end, paragraph });
        }
        start + run.len()
    }
}

/// Where the next run behind `at` begins, and how many lines end before it.
fn next_run(text: &str, mut at: usize, alphabet: &Alphabet) -> Option<(usize, u32)> {
    let bytes = text.as_bytes();
    let mut lines = 0;
    loop {
        let byte = *bytes.get(at)?;
        if byte < 0x80 {
            if alphabet.ascii(byte).kind != Kind::Space {
                return Some((at, lines));
            }
            lines += u32::from(byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')));
            at += 1;
        } else {
            let c = text[at..].chars().next()?;
            if alphabet.of(c).kind != Kind::Space && !shows_nothing(c) {
                return Some((at, lines));
            }
            lines += u32::from(matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}'));
            at += c.len_utf8();
        }
    }
}

/// Whether the byte at `at`, a full stop or comma, stands between digits.
fn joins_digits(bytes: &[u8], at: usize) -> bool {
    matches!(bytes[at], b'.' | b',')
        && bytes[at - 1].is_ascii_digit()
        && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
}

/// Whether `folded`, which has letters and digits, is a single letter.
fn is_letter(folded: &[u8]) -> bool {
    match folded {
        [byte] => byte.is_ascii_lowercase(),
        [lead, _] => *lead >= 0xc0,
        _ => false,
    }
}

/// Whether an `s` behind `before`, which is of characters that are not odd, is the ending of `Russia’s`.
fn is_genitive(before: &str) -> bool {
    let Some(before) = before.strip_suffix(['\'', '`', '\u{2018}', '\u{2019}', '\u{201b}']) else { return false };
    let before = before.strip_suffix(['"', '\u{201d}', '\u{201c}', '\u{bb}']).unwrap_or(before);
    before.ends_with(|c: char| c.is_alphanumeric() || c == '.' || c == '…')
}

/// The length of a full stop, or of an ellipsis, which begins with one.
fn dot(behind: &[u8]) -> usize {
    match behind {
        [b'.', ..] => 1,
        behind if behind.starts_with("…".as_bytes()) => "…".len(),
        _ => 0,
    }
}

fn number(number: usize) -> u32 {
    u32::try_from(number).expect("no story has four gigabytes")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Words;
    use crate::text::{Token, tokenise};

    /// The words of `text` behind those of another.
    fn quick(text: &str) -> Vec<Token> {
        let mut words = Words::default();
        words.add("C++ first");
        let numbers = words.add(text);
        let token = |place| Token {
            word: String::from_utf8(words.folded(place).to_vec()).expect("words are text"),
            span: place.start as usize..place.end as usize,
            paragraph: place.paragraph - 1,
        };
        words.places()[numbers].iter().map(token).collect()
    }

    #[test]
    fn every_character_is_read_as_the_slow_way_reads_it() {
        for c in ('\0'..'\u{600}').chain('\u{2000}'..'\u{2070}').chain(['€', '\u{3000}', '가', '北', '🚀', '\u{feff}']) {
            for text in [
                format!("{c}"),
                format!("ab{c}CD 1{c}2"),
                format!("a.{c}.b a{c}b u.s{c} u.s.{c}"),
                format!("x{c}'s {c}’s '{c}s ab\"{c}s"),
                format!("п{c}п q\n{c}\nr \r{c}\n w"),
                format!("{c}{c}.{c}.s {c}.5,{c} 5.{c}"),
            ] {
                assert_eq!(quick(&text), tokenise(&text), "{text:?} {}", u32::from(c));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn texts_have_the_same_words_either_way(
            text in "([a-zA-Z]{1,4}|[sS]|[0-9]{1,2}|[.,’'`\"“”»…·:&+#_/-]|[ \n\r\u{a0}\u{2028}]|[é-ÿŁœſßʼnŀ]|[А-я]|[ά-ώΣ]|\u{301}|\u{ad}|\u{200b}|[א-ת״]|[가-각]|[ア-オ北]|[٠-٩ا]|\\PC){0,40}",
        ) {
            prop_assert_eq!(quick(&text), tokenise(&text));
        }

        #[test]
        fn any_string_has_the_same_words_either_way(text in any::<String>()) {
            prop_assert_eq!(quick(&text), tokenise(&text));
        }
    }

    #[test]
    fn hostile_texts_have_the_same_words_either_way() {
        for part in ["a.", "s'", "1,", "é", "\u{301}", "’s", "a.b.", "…", "\n\n", "\r\n", "U.S", "😀", "ß", "a\u{ad}"] {
            let text = part.repeat(1000);
            assert_eq!(quick(&text), tokenise(&text), "{part}");
        }
    }
}
