//! What an expression means: a tree over terms, parsed once and valid as it stands.

use std::ops::Range;
use std::sync::Arc;

use crate::text::{shows_nothing, tokenise};

/// An expression, or a part of one. Spans are bytes of the text it was parsed from.
///
/// `all` and `any` of [`Tree`] build the branches: neither holds its own kind or fewer than two branches, and `negated` holds no `Not`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    /// A word or phrase.
    Term(Arc<Term>, Range<usize>),
    /// Any term of a list.
    List(Arc<TermList>, Range<usize>),
    /// Every branch.
    And(Vec<Tree>),
    /// Any branch.
    Or(Vec<Tree>),
    /// Not the branch; the span has its operator too.
    Not(Box<Tree>, Range<usize>),
}

/// A word or phrase to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// As the rule writes it, without quotes, on one line.
    pub(crate) text: String,
    /// Its words: at least one.
    pub(crate) words: Vec<Word>,
    /// The label of the list that it stands in.
    pub(crate) label: Option<String>,
}

/// One word of a term, folded as [`tokenise`] folds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// That word.
    Exact(String),
    /// Any word that begins so: `weapon*`, and Hangul, whose particles are written without a space.
    Prefix(String),
    /// Dotted letters, `u.s`, or the same without dots where a text writes them in capitals.
    Initials {
        /// With dots.
        dotted: String,
        /// Without.
        bare: String,
    },
}

/// A term list: at least one term, none twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TermList {
    /// Its name, without the `$`.
    pub(crate) name: String,
    /// Its terms, those of the lists that it names among them.
    pub(crate) terms: Vec<Arc<Term>>,
}

impl Tree {
    /// All of `branches`, of which there is at least one.
    pub(crate) fn all(branches: Vec<Self>) -> Self {
        let flat = branches.into_iter().flat_map(|branch| match branch {
            Self::And(inner) => inner,
            other => vec![other],
        });
        Self::one_or(flat.collect(), Self::And)
    }

    /// Any of `branches`, of which there is at least one.
    pub(crate) fn any(branches: Vec<Self>) -> Self {
        let flat = branches.into_iter().flat_map(|branch| match branch {
            Self::Or(inner) => inner,
            other => vec![other],
        });
        Self::one_or(flat.collect(), Self::Or)
    }

    fn one_or(mut branches: Vec<Self>, many: fn(Vec<Self>) -> Self) -> Self {
        match branches.pop() {
            Some(only) if branches.is_empty() => only,
            last => {
                branches.extend(last);
                many(branches)
            }
        }
    }

    /// What holds where `branch` does not.
    pub(crate) fn negated(branch: Self, span: Range<usize>) -> Self {
        match branch {
            Self::Not(inner, _) => *inner,
            other => Self::Not(Box::new(other), span),
        }
    }

    /// From its first byte to its last.
    pub(crate) fn span(&self) -> Range<usize> {
        match self {
            Self::Term(_, span) | Self::List(_, span) | Self::Not(_, span) => span.clone(),
            Self::And(branches) | Self::Or(branches) => {
                let start = branches.first().map_or(0, |branch| branch.span().start);
                start..branches.last().map_or(start, |branch| branch.span().end)
            }
        }
    }

    /// The part that is to blame if this holds where no term is found; `None` if it does not hold there.
    ///
    /// A rule that holds there would match all the world's stories but a few.
    pub(crate) fn unsound(&self) -> Option<&Self> {
        match self {
            Self::Term(..) | Self::List(..) => None,
            Self::Not(branch, _) => branch.unsound().is_none().then_some(self),
            Self::Or(branches) => branches.iter().find_map(Self::unsound),
            Self::And(branches) => branches.iter().all(|branch| branch.unsound().is_some()).then_some(self),
        }
    }

    /// The lists that it names, in order, each as often as it is named.
    pub(crate) fn lists(&self) -> Vec<&Arc<TermList>> {
        match self {
            Self::Term(..) => Vec::new(),
            Self::List(list, _) => vec![list],
            Self::Not(branch, _) => branch.lists(),
            Self::And(branches) | Self::Or(branches) => branches.iter().flat_map(Self::lists).collect(),
        }
    }
}

/// Why a text is no term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoTerm {
    /// There is no letter or digit in it.
    Wordless,
    /// The `*` of these bytes of the text ends no word.
    StrayWildcard(Range<usize>),
    /// The word at these bytes of the text has too little before its `*`.
    ShortWildcard(Range<usize>),
}

impl Term {
    /// The term that `text` writes, quotes already removed.
    pub(crate) fn new(text: &str, label: Option<&str>) -> Result<Self, NoTerm> {
        let mut words = Vec::new();
        let mut at = 0;
        for written in text.split_whitespace() {
            at += text[at..].find(written).unwrap_or_default();
            words.extend(words_of(written, at)?);
            at += written.len();
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.is_empty() { Err(NoTerm::Wordless) } else { Ok(Self { text, words, label: label.map(str::to_owned) }) }
    }
}

/// The words in `written`, which has no space in it and stands at byte `at`.
fn words_of(written: &str, at: usize) -> Result<Vec<Word>, NoTerm> {
    let tokens = tokenise(written);
    let Some((start, behind)) = written.split_once('*') else {
        return Ok(tokens.into_iter().map(|token| Word::new(token.word)).collect());
    };
    let stem = start.trim_end_matches(shows_nothing);
    let ends_a_word = tokens.last().is_some_and(|last| last.span.end == stem.len());
    if !ends_a_word || behind.contains(|c: char| c == '*' || c.is_alphanumeric()) {
        return Err(NoTerm::StrayWildcard(at + start.len()..at + start.len() + 1));
    }
    if !says_enough(stem) {
        return Err(NoTerm::ShortWildcard(at..at + start.len() + 1));
    }
    let mut words: Vec<Word> = tokens.into_iter().map(|token| Word::new(token.word)).collect();
    let last = words.pop().map(Word::or_longer);
    words.extend(last);
    Ok(words)
}

/// Whether a `*` behind `stem` finds few enough words: three letters or digits, two Cyrillic letters, or one Han character.
fn says_enough(stem: &str) -> bool {
    let count = |counts: fn(char) -> bool| stem.chars().filter(|&c| counts(c)).count();
    let is_cyrillic = |c| matches!(c, '\u{400}'..='\u{52f}');
    let is_han = |c| matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}');
    count(char::is_alphanumeric) >= 3 || count(is_cyrillic) >= 2 || count(is_han) >= 1
}

impl Word {
    /// The same as the beginning of a word.
    fn or_longer(self) -> Self {
        match self {
            Self::Exact(folded) | Self::Prefix(folded) | Self::Initials { dotted: folded, .. } => Self::Prefix(folded),
        }
    }

    fn new(folded: String) -> Self {
        let is_hangul = |c| matches!(c, '\u{ac00}'..='\u{d7a3}');
        if folded.ends_with(is_hangul) {
            return Self::Prefix(folded);
        }
        if folded.contains('.') && folded.starts_with(char::is_alphabetic) {
            return Self::Initials { bare: folded.replace('.', ""), dotted: folded };
        }
        Self::Exact(folded)
    }
}
