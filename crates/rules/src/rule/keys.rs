//! What `first` looks for in a story: its authors, its tags, or what patterns and wildcards match.

use crate::condition::FirstKey;
use crate::engine::Scratch;
use crate::engine::tokenized_story::{StoryView, TokenizedStory};
use crate::language::operand::{Choice, Operand};
use crate::language::pair::{Pair, Proximity};
use crate::language::scope::Scope;
use crate::language::term::{Term, TermWord};
use crate::language::tree::Tree;
use crate::story::{Story, WatchlistRow};
use crate::text::folded;

/// The most keys of one match.
const MOST_KEYS: usize = 100;

/// The most bytes of a key. A longer one is cut: a store does not index it.
const LONGEST_KEY: usize = 1000;

/// The folded keys of a story that matches `tree`, each once, in the order of the expression or of
/// the story, at most [`MOST_KEYS`]. For [`FirstKey::Source`] it has none.
pub(crate) fn keys(
    key: FirstKey,
    tree: &Tree,
    row: Option<&WatchlistRow>,
    story: &Story,
    tokenized: &TokenizedStory<'_>,
) -> Vec<String> {
    if key != FirstKey::Match {
        return listed_keys(key, row, story);
    }
    let mut keys = FoundKeys(Vec::new());
    collect(tree, &tokenized.view(Scope::Text), tokenized, &mut keys);
    keys.0
}

/// The keys that do not depend on the words of the story. For [`FirstKey::Source`] and
/// [`FirstKey::Match`] there are none.
pub(crate) fn listed_keys(key: FirstKey, row: Option<&WatchlistRow>, story: &Story) -> Vec<String> {
    let mut keys = FoundKeys(Vec::new());
    match key {
        FirstKey::Row => keys.0.extend(row.map(|row| row.id.clone())),
        FirstKey::Author => story.authors.iter().for_each(|author| keys.add(folded(author))),
        FirstKey::Tag => story.tags.iter().for_each(|tag| keys.add(folded(tag))),
        FirstKey::Source | FirstKey::Match => {}
    }
    keys.0
}

/// The keys of [`FirstKey::Match`] without a tokenized story, if the expression is as simple as
/// most are. They are those of [`keys`].
pub(crate) fn quick_keys(tree: &Tree, scanned: &Scratch) -> Option<Vec<String>> {
    wildcards::keys_of_wildcards(tree, scanned)
}

/// Whether `tree` has a pattern or a wildcard that is not negated.
pub(crate) fn has_open_terms(tree: &Tree) -> bool {
    let of = |operand: &Operand| operand_terms(operand).any(is_open);
    match tree {
        Tree::Pattern(..) => true,
        Tree::Term(term, _) => is_open(term),
        Tree::List(list, _) => list.terms.iter().any(|term| is_open(term)),
        Tree::Pair(pair, _) => wanted_operands(pair).any(of),
        Tree::AtLeast(_, operand, _) => of(operand),
        Tree::Not(..) | Tree::Compare(..) => false,
        _ => tree.branches().iter().any(has_open_terms),
    }
}

struct FoundKeys(Vec<String>);

impl FoundKeys {
    fn add(&mut self, mut key: String) {
        key.truncate(key.floor_char_boundary(LONGEST_KEY));
        if !key.is_empty() && self.0.len() < MOST_KEYS && !self.0.contains(&key) {
            self.0.push(key);
        }
    }
}

/// Adds what the patterns and wildcards of `tree` match in `view`.
fn collect(tree: &Tree, view: &StoryView, tokenized: &TokenizedStory<'_>, keys: &mut FoundKeys) {
    match tree {
        Tree::Pattern(pattern, _) => {
            for text in tokenized.search_all(pattern, view) {
                keys.add(folded(text));
            }
        }
        Tree::Term(term, _) => add_term(term, view, tokenized, keys),
        Tree::List(list, _) => {
            list.terms.iter().for_each(|term| add_term(term, view, tokenized, keys));
        }
        Tree::Pair(pair, _) => {
            let terms = wanted_operands(pair).flat_map(operand_terms);
            terms.for_each(|term| add_term(term, view, tokenized, keys));
        }
        Tree::AtLeast(_, operand, _) => {
            operand_terms(operand).for_each(|term| add_term(term, view, tokenized, keys));
        }
        Tree::In(scope, branch, _) => collect(branch, &tokenized.view(*scope), tokenized, keys),
        Tree::Not(..) | Tree::Compare(..) => {}
        Tree::And(_) | Tree::Or(_) | Tree::AnyOf(..) | Tree::Within(..) => {
            tree.branches().iter().for_each(|branch| collect(branch, view, tokenized, keys));
        }
    }
}

fn add_term(term: &Term, view: &StoryView, tokenized: &TokenizedStory<'_>, keys: &mut FoundKeys) {
    if is_open(term) {
        for place in tokenized.occurrences(term, view) {
            keys.add(tokenized.folded_words(&place));
        }
    }
}

/// The operands that must be found: the right one of EXCEPT is not.
fn wanted_operands(pair: &Pair) -> impl Iterator<Item = &Operand> {
    let right = (pair.link != Proximity::Except).then_some(&pair.right);
    std::iter::once(&pair.left).chain(right)
}

/// The words, phrases and terms of lists in `operand`.
fn operand_terms(operand: &Operand) -> impl Iterator<Item = &Term> {
    let terms = operand.choices().iter().flat_map(|choice| match choice {
        Choice::Term(term) => std::slice::from_ref(term),
        Choice::List(list) => &list.terms[..],
    });
    terms.map(|term| &**term)
}

/// Whether `term` has a wildcard. A word in Hangul finds its longer forms without one.
fn is_open(term: &Term) -> bool {
    !term.is_cell
        && term.text.contains('*')
        && term.words.iter().any(|word| matches!(word, TermWord::Prefix(_)))
}

mod wildcards;

#[cfg(test)]
mod tests;
