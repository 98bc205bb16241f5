//! Folds the spellings of a word to one form, and keeps the origin of each piece of it.

use std::ops::Range;

use unicode_normalization::char::{
    canonical_combining_class, decompose_compatible, is_combining_mark,
};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::letters::{is_arabic, is_cyrillic, is_hebrew};
use super::runs::shows_nothing;
use super::{apostrophe, digit_groups, hebrew};

mod settled;
mod simplified;

pub(super) use simplified::{simplified, simplified_forms};

/// A folded text. The next one reuses its memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Folded {
    /// The folded text.
    pub(super) text: String,
    /// The origins of its pieces, ascending by `at`. The first is at 0.
    origins: Vec<Origin>,
    /// The characters that are normalised next.
    chunk: String,
}

/// The piece of the folded text from `at` on comes from the bytes `from..to` of the original.
#[derive(Clone, Debug)]
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

    /// Folds `original`: removes invisible characters, then applies NFKC, full case folding, and
    /// the folding of accents and letters. Forgets the text before.
    pub(super) fn fold(&mut self, original: &str) {
        self.text.clear();
        self.origins.clear();
        let (mut from, mut to) = (0, 0);
        for (at, c) in original.char_indices() {
            let end = at + c.len_utf8();
            let (before, after) = (&original[..at], &original[end..]);
            let separates = c == ZERO_WIDTH_NON_JOINER && is_between_arabic(before, after);
            if (shows_nothing(c) && !separates) || is_inside_word(before, c, after) {
                continue;
            }
            let c = if separates { ' ' } else { c };
            if starts_chunk(c) || is_stray(c, &self.chunk) {
                self.push_chunk(from, to);
                from = at;
            }
            self.chunk.push(plain_sign(c));
            to = end;
        }
        self.push_chunk(from, to);
    }

    /// Folds the pending chunk, the bytes `from..to` of the original, and clears it.
    fn push_chunk(&mut self, from: usize, to: usize) {
        let Self { text, origins, chunk } = self;
        let at = text.len();
        match settled::folded_character(chunk) {
            Some(folded) => text.push(folded),
            None => fold_chunk(chunk, text),
        }
        if text.len() > at {
            origins.push(Origin { at, from, to });
        } else if let Some(last) = origins.last_mut().filter(|_| chunk.starts_with(SARA_AA)) {
            // It was composed with the chunk before it.
            last.to = to;
        }
        chunk.clear();
    }
}

/// Folds `chunk`, which can be normalised alone, and appends it to `text`.
fn fold_chunk(chunk: &str, text: &mut String) {
    let gap = if chunk.starts_with(stands_apart) { " " } else { "" };
    let mut base = '\0';
    let folded = chunk.nfkc().flat_map(fold_case).nfd().filter(|&c| stays(&mut base, c));
    text.push_str(gap);
    folded.nfc().for_each(|c| push_letter(text, c));
    text.push_str(gap);
}

/// `original` in its folded form.
pub(super) fn fold(original: &str) -> Folded {
    let mut folded = Folded::default();
    folded.fold(original);
    folded
}

/// It separates the parts of Persian words: `می‌خواهد`.
const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';

/// The last part of the Thai and Lao vowel am, which NFKC splits.
const SARA_AA: [char; 2] = ['\u{e32}', '\u{eb2}'];

/// Whether the sign `c` between `before` and `after` is part of a word or number, which is the same
/// without it.
fn is_inside_word(before: &str, c: char, after: &str) -> bool {
    hebrew::is_spelling(before, c, after)
        || (apostrophe::is_apostrophe(c) && apostrophe::is_within_word(before, after))
        || digit_groups::is_separator(before, c, after)
}

/// Whether `before` ends and `after` begins with an Arabic letter or a mark.
pub(super) fn is_between_arabic(before: &str, after: &str) -> bool {
    let is_arabic = |c: char| is_arabic(c) || is_combining_mark(c);
    before.chars().next_back().is_some_and(is_arabic) && after.chars().next().is_some_and(is_arabic)
}

/// Whether `c` joins a letter before it, such as a vowel of Hangul, but no letter is there.
fn is_stray(c: char, chunk: &str) -> bool {
    !is_combining_mark(c)
        && !chunk.ends_with(|last: char| last.is_alphabetic() && !is_combining_mark(last))
}

/// The plain sign for `c`, if NFKC would change its kind: a trade mark to letters, an acute accent
/// to a combining mark.
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

/// Whether `c` begins a chunk that is normalised alone (Unicode annex 15, section 9.1).
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

/// Full case folding with the case tables of std, which has no table for folding. Lower, upper and
/// lower case in turn reach all spellings of a letter: ß ẞ ss, σ ς Σ, s ſ, İ i. They also join ı
/// and i, which full case folding separates.
fn fold_case(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// Whether `c` is kept. Not kept are marks on a Latin or Greek letter, vowel marks on an Arabic or
/// Hebrew letter, stress marks on a Cyrillic letter, and marks that make a symbol of a digit (1⃣).
/// `base` is the last letter.
fn stays(base: &mut char, c: char) -> bool {
    if is_combining_mark(c) {
        return !takes_accents(*base)
            && !is_arabic(*base)
            && !is_hebrew_or_ligature(*base)
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

/// Whether `c` is a Hebrew letter or a ligature of Yiddish.
fn is_hebrew_or_ligature(c: char) -> bool {
    is_hebrew(c) || matches!(c, '\u{5eb}'..='\u{5f2}')
}

/// Whether `mark` is a stress mark on the Cyrillic letter `base`, a small one. The letters ѓ and ќ
/// have their mark as a part.
fn is_stress(base: char, mark: char) -> bool {
    is_cyrillic(base) && (mark == '\u{300}' || (mark == '\u{301}' && !matches!(base, 'г' | 'к')))
}

/// Appends the plain spelling of `c`. The tatweel only stretches a word and is removed.
fn push_letter(text: &mut String, c: char) {
    match c {
        '\u{e32}' => push_sara_aa(text, ['\u{e4d}', '\u{e32}', '\u{e33}']),
        '\u{eb2}' => push_sara_aa(text, ['\u{ecd}', '\u{eb2}', '\u{eb3}']),
        'ł' => text.push('l'),
        'ø' => text.push('o'),
        'đ' => text.push('d'),
        'ħ' => text.push('h'),
        'ŧ' => text.push('t'),
        'œ' => text.push_str("oe"),
        'æ' => text.push_str("ae"),
        'ё' => text.push('е'),
        'آ' | 'أ' | 'إ' | 'ٱ' | 'ٲ' | 'ٳ' => text.push('ا'),
        'ة' | 'ۀ' | 'ہ' | 'ھ' | 'ۂ' | 'ۃ' | 'ە' => text.push('ه'),
        'ى' | 'ی' => text.push('ي'),
        'ک' => text.push('ك'),
        'ـ' => {}
        '٫' => text.push('.'),
        '٬' => text.push(','),
        '一'..='\u{9fff}' => text.push(simplified(c)),
        _ => text.push(european_digit(c).unwrap_or(c)),
    }
}

/// Appends the vowel `aa`. After the sign `nikhahit`, also with a tone mark on it, both are the
/// vowel `am`, and the tone mark stands before it.
fn push_sara_aa(text: &mut String, [nikhahit, aa, am]: [char; 3]) {
    let is_tone = |c: &char| matches!(c, '\u{e48}'..='\u{e4b}' | '\u{ec8}'..='\u{ecb}');
    let tone = text.chars().next_back().filter(is_tone);
    let before = tone.map_or(0, char::len_utf8);
    if !text[..text.len() - before].ends_with(nikhahit) {
        return text.push(aa);
    }
    text.truncate(text.len() - before - nikhahit.len_utf8());
    text.extend(tone);
    text.push(am);
}

/// The digit 0 of the scripts that write decimal numbers.
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
            ("שָׁלוֹם", "שלום"),
            ("رئيسًا مُحَمَّد غزة إلى ایران کره", "رييسا محمد غزه الي ايران كره"),
            ("習近平 朝鮮 朝鲜", "习近平 朝鲜 朝鲜"),
            ("می\u{200c}خواهد", "مي خواهد"),
            ("น้ำ น\u{e4d}\u{e49}า น้\u{e4d}า ทำ", "น้ำ น้ำ น้ำ ทำ"),
            ("Xi’an Sana'a об’єкт dell’Italia", "xian sanaa обєкт dell’italia"),
            ("1,000 2’500 3,5", "1000 2500 3,5"),
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
