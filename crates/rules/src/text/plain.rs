//! A fast test for runs that hold one plain word.

use std::ops::Range;

/// The word of `run`, if `run` is ASCII with one sequence of letters and digits between signs that
/// belong to no word. Folding and splitting would give the same result.
pub(super) fn word(run: &str) -> Option<Range<usize>> {
    let bytes = run.as_bytes();
    let start = bytes.iter().position(u8::is_ascii_alphanumeric)?;
    let length = bytes[start..]
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric())
        .unwrap_or(bytes.len() - start);
    let (before, behind) = (&bytes[..start], &bytes[start + length..]);
    before.iter().chain(behind).all(|&byte| parts_words(byte)).then_some(start..start + length)
}

fn parts_words(byte: u8) -> bool {
    byte.is_ascii_punctuation() && byte != b'+' && byte != b'#'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::word;
    use crate::text::folded_words::FoldedWords;

    #[test]
    fn plain_words_are_seen_at_once() {
        assert_eq!(word("(\"Arms\","), Some(2..6));
        for other in ["C++", "F#", "AT&T", "U.S.", "Russia's", "é", "arms…", "...", ""] {
            assert_eq!(word(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn the_long_way_finds_the_same_word(run in "[!-~]{0,4}[a-zA-Z0-9]{1,3}[!-~]{0,4}") {
            if let Some(found) = word(&run) {
                let mut words = FoldedWords::default();
                let words: Vec<_> = words.find(&run, 0).collect();
                let folded = run[found.clone()].to_ascii_lowercase();
                prop_assert_eq!(words, vec![(&*folded, found)]);
            }
        }
    }
}
