//! The operands of NEAR, ONEAR, EXCEPT and ATLEAST: words, phrases and lists joined by OR.

use std::sync::Arc;

use super::term::Term;
use crate::language::term_list::TermList;

/// At least one word, phrase or list. An occurrence of one of them suffices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operand(Vec<Choice>);

/// A word, phrase or list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// A word or phrase.
    Term(Arc<Term>),
    /// Any term of a list.
    List(Arc<TermList>),
}

impl Operand {
    /// The operand of `choices`, which must not be empty.
    pub(crate) fn new(choices: Vec<Choice>) -> Self {
        Self(choices)
    }

    /// Its words, phrases and lists.
    pub(crate) fn choices(&self) -> &[Choice] {
        &self.0
    }

    /// Whether it is only the list `name`.
    pub(crate) fn is_only(&self, name: &str) -> bool {
        self.0.iter().all(|choice| matches!(choice, Choice::List(list) if list.name == name))
    }

    /// The same operand with `list` in place of the list of that name.
    pub(crate) fn with_list(&self, list: &Arc<TermList>) -> Self {
        let choices = self.0.iter().map(|choice| match choice {
            Choice::List(whole) if whole.name == list.name => Choice::List(Arc::clone(list)),
            other => other.clone(),
        });
        Self(choices.collect())
    }

    /// Its terms, with those of its lists.
    pub(crate) fn terms(&self) -> impl Iterator<Item = &Term> {
        self.0.iter().flat_map(|choice| match choice {
            Choice::Term(term) => std::slice::from_ref(term).iter().map(Arc::as_ref),
            Choice::List(list) => list.terms.iter().map(Arc::as_ref),
        })
    }

    /// The number of words of its longest term.
    pub(crate) fn longest(&self) -> usize {
        self.terms()
            .flat_map(Term::spellings)
            .map(|term| term.words.len())
            .max()
            .unwrap_or_default()
    }
}
