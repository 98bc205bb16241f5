//! Apostrophes: those within a name (`Xi’an`), those that separate words (`l’arme`), and an `s`
//! after one.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use super::letters::is_cyrillic;
use super::runs::shows_nothing;

/// The most letters that are read beside an apostrophe. Longer words have no ending that counts.
const LONGEST: usize = 12;

/// Whether `c` is an apostrophe or similar: typewriter's, printer's, prime, accents, and the
/// modifier letters of transliteration (`Qurʾan`, `Rusʹ`), which Unicode classifies as letters.
pub(super) fn is_apostrophe(c: char) -> bool {
    matches!(
        c,
        '\'' | '`' | '´' | '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' | '\u{2b9}'
            ..='\u{2bf}' | '\u{ff07}'
    )
}

/// Whether the apostrophe between `before` and `after` is within a word, which is the same without
/// it: `Xi’an`, `O’Brien`, `об’єкт`. One after an elided article (`l’arme`, `dell’Italia`) or
/// before an ending (`Russia’s`, `don’t`, `IRAK’TA`) separates words.
pub(super) fn is_within_word(before: &str, after: &str) -> bool {
    let (left, right) = (NearLetters::read(before.chars().rev()), NearLetters::read(after.chars()));
    let (left, right) = (left.as_slice(), right.as_slice());
    let ([left_end, ..], [right_start, ..]) = (left, right) else { return false };
    if is_cyrillic(*left_end) && is_cyrillic(*right_start) {
        return true;
    }
    left_end.is_ascii_lowercase()
        && right_start.is_ascii_lowercase()
        && !is_elided(left, right)
        && !is_ending(left, right)
}

/// Whether an `s` after an apostrophe follows the word that ends at byte `end` of `text`:
/// `Moody’s`, `“Arms”’s`.
pub(crate) fn has_genitive_s(text: &str, end: usize) -> bool {
    let mut behind = text[end..].chars().filter(|c| !shows_nothing(*c)).peekable();
    while behind.peek().is_some_and(|c| matches!(c, '"' | '”' | '“' | '»' | '.' | '…')) {
        behind.next();
    }
    behind.next().is_some_and(is_apostrophe)
        && behind.next().is_some_and(|c| matches!(c, 's' | 'S' | 'ſ'))
        && behind.next().is_none_or(|c| !c.is_alphanumeric() && !is_combining_mark(c))
}

/// Whether `left`, in reverse, lost its last vowel before `right`: `l`, `qu`, `dell`, `quest`.
fn is_elided(left: &[char], right: &[char]) -> bool {
    let one = |list: &[&str]| list.iter().any(|word| left.iter().rev().copied().eq(word.chars()));
    let has_vowel = right.first().is_some_and(|c| is_vowel(*c) || *c == 'h');
    let ends_in_two = left.len() > 2
        && !is_vowel(left[0])
        && !is_vowel(left[1])
        && !left.starts_with(&['g', 'n']);
    one(&["c", "d", "j", "l", "m", "n", "s", "t", "v", "z", "un", "gl", "com", "cos", "dov"])
        || left.starts_with(&['u', 'q'])
        || (has_vowel && right.len() > 2 && ends_in_two)
}

/// Whether `right` is an ending of English or Turkish. A Turkish ending begins with a vowel only
/// after a consonant, so that `Sana’a` and `Shi’a` have none.
fn is_ending(left: &[char], right: &[char]) -> bool {
    const ENGLISH: &[&str] = &["s", "t", "d", "m", "re", "ve", "ll"];
    const TURKISH: &[&str] = &[
        "a", "e", "i", "u", "in", "un", "ya", "ye", "yi", "yu", "na", "ne", "ni", "nu", "da", "de",
        "ta", "te", "dan", "den", "tan", "ten", "nin", "nun", "la", "le", "yla", "yle", "li", "lu",
        "ki", "daki", "deki", "taki", "teki", "nda", "nde", "ndan", "nden", "ndaki", "ndeki", "ca",
        "ce", "lar", "ler", "larin", "lerin", "dir", "dur", "tir", "tur", "si", "su",
    ];
    let is_one = |list: &[&str]| list.iter().any(|word| right.iter().copied().eq(word.chars()));
    let of_one_letter = right.len() == 1 && !(is_vowel(right[0]) && is_vowel(left[0]));
    let fits = !(is_vowel(right[0]) && is_vowel(left[0]));
    is_one(ENGLISH) || of_one_letter || (fits && is_one(TURKISH))
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u')
}

/// The letters beside an apostrophe, from it on, without accents and in lower case.
struct NearLetters {
    all: [char; LONGEST],
    count: usize,
}

impl NearLetters {
    fn read(characters: impl Iterator<Item = char>) -> Self {
        let mut letters = Self { all: ['\0'; LONGEST], count: 0 };
        let shown = characters.filter(|c| !shows_nothing(*c) && !is_combining_mark(*c));
        let of_word = shown.take_while(|c| c.is_alphabetic() && !is_apostrophe(*c));
        for (place, c) in letters.all.iter_mut().zip(of_word) {
            *place = plain_letter(c);
            letters.count += 1;
        }
        letters
    }

    fn as_slice(&self) -> &[char] {
        &self.all[..self.count]
    }
}

/// `c` in lower case and without its accent.
fn plain_letter(c: char) -> char {
    let mut plain = None;
    decompose_compatible(c, |part| plain = plain.or(Some(part)));
    match plain.unwrap_or(c).to_lowercase().next().unwrap_or(c) {
        'ı' => 'i',
        'ł' => 'l',
        'ø' => 'o',
        'đ' => 'd',
        'ß' => 's',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{has_genitive_s, is_within_word};

    /// Words with an apostrophe within.
    const WITHIN: &str = "Xi’an Sana’a Qur’an Qur'anic O'Brien o’clock Hawai'i Shi’ite Shi’a \
        Da'esh Ba‘ath Tai'an Chang'an Tian'anmen Yan’an Ma’ariv Isra’il \
        P'yongyang Ya’alon Re’im Be’eri Nuku’alofa O‘zbekiston об’єкт п'ять \
        В’ячеслав Лук'янівка О'Брайен Qurʾan";

    /// Words that an apostrophe separates.
    const SEPARATING: &str = "l’arme d’Iran dell’Italia aujourd'hui qu'il lorsqu’on sant'Egidio \
        quest'anno all'Onu un'altra n’est don't they've we're he’d Un’s \
        Russia's IRAK’TA ISTANBUL’da İran'a Erdoğan’ın Türkiye'nin Rusya’ya \
        rock'n 1990's C'est D'Angelo σ'αυτό";

    #[test]
    fn an_apostrophe_is_within_a_name_or_separates_words() {
        for (words, expected) in [(WITHIN, true), (SEPARATING, false)] {
            for word in words.split(' ') {
                let sign = word.char_indices().find(|(_, c)| super::is_apostrophe(*c));
                let (at, sign) = sign.expect("each has an apostrophe");
                let (before, after) = (&word[..at], &word[at + sign.len_utf8()..]);
                assert_eq!(is_within_word(before, after), expected, "{word}");
            }
        }
    }

    #[test]
    fn a_genitive_s_is_seen_behind_quotation_marks_and_never_in_a_longer_word() {
        for (text, expected) in [
            ("Moody’s", true),
            ("Moody'S", true),
            ("Moody”’s", true),
            ("Moody´s.", true),
            ("Moody\u{200b}’s", true),
            ("Moodys", false),
            ("Moody’sa", false),
            ("Moody’ s", false),
            ("Moody", false),
        ] {
            assert_eq!(has_genitive_s(text, "Moody".len()), expected, "{text}");
        }
    }
}
