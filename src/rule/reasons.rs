//! Why an expression does not hold of a story, and on which words it does, in words.

use super::evidence::evidence;
use super::naive::{self, Page};
use super::print;
use super::tree::Tree;
use crate::story::Evidence;

/// Why `tree`, which does not hold of `page`, does not.
pub(super) fn against(tree: &Tree, page: &Page<'_>) -> Vec<String> {
    match tree {
        Tree::And(branches) => {
            let failing = branches.iter().filter(|branch| !naive::holds(branch, page));
            failing.flat_map(|branch| against(branch, page)).collect()
        }
        Tree::Not(branch, _) => vec![format!("{} is there, but must not", found(branch, page).join(", "))],
        Tree::Or(_) | Tree::List(..) => vec![format!("nothing of `{}` is there", print::expression(tree))],
        Tree::Term(..) => vec![format!("`{}` is missing", print::expression(tree))],
    }
}

/// The words of `page` that `tree` finds.
pub(super) fn found(tree: &Tree, page: &Page<'_>) -> Vec<String> {
    let shown = |evidence: Evidence| {
        let words = evidence.marks.first().map_or("", |mark| &evidence.sentence[mark.clone()]);
        format!("`{}`", words.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    evidence(tree, page).into_iter().map(shown).collect()
}
