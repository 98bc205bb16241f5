//! Removes accents and vowel signs from a word of any script.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// `word` without combining marks, canonically decomposed. It is only for the comparison of two
/// words.
pub(crate) fn without_marks(word: &str) -> String {
    word.nfd().filter(|c| !is_combining_mark(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::without_marks;

    #[test]
    fn marks_of_every_script_go() {
        assert_eq!(without_marks("мйр"), "мир");
        assert_eq!(without_marks("مِصر"), "مصر");
        assert_eq!(without_marks("שָׁלוֹם"), "שלום");
    }
}
