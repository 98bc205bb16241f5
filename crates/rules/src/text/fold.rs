//! Folds the spellings of a word to one form, and keeps where each piece of that form comes from.

use std::ops::Range;

use unicode_normalization::char::{
    canonical_combining_class, decompose_compatible, is_combining_mark,
};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::hebrew;
use super::runs::shows_nothing;

mod settled;

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
    /// The bytes of the original that the bytes `range` of the folded text come from. `range` must
    /// not be empty.
    pub(super) fn origin(&self, range: &Range<usize>) -> Range<usize> {
        let first = self.origins.partition_point(|origin| origin.at <= range.start) - 1;
        let behind = self.origins.partition_point(|origin| origin.at < range.end);
        self.origins[first].from..self.origins[behind - 1].to
    }

    /// Folds `chunk`, which is `from..to` of the original, and clears it.
    fn push_chunk(&mut self, chunk: &mut String, from: usize, to: usize) {
        let at = self.text.len();
        match settled::folded_character(chunk) {
            Some(folded) => self.text.push(folded),
            None => fold_chunk(chunk, &mut self.text),
        }
        if self.text.len() > at {
            self.origins.push(Origin { at, from, to });
        }
        chunk.clear();
    }
}

/// Folds `chunk`, which can be normalised by itself, onto the end of `text`.
fn fold_chunk(chunk: &str, text: &mut String) {
    let gap = if chunk.starts_with(stands_apart) { " " } else { "" };
    let mut base = '\0';
    let folded = chunk.nfkc().flat_map(fold_case).nfd().filter(|&c| stays(&mut base, c));
    text.push_str(gap);
    folded.nfc().for_each(|c| push_letter(text, c));
    text.push_str(gap);
}

/// Folds `original`: what shows nothing goes, then NFKC, full case folding, accents and letter
/// forms.
pub(super) fn fold(original: &str) -> Folded {
    let mut folded = Folded { text: String::with_capacity(original.len()), origins: Vec::new() };
    let mut chunk = String::new();
    let (mut from, mut to) = (0, 0);
    for (at, c) in original.char_indices().filter(|&(_, c)| !shows_nothing(c)) {
        let end = at + c.len_utf8();
        if hebrew::is_spelling(&original[..at], c, &original[end..]) {
            continue;
        }
        if starts_chunk(c) || is_stray(c, &chunk) {
            folded.push_chunk(&mut chunk, from, to);
            from = at;
        }
        chunk.push(plain_sign(c));
        to = end;
    }
    folded.push_chunk(&mut chunk, from, to);
    folded
}

/// Whether `c` is a vowel of Hangul, say, that has no letter before it to join.
fn is_stray(c: char, chunk: &str) -> bool {
    !is_combining_mark(c)
        && !chunk.ends_with(|last: char| last.is_alphabetic() && !is_combining_mark(last))
}

/// The sign that `c` stands for, where NFKC would make of it what it is not: trade marks letters,
/// an acute accent a mark.
fn plain_sign(c: char) -> char {
    match c {
        '™' | '℠' => ' ',
        '´' => '\'',
        '♯' => '#',
        _ => c,
    }
}

/// Whether `c` is a word of its own beside letters and digits: `3½`, `№5`, `2①`.
fn stands_apart(c: char) -> bool {
    matches!(c, '¼'..='¾' | '№' | '⅐'..='⅟' | '↉' | '①'..='⒛')
}

/// Whether normalisation never looks across the place before `c` (Unicode annex 15, section 9.1).
fn starts_chunk(c: char) -> bool {
    if c < '\u{300}' || settled::letter(c).is_some() {
        return true;
    }
    let mut first = None;
    decompose_compatible(c, |part| first = first.or(Some(part)));
    let first = first.unwrap_or(c);
    canonical_combining_class(first) == 0
        && is_nfc_quick(std::iter::once(first)) == IsNormalized::Yes
}

/// Full case folding with the tables of std, which has no table for folding itself. Down, up, down
/// closes over all that Unicode holds to be one letter: ß ẞ ss, σ ς Σ, s ſ, İ i, and ı i, which
/// folding proper keeps apart.
fn fold_case(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// Whether `c` stays: all but marks on a Latin or Greek letter, stress marks on a Cyrillic one, and
/// the marks that make a symbol of a digit (1⃣). `base` is the letter before.
fn stays(base: &mut char, c: char) -> bool {
    if is_combining_mark(c) {
        return !takes_accents(*base)
            && !is_stress(*base, c)
            && !matches!(c, '\u{20d0}'..='\u{20ff}');
    }
    *base = c;
    true
}

/// Whether `c` is a Latin or Greek letter.
fn takes_accents(c: char) -> bool {
    matches!(c,
        'a'..='z' | '\u{df}'..='\u{24f}' | '\u{250}'..='\u{2af}' | '\u{1e00}'..='\u{1eff}' | '\u{2c60}'..='\u{2c7f}'
        | '\u{a720}'..='\u{a7ff}' | '\u{ab30}'..='\u{ab6f}' | '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}')
}

/// Whether `mark` says how the Cyrillic letter `base` is stressed; ѓ and ќ are letters of their
/// own.
fn is_stress(base: char, mark: char) -> bool {
    let is_cyrillic = matches!(base, '\u{430}'..='\u{52f}');
    is_cyrillic && (mark == '\u{300}' || (mark == '\u{301}' && !matches!(base, 'г' | 'к')))
}

/// Writes `c` as those do who do without it. The tatweel only stretches a word and goes.
fn push_letter(text: &mut String, c: char) {
    match c {
        'ł' => text.push('l'),
        'ø' => text.push('o'),
        'đ' => text.push('d'),
        'ħ' => text.push('h'),
        'ŧ' => text.push('t'),
        'œ' => text.push_str("oe"),
        'æ' => text.push_str("ae"),
        'ё' => text.push('е'),
        'آ' | 'أ' | 'إ' | 'ٱ' | 'ٲ' | 'ٳ' => text.push('ا'),
        'ـ' => {}
        '٫' => text.push('.'),
        '٬' => text.push(','),
        _ => text.push(european_digit(c).unwrap_or(c)),
    }
}

/// The digit 0 of the scripts that write numbers as Europe does, digit by digit.
const ZEROS: [char; 17] =
    ['٠', '۰', '߀', '०', '০', '੦', '૦', '୦', '௦', '౦', '೦', '൦', '๐', '໐', '༠', '၀', '០'];

fn european_digit(c: char) -> Option<char> {
    if c < ZEROS[0] || !c.is_numeric() {
        return None;
    }
    let value = ZEROS
        .iter()
        .find_map(|&zero| u32::from(c).checked_sub(zero.into()).filter(|&value| value < 10))?;
    char::from_digit(value, 10)
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
            ("Œuvre cœur Æther", "oeuvre coeur aether"),
            ("Росси́я за̀мок ёлка́ ѓ ќ й ї", "россия замок елка ѓ ќ й ї"),
            ("٢٠٢٦ ۱۴۰۵ १६ ๑๖ ٣٫٥", "2026 1405 16 16 3.5"),
            ("3½ №5 iPhone™ Putin´s C♯", "3 1⁄2   no 5 iphone  putin's c#"),
            ("צה\"ל צה״ל ג'ורג׳", "צהל צהל גורג"),
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
