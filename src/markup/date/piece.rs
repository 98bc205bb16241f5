//! The pieces of a date: numbers, words and signs.

/// A piece of a date: a number with its count of digits, a word, or a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DatePiece<'a> {
    Number(i64, usize),
    Word(&'a str),
    Sign(char),
}

use DatePiece::{Number, Sign, Word};

/// The pieces of a date in lower case. `None` if a number is too large.
pub(super) fn pieces(text: &str) -> Option<Vec<DatePiece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length =
            |is_same: fn(char) -> bool| rest.find(|c: char| !is_same(c)).unwrap_or(rest.len());
        let end = if first.is_ascii_digit() {
            let end = length(|c| c.is_ascii_digit());
            pieces.push(Number(rest[..end].parse().ok()?, end));
            end
        } else if is_letter(first) {
            let end = length(is_letter);
            pieces.push(Word(&rest[..end]));
            end
        } else {
            pieces.push(Sign(first));
            first.len_utf8()
        };
        rest = &rest[end..];
    }
    Some(pieces)
}

/// Whether a character can be part of a name. The signs of East Asian dates cannot.
fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !matches!(c, '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
        || matches!(c, '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{652}')
        || matches!(c, '\u{93c}' | '\u{94d}' | '\u{9cd}' | '\u{e47}'..='\u{e4e}')
}

/// The pieces after the white space at the start.
pub(super) fn without_space<'p, 'a>(pieces: &'p [DatePiece<'a>]) -> &'p [DatePiece<'a>] {
    let spaces =
        pieces.iter().take_while(|piece| matches!(piece, Sign(c) if c.is_whitespace())).count();
    &pieces[spaces..]
}
