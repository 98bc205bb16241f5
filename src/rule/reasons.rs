//! Why an expression does not hold of a story, and on which words it does, in words.

use super::evidence::evidence;
use super::naive::holds_in;
use super::page::Page;
use super::print;
use super::scope::Scope;
use super::tree::Tree;
use crate::story::Evidence;

/// Why `tree`, which does not hold of `page`, does not.
pub(super) fn against(tree: &Tree, page: &Page<'_>) -> Vec<String> {
    against_in(tree, page, None)
}

/// Why `tree` does not hold of what `field` has of `page`.
fn against_in(tree: &Tree, page: &Page<'_>, field: Option<Scope>) -> Vec<String> {
    match tree {
        Tree::And(branches) => {
            let view = page.view(field.unwrap_or(Scope::Text));
            let failing = branches.iter().filter(|branch| !holds_in(branch, page, &view));
            failing.flat_map(|branch| against_in(branch, page, field)).collect()
        }
        Tree::Not(branch, span) => {
            let branch = within(branch, field, span.clone());
            let found = found(&branch, page).join(", ");
            let what = if found.is_empty() { format!("`{}`", print::expression(&branch)) } else { found };
            vec![format!("{what} is there, but must not")]
        }
        Tree::In(scope, branch, _) => against_in(branch, page, Some(*scope)),
        Tree::Or(_) | Tree::List(..) => vec![format!("nothing of `{}` is there", shown(tree, field))],
        Tree::Pair(..) => vec![format!("`{}` is nowhere", shown(tree, field))],
        Tree::Term(..) => vec![format!("`{}` is missing", shown(tree, field))],
    }
}

fn shown(tree: &Tree, field: Option<Scope>) -> String {
    print::expression(&within(tree, field, tree.span()))
}

fn within(tree: &Tree, field: Option<Scope>, span: std::ops::Range<usize>) -> Tree {
    let tree = tree.clone();
    field.map_or(tree.clone(), |scope| Tree::In(scope, Box::new(tree), span))
}

/// The words of `page` that `tree` finds.
pub(super) fn found(tree: &Tree, page: &Page<'_>) -> Vec<String> {
    let shown = |evidence: Evidence| {
        let marked = evidence.marks.first().map(|mark| &evidence.sentence[mark.clone()]);
        let words = marked.unwrap_or(&evidence.term);
        format!("`{}`", words.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    evidence(tree, page).into_iter().map(shown).collect()
}
