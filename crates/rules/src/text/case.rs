//! Finds the capitals of a word.

use unicode_normalization::UnicodeNormalization;

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

#[cfg(test)]
mod tests {
    use super::capitals;

    #[test]
    fn letters_are_no_signs_and_capitals_no_small_letters() {
        assert_eq!(capitals("U.S."), [true, true]);
        assert_eq!(capitals("Élan"), [true, false, false, false]);
        assert_eq!(capitals("F-16"), [true]);
    }
}
