//! The spellings of a word that are found, each with what must be true of the place where it
//! stands.

use std::ops::Range;

use crate::text::{has_genitive_s, is_shouted, is_single_space};

/// The most letters of a word in capitals that is also found with dots between its letters.
const LONGEST_ACRONYM: usize = 5;

/// One spelling of a word, folded as `tokenise` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spelling {
    pub(crate) word: String,
    pub(crate) condition: SpellingCondition,
}

/// What must be true of a word where it stands in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum SpellingCondition {
    /// Nothing.
    Always,
    /// It has no small letter, and its sentence or headline has some.
    InCapitals,
    /// It begins with a capital.
    Capitalised,
    /// An `s` after an apostrophe follows it: `Moody’s`.
    GenitiveS,
    /// This sign is beside it: a currency sign before or after it, a per cent sign after it. A
    /// space may be between them.
    Beside(char),
}

impl Spelling {
    /// The spelling `word`, wherever it stands.
    pub(crate) fn always(word: String) -> Self {
        Self { word, condition: SpellingCondition::Always }
    }
}

impl SpellingCondition {
    /// Whether it is true of the word at the bytes `word` of `text`. `all_caps`: `text` is a
    /// headline in capitals only.
    pub(crate) fn holds(self, text: &str, word: &Range<usize>, all_caps: bool) -> bool {
        let written = &text[word.clone()];
        match self {
            Self::Always => true,
            Self::InCapitals => {
                !all_caps && !written.contains(char::is_lowercase) && !is_shouted(text, word)
            }
            Self::Capitalised => written.starts_with(char::is_uppercase),
            Self::GenitiveS => has_genitive_s(text, word.end),
            Self::Beside(sign) => is_beside(text, word, sign),
        }
    }

    /// The bytes of `text` that prove the word at the bytes `word`, where this holds: the word with
    /// the sign beside it.
    pub(crate) fn place(self, text: &str, word: &Range<usize>) -> Range<usize> {
        match self {
            Self::Always | Self::InCapitals | Self::Capitalised => word.clone(),
            Self::GenitiveS => {
                let s = text[word.end..].find(['s', 'S', 'ſ']).unwrap_or_default();
                let length = text[word.end + s..].chars().next().map_or(0, char::len_utf8);
                word.start..word.end + s + length
            }
            Self::Beside(sign) => {
                let is_it = |c: char| plain(c) == sign;
                let (before, behind) = (&text[..word.start], &text[word.end..]);
                if beside(behind.chars()).is_some_and(is_it) {
                    let at = behind.find(is_it).unwrap_or_default();
                    let length = behind[at..].chars().next().map_or(0, char::len_utf8);
                    return word.start..word.end + at + length;
                }
                before.rfind(is_it).unwrap_or(word.start)..word.end
            }
        }
    }

    /// The condition that the signs around the word at the bytes `word` of a rule's text set.
    pub(crate) fn written(text: &str, word: &Range<usize>) -> Option<Self> {
        if has_genitive_s(text, word.end) {
            return Some(Self::GenitiveS);
        }
        let is_number = text[word.clone()].starts_with(char::is_numeric);
        let before = text[..word.start].chars().next_back();
        let behind = text[word.end..].chars().next();
        let sign = before.filter(|c| is_currency(*c)).or(behind.filter(|c| is_sign(*c)));
        sign.filter(|_| is_number).map(|sign| Self::Beside(plain(sign)))
    }
}

/// The dotted spelling of `folded`, if `written` is an acronym: `u.n` for `UN`.
pub(crate) fn dotted_acronym(written: &str, folded: &str) -> Option<String> {
    let is_acronym = (2..=LONGEST_ACRONYM).contains(&written.chars().count())
        && written.chars().count() == folded.chars().count()
        && written.chars().all(char::is_uppercase);
    is_acronym.then(|| with_dots(folded))
}

/// `letters` with a dot between any two of them.
pub(crate) fn with_dots(letters: &str) -> String {
    let letters: Vec<String> = letters.chars().map(String::from).collect();
    letters.join(".")
}

/// The other ways to write the number `folded`: `1.000` for `1000`, `3,5` for `3.5`. Both signs
/// separate decimals or groups, by the language.
pub(crate) fn other_numerals(folded: &str) -> Vec<String> {
    if !folded.starts_with(|c: char| c.is_ascii_digit()) {
        return Vec::new();
    }
    let is_sign = |c: char| matches!(c, '.' | ',');
    if folded.bytes().all(|byte| byte.is_ascii_digit()) {
        return grouped(folded, ".").into_iter().collect();
    }
    let mut parts = folded.split(is_sign);
    let (Some(whole), Some(decimals), None) = (parts.next(), parts.next(), parts.next()) else {
        return Vec::new();
    };
    let of_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    // Three digits after the sign may be a group.
    if !of_digits(whole) || !of_digits(decimals) || (decimals.len() == 3 && whole != "0") {
        return Vec::new();
    }
    let other = if folded.contains('.') { ',' } else { '.' };
    vec![format!("{whole}{other}{decimals}")]
}

/// The digits in groups of three, if there are more than three and at most twelve.
fn grouped(digits: &str, sign: &str) -> Option<String> {
    if !(4..=12).contains(&digits.len()) || digits.starts_with('0') {
        return None;
    }
    let (first, rest) = digits.split_at((digits.len() - 1) % 3 + 1);
    let groups = rest.as_bytes().chunks(3).map(|group| str::from_utf8(group).unwrap_or_default());
    Some(std::iter::once(first).chain(groups).collect::<Vec<_>>().join(sign))
}

fn is_beside(text: &str, word: &Range<usize>, sign: char) -> bool {
    let is_it = |c: char| plain(c) == sign;
    let after = || beside(text[word.end..].chars()).is_some_and(is_it);
    let before = || beside(text[..word.start].chars().rev()).is_some_and(is_it);
    after() || (is_currency(sign) && before())
}

/// The first of `characters`, or the second after a space.
fn beside(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let first = characters.next()?;
    if is_single_space(first) { characters.next() } else { Some(first) }
}

fn is_sign(c: char) -> bool {
    is_currency(c) || matches!(c, '%' | '٪' | '％' | '﹪')
}

/// Whether `c` is a currency sign (`General_Category=Sc` of Unicode annex 44).
fn is_currency(c: char) -> bool {
    matches!(
        c,
        '$' | '¢'..='¥' | '֏' | '؋' | '৲' | '৳' | '฿' | '\u{20a0}'..='\u{20c1}' | '﷼' | '＄' | '￠' | '￡'
            | '￥' | '￦' | '﹩'
    )
}

/// The usual sign for a sign of another width or script.
fn plain(sign: char) -> char {
    match sign {
        '＄' | '﹩' => '$',
        '￠' => '¢',
        '￡' => '£',
        '￥' => '¥',
        '￦' => '₩',
        '٪' | '％' | '﹪' => '%',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{SpellingCondition, dotted_acronym, other_numerals};

    #[test]
    fn capitals_have_a_spelling_with_dots_if_they_are_few() {
        for (written, folded, expected) in [
            ("UN", "un", Some("u.n")),
            ("NATO", "nato", Some("n.a.t.o")),
            ("Un", "un", None),
            ("U", "u", None),
            ("RUSSIA", "russia", None),
            ("F16", "f16", None),
        ] {
            assert_eq!(dotted_acronym(written, folded).as_deref(), expected, "{written}");
        }
    }

    #[test]
    fn numbers_have_the_other_signs_of_decimals_and_groups() {
        for (number, expected) in [
            ("1000", "1.000"),
            ("1000000", "1.000.000"),
            ("3.5", "3,5"),
            ("3,5", "3.5"),
            ("0,125", "0.125"),
            ("3.141", ""),
            ("999", ""),
            ("0100", ""),
            ("5bn", ""),
            ("1.2.3", ""),
            ("f16", ""),
        ] {
            assert_eq!(other_numerals(number).join(" "), expected, "{number}");
        }
    }

    #[test]
    fn a_sign_that_a_rule_writes_is_required_beside_the_word() {
        let holds = |rule: &str, text: &str| {
            let word = |text: &str| {
                let start = text.find(char::is_alphanumeric).expect("a word");
                let rest = text[start..].find(|c: char| !c.is_alphanumeric());
                start..rest.map_or(text.len(), |length| start + length)
            };
            let condition = SpellingCondition::written(rule, &word(rule)).expect("a sign");
            condition.holds(text, &word(text), false)
        };
        for (rule, text, expected) in [
            ("$5bn", "$5bn", true),
            ("$5bn", "＄5bn", true),
            ("$5bn", "€5bn", false),
            ("$5bn", "5bn", false),
            ("€5", "5 €", true),
            ("5%", "5 %", true),
            ("5%", "5\u{2007}%", true),
            ("€5", "5\u{202f}€", true),
            ("5%", "5٪", true),
            ("5%", "5 people", false),
            ("5%", "%5", false),
            ("Moody's", "Moody’s", true),
            ("Moody's", "Moody", false),
        ] {
            assert_eq!(holds(rule, text), expected, "{rule} in {text}");
        }
        assert_eq!(SpellingCondition::written("$name", &(1..5)), None);
        let text = "for $5bn, Moody’s";
        assert_eq!(&text[SpellingCondition::Beside('$').place(text, &(5..8))], "$5bn");
        assert_eq!(&text[SpellingCondition::GenitiveS.place(text, &(10..15))], "Moody’s");
        assert_eq!(SpellingCondition::Beside('%').place("5 % of", &(0..1)), 0..3);
    }
}
