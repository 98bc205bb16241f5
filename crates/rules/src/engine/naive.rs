//! The plain evaluator. It is slow and simple. The engine must decide the same.

pub(crate) mod occurrences;

use super::tokenized_story::{StoryView, TokenizedStory};
use crate::language::scope::Scope;
use crate::language::tree::Tree;
use crate::language::truth::Truth;

/// Whether `tree` holds for the story `tokenized`. Unknown counts as false.
pub(crate) fn holds(tree: &Tree, tokenized: &TokenizedStory<'_>) -> bool {
    truth(tree, tokenized, &tokenized.view(Scope::Text)) == Truth::True
}

/// The truth of `tree` for the part `view` of `tokenized`.
pub(crate) fn truth(tree: &Tree, tokenized: &TokenizedStory<'_>, view: &StoryView) -> Truth {
    let found = |is_found: bool| if is_found { Truth::True } else { view.truth_of_absence() };
    let of = |branch: &Tree| truth(branch, tokenized, view);
    match tree {
        Tree::Term(term, _) => found(tokenized.contains(term, view)),
        Tree::List(list, _) => found(list.terms.iter().any(|term| tokenized.contains(term, view))),
        Tree::Pattern(pattern, _) => found(tokenized.search(pattern, view).is_some()),
        Tree::Compare(comparison, _) => comparison.truth(tokenized.words(), tokenized.age()),
        Tree::Pair(pair, _) => found(pair.find(tokenized, view).is_some()),
        Tree::AtLeast(least, operand, _) => found(operand.places(tokenized, view).len() >= *least),
        Tree::AnyOf(least, items, _) => {
            Truth::at_least(*least, items.iter().flat_map(|item| parts(item, tokenized, view)))
        }
        Tree::Within(unit, branch, _) => {
            let within = Truth::any(
                tokenized.units(*unit, view).map(|part| truth(branch, tokenized, &part)),
            );
            within.max(view.truth_of_absence())
        }
        Tree::And(branches) => Truth::all(branches.iter().map(of)),
        Tree::Or(branches) => Truth::any(branches.iter().map(of)),
        Tree::Not(branch, _) => !of(branch),
        Tree::In(scope, branch, _) => truth(branch, tokenized, &tokenized.view(*scope)),
    }
}

/// The truths of an item of `ANY`, each with the number of times that it counts. A list has one for
/// each of its terms.
fn parts(item: &Tree, tokenized: &TokenizedStory<'_>, view: &StoryView) -> Vec<(Truth, usize)> {
    match item {
        Tree::List(list, _) => {
            let found = list.terms.iter().filter(|term| tokenized.contains(term, view)).count();
            vec![(Truth::True, found), (view.truth_of_absence(), list.terms.len() - found)]
        }
        other => vec![(truth(other, tokenized, view), 1)],
    }
}
