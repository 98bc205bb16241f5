//! The declined forms of Russian, Ukrainian, Bulgarian and Serbian words, by tables of endings.

use std::borrow::Cow;
use std::collections::BTreeMap;

mod bulgarian;
mod row;
mod russian;
mod serbian;
#[cfg(test)]
mod tests;
mod ukrainian;

use row::{EndingRow, Kind};

/// The longest word that gets other forms, in bytes.
const LONGEST: usize = 64;

/// The vowels of the four languages.
const VOWELS: &str = "аеиоуыэюяєіїъaeiou";

/// The languages whose words are declined by tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Slavic {
    /// Russian.
    Russian,
    /// Ukrainian.
    Ukrainian,
    /// Bulgarian.
    Bulgarian,
    /// Serbian, in Cyrillic or Latin letters.
    Serbian,
}

/// A form of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declined {
    /// The form, folded.
    pub(crate) word: String,
    /// Whether it is only meant with a capital: `Розовым` is of Розов, `розовым` is pink.
    pub(crate) capital: bool,
}

/// The forms of `word`, which must be folded as `tokenise` does. They are sorted and do not include
/// `word`. `name` says whether the rule writes it with a capital. `None` if `word` has no ending of
/// a noun or an adjective that the tables know. A word with more than 64 bytes has no forms.
pub(crate) fn declined(language: Slavic, word: &str, name: bool) -> Option<Vec<Declined>> {
    if word.len() > LONGEST {
        return Some(Vec::new());
    }
    let spelling = language.spelling(word)?;
    if language.fixed().split(' ').any(|fixed| spelling.of(fixed) == word) || !is_declinable(word) {
        return Some(Vec::new());
    }
    let fits = |row: &&EndingRow| row.admits(name) && spelling.stem(word, row).is_some();
    let row = language.rows().iter().find(fits)?;
    let stem = spelling.stem(word, row)?;
    if row.kind == Kind::Unknown {
        return None;
    }
    // Half of the cases of Газа are cases of gas.
    let is_short = syllables(word.strip_suffix(is_vowel).unwrap_or(word)) < 2;
    let mut forms = BTreeMap::new();
    for ending in row.endings().filter(|ending| ending.only_names != Some(!name)) {
        let form = format!("{stem}{}", spelling.of(ending.letters));
        let capital = name && (is_short || row.has_other_words() || ending.is_risky);
        if form != word {
            forms.insert(form, capital);
        }
    }
    Some(forms.into_iter().map(|(word, capital)| Declined { word, capital }).collect())
}

/// Whether `word` is long enough to have endings: `юг` is, `на` is not.
fn is_declinable(word: &str) -> bool {
    let is_long =
        word.chars().count() > 2 || word.starts_with(is_vowel) && !word.ends_with(is_vowel);
    is_long && word.contains(is_vowel)
}

fn is_vowel(c: char) -> bool {
    VOWELS.contains(c)
}

fn syllables(word: &str) -> usize {
    word.chars().filter(|&c| is_vowel(c)).count()
}

impl Slavic {
    /// The spelling of `word`, if all of its letters are of the language.
    fn spelling(self, word: &str) -> Option<SlavicScript> {
        if !word.is_empty() && word.chars().all(|c| matches!(c, '\u{430}'..='\u{45f}' | 'ґ')) {
            return Some(SlavicScript::Cyrillic);
        }
        let is_latin = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        (self == Self::Serbian && is_latin).then_some(SlavicScript::Latin)
    }

    /// The words without other forms: conjunctions, pronouns, loan words.
    fn fixed(self) -> &'static str {
        match self {
            Self::Russian => russian::FIXED,
            Self::Ukrainian => ukrainian::FIXED,
            Self::Bulgarian => bulgarian::FIXED,
            Self::Serbian => serbian::FIXED,
        }
    }

    /// The rows of its table. The first that fits a word has its forms.
    fn rows(self) -> &'static [EndingRow] {
        match self {
            Self::Russian => russian::ROWS,
            Self::Ukrainian => ukrainian::ROWS,
            Self::Bulgarian => bulgarian::ROWS,
            Self::Serbian => serbian::ROWS,
        }
    }
}

/// The letters that a word is written with.
#[derive(Clone, Copy)]
enum SlavicScript {
    Cyrillic,
    Latin,
}

impl SlavicScript {
    /// `text` of a table in these letters.
    fn of(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Cyrillic => Cow::Borrowed(text),
            Self::Latin => Cow::Owned(text.chars().map(latin).collect()),
        }
    }

    /// `word` without the ending of `row`, if the row is for such words.
    fn stem<'a>(self, word: &'a str, row: &EndingRow) -> Option<&'a str> {
        let stem = word.strip_suffix(&*self.of(row.ending)).filter(|stem| !stem.is_empty())?;
        let fits = |end: &str| match end.strip_prefix('^') {
            Some(whole) => stem == self.of(whole),
            None => stem.ends_with(&*self.of(end)),
        };
        row.stems.split(' ').any(fits).then_some(stem)
    }
}

/// The Latin letters of a Serbian letter, without their accents, as `tokenise` folds them.
fn latin(c: char) -> &'static str {
    const LETTERS: &[(char, &str)] = &[
        ('а', "a"),
        ('б', "b"),
        ('в', "v"),
        ('г', "g"),
        ('д', "d"),
        ('ђ', "d"),
        ('е', "e"),
        ('ж', "z"),
        ('з', "z"),
        ('и', "i"),
        ('ј', "j"),
        ('к', "k"),
        ('л', "l"),
        ('љ', "lj"),
        ('м', "m"),
        ('н', "n"),
        ('њ', "nj"),
        ('о', "o"),
        ('п', "p"),
        ('р', "r"),
        ('с', "s"),
        ('т', "t"),
        ('ћ', "c"),
        ('у', "u"),
        ('ф', "f"),
        ('х', "h"),
        ('ц', "c"),
        ('ч', "c"),
        ('џ', "dz"),
        ('ш', "s"),
    ];
    LETTERS.iter().find(|(letter, _)| *letter == c).map_or("", |(_, latin)| latin)
}
