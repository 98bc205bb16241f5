//! Folds most letters without normalisation.

use unicode_normalization::char::decompose_canonical;

use super::simplified::simplified;

/// The folded character of `chunk`, if it is one character of a known range.
pub(super) fn folded_character(chunk: &str) -> Option<char> {
    let first = chunk.chars().next()?;
    if chunk.len() > first.len_utf8() {
        return None;
    }
    match first {
        '\0'..='\u{7f}' => Some(first.to_ascii_lowercase()),
        '\u{c0}'..='\u{17f}' => without_accent(first),
        _ => letter(first),
    }
}

/// The folded form of `c`, if it is a letter or sign of a range that normalisation does not change
/// in any context.
pub(super) fn letter(c: char) -> Option<char> {
    match c {
        'А'..='Я' => char::from_u32(u32::from(c) + 0x20),
        '一'..='\u{9fff}' => Some(simplified(c)),
        'ة' => Some('ه'),
        'ى' => Some('ي'),
        'а'..='я'
        | 'א'..='ת'
        | 'ب'..='غ'
        | 'ف'..='ي'
        | 'अ'..='ह'
        | 'ก'..='ะ'
        | '\u{2012}'..='\u{2016}'
        | '\u{2018}'..='\u{201f}'
        | 'ぁ'..='ゖ'
        | 'ァ'..='ヺ'
        | '가'..='힣' => Some(c),
        _ => None,
    }
}

/// The ASCII letter of `c` without its accent, if it has one.
fn without_accent(c: char) -> Option<char> {
    let mut base = None;
    decompose_canonical(c, |part| base = base.or(Some(part)));
    base.filter(char::is_ascii_alphabetic).map(|base| base.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use unicode_normalization::char::{canonical_combining_class, decompose_compatible};
    use unicode_normalization::{IsNormalized, is_nfc_quick};

    use super::{folded_character, letter};
    use crate::text::fold::fold_chunk;

    #[test]
    fn the_long_way_folds_to_the_same() {
        let mut known = 0;
        for c in '\0'..='\u{ffff}' {
            if let Some(folded) = folded_character(&c.to_string()) {
                let mut text = String::new();
                fold_chunk(&c.to_string(), &mut text);
                assert_eq!(text, folded.to_string(), "{c}");
                known += 1;
            }
        }
        assert!(known > 30_000);
    }

    #[test]
    fn normalisation_never_looks_across_the_place_before_a_settled_letter() {
        for c in ('\0'..='\u{ffff}').filter(|&c| letter(c).is_some()) {
            let mut parts = Vec::new();
            decompose_compatible(c, |part| parts.push(part));
            assert_eq!(canonical_combining_class(parts[0]), 0, "{c}");
            assert_eq!(is_nfc_quick(parts[..1].iter().copied()), IsNormalized::Yes, "{c}");
        }
    }
}
