//! The plain evaluator: slow, obvious, and what every faster one is held to.

use super::page::{Page, View};
use super::scope::Scope;
use super::tree::Tree;

/// Whether `tree` holds of the story in `page`.
pub(crate) fn holds(tree: &Tree, page: &Page<'_>) -> bool {
    holds_in(tree, page, &page.view(Scope::Text))
}

/// Whether `tree` holds of what `view` has of `page`.
pub(crate) fn holds_in(tree: &Tree, page: &Page<'_>, view: &View) -> bool {
    match tree {
        Tree::Term(term, _) => page.has(term, view),
        Tree::List(list, _) => list.terms.iter().any(|term| page.has(term, view)),
        Tree::Pair(pair, _) => pair.find(page, view).is_some(),
        Tree::And(branches) => branches.iter().all(|branch| holds_in(branch, page, view)),
        Tree::Or(branches) => branches.iter().any(|branch| holds_in(branch, page, view)),
        Tree::Not(branch, _) => !holds_in(branch, page, view),
        Tree::In(scope, branch, _) => holds_in(branch, page, &page.view(*scope)),
    }
}
