//! Numbers in the form in which copies are compared: number words, signs around digits, large
//! units. Pure.

use std::ops::Range;

use super::word::{CopyWord, CopyWordKind};

/// Number words, each with its value. Sorted.
const NUMBER_WORDS: [(&str, u32); 27] = [
    ("eight", 8),
    ("eighteen", 18),
    ("eighty", 80),
    ("eleven", 11),
    ("fifteen", 15),
    ("fifty", 50),
    ("five", 5),
    ("forty", 40),
    ("four", 4),
    ("fourteen", 14),
    ("nine", 9),
    ("nineteen", 19),
    ("ninety", 90),
    ("one", 1),
    ("seven", 7),
    ("seventeen", 17),
    ("seventy", 70),
    ("six", 6),
    ("sixteen", 16),
    ("sixty", 60),
    ("ten", 10),
    ("thirteen", 13),
    ("thirty", 30),
    ("three", 3),
    ("twelve", 12),
    ("twenty", 20),
    ("two", 2),
];

/// Words of quantity that are numbers, alone and next to other numbers.
const UNITS: [&str; 6] = ["billion", "hundred", "million", "percent", "thousand", "trillion"];

/// Suffixes of digits, and the units that they stand for.
const SUFFIXES: [(&str, &str); 4] =
    [("bn", "billion"), ("mln", "million"), ("mn", "million"), ("tn", "trillion")];

/// Suffixes that are units only after a currency sign.
const SUFFIXES_OF_MONEY: [(&str, &str); 3] =
    [("b", "billion"), ("k", "thousand"), ("m", "million")];

const CURRENCIES: [char; 11] = ['$', '€', '£', '¥', '₽', '₴', '₹', '₩', '₺', '₪', '₫'];

/// The value of a number word.
pub(super) fn value(word: &str) -> Option<u32> {
    let at = NUMBER_WORDS.binary_search_by(|(known, _)| known.cmp(&word)).ok()?;
    Some(NUMBER_WORDS[at].1)
}

/// The number word with this value, in digits.
pub(super) fn word_for(digits: &str) -> Option<&'static str> {
    let value: u32 = digits.parse().ok()?;
    NUMBER_WORDS.iter().find(|(_, known)| *known == value).map(|(word, _)| *word)
}

/// Whether a word is a unit such as `million`.
pub(super) fn is_unit(word: &str) -> bool {
    UNITS.contains(&word)
}

/// The words of the number at `span` of `sentence`, whose digits are `digits`: its currency sign,
/// the number with its minus, its unit.
pub(super) fn with_signs(digits: &str, sentence: &str, span: &Range<usize>) -> Vec<CopyWord> {
    let before = sentence[..span.start].chars().next_back();
    let currency =
        before.filter(|c| CURRENCIES.contains(c)).or_else(|| currency_behind(sentence, span));
    let (digits, unit) = split_unit(digits, currency.is_some());
    let number = if has_minus(sentence, span) { format!("-{digits}") } else { digits.to_owned() };
    let has_percent = sentence[span.end..]
        .trim_start_matches([' ', '\u{a0}', '\u{202f}'])
        .starts_with(['%', '٪', '％']);
    let unit = unit.or(has_percent.then_some("percent"));
    [currency.map(String::from), Some(number), unit.map(str::to_owned)]
        .into_iter()
        .flatten()
        .map(|text| CopyWord { text, kind: CopyWordKind::Number })
        .collect()
}

/// Joins words that are one number: `twenty one`, `2 hundred`, `per cent`, `minus 7`.
pub(super) fn join(words: Vec<CopyWord>, is_spelled: &[bool]) -> Vec<CopyWord> {
    let mut found: Vec<CopyWord> = Vec::with_capacity(words.len());
    let mut was_spelled = false;
    for (word, spelled) in words.into_iter().zip(is_spelled) {
        let joined = found.last().and_then(|last| joined(last, was_spelled, &word, *spelled));
        if let Some(joined) = joined {
            found.pop();
            found.push(CopyWord { text: joined, kind: CopyWordKind::Number });
        } else {
            found.push(word);
        }
        was_spelled = *spelled;
    }
    found
}

/// The single number that two neighbours make.
fn joined(one: &CopyWord, was_spelled: bool, other: &CopyWord, is_spelled: bool) -> Option<String> {
    let integer = |word: &CopyWord| word.text.parse::<u64>().ok();
    match (one.text.as_str(), other.text.as_str()) {
        ("per", "cent") => return Some("percent".to_owned()),
        ("minus" | "минус" | "мінус", _) if integer(other).is_some() => {
            return Some(format!("-{}", other.text));
        }
        (_, "hundred") => return integer(one).filter(|n| *n < 100).map(|n| (n * 100).to_string()),
        (_, "thousand") => {
            return integer(one).filter(|n| *n < 1000).map(|n| (n * 1000).to_string());
        }
        _ => {}
    }
    let (one, other) = (integer(one)?, integer(other)?);
    let is_tens =
        was_spelled && (20..100).contains(&one) && one % 10 == 0 && (1..10).contains(&other);
    (is_spelled && is_tens).then(|| (one + other).to_string())
}

/// The currency sign after a number: `5 €`.
fn currency_behind(sentence: &str, span: &Range<usize>) -> Option<char> {
    let behind = sentence[span.end..].trim_start_matches([' ', '\u{a0}', '\u{202f}']);
    let sign = behind.chars().next().filter(|c| CURRENCIES.contains(c))?;
    // In `5 $6`, the sign belongs to the next number.
    let next = behind[sign.len_utf8()..].chars().next();
    (!next.is_some_and(|c| c.is_ascii_digit())).then_some(sign)
}

fn has_minus(sentence: &str, span: &Range<usize>) -> bool {
    let mut before = sentence[..span.start].trim_end_matches(CURRENCIES).chars().rev();
    matches!(before.next(), Some('-' | '−'))
        && before.next().is_none_or(|c| c.is_whitespace() || c == '(')
}

fn split_unit(number: &str, is_money: bool) -> (&str, Option<&'static str>) {
    let of_money = SUFFIXES_OF_MONEY.iter().filter(|_| is_money);
    for (suffix, unit) in SUFFIXES.iter().chain(of_money) {
        if let Some(digits) = number.strip_suffix(suffix)
            && digits.ends_with(|c: char| c.is_ascii_digit())
        {
            return (digits, Some(unit));
        }
    }
    (number, None)
}

#[cfg(test)]
mod tests {
    use super::super::words::words;
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(NUMBER_WORDS.is_sorted());
    }

    #[test]
    fn number_words_and_digits_are_one() {
        for (written, read) in [
            ("twenty-one people", "21 people"),
            ("Sixteen of sixty", "16 of 60"),
            ("two hundred men", "200 men"),
            ("twelve thousand men", "12000 men"),
            ("5 per cent, 5% and 5 percent", "5 percent 5 percent and 5 percent"),
            ("$5m and €5bn and 5 €", "$ 5 million and € 5 billion and € 5"),
            ("-7 at night, −8 or minus 9", "-7 at night -8 or -9"),
            ("Leeds won 3-1 in 2019-20", "leeds won 3 1 in 2019 20"),
            ("from A- to A+ or AA-.", "from a- to a+ or aa-"),
            ("an A-level on route 5m", "an a level on route 5m"),
        ] {
            let words: Vec<String> = words(written).into_iter().map(|word| word.text).collect();
            assert_eq!(words.join(" "), read, "{written}");
        }
    }
}
