//! Finds the words of a folded text: those of Unicode annex 29, split further for news texts.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

use super::apostrophe::is_apostrophe;
use super::signs;

/// Finds the words of `folded`, in order, and replaces `words` by them.
pub(super) fn split(folded: &str, words: &mut Vec<Range<usize>>) {
    words.clear();
    for (start, word) in folded.unicode_word_indices() {
        let first = words.len();
        add_parts(folded, start..start + word.len(), words);
        join_initials(folded, words, first);
    }
    words.retain(|word| !is_genitive_s(folded, word));
    signs::join(folded, words);
}

/// The bytes that a reader calls the word `word`. They include the last dot of `U.S.`
pub(super) fn shown(folded: &str, word: &Range<usize>) -> Range<usize> {
    let initials = folded[word.clone()].contains('.') && is_letter(&folded[word.start..], '.');
    let dot = usize::from(initials && folded[word.end..].starts_with('.'));
    word.start..word.end + dot
}

/// Adds the parts of a word of annex 29: split at joining signs, with each hiragana alone and
/// Hangul separate. Each part has a letter or digit. None begins with a mark without its letter.
fn add_parts(folded: &str, word: Range<usize>, parts: &mut Vec<Range<usize>>) {
    let mut add = |part: Range<usize>| {
        let start = part.end - folded[part.clone()].trim_start_matches(is_no_letter).len();
        parts.extend((start < part.end).then_some(start..part.end));
    };
    let mut start = word.start;
    let (mut after_digit, mut after_hangul) = (false, false);
    for (offset, c) in folded[word.clone()].char_indices() {
        let at = word.start + offset;
        let is_mark = (after_digit || after_hangul || parts_words(c))
            && !c.is_ascii()
            && is_combining_mark(c);
        let is_hangul = if is_mark { after_hangul } else { is_hangul(c) };
        if is_hiragana(c) || is_hangul != after_hangul {
            add(start..at);
            start = at;
        } else if parts_words(c) && !is_mark && !(after_digit && joins_digits(c)) {
            add(start..at);
            start = at + c.len_utf8();
        }
        after_digit = c.is_numeric() || (after_digit && is_mark);
        after_hangul = is_hangul;
    }
    add(start..word.end);
}

/// Joins single letters with dots between them: `u` and `s` of `u.s`. They are among the parts from
/// `first` on.
fn join_initials(folded: &str, parts: &mut Vec<Range<usize>>, first: usize) {
    let (mut kept, mut last_is_letter) = (first, false);
    for next in first..parts.len() {
        let part = parts[next].clone();
        let letter = is_letter(&folded[part.clone()], '\0');
        if last_is_letter && letter && &folded[parts[kept - 1].end..part.start] == "." {
            parts[kept - 1].end = part.end;
        } else {
            parts[kept] = part;
            kept += 1;
        }
        last_is_letter = letter;
    }
    parts.truncate(kept);
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
