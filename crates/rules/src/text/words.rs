//! Finds the words of texts in reused memory. The words are those of `tokenise`, found by a fast
//! scan if possible.
//!
//! Most words are ASCII. They are found in a copy of the text in lower case, and words with another
//! folded form are appended to it. Runs that hold only plain words are read sixty-four bytes at a
//! time (`map`), other runs one character at a time, and unusual runs as `tokenise` reads them.

pub(super) mod scripts;

use std::ops::Range;

use super::alphabet::{ALPHABET, Alphabet, CharacterKind};
use super::apostrophe;
use super::digit_groups;
use super::folded_words::FoldedWords;
use super::map::ByteMap;
use super::runs::shows_nothing;
use super::spaced::{self, SpaceJoint};

/// The words of several texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    /// A lower-case copy of each text, followed by the words that are not in the copy.
    folded: Vec<u8>,
    places: Vec<WordPlace>,
    map: ByteMap,
    /// Memory for unusual runs.
    unusual: FoldedWords,
    /// The number of the next paragraph.
    paragraph: u32,
    /// Whether the text may have words that are joined over a space: an initial, or a space between
    /// groups of digits.
    may_join: bool,
}

/// The place of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WordPlace {
    at: u32,
    length: u32,
    /// Its first byte in its text.
    pub(crate) start: u32,
    /// The byte after its last.
    pub(crate) end: u32,
    /// The number of its paragraph over all texts. Two texts share no paragraph.
    pub(crate) paragraph: u32,
}

/// The number of bytes after every word, so that it can be read sixteen bytes at a time.
pub(crate) const PADDING: usize = 16;

impl WordPlace {
    /// The place of a word whose folded bytes are the `length` bytes from `at` on.
    fn new(at: usize, length: usize, span: Range<usize>, paragraph: u32) -> Self {
        Self {
            at: number(at),
            length: number(length),
            start: number(span.start),
            end: number(span.end),
            paragraph,
        }
    }

    /// The length of the folded word in bytes.
    #[inline]
    pub(crate) fn length(&self) -> usize {
        self.length as usize
    }

    /// Its bytes in its text.
    pub(crate) fn span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A sequence of letters and digits, or of letters with dots between.
#[derive(Clone, Copy, Debug)]
struct WordPart {
    /// The start of its folded bytes.
    at: usize,
    end: usize,
    /// The start of its bytes in the text.
    from: usize,
    to: usize,
    /// The number of its letters, if it is one letter or letters with dots between; else 0.
    initials: u32,
}

/// The current run: its text up to its end or further, the start of its copy, and its first byte.
#[derive(Clone, Copy)]
struct PendingRun<'t> {
    text: &'t str,
    copy: usize,
    start: usize,
}

impl Words {
    /// Removes all words, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.folded.clear();
        self.places.clear();
        self.paragraph = 0;
    }

    /// Adds the words of `text`, which begins a new paragraph. Returns their numbers.
    pub(crate) fn add(&mut self, text: &str) -> Range<usize> {
        let alphabet = &*ALPHABET;
        let (first, copy) = (self.places.len(), self.folded.len());
        self.folded.extend_from_slice(text.as_bytes());
        self.folded[copy..].make_ascii_lowercase();
        self.map.map_text(text.as_bytes(), &mut self.folded[copy..], alphabet);
        self.may_join = spaced::may_have_thousands(text);
        let mut at = 0;
        while let Some((start, lines)) = self.next_run(text, at, alphabet) {
            self.paragraph += u32::from(at > 0 && lines > 1);
            let plain = self.map.plain_end(start);
            at = if plain > start {
                self.plain_runs(copy, start..plain);
                plain
            } else {
                let run = PendingRun { text: &text[..self.map.next_run(start)], copy, start };
                self.quick_run(run, alphabet).unwrap_or_else(|| self.slow_run(run))
            };
        }
        if self.may_join {
            self.join_spaced(text, first);
        }
        self.folded.extend_from_slice(&[0; PADDING]);
        self.paragraph += 1;
        first..self.places.len()
    }

    /// The start of the next run after `at`, and the number of line breaks before it.
    fn next_run(&mut self, text: &str, mut at: usize, alphabet: &Alphabet) -> Option<(usize, u32)> {
        let bytes = text.as_bytes();
        let mut lines = 0;
        loop {
            let byte = *bytes.get(at)?;
            if byte < 0x80 {
                if alphabet.ascii(byte) != CharacterKind::Space {
                    return Some((at, lines));
                }
                lines += u32::from(
                    byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')),
                );
                at += 1;
            } else {
                let c = text[at..].chars().next()?;
                match alphabet.kind_of(c) {
                    CharacterKind::Space => self.may_join |= spaced::is_typographic(c),
                    CharacterKind::Odd if shows_nothing(c) => {}
                    _ => return Some((at, lines)),
                }
                lines += u32::from(matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}'));
                at += c.len_utf8();
            }
        }
    }

    /// Joins the words of `text`, from the word `first` on, that spaces separate in one word.
    fn join_spaced(&mut self, text: &str, first: usize) {
        let (mut kept, mut before) = (first, None);
        for next in first..self.places.len() {
            let place = self.places[next];
            let joint = if kept == first {
                None
            } else {
                spaced::joint(text, &self.places[kept - 1].span(), before, &place.span())
            };
            before = joint;
            if let Some(joint) = joint {
                self.places[kept - 1] = self.joined(self.places[kept - 1], place, joint, text);
            } else {
                self.places[kept] = place;
                kept += 1;
            }
        }
        self.places.truncate(kept);
    }

    /// The place of the two words as one word.
    fn joined(
        &mut self,
        left: WordPlace,
        right: WordPlace,
        joint: SpaceJoint,
        text: &str,
    ) -> WordPlace {
        let at = self.folded.len();
        for place in [left, right] {
            if self.folded.len() > at {
                self.folded.extend_from_slice(joint.sign().as_bytes());
            }
            let start = place.at as usize;
            self.folded.extend_from_within(start..start + place.length());
        }
        WordPlace {
            at: number(at),
            length: number(self.folded.len() - at),
            end: number(joint.end(text, right.end as usize)),
            ..left
        }
    }

    /// The place of each word.
    pub(crate) fn places(&self) -> &[WordPlace] {
        &self.places
    }

    /// The folded word at `place` with everything after it, at least [`PADDING`] bytes.
    #[inline]
    pub(crate) fn padded(&self, place: &WordPlace) -> &[u8] {
        &self.folded[place.at as usize..]
    }

    /// Adds the words of plain runs. `copy` is the start of the text's lower-case copy.
    fn plain_runs(&mut self, copy: usize, runs: Range<usize>) {
        // Each of its bytes has a place that fits, because the last has.
        number(copy + runs.end);
        let (places, paragraph, copy) = (&mut self.places, self.paragraph, number(copy));
        self.map.each_word(runs, |start, end| {
            places.push(WordPlace { at: copy + start, length: end - start, start, end, paragraph });
        });
    }

    /// Adds the words of the run by the kinds of its characters. Returns its end, or `None` if a
    /// character is odd.
    fn quick_run(&mut self, run: PendingRun<'_>, alphabet: &Alphabet) -> Option<usize> {
        let bytes = run.text.as_bytes();
        let (folded, words) = (self.folded.len(), self.places.len());
        let mut last: Option<WordPart> = None;
        let mut at = run.start;
        if !bytes[at].is_ascii() {
            if let Some(end) = self.script_words(run, at) {
                at = end;
            } else {
                self.forget_from(folded, words);
            }
        }
        loop {
            if at > run.start && last.is_none() && matches!(bytes.get(at), None | Some(b' ')) {
                return Some(at);
            }
            let from = at;
            at = ascii_end(bytes, from);
            let mut part =
                WordPart { at: run.copy + from, end: run.copy + at, from, to: at, initials: 0 };
            let (mut kind, mut width) = kind_at(run.text, at, alphabet);
            if kind == CharacterKind::Letter {
                part = self.copied(part, run, alphabet);
                at = part.to;
                (kind, width) = kind_at(run.text, at, alphabet);
            }
            if part.from < at {
                let Some(part) = self.ungrouped(part, run) else {
                    return self.forget_from(folded, words);
                };
                last = Some(self.put(last, part, run));
            }
            let is_joined = is_within_word(run.text, at, width);
            at = match kind {
                CharacterKind::Sign | CharacterKind::Letter | CharacterKind::Digit
                    if !is_joined =>
                {
                    at + width
                }
                CharacterKind::Space if !is_joined => break,
                _ => {
                    if let Some(last) = last.take() {
                        self.take(last, run);
                    }
                    let end = if is_joined { None } else { self.script_words(run, at) };
                    let Some(end) = end else { return self.forget_from(folded, words) };
                    end
                }
            };
        }
        if let Some(last) = last {
            self.take(last, run);
        }
        Some(at)
    }

    /// Removes the folded bytes and the words from these numbers on. Always `None`.
    fn forget_from(&mut self, folded: usize, words: usize) -> Option<usize> {
        self.folded.truncate(folded);
        self.places.truncate(words);
        None
    }

    /// Extends `part` to its end. A letter outside ASCII follows it.
    fn copied(&mut self, part: WordPart, run: PendingRun<'_>, alphabet: &Alphabet) -> WordPart {
        let (bytes, at) = (run.text.as_bytes(), self.folded.len());
        self.folded.extend_from_within(part.at..part.end);
        let mut to = part.to;
        while let Some(&byte) = bytes.get(to) {
            if byte.is_ascii_alphanumeric()
                || (byte.is_ascii() && joins_digits(bytes, part.from, to))
            {
                self.folded.push(byte.to_ascii_lowercase());
                to += 1;
            } else if let Some(letter) = alphabet.letter(&bytes[to..]) {
                // Copies all four bytes and cuts the rest, which is faster than copying the exact
                // number.
                self.folded.extend_from_slice(&letter.folded);
                self.folded
                    .truncate(self.folded.len() - letter.folded.len() + usize::from(letter.length));
                to += 2;
            } else {
                break;
            }
        }
        WordPart { at, end: self.folded.len(), to, ..part }
    }

    /// `part` without the commas between its groups of digits. `None` if its folded bytes are not
    /// those of the text.
    fn ungrouped(&mut self, part: WordPart, run: PendingRun<'_>) -> Option<WordPart> {
        let is_separator = |at: usize| {
            run.text.as_bytes()[at] == b','
                && digit_groups::is_separator(&run.text[..at], ',', &run.text[at + 1..])
        };
        if !(part.from..part.to).any(is_separator) {
            return Some(part);
        }
        if part.end - part.at != part.to - part.from {
            return None;
        }
        let at = self.folded.len();
        for (from, place) in (part.from..part.to).zip(part.at..part.end) {
            if !is_separator(from) {
                self.folded.push(self.folded[place]);
            }
        }
        Some(WordPart { at, end: self.folded.len(), ..part })
    }

    /// Joins `part` to `last` if both are letters with a dot between them; else adds `last`.
    /// Returns the new last part.
    fn put(&mut self, last: Option<WordPart>, part: WordPart, run: PendingRun<'_>) -> WordPart {
        let part =
            WordPart { initials: u32::from(is_letter(&self.folded[part.at..part.end])), ..part };
        let Some(last) = last else { return part };
        let is_dotted = last.to + 1 == part.from && run.text.as_bytes()[last.to] == b'.';
        if last.initials == 0 || part.initials == 0 || !is_dotted {
            self.take(last, run);
            return part;
        }
        let initials = last.initials + 1;
        if last.end + 1 == part.at && part.at < run.copy + run.text.len() {
            return WordPart { at: last.at, from: last.from, initials, ..part };
        }
        let at = self.folded.len();
        self.folded.extend_from_within(last.at..last.end);
        self.folded.push(b'.');
        self.folded.extend_from_within(part.at..part.end);
        WordPart { at, end: self.folded.len(), from: last.from, to: part.to, initials }
    }

    fn take(&mut self, part: WordPart, run: PendingRun<'_>) {
        if self.folded[part.at..part.end] == *b"s" && is_genitive(&run.text[run.start..part.from]) {
            return;
        }
        let behind = if part.initials > 1 { dot(&run.text.as_bytes()[part.to..]) } else { 0 };
        self.may_join |=
            part.initials == 1 && spaced::may_be_initial(run.text, &(part.from..part.to));
        self.push_place(part.at, part.end - part.at, part.from..part.to + behind);
    }

    /// Adds a word whose folded bytes are the `length` bytes from `at` on.
    fn push_place(&mut self, at: usize, length: usize, span: Range<usize>) {
        self.places.push(WordPlace::new(at, length, span, self.paragraph));
    }

    /// Adds the words of the run as `tokenise` finds them. Returns its end.
    fn slow_run(&mut self, run: PendingRun<'_>) -> usize {
        let written = run.text[run.start..].split(char::is_whitespace).next().unwrap_or_default();
        let Self { unusual, folded, places, paragraph, may_join, .. } = self;
        for (word, span) in unusual.find(written, run.start) {
            *may_join |= spaced::may_be_initial(run.text, &span);
            let at = folded.len();
            folded.extend_from_slice(word.as_bytes());
            places.push(WordPlace::new(at, word.len(), span, *paragraph));
        }
        run.start + written.len()
    }
}

/// Whether the sign of `width` bytes at `at` is an apostrophe within a word or number.
fn is_within_word(text: &str, at: usize, width: usize) -> bool {
    let Some(sign) = text[at..].chars().next().filter(|c| apostrophe::is_apostrophe(*c)) else {
        return false;
    };
    let (before, after) = (&text[..at], &text[at + width..]);
    apostrophe::is_within_word(before, after) || digit_groups::is_separator(before, sign, after)
}

/// The end of the ASCII letters and digits from `from` on, with full stops and commas between
/// digits.
fn ascii_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    loop {
        while bytes.get(at).is_some_and(u8::is_ascii_alphanumeric) {
            at += 1;
        }
        if at == from || at == bytes.len() || !joins_digits(bytes, from, at) {
            return at;
        }
        at += 1;
    }
}

/// The kind and the number of bytes of the character at `at`. The end of the text is white space.
fn kind_at(text: &str, at: usize, alphabet: &Alphabet) -> (CharacterKind, usize) {
    match text.as_bytes().get(at) {
        None => (CharacterKind::Space, 0),
        Some(byte) if byte.is_ascii() => (alphabet.ascii(*byte), 1),
        Some(_) => text[at..]
            .chars()
            .next()
            .map_or((CharacterKind::Space, 0), |c| (alphabet.kind_of(c), c.len_utf8())),
    }
}

/// Whether the byte at `at`, in a word from `from` on, is a full stop or comma between digits.
fn joins_digits(bytes: &[u8], from: usize, at: usize) -> bool {
    matches!(bytes[at], b'.' | b',')
        && from < at
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

/// Whether an `s` after `before`, which has no odd characters, is the ending of `Russia’s`.
fn is_genitive(before: &str) -> bool {
    let Some(before) = before.strip_suffix(['\'', '`', '\u{2018}', '\u{2019}', '\u{201b}']) else {
        return false;
    };
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

pub(super) fn number(number: usize) -> u32 {
    u32::try_from(number).expect("no story has four gigabytes")
}

#[cfg(test)]
mod tests;
