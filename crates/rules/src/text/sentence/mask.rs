//! Masks a paragraph, so that Unicode annex 29 ends its sentences where readers would.

use crate::text::runs::shows_nothing;

/// The most signs in a row that the library sees. It looks ahead from each of them.
const MOST_SIGNS: usize = 32;

/// `paragraph` with every character in the same number of bytes. Line breaks become spaces,
/// invisible characters are hidden, an ellipsis before a space becomes three full stops, and a long
/// row of signs is interrupted by letters. No sentence of annex 29 ends inside a character of
/// `paragraph`.
pub(super) fn mask(paragraph: &str) -> String {
    let mut masked = String::with_capacity(paragraph.len());
    let mut signs = 0;
    let mut characters = paragraph.chars();
    while let Some(c) = characters.next() {
        signs = if c.is_alphanumeric() { 0 } else { signs + 1 };
        match c {
            _ if signs > MOST_SIGNS => masked.extend(std::iter::repeat_n('A', c.len_utf8())),
            '\n' | '\r' => masked.push(' '),
            '\u{85}' => masked.push('\u{a0}'),
            '\u{2028}' | '\u{2029}' => masked.push('\u{2003}'),
            '…' if ends_a_word(characters.as_str()) => masked.push_str("..."),
            _ if shows_nothing(c) => masked.push_str(match c.len_utf8() {
                2 => "\u{ad}",
                3 => "\u{200c}",
                _ => "\u{ad}\u{ad}",
            }),
            _ => masked.push(c),
        }
    }
    masked
}

/// Whether a space follows before the next word of `rest`, with at most a closing sign before it.
fn ends_a_word(rest: &str) -> bool {
    let rest = rest.strip_prefix(['"', '”', '“', '»', '’', '\'', ')']).unwrap_or(rest);
    rest.starts_with(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::mask;

    proptest! {
        #[test]
        fn every_character_keeps_its_length(text in "(\\PC|[\\n\\u{85}\\u{2028}\\u{ad}\\u{115f}\\u{e0001}…. ]){0,60}") {
            let masked = mask(&text);
            prop_assert_eq!(masked.len(), text.len());
            let ends = masked.chars().filter(|c| "\n\r\u{85}\u{2028}\u{2029}".contains(*c)).count();
            prop_assert_eq!(ends, 0);
        }
    }
}
