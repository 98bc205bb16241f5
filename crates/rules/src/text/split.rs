//! Finds the words of a folded text: those of Unicode annex 29, split further for news texts.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

use super::apostrophe::is_apostrophe;
use super::signs;

/// A word of a folded text.
pub(super) struct WordPiece {
    /// The bytes that are compared.
    pub(super) word: Range<usize>,
    /// The bytes that a reader calls the word. They include the last dot of `U.S.`
    pub(super) shown: Range<usize>,
}

/// The words of `folded`, in order.
pub(super) fn words(folded: &str) -> Vec<WordPiece> {
    let words = folded.unicode_word_indices().flat_map(|(start, word)| {
        let parts = join_initials(folded, parts(folded, start..start + word.len()));
        parts.into_iter().filter(|part| !is_genitive_s(folded, part))
    });
    signs::join(folded, words.collect()).into_iter().map(|word| piece(folded, word)).collect()
}

fn piece(folded: &str, word: Range<usize>) -> WordPiece {
    let initials = folded[word.clone()].contains('.') && is_letter(&folded[word.start..], '.');
    let dot = usize::from(initials && folded[word.end..].starts_with('.'));
    WordPiece { shown: word.start..word.end + dot, word }
}

/// The parts of a word of annex 29: split at joining signs, with each hiragana alone and Hangul
/// separate. Each part has a letter or digit, and none begins with a mark without its letter.
fn parts(folded: &str, word: Range<usize>) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = word.start;
    let (mut after_digit, mut after_hangul) = (false, false);
    for (offset, c) in folded[word.clone()].char_indices() {
        let at = word.start + offset;
        let is_mark = (after_digit || after_hangul || parts_words(c))
            && !c.is_ascii()
            && is_combining_mark(c);
        let is_hangul = if is_mark { after_hangul } else { is_hangul(c) };
        if is_hiragana(c) || is_hangul != after_hangul {
            parts.push(start..at);
            start = at;
        } else if parts_words(c) && !is_mark && !(after_digit && joins_digits(c)) {
            parts.push(start..at);
            start = at + c.len_utf8();
        }
        after_digit = c.is_numeric() || (after_digit && is_mark);
        after_hangul = is_hangul;
    }
    parts.push(start..word.end);
    for part in &mut parts {
        part.start = part.end - folded[part.clone()].trim_start_matches(is_no_letter).len();
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Joins single letters with dots between them: `u` and `s` of `u.s`.
fn join_initials(folded: &str, parts: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(parts.len());
    let mut last_is_letter = false;
    for part in parts {
        let letter = is_letter(&folded[part.clone()], '\0');
        match joined.last_mut() {
            Some(last) if last_is_letter && letter && &folded[last.end..part.start] == "." => {
                last.end = part.end;
            }
            _ => joined.push(part),
        }
        last_is_letter = letter;
    }
    joined
}

/// Whether `text`, up to the first `until`, is one letter with its marks.
fn is_letter(text: &str, until: char) -> bool {
    let mut characters = text.chars().take_while(|&c| c != until);
    characters.next().is_some_and(char::is_alphabetic) && characters.all(is_combining_mark)
}

/// Whether `part` is an `s` after an apostrophe after a word: `Russia's`, `1990's`, `U.S.'s`,
/// `“Arms”’s`.
fn is_genitive_s(folded: &str, part: &Range<usize>) -> bool {
    let Some(before) =
        folded[..part.start].strip_suffix(is_apostrophe).filter(|_| &folded[part.clone()] == "s")
    else {
        return false;
    };
    let before = before.strip_suffix(['"', '\u{201d}', '\u{201c}', '\u{bb}']).unwrap_or(before);
    before.ends_with(|c: char| c.is_alphanumeric() || is_combining_mark(c) || ".+#".contains(c))
}

fn is_no_letter(c: char) -> bool {
    !c.is_alphanumeric() || is_combining_mark(c) || is_apostrophe(c)
}

/// Whether `c`, which annex 29 allows inside a word, separates words. Between digits it joins them.
fn parts_words(c: char) -> bool {
    !c.is_alphanumeric() || is_apostrophe(c)
}

fn joins_digits(c: char) -> bool {
    matches!(c, '.' | ',')
}

fn is_hangul(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}')
}

fn is_hiragana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{309b}'..='\u{309f}' | '\u{1b001}'..='\u{1b11f}')
}
