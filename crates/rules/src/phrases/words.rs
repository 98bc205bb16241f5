//! The words of a phrase as it is written, and their groupings.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::grouping::Grouping;
use crate::language::term::Term;
use crate::text::tokenise;

/// The least written words of a phrase that is searched.
const LEAST: usize = 3;

/// The most written words of a phrase whose words are grouped. Longer phrases have words alone.
const MOST_GROUPED: usize = 6;

/// Words that say nothing alone: articles, prepositions, conjunctions.
const SMALL_WORDS: &str = " a an and as at by for from in into is its of on or over the to with \
    au aux d da das de dei del della dem den der des di die do dos du e ein eine el en et für il \
    im la las le les los mit o pour sur um und van von y zu в и к на о по с ";

/// The written words of a phrase: at least three, at least two of which are not small.
pub(super) struct PhraseWords {
    term: Arc<Term>,
    written: Vec<WrittenWord>,
}

/// A word between spaces.
struct WrittenWord {
    /// Without the signs around it.
    text: String,
    /// Its words among those of the term. `F-16` has two.
    words: Range<usize>,
    is_small: bool,
}

impl PhraseWords {
    /// The words of `term`; `None` if they are too few, or spaces are within its words.
    pub(super) fn new(term: &Arc<Term>) -> Option<Self> {
        let mut written: Vec<WrittenWord> = Vec::new();
        for run in term.text.split_whitespace() {
            let text = run.trim_matches(is_punctuation);
            let start = written.last().map_or(0, |last| last.words.end);
            let words = start..start + tokenise(text).len();
            if !words.is_empty() {
                written.push(WrittenWord {
                    text: text.to_owned(),
                    words,
                    is_small: is_small(text),
                });
            }
        }
        let is_whole = written.last().is_some_and(|last| last.words.end == term.words.len());
        let large = written.iter().filter(|word| !word.is_small).count();
        (is_whole && written.len() >= LEAST && large > 1)
            .then(|| Self { term: Arc::clone(term), written })
    }

    /// Whether they are probably a name or an expression: their capitals count, each begins with a
    /// capital, or small words join them.
    pub(super) fn look_like_a_name(&self) -> bool {
        let is_capital = |word: &WrittenWord| word.text.starts_with(char::is_uppercase);
        self.term.capitals.is_some()
            || self.written.iter().any(|word| word.is_small)
            || self.written.iter().all(is_capital)
    }

    /// Each word by itself, without small ones.
    pub(super) fn one_by_one(&self) -> Grouping {
        let large = self.written.iter().enumerate().filter(|(_, word)| !word.is_small);
        Grouping { parts: large.map(|(place, _)| self.part(place..place + 1)).collect() }
    }

    /// All groupings of two parts or more. Parts neither begin nor end with a small word. The last
    /// grouping has each word by itself.
    pub(super) fn groupings(&self) -> Vec<Grouping> {
        let count = self.written.len();
        let mut all = BTreeSet::new();
        if count <= MOST_GROUPED {
            // Each bit is a place between two words, and 1 is a cut.
            all.extend((0..1_u32 << (count - 1)).map(|cuts| self.parts_between(cuts)));
        }
        let grouped = all.into_iter().filter(|parts| parts.len() > 1);
        let grouped = grouped.map(|parts| Grouping {
            parts: parts.into_iter().map(|(start, end)| self.part(start..end)).collect(),
        });
        grouped.chain([self.one_by_one()]).collect()
    }

    /// The starts and ends of the parts between `cuts`.
    fn parts_between(&self, cuts: u32) -> Vec<(usize, usize)> {
        let mut parts = Vec::new();
        let mut start = 0;
        for end in 1..=self.written.len() {
            if end == self.written.len() || cuts >> (end - 1) & 1 != 0 {
                parts.extend(self.without_small_ends(start..end));
                start = end;
            }
        }
        parts
    }

    fn without_small_ends(&self, range: Range<usize>) -> Option<(usize, usize)> {
        let words = &self.written[range.clone()];
        let first = words.iter().position(|word| !word.is_small)?;
        let last = words.iter().rposition(|word| !word.is_small)?;
        Some((range.start + first, range.start + last + 1))
    }

    /// The phrase of the written words `range`, which must not be empty.
    fn part(&self, range: Range<usize>) -> Arc<Term> {
        let written = &self.written[range];
        let texts: Vec<&str> = written.iter().map(|word| word.text.as_str()).collect();
        let start = written.first().map_or(0, |first| first.words.start);
        let words = start..written.last().map_or(start, |last| last.words.end);
        let capitals = self.term.capitals.as_ref();
        Arc::new(Term {
            text: texts.join(" "),
            words: self.term.words[words.clone()].to_vec(),
            literal: self.term.literal,
            capitals: capitals.and_then(|all| all.get(words)).map(<[_]>::to_vec),
            stemmer: self.term.stemmer,
            label: None,
            is_cell: false,
            respelled: None,
        })
    }
}

/// Whether `text` is a word that says nothing alone. `UN` is none.
fn is_small(text: &str) -> bool {
    let is_acronym = text.chars().skip(1).any(char::is_uppercase);
    !is_acronym && SMALL_WORDS.contains(&format!(" {} ", text.to_lowercase()))
}

/// Whether `c`, at the start or end of a written word, is no part of it.
fn is_punctuation(c: char) -> bool {
    matches!(c, ',' | ';' | ':' | '!' | '?' | '(' | ')' | '"' | '“' | '”' | '„' | '«' | '»')
        || matches!(c, '–' | '—')
}
