//! The plain evaluator: slow, obvious, and what every faster one is held to.

pub(crate) mod occurrences;

use super::tokenized_story::{StoryView, TokenizedStory};
use crate::language::scope::Scope;
use crate::language::tree::Tree;
use crate::language::truth::Truth;

/// Whether `tree` holds of the story in `page`; what is not known to hold does not.
pub(crate) fn holds(tree: &Tree, page: &TokenizedStory<'_>) -> bool {
    truth(tree, page, &page.view(Scope::Text)) == Truth::True
}

/// Whether `tree` holds of what `view` has of `page`.
pub(crate) fn truth(tree: &Tree, page: &TokenizedStory<'_>, view: &StoryView) -> Truth {
    let found = |is_found: bool| if is_found { Truth::True } else { view.truth_of_absence() };
    let of = |branch: &Tree| truth(branch, page, view);
    match tree {
        Tree::Term(term, _) => found(page.contains(term, view)),
        Tree::List(list, _) => found(list.terms.iter().any(|term| page.contains(term, view))),
        Tree::Pattern(pattern, _) => found(page.search(pattern, view).is_some()),
        Tree::Compare(comparison, _) => comparison.truth(page.words(), page.age()),
        Tree::Pair(pair, _) => found(pair.find(page, view).is_some()),
        Tree::AtLeast(least, operand, _) => found(operand.places(page, view).len() >= *least),
        Tree::AnyOf(least, items, _) => {
            Truth::at_least(*least, items.iter().flat_map(|item| parts(item, page, view)))
        }
        Tree::Within(unit, branch, _) => {
            let within = Truth::any(page.units(*unit, view).map(|part| truth(branch, page, &part)));
            within.max(view.truth_of_absence())
        }
        Tree::And(branches) => Truth::all(branches.iter().map(of)),
        Tree::Or(branches) => Truth::any(branches.iter().map(of)),
        Tree::Not(branch, _) => !of(branch),
        Tree::In(scope, branch, _) => truth(branch, page, &page.view(*scope)),
    }
}

/// What an item of `ANY` brings: a list as many truths as it has terms.
fn parts(item: &Tree, page: &TokenizedStory<'_>, view: &StoryView) -> Vec<(Truth, usize)> {
    match item {
        Tree::List(list, _) => {
            let found = list.terms.iter().filter(|term| page.contains(term, view)).count();
            vec![(Truth::True, found), (view.truth_of_absence(), list.terms.len() - found)]
        }
        other => vec![(truth(other, page, view), 1)],
    }
}
