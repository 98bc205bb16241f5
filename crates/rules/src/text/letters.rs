//! Which letters are Cyrillic, Arabic or Hebrew.

/// Whether `c` is a Cyrillic letter.
pub(crate) fn is_cyrillic(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{52f}')
}

/// Whether `c` is an Arabic letter. Digits and vowel marks are none.
pub(crate) fn is_arabic(c: char) -> bool {
    matches!(c, '\u{620}'..='\u{64a}' | '\u{66e}'..='\u{66f}' | '\u{671}'..='\u{6d5}' | '\u{6e5}'..='\u{6e6}'
        | '\u{6ee}'..='\u{6ef}' | '\u{6fa}'..='\u{6ff}' | '\u{750}'..='\u{77f}')
}

/// Whether `c` is a Hebrew letter. The ligatures of Yiddish are none.
pub(crate) fn is_hebrew(c: char) -> bool {
    matches!(c, '\u{5d0}'..='\u{5ea}')
}

#[cfg(test)]
mod tests {
    use unicode_normalization::char::is_combining_mark;

    use super::{is_arabic, is_cyrillic, is_hebrew};
    use crate::text::tokenise;

    #[test]
    fn letters_are_of_one_script_at_most_and_are_no_marks() {
        for c in (0..0x3000).filter_map(char::from_u32) {
            let scripts = [is_cyrillic(c), is_arabic(c), is_hebrew(c)];
            assert!(scripts.into_iter().filter(|is_it| *is_it).count() <= 1, "{c:?}");
            let is_mark = is_combining_mark(c) && !is_cyrillic(c);
            assert!(!is_mark || scripts == [false; 3], "{c:?}");
        }
        assert!("ЁяґҐ".chars().all(is_cyrillic) && "ابپچگی".chars().all(is_arabic));
        assert!("אבםת".chars().all(is_hebrew) && !"xײ۱".chars().any(is_hebrew));
    }

    /// The prefixes of Arabic are looked for in words of Arabic letters alone.
    #[test]
    fn a_folded_word_that_begins_with_an_arabic_letter_has_no_other_arabic_characters() {
        for c in ('\u{600}'..='\u{77f}').filter(|c| !('\u{700}'..='\u{74f}').contains(c)) {
            for token in tokenise(&format!("عر{c}اق")) {
                let is_folded = |c: char| is_arabic(c) || c.is_ascii();
                assert!(token.word.chars().all(is_folded), "{c:?}: {:?}", token.word);
            }
        }
    }
}
