//! Brings the spellings of one word to one form, and remembers where each piece of that form comes from.

use std::ops::Range;

use unicode_normalization::char::{canonical_combining_class, decompose_compatible, is_combining_mark};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::runs::shows_nothing;

/// A text in the form in which words are compared.
pub(super) struct Folded {
    /// The folded text.
    pub(super) text: String,
    /// Where its pieces come from, ascending by `at`; the first is at 0.
    origins: Vec<Origin>,
}

/// A piece of the folded text begins at `at` and was `from..to` in the original.
struct Origin {
    at: usize,
    from: usize,
    to: usize,
}

impl Folded {
    /// The bytes of the original that the bytes `range` of the folded text come from. `range` must not be empty.
    pub(super) fn origin(&self, range: &Range<usize>) -> Range<usize> {
        let first = self.origins.partition_point(|origin| origin.at <= range.start) - 1;
        let behind = self.origins.partition_point(|origin| origin.at < range.end);
        self.origins[first].from..self.origins[behind - 1].to
    }

    /// Folds `chunk`, which is `from..to` of the original, and clears it.
    fn take(&mut self, chunk: &mut String, from: usize, to: usize) {
        let at = self.text.len();
        if chunk.len() == 1 {
            chunk.make_ascii_lowercase();
            self.text.push_str(chunk);
        } else {
            let folded = chunk.nfkc().flat_map(fold_case).nfd().scan(false, keep_or_drop_accent).flatten();
            self.text.extend(folded.nfc().filter_map(fold_letter));
        }
        if self.text.len() > at {
            self.origins.push(Origin { at, from, to });
        }
        chunk.clear();
    }
}

/// Folds `original`: what shows nothing goes, then NFKC, full case folding, accents and letter forms.
pub(super) fn fold(original: &str) -> Folded {
    let mut folded = Folded { text: String::with_capacity(original.len()), origins: Vec::new() };
    let mut chunk = String::new();
    let (mut from, mut to) = (0, 0);
    for (at, c) in original.char_indices().filter(|&(_, c)| !shows_nothing(c)) {
        if starts_chunk(c) {
            folded.take(&mut chunk, from, to);
            from = at;
        }
        chunk.push(c);
        to = at + c.len_utf8();
    }
    folded.take(&mut chunk, from, to);
    folded
}

/// Whether normalisation never looks across the place before `c` (Unicode annex 15, section 9.1).
fn starts_chunk(c: char) -> bool {
    if c < '\u{300}' {
        return true;
    }
    let mut first = None;
    decompose_compatible(c, |part| first = first.or(Some(part)));
    let first = first.unwrap_or(c);
    canonical_combining_class(first) == 0 && is_nfc_quick(std::iter::once(first)) == IsNormalized::Yes
}

/// Full case folding with the tables of std, which has no table for folding itself. Down, up, down closes over all that
/// Unicode holds to be one letter: ß ẞ ss, σ ς Σ, s ſ, İ i, and ı i, which folding proper keeps apart.
fn fold_case(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// Drops a mark that follows a Latin or Greek letter. `accented` says whether the letter before is one.
#[expect(clippy::unnecessary_wraps, reason = "`scan` ends where `None` is returned")]
fn keep_or_drop_accent(accented: &mut bool, c: char) -> Option<Option<char>> {
    if is_combining_mark(c) {
        return Some((!*accented).then_some(c));
    }
    *accented = matches!(c,
        'a'..='z' | '\u{df}'..='\u{24f}' | '\u{250}'..='\u{2af}' | '\u{1e00}'..='\u{1eff}' | '\u{2c60}'..='\u{2c7f}'
        | '\u{a720}'..='\u{a7ff}' | '\u{ab30}'..='\u{ab6f}' | '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}');
    Some(Some(c))
}

/// The letter that `c` is written as by those who do without it; `None` for the tatweel, which only stretches a word.
fn fold_letter(c: char) -> Option<char> {
    Some(match c {
        'ł' => 'l',
        'ø' => 'o',
        'đ' => 'd',
        'ħ' => 'h',
        'ŧ' => 't',
        'ё' => 'е',
        'آ' | 'أ' | 'إ' | 'ٱ' | 'ٲ' | 'ٳ' => 'ا',
        'ـ' => return None,
        _ => c,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::fold;

    #[test]
    fn spellings_of_one_word_fold_to_one() {
        let cases = [
            ("RUSSIA", "russia"),
            ("Rússia", "russia"),
            ("Ru\u{301}ssia", "russia"),
            ("ＲＵＳＳＩＡ", "russia"),
            ("Rus\u{ad}sia\u{200b}", "russia"),
            ("Straße STRASSE STRAẞE", "strasse strasse strasse"),
            ("İstanbul ISTANBUL ıstanbul", "istanbul istanbul istanbul"),
            ("ſeries", "series"),
            ("ﬁnance ﬃ", "finance ffi"),
            ("Σίσυφος ΣΊΣΥΦΟΣ", "σισυφοσ σισυφοσ"),
            ("ΐ Ϊ́ ᾳ", "ι ι αι"),
            ("Łódź Øst Đuro ǿ ħ", "lodz ost duro o h"),
            ("Việt Nam", "viet nam"),
            ("Ёлка елка Йод", "елка елка йод"),
            ("е\u{308}", "е"),
            ("أحمد إحمد آحمد ٱحمد", "احمد احمد احمد احمد"),
            ("مـــحمد", "محمد"),
            ("שָׁלוֹם", "שָׁלוֹם"),
            ("हिन्दी", "हिन्दी"),
            ("ｶﾞｽ ガス", "ガス ガス"),
            ("김정은 \u{1100}\u{1175}\u{11b7}", "김정은 김"),
            ("Ǆ ǆ", "dz dz"),
            ("K Å µ", "k a μ"),
        ];
        for (original, expected) in cases {
            assert_eq!(fold(original).text, expected, "{original}");
        }
    }

    proptest! {
        #[test]
        fn origins_lie_on_character_boundaries_and_ascend(text in any::<String>()) {
            let folded = fold(&text);
            let mut end = 0;
            for origin in &folded.origins {
                prop_assert!(origin.from >= end && origin.to > origin.from);
                prop_assert!(text.is_char_boundary(origin.from) && text.is_char_boundary(origin.to));
                end = origin.to;
            }
        }
    }
}
