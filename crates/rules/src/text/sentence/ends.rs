//! Decides whether a sentence continues where Unicode annex 29 ends it.

use unicode_normalization::char::is_combining_mark;

use super::table;
use crate::text::runs::shows_nothing;
use crate::text::tokenise;

/// The longest abbreviation with a full stop that is recognised, in characters.
const LONGEST: usize = 24;

/// Whether a sentence that annex 29 ends after `before` continues with `after`.
pub(super) fn continues(before: &str, after: &str) -> bool {
    let Some(next) = after.chars().find(|&c| !shows_nothing(c)) else { return true };
    let is_spaced = before.ends_with(char::is_whitespace);
    let shown = before
        .trim_end_matches(|c: char| c.is_whitespace() || shows_nothing(c) || is_combining_mark(c));
    if is_combining_mark(next) || (asks_or_calls(shown) && begins_small(after)) {
        return true;
    }
    let Some(words) = shown.strip_suffix(['.', '\u{2024}', '\u{fe52}', '\u{ff0e}']) else {
        return false;
    };
    let word = last_word(words);
    if !is_spaced {
        return parts_a_word(before, after);
    }
    if has(table::ALWAYS, word) {
        return true;
    }
    if next.is_numeric() {
        return has(table::BEFORE_NUMBERS, word) || has(table::OFTEN, word) || is_dotted(word);
    }
    if is_day(word) {
        return has(table::AFTER_DAYS, first_word(after).0);
    }
    let is_short = is_dotted(word) || has(table::OFTEN, word);
    is_short && !begins_sentence(after)
}

/// Whether `shown` ends with a question or exclamation mark, apart from closing signs.
fn asks_or_calls(shown: &str) -> bool {
    shown.trim_end_matches(['"', '”', '“', '»', '«', '’', '\'', ')', ']']).ends_with(['!', '?'])
}

/// Whether the first letter is a small letter: `“Arms?” he asked`.
fn begins_small(after: &str) -> bool {
    let first = after.chars().take(LONGEST).find(|c| c.is_alphanumeric());
    first.is_some_and(|c| c.is_lowercase() && !matches!(c, '\u{10d0}'..='\u{10ff}'))
}

/// The letters, digits and full stops at the end of `words`, up to a limit.
fn last_word(words: &str) -> &str {
    let belongs =
        |c: char| c.is_alphanumeric() || is_combining_mark(c) || shows_nothing(c) || c == '.';
    let length: usize =
        words.chars().rev().take(LONGEST + 1).take_while(|&c| belongs(c)).map(char::len_utf8).sum();
    &words[words.len() - length..]
}

/// The first word of `after`, and the text after it.
fn first_word(after: &str) -> (&str, &str) {
    let start = after
        .char_indices()
        .take(LONGEST)
        .find(|(_, c)| c.is_alphanumeric())
        .map_or(after.len(), |(at, _)| at);
    let word = &after[start..];
    word.split_at(
        word.char_indices()
            .take(LONGEST)
            .find(|(_, c)| !c.is_alphanumeric())
            .map_or(word.len(), |(at, _)| at),
    )
}

/// Whether the first word of `after` is one that begins sentences, and not an initial.
fn begins_sentence(after: &str) -> bool {
    let (word, rest) = first_word(after);
    !rest.starts_with('.')
        && table::STARTERS.split_whitespace().any(|starter| starter.eq_ignore_ascii_case(word))
}

/// Whether the table `entries` contains `word`.
fn has(entries: &str, word: &str) -> bool {
    entries.split_whitespace().any(|entry| is_written(entry, word))
}

/// Whether `word` is written as the table's `entry`. A capital of `entry` must be a capital in
/// `word`.
fn is_written(entry: &str, word: &str) -> bool {
    let is_capital = |text: &str| text.starts_with(char::is_uppercase);
    (!is_capital(entry) || is_capital(word)) && entry.eq_ignore_ascii_case(word)
}

/// Whether `word` is one letter, or letters or pairs of letters with dots between: `J`, `U.S`,
/// `Ph.D`. A syllable of Hangul is a word.
fn is_dotted(word: &str) -> bool {
    let is_piece = |piece: &str| {
        let mut letters = piece.chars().filter(|&c| !is_combining_mark(c) && !shows_nothing(c));
        let (first, second, third) = (letters.next(), letters.next(), letters.next());
        let is_letter = |c: char| c.is_alphabetic() && !is_whole(c);
        first.is_some_and(is_letter)
            && second.is_none_or(|c| is_letter(c) && word.contains('.'))
            && third.is_none()
    };
    word.split('.').all(is_piece)
}

/// Whether the place between `before`, which ends with a full stop, and `after` is inside a word:
/// `א.ב`, `3.5`. The two letters before and after it decide.
fn parts_a_word(before: &str, after: &str) -> bool {
    let length = |c: char, left: &mut usize| {
        *left -= usize::from(!is_combining_mark(c) && !shows_nothing(c));
        Some(c.len_utf8()).filter(|_| *left > 0)
    };
    let start =
        before.len() - before.chars().rev().scan(4, |left, c| length(c, left)).sum::<usize>();
    let end = after.chars().scan(3, |left, c| length(c, left)).sum::<usize>();
    let around = [&before[start..], &after[..end]].concat();
    let place = before.len() - start;
    tokenise(&around).iter().any(|token| token.span.start < place && place < token.span.end)
}

/// Whether `c` of a script without initials is a word by itself: Han, kana, Hangul.
fn is_whole(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn is_day(word: &str) -> bool {
    word.len() <= 2 && !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}
