//! Terms: words and phrases that are searched.

use std::ops::Range;
use std::sync::Arc;

use super::hyphens;
use super::spelling::{Spelling, SpellingCondition, dotted_acronym, other_numerals, with_dots};
use crate::text::{
    Declined, Stemmer, Token, attached, capitals, inflected, is_cyrillic, one_line, other_numbers,
    shows_nothing, tokenise,
};

/// A word or phrase that is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// Its text in the rule, without quotes, on one line.
    pub(crate) text: String,
    /// Its words: at least one.
    pub(crate) words: Vec<TermWord>,
    /// Whether it is in quotes with a `=` before them. No other forms of its words are then found.
    pub(crate) literal: bool,
    /// The capital letters of each of its words, if capitals count.
    pub(crate) capitals: Option<Vec<Vec<bool>>>,
    /// The language whose forms of its words are found.
    pub(crate) stemmer: Option<Stemmer>,
    /// The label of the list that it is in.
    pub(crate) label: Option<String>,
    /// Whether it is a cell of a table. Its text is then not an expression.
    pub(crate) is_cell: bool,
    /// The same term with or without hyphens, which is found in its place: `COVID19` for
    /// `COVID-19`. It has no other itself.
    pub(crate) respelled: Option<Arc<Term>>,
}

/// One word of a term, folded as [`tokenise`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TermWord {
    /// This word. The forms of a rule may add others.
    Plain(String),
    /// This word, also behind the prefixes of Arabic and Hebrew.
    Attached(String),
    /// This word without other forms.
    Exact(String),
    /// One of these spellings. The first is the written one.
    Spelled {
        /// At least one.
        spellings: Vec<Spelling>,
        /// Whether the forms of a rule may add others.
        is_open: bool,
    },
    /// Every word with this stem.
    Stem(Stemmer, String),
    /// Every word that begins so: `weapon*`, and Hangul, because its particles follow without a
    /// space.
    Prefix(String),
}

/// The other forms of a word that are found, unless the word says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Forms {
    /// No other forms.
    #[default]
    Plain,
    /// Its English plural or singular.
    Plural,
    /// Its regular English endings: -s, -ed, -ing.
    Inflected,
    /// Every word with the same Snowball stem.
    Stem(Stemmer),
}

/// Why a text is not a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoTerm {
    /// It has no letter or digit.
    Wordless,
    /// The `*` at these bytes of the text is not at the end of a word.
    StrayWildcard(Range<usize>),
    /// The word at these bytes of the text is too short before its `*`.
    ShortWildcard(Range<usize>),
}

impl Term {
    /// The term of `text`, which has no quotes. A `=` before a word excludes other forms of it.
    /// `literal` excludes them for all words.
    pub(crate) fn new(
        text: &str,
        literal: bool,
        forms: Forms,
        label: Option<&str>,
    ) -> Result<Self, NoTerm> {
        let is_exact = literal || text.split_whitespace().any(is_marked);
        let other = if is_exact { None } else { hyphens::respelled(text) };
        let other = other.and_then(|text| Self::spelled(&text, literal, label).ok());
        let term = Self::spelled(text, literal, label)?;
        Ok(Self { respelled: other.map(Arc::new), ..term }.with(forms))
    }

    /// The term of `text` in this spelling alone, in plain forms.
    fn spelled(text: &str, literal: bool, label: Option<&str>) -> Result<Self, NoTerm> {
        let mut words = Vec::new();
        for part in parts(text) {
            let written = &text[part.clone()];
            words.extend(words_of(written, part.start, literal || is_marked(written))?);
        }
        Ok(Self { literal, ..Self::from_words(text, words, label)? })
    }

    /// The term of `words`, those of `text`, in plain forms.
    fn from_words(text: &str, words: Vec<TermWord>, label: Option<&str>) -> Result<Self, NoTerm> {
        if words.is_empty() {
            return Err(NoTerm::Wordless);
        }
        Ok(Self {
            text: one_line(text),
            words,
            literal: false,
            capitals: None,
            stemmer: None,
            label: label.map(str::to_owned),
            is_cell: false,
            respelled: None,
        })
    }

    /// The term of a table's cell. It has no operators, wildcards or quotation marks. `None` if it
    /// has no word.
    pub(crate) fn cell(text: &str, label: &str) -> Option<Self> {
        let other = hyphens::respelled(text).and_then(|text| Self::cell_spelled(&text, label));
        let term = Self::cell_spelled(text, label)?;
        Some(Self { respelled: other.map(Arc::new), ..term })
    }

    /// The term of a cell in this spelling alone.
    fn cell_spelled(text: &str, label: &str) -> Option<Self> {
        let words = tokenise(text).into_iter().map(|token| TermWord::new(text, token)).collect();
        let term = Self::from_words(text, words, Some(label)).ok()?;
        Some(Self { is_cell: true, ..term })
    }

    /// The same term. Words that do not set their own forms are found in `forms`.
    pub(crate) fn with(self, forms: Forms) -> Self {
        let stemmer = match forms {
            Forms::Stem(stemmer) if self.words.iter().any(TermWord::is_open) => Some(stemmer),
            _ => self.stemmer,
        };
        let is_name = |token: Token| self.text[token.span].starts_with(char::is_uppercase);
        let names = tokenise(&self.text).into_iter().map(is_name).chain(std::iter::repeat(false));
        let words = self.words.into_iter().zip(names).map(|(word, name)| word.with(forms, name));
        let other = |other: Arc<Self>| Arc::new(Self::clone(&other).with(forms));
        Self { words: words.collect(), stemmer, respelled: self.respelled.map(other), ..self }
    }

    /// The same term, found only with the same capitals.
    pub(crate) fn cased(self) -> Self {
        let written = |token: Token| capitals(&self.text[token.span]);
        let capitals: Vec<Vec<bool>> = tokenise(&self.text).into_iter().map(written).collect();
        let words = self
            .words
            .into_iter()
            .zip(&capitals)
            .map(|(word, capitals)| word.cased(capitals))
            .collect();
        let other = |other: Arc<Self>| Arc::new(Self::clone(&other).cased());
        Self { words, capitals: Some(capitals), respelled: self.respelled.map(other), ..self }
    }

    /// It and what is found in its place.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.respelled.as_deref())
    }
}

/// The parts of `text`, in order: each word with a `*` or with a `=` before it, and what is between
/// them.
fn parts(text: &str) -> Vec<Range<usize>> {
    let is_special = |written: &str| written.contains('*') || is_marked(written);
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    for run in text.split_whitespace() {
        let start = at + text[at..].find(run).unwrap_or_default();
        at = start + run.len();
        match parts.last_mut() {
            Some(last) if !is_special(run) && !is_special(&text[last.clone()]) => last.end = at,
            _ => parts.push(start..at),
        }
    }
    parts
}

/// Whether a `=` stands before the word at the start of `written`.
fn is_marked(written: &str) -> bool {
    written.strip_prefix('=').is_some_and(|word| word.starts_with(char::is_alphanumeric))
}

/// The words of `written`, which begins at byte `at`. With a `*` it has no spaces.
fn words_of(written: &str, at: usize, exact: bool) -> Result<Vec<TermWord>, NoTerm> {
    let tokens = tokenise(written);
    let ends_at = tokens.last().map(|last| last.span.end);
    let word = |token| {
        let word = TermWord::new(written, token);
        if exact { word.exact() } else { word }
    };
    let mut words: Vec<TermWord> = tokens.into_iter().map(word).collect();
    let Some((start, behind)) = written.split_once('*') else { return Ok(words) };
    let stem = start.trim_end_matches(shows_nothing);
    if ends_at != Some(stem.len()) || behind.contains(|c: char| c == '*' || c.is_alphanumeric()) {
        return Err(NoTerm::StrayWildcard(at + start.len()..at + start.len() + 1));
    }
    if !is_specific(stem) {
        return Err(NoTerm::ShortWildcard(at..at + start.len() + 1));
    }
    let last = words.pop().map(TermWord::or_longer);
    words.extend(last);
    Ok(words)
}

/// Whether a `*` after `stem` finds few enough words: after three letters or digits, two Cyrillic
/// letters, or one Han character.
fn is_specific(stem: &str) -> bool {
    let count = |counts: fn(char) -> bool| stem.chars().filter(|&c| counts(c)).count();
    let is_han = |c| matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}');
    count(char::is_alphanumeric) >= 3 || count(is_cyrillic) >= 2 || count(is_han) >= 1
}

impl TermWord {
    /// The word `token` of `text`, a rule's text.
    fn new(text: &str, token: Token) -> Self {
        let Token { word: folded, span, .. } = token;
        if folded.ends_with(|c| matches!(c, '\u{ac00}'..='\u{d7a3}')) {
            return Self::Prefix(folded);
        }
        if is_dotted(&folded) {
            return Self::initials(folded);
        }
        let numerals = other_numerals(&folded);
        if let Some(condition) = SpellingCondition::written(text, &span) {
            let all = std::iter::once(folded).chain(numerals);
            let spellings = all.map(|word| Spelling { word, condition }).collect();
            return Self::Spelled { spellings, is_open: false };
        }
        let others: Vec<String> =
            numerals.into_iter().chain(dotted_acronym(&text[span], &folded)).collect();
        if !others.is_empty() {
            let all = std::iter::once(folded).chain(others);
            return Self::Spelled { spellings: all.map(Spelling::always).collect(), is_open: true };
        }
        if attached::may_follow_prefixes(&folded) {
            Self::Attached(folded)
        } else {
            Self::Plain(folded)
        }
    }

    /// The same word without other forms. Dots between its letters are one of its spellings.
    fn exact(self) -> Self {
        match self {
            Self::Plain(folded) | Self::Attached(folded) | Self::Prefix(folded) => {
                Self::Exact(folded)
            }
            Self::Spelled { spellings, .. } => Self::Spelled { spellings, is_open: false },
            other => other,
        }
    }

    /// `word` or one of its declined forms.
    fn declined(word: String, forms: Vec<Declined>) -> Self {
        let spelling = |form: Declined| {
            let condition = if form.capital {
                SpellingCondition::Capitalised
            } else {
                SpellingCondition::Always
            };
            Spelling { word: form.word, condition }
        };
        let all = std::iter::once(Spelling::always(word)).chain(forms.into_iter().map(spelling));
        Self::Spelled { spellings: all.collect(), is_open: false }
    }

    /// `word` or one of `others`.
    fn one_of(word: String, others: Vec<String>) -> Self {
        if others.is_empty() {
            return Self::Plain(word);
        }
        let all = std::iter::once(word).chain(others);
        Self::Spelled { spellings: all.map(Spelling::always).collect(), is_open: false }
    }

    /// Dotted letters such as `u.s`, or the same letters without dots if a text writes them in
    /// capitals.
    fn initials(dotted: String) -> Self {
        let bare =
            Spelling { word: dotted.replace('.', ""), condition: SpellingCondition::InCapitals };
        Self::Spelled { spellings: vec![Spelling::always(dotted), bare], is_open: false }
    }

    /// Whether the forms of a rule may add others.
    fn is_open(&self) -> bool {
        matches!(self, Self::Plain(_) | Self::Attached(_) | Self::Spelled { is_open: true, .. })
    }

    /// The same word in `forms`, if it is open to forms. `name` says whether the rule writes it
    /// with a capital.
    fn with(self, forms: Forms, name: bool) -> Self {
        match (self, forms) {
            (Self::Plain(word), Forms::Plural) => {
                let others = other_numbers(&word);
                Self::one_of(word, others)
            }
            (Self::Plain(word), Forms::Inflected) => {
                let others = inflected(&word);
                Self::one_of(word, others)
            }
            // Acronyms and numbers have a plural, and no other endings.
            (
                Self::Spelled { mut spellings, is_open: true },
                Forms::Plural | Forms::Inflected | Forms::Stem(_),
            ) => {
                let others = other_numbers(&spellings[0].word);
                spellings.extend(others.into_iter().map(Spelling::always));
                Self::Spelled { spellings, is_open: false }
            }
            // Hebrew has prefixes, and no stems.
            (Self::Attached(word), Forms::Stem(stemmer)) if !stemmer.has_stems() => {
                Self::Attached(word)
            }
            (Self::Plain(word) | Self::Attached(word), Forms::Stem(stemmer)) => {
                match stemmer.declined(&word, name) {
                    Some(forms) => Self::declined(word, forms),
                    None => Self::Stem(stemmer, stemmer.stem(&word)),
                }
            }
            (word, _) => word,
        }
    }

    /// The same word with the letters in `capitals` as capitals. If all letters are capitals, they
    /// may have dots between them.
    fn cased(self, capitals: &[bool]) -> Self {
        let is_acronym = |word: &str| {
            capitals.len() > 1 && capitals.len() == word.len() && !capitals.contains(&false)
        };
        match self {
            Self::Plain(bare) | Self::Exact(bare) if is_acronym(&bare) => {
                Self::initials(with_dots(&bare))
            }
            Self::Spelled { mut spellings, is_open } if is_acronym(&spellings[0].word) => {
                spellings[0].condition = SpellingCondition::InCapitals;
                Self::Spelled { spellings, is_open }
            }
            other => other,
        }
    }

    /// The same word as the beginning of words.
    fn or_longer(self) -> Self {
        match self {
            Self::Plain(folded)
            | Self::Attached(folded)
            | Self::Exact(folded)
            | Self::Prefix(folded) => Self::Prefix(folded),
            Self::Spelled { spellings, .. } => Self::Prefix(spellings[0].word.clone()),
            stem @ Self::Stem(..) => stem,
        }
    }

    /// Whether its written spelling is found in any place and any capitals.
    pub(crate) fn is_found_anywhere(&self) -> bool {
        match self {
            Self::Spelled { spellings, .. } => {
                !is_dotted(&spellings[0].word)
                    && spellings[0].condition == SpellingCondition::Always
            }
            Self::Prefix(_) => false,
            Self::Plain(_) | Self::Attached(_) | Self::Exact(_) | Self::Stem(..) => true,
        }
    }

    /// The condition under which it is found as `folded`.
    pub(crate) fn condition_of(&self, folded: &str) -> SpellingCondition {
        let Self::Spelled { spellings, .. } = self else { return SpellingCondition::Always };
        let spelling = spellings.iter().find(|spelling| spelling.word == folded);
        spelling.map_or(SpellingCondition::Always, |spelling| spelling.condition)
    }

    /// The same word, found in any capitals.
    pub(crate) fn in_any_capitals(&self) -> Self {
        let Self::Spelled { spellings, is_open } = self else { return self.clone() };
        let spellings = spellings.iter().map(|spelling| match spelling.condition {
            SpellingCondition::InCapitals | SpellingCondition::Capitalised => {
                Spelling::always(spelling.word.clone())
            }
            _ => spelling.clone(),
        });
        Self::Spelled { spellings: spellings.collect(), is_open: *is_open }
    }

    /// The written word, folded; `None` if it is found by its stem or beginning.
    pub(crate) fn written(&self) -> Option<&str> {
        match self {
            Self::Plain(word) | Self::Attached(word) | Self::Exact(word) => Some(word),
            Self::Spelled { spellings, .. } => Some(&spellings[0].word),
            Self::Stem(..) | Self::Prefix(_) => None,
        }
    }
}

fn is_dotted(folded: &str) -> bool {
    folded.contains('.') && folded.starts_with(char::is_alphabetic)
}
