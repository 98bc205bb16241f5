//! Finds signs inside Hebrew words: geresh and gershayim in any spelling.

use unicode_normalization::char::is_combining_mark;

use super::letters::is_hebrew;
use super::runs::shows_nothing;

/// Whether the sign `c` between `before` and `after` is part of a Hebrew word, which is the same
/// without it: `צה״ל`, `ג׳ורג׳`.
pub(super) fn is_spelling(before: &str, c: char, after: &str) -> bool {
    match c {
        '\u{5f3}' => ends_in_letter(before),
        '\'' | '\u{2018}' | '\u{2019}' => {
            ends_in_letter(before) && letters(after).next().is_some_and(is_letter)
        }
        _ => is_double(c) && ends_in_letter(before) && !opens_quotation(after),
    }
}

/// Whether a double sign before `after` opens a quotation after a prefix, as in `ב"הארץ"`.
fn opens_quotation(after: &str) -> bool {
    let word = letters(after).take_while(|&c| is_letter(c)).count();
    word == 0 || (word > 1 && letters(after).nth(word).is_some_and(is_double))
}

fn ends_in_letter(before: &str) -> bool {
    before.chars().rev().find(|&c| !hangs_on(c)).is_some_and(is_letter)
}

fn letters(after: &str) -> impl Iterator<Item = char> {
    after.chars().filter(|&c| !hangs_on(c))
}

fn hangs_on(c: char) -> bool {
    is_combining_mark(c) || shows_nothing(c)
}

fn is_double(c: char) -> bool {
    matches!(c, '"' | '\u{5f4}' | '\u{201c}' | '\u{201d}')
}

/// Whether `c` is a Hebrew letter, a ligature or a presentation form. The text is not folded.
fn is_letter(c: char) -> bool {
    is_hebrew(c) || matches!(c, '\u{5ef}'..='\u{5f2}' | '\u{fb1d}'..='\u{fb4f}')
}

#[cfg(test)]
mod tests {
    use super::is_spelling;

    #[test]
    fn a_sign_of_spelling_is_no_quotation_mark() {
        let cases = [
            ("צה", '"', "ל", true),
            ("צה", '״', "ל הודיע", true),
            ("מנכ", '”', "לית", true),
            ("בצה", '"', "ל\"", true),
            ("ב", '"', "הארץ\" נכתב", false),
            ("שלום", '"', "", false),
            ("", '"', "שלום", false),
            ("ג", '\'', "ורג'", true),
            ("ורג", '׳', "", true),
            ("ורג", '\'', "", false),
            ("a", '"', "ל", false),
            ("צָה", '"', "לָ", true),
        ];
        for (before, sign, after, expected) in cases {
            assert_eq!(is_spelling(before, sign, after), expected, "{before}{sign}{after}");
        }
    }
}
