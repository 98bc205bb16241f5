//! Warns of words with letters of two alphabets that look alike: `Росcия` with a Latin c is found
//! in no text.

use super::warning::TermWarning;
use crate::language::term::Term;
use crate::text::is_cyrillic;

/// Cyrillic letters, with the Latin letters that look like them.
const ALIKE: [(char, char); 20] = [
    ('а', 'a'),
    ('в', 'b'),
    ('с', 'c'),
    ('ԁ', 'd'),
    ('е', 'e'),
    ('н', 'h'),
    ('һ', 'h'),
    ('і', 'i'),
    ('ј', 'j'),
    ('к', 'k'),
    ('ӏ', 'l'),
    ('м', 'm'),
    ('о', 'o'),
    ('р', 'p'),
    ('ԛ', 'q'),
    ('ѕ', 's'),
    ('т', 't'),
    ('ԝ', 'w'),
    ('х', 'x'),
    ('у', 'y'),
];

/// The warning about a term in which letters of one alphabet replace similar letters of another.
pub(super) fn mixed(term: &Term) -> Option<TermWarning> {
    if term.text.is_ascii() {
        return None;
    }
    let word = term.text.split(|c: char| !c.is_alphabetic()).find(|word| is_mixed(word))?;
    let (latin, cyrillic) = (
        word.chars().filter(|c| is_latin(*c)).count(),
        word.chars().filter(|c| is_cyrillic(*c)).count(),
    );
    let (few, name, mended): (fn(char) -> bool, _, _) = if latin <= cyrillic {
        (is_latin, "Latin", replaced(word, to_cyrillic)?)
    } else {
        (is_cyrillic, "Cyrillic", replaced(word, to_latin)?)
    };
    let strangers: String = word.chars().filter(|c| few(*c)).collect();
    let message =
        format!("`{word}` mixes two alphabets, so no text has it: {name} are `{strangers}`");
    Some((message, format!("write `{mended}`, which is of one alphabet")))
}

fn is_mixed(word: &str) -> bool {
    word.contains(is_latin) && word.contains(is_cyrillic)
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '\u{c0}'..='\u{24f}')
}

/// `word` with each letter of the other alphabet replaced; `None` if one of them has no similar
/// letter.
fn replaced(word: &str, letter: fn(char) -> Option<char>) -> Option<String> {
    word.chars().map(letter).collect()
}

fn to_cyrillic(c: char) -> Option<char> {
    if is_latin(c) {
        twin_letter(c, |(cyrillic, latin), c| (latin == c).then_some(cyrillic))
    } else {
        Some(c)
    }
}

fn to_latin(c: char) -> Option<char> {
    if is_cyrillic(c) {
        twin_letter(c, |(cyrillic, latin), c| (cyrillic == c).then_some(latin))
    } else {
        Some(c)
    }
}

/// The result of `find` for the small letter of `c`, in the case of `c`.
fn twin_letter(c: char, find: fn((char, char), char) -> Option<char>) -> Option<char> {
    let small = c.to_lowercase().next()?;
    let found = ALIKE.into_iter().find_map(|pair| find(pair, small))?;
    if c.is_uppercase() { found.to_uppercase().next() } else { Some(found) }
}
