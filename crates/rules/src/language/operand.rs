//! What stands beside NEAR and in ATLEAST: words, phrases and lists, any of which will do.

use std::sync::Arc;

use super::term::{Term, TermList};
use super::tree::Tree;
use crate::engine::tokenized_story::{StoryView, TokenSpan, TokenizedStory};

/// At least one word, phrase or list, any of which will do.
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

/// A term and where it stands.
pub(crate) type Occurrence<'t> = (&'t Term, TokenSpan);

impl Operand {
    /// The operand that `tree` is; `None` if it is more than words, phrases and lists joined by OR.
    pub(crate) fn from_tree(tree: Tree) -> Option<Self> {
        let branches = if let Tree::Or(branches) = tree { branches } else { vec![tree] };
        let choice = |branch| match branch {
            Tree::Term(term, _) => Some(Choice::Term(term)),
            Tree::List(list, _) => Some(Choice::List(list)),
            _ => None,
        };
        branches.into_iter().map(choice).collect::<Option<_>>().map(Self)
    }

    /// Its words, phrases and lists.
    pub(crate) fn choices(&self) -> &[Choice] {
        &self.0
    }

    /// Whether it is the list of that name alone.
    pub(crate) fn is_only(&self, name: &str) -> bool {
        self.0.iter().all(|choice| matches!(choice, Choice::List(list) if list.name == name))
    }

    /// The same, in which `list` stands in the place of the list of that name.
    pub(crate) fn with_list(&self, list: &Arc<TermList>) -> Self {
        let choices = self.0.iter().map(|choice| match choice {
            Choice::List(whole) if whole.name == list.name => Choice::List(Arc::clone(list)),
            other => other.clone(),
        });
        Self(choices.collect())
    }

    /// Where any of it stands in `view`, by text and first word.
    pub(crate) fn occurrences<'t>(
        &'t self,
        page: &TokenizedStory<'_>,
        view: &StoryView,
    ) -> Vec<Occurrence<'t>> {
        let mut found: Vec<Occurrence<'t>> = Vec::new();
        for term in self.terms() {
            found.extend(page.occurrences(term, view).map(|stretch| (term, stretch)));
        }
        found.sort_by_key(|(_, stretch)| (stretch.text, stretch.tokens.start));
        found
    }

    /// Its terms, those of its lists among them.
    pub(crate) fn terms(&self) -> impl Iterator<Item = &Term> {
        self.0.iter().flat_map(|choice| match choice {
            Choice::Term(term) => std::slice::from_ref(term).iter().map(Arc::as_ref),
            Choice::List(list) => list.terms.iter().map(Arc::as_ref),
        })
    }

    /// The words of its longest term.
    pub(crate) fn longest(&self) -> usize {
        self.terms().map(|term| term.words.len()).max().unwrap_or_default()
    }

    /// Where any of it stands in `view` without overlapping another such place: as many places as
    /// there can be, in order.
    pub(crate) fn places<'t>(
        &'t self,
        page: &TokenizedStory<'_>,
        view: &StoryView,
    ) -> Vec<Occurrence<'t>> {
        let mut found = self.occurrences(page, view);
        found.sort_by_key(|(_, stretch)| (stretch.text, stretch.tokens.end));
        let mut places: Vec<Occurrence<'t>> = Vec::new();
        for occurrence in found {
            if places.last().is_none_or(|(_, last)| !last.overlaps(&occurrence.1)) {
                places.push(occurrence);
            }
        }
        places
    }
}
