//! Finds the words of a folded text: those of Unicode annex 29, split further where news text wants it.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// A word of a folded text.
pub(super) struct Piece {
    /// The bytes that are compared.
    pub(super) word: Range<usize>,
    /// The bytes that a reader would call the word: with the last dot of `U.S.`
    pub(super) shown: Range<usize>,
}

/// The words of `folded`, in order.
pub(super) fn words(folded: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (start, word) in folded.unicode_word_indices() {
        for part in join_initials(folded, parts(folded, start..start + word.len())) {
            let initials = folded[part.clone()].contains('.') && is_letter(&folded[part.start..], '.');
            let dot = usize::from(initials && folded[part.end..].starts_with('.'));
            if !is_genitive_s(folded, &part) {
                pieces.push(Piece { word: part.clone(), shown: part.start..part.end + dot });
            }
        }
    }
    pieces
}

/// The parts of one word of annex 29 between what joins them, and its kana one by one.
/// Each has a letter or digit, and none begins with a mark that has lost its letter.
fn parts(folded: &str, word: Range<usize>) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = word.start;
    let mut after_digit = false;
    for (offset, c) in folded[word.clone()].char_indices() {
        let at = word.start + offset;
        if is_kana(c) {
            parts.push(start..at);
            start = at;
        } else if parts_words(c) || (parts_letters(c) && !after_digit) {
            parts.push(start..at);
            start = at + c.len_utf8();
        }
        after_digit = c.is_numeric() || (after_digit && is_combining_mark(c));
    }
    parts.push(start..word.end);
    for part in &mut parts {
        part.start = part.end - folded[part.clone()].trim_start_matches(is_no_letter).len();
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Puts single letters with a dot between them together again: `u` and `s` of `u.s`.
fn join_initials(folded: &str, parts: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(parts.len());
    let mut last_is_letter = false;
    for part in parts {
        let letter = is_letter(&folded[part.clone()], '\0');
        match joined.last_mut() {
            Some(last) if last_is_letter && letter && &folded[last.end..part.start] == "." => last.end = part.end,
            _ => joined.push(part),
        }
        last_is_letter = letter;
    }
    joined
}

/// Whether `text` is one letter with its marks, as far as the first `until`.
fn is_letter(text: &str, until: char) -> bool {
    let mut characters = text.chars().take_while(|&c| c != until);
    characters.next().is_some_and(char::is_alphabetic) && characters.all(is_combining_mark)
}

/// Whether `part` is an `s` behind an apostrophe that stands behind a word: `Russia's`, `1990's`, `U.S.'s`.
fn is_genitive_s(folded: &str, part: &Range<usize>) -> bool {
    let mut before = folded[..part.start].chars().rev();
    &folded[part.clone()] == "s"
        && before.next().is_some_and(is_apostrophe)
        && before.next().is_some_and(|c| c.is_alphanumeric() || c == '.')
}

fn is_no_letter(c: char) -> bool {
    is_combining_mark(c) || !c.is_alphanumeric()
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bb}' | '\u{2bc}')
}

/// Whether `c`, which annex 29 lets stand inside a word, parts words wherever it stands: apostrophes, underscores, slashes.
fn parts_words(c: char) -> bool {
    is_apostrophe(c) || matches!(c, '_' | '\u{203f}' | '\u{2040}' | '\u{2054}' | '\u{2044}')
}

/// Whether `c` parts words unless it stands between digits.
fn parts_letters(c: char) -> bool {
    matches!(c, '.' | ':' | '\u{b7}' | '\u{2024}' | '\u{2027}')
}

fn is_kana(c: char) -> bool {
    matches!(c,
        '\u{3031}'..='\u{3035}' | '\u{3041}'..='\u{3096}' | '\u{309b}'..='\u{309f}' | '\u{30a0}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}' | '\u{1aff0}'..='\u{1b16f}')
}
