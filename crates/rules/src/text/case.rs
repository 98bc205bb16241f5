//! Finds the capitals of a word, and sentences in capitals only.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

/// The most characters on each side of a word that are read for its sentence.
const LONGEST_SENTENCE: usize = 400;

/// For every letter of `word` after NFKD, whether it is a capital.
#[must_use]
pub(crate) fn capitals(word: &str) -> Vec<bool> {
    word.nfkd().filter(|c| c.is_alphabetic()).map(char::is_uppercase).collect()
}

/// Whether the letters of `word` have the capitals of `wanted`. The longer of the two is cut.
pub(crate) fn is_written_so(word: &str, wanted: &[bool]) -> bool {
    word.nfkd()
        .filter(|c| c.is_alphabetic())
        .map(char::is_uppercase)
        .zip(wanted)
        .all(|(is, wanted)| is == *wanted)
}

/// Whether the sentence or line around the words at `words` of `text` is in capitals only, so that
/// theirs prove nothing. Its other words are at least two, and have at least eight letters.
pub(crate) fn is_shouted(text: &str, words: &Range<usize>) -> bool {
    let (before, behind) = (last_sentence(&text[..words.start]), sentence(&text[words.end..]));
    if before.contains(char::is_lowercase) || behind.contains(char::is_lowercase) {
        return false;
    }
    let is_no_capital = |c: char| !c.is_uppercase();
    let others = before.split(is_no_capital).chain(behind.split(is_no_capital));
    let letters = others.filter(|word| !word.is_empty()).map(|word| word.chars().count());
    let (words, letters) = letters.fold((0, 0), |(words, all), letters| (words + 1, all + letters));
    words >= 2 && letters >= 8
}

/// What separates sentences here.
const ENDS: [&str; 4] = ["\n", ". ", "! ", "? "];

/// The end of `text` from its last sentence or line on.
fn last_sentence(text: &str) -> &str {
    let near = text.char_indices().rev().take(LONGEST_SENTENCE).last().map_or(0, |(at, _)| at);
    let text = &text[near..];
    let start = ENDS.iter().filter_map(|end| Some(text.rfind(end)? + end.len())).max();
    &text[start.unwrap_or_default()..]
}

/// The start of `text` up to the end of the sentence or line.
fn sentence(text: &str) -> &str {
    let far = text.char_indices().nth(LONGEST_SENTENCE).map_or(text.len(), |(at, _)| at);
    let text = &text[..far];
    &text[..ENDS.iter().filter_map(|end| text.find(end)).min().unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::{capitals, is_shouted};

    #[test]
    fn a_sentence_in_capitals_is_shouted_and_a_name_beside_others_is_not() {
        for (text, word, expected) in [
            ("GIVE US MORE, SAY NURSES", "US", true),
            ("Nurses struck. GIVE US MORE, SAY NURSES. They went on.", "US", true),
            ("GIVE US MORE\nThey say so.", "US", true),
            ("The US lifts sanctions.", "US", false),
            ("NATO, EU, UN", "UN", false),
            ("US OPEN", "US", false),
            ("WASHINGTON (AP) — US Senator Smith", "US", false),
            ("US", "US", false),
        ] {
            let at = text.find(word).expect("the word is there");
            assert_eq!(is_shouted(text, &(at..at + word.len())), expected, "{text}");
        }
    }

    #[test]
    fn letters_are_no_signs_and_capitals_no_small_letters() {
        assert_eq!(capitals("U.S."), [true, true]);
        assert_eq!(capitals("Élan"), [true, false, false, false]);
        assert_eq!(capitals("F-16"), [true]);
    }
}
