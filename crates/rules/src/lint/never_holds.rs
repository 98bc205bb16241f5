//! Warns of parts of an expression that can never hold.

use std::sync::Arc;

use crate::language::pair::Proximity;
use crate::language::scope::Scope;
use crate::language::syntax::ExpressionProblem;
use crate::language::term::Term;
use crate::language::tree::Tree;
use crate::lint::list_cache::ListCache;
use crate::lint::warning::{shown, warning};
use clash::{Clash, written};
use excluded_terms::ExcludedTerms;

mod apart;
mod clash;
mod excluded_terms;
mod languages;

pub(crate) use languages::unknown as unknown_language;

/// Warns of every part of `tree` that can never hold.
pub(super) fn warn_of_clauses_that_never_hold(
    tree: &Tree,
    cache: &ListCache,
    found: &mut Vec<ExpressionProblem>,
) {
    branch(tree, Scope::Text, true, cache, found);
}

/// `whole` is whether `tree` is the whole expression.
fn branch(
    tree: &Tree,
    scope: Scope,
    whole: bool,
    cache: &ListCache,
    found: &mut Vec<ExpressionProblem>,
) {
    if let Some(clash) = clash(tree, scope, cache) {
        let what = if whole { "this can never match" } else { "this part can never hold" };
        let help = if matches!(tree, Tree::Compare(..) | Tree::Not(..)) {
            "write another number"
        } else {
            "remove or change one of the two"
        };
        found.push(warning(clash.span, format!("{what}: {}", clash.why), help));
    }
    found.extend(unlikely(tree));
    let scope = if let Tree::In(scope, ..) = tree { *scope } else { scope };
    let whole = whole && matches!(tree, Tree::In(..) | Tree::Within(..));
    tree.branches().iter().for_each(|inner| branch(inner, scope, whole, cache, found));
}

/// Why `tree` can never hold in `scope`. Its branches are not examined. `None` if it may hold, or
/// if that is unknown.
///
/// It is sound: with a clash, the tree holds for no story.
pub(super) fn clash(tree: &Tree, scope: Scope, cache: &ListCache) -> Option<Clash> {
    match tree {
        Tree::And(branches) => {
            let apart = || apart::find_clash(branches);
            against_negated(branches, scope, cache).or_else(apart)
        }
        Tree::Pair(pair, span) if pair.link == Proximity::Except => {
            let mut excluded = ExcludedTerms::default();
            excluded.add_operand(&pair.right, scope, span);
            let (term, by) = excluded.all_of(&pair.left, scope, cache)?;
            Some(Clash { span: span.clone(), why: outside(&term, &by) })
        }
        Tree::Compare(..) | Tree::Not(..) => apart::impossible(tree),
        _ => None,
    }
}

/// A warning about a condition that is possible but practically never true.
fn unlikely(tree: &Tree) -> Option<ExpressionProblem> {
    match tree {
        Tree::In(Scope::Lang, inner, span) => {
            let unknown = apart::texts(inner)?.into_iter().find_map(unknown_language);
            let (why, help) = unknown?;
            Some(warning(span.clone(), format!("no story has this language: {why}"), help))
        }
        _ if apart::is_of_the_future(tree) => Some(warning(
            tree.span(),
            format!("{} holds only for stories with a date in the future", written(tree)),
            "write a longer age: age < 2d",
        )),
        _ => None,
    }
}

/// Searches for a branch that must hold but cannot if the negated branches do not hold.
fn against_negated(branches: &[Tree], scope: Scope, cache: &ListCache) -> Option<Clash> {
    let mut excluded = ExcludedTerms::default();
    let mut required: Vec<(&Tree, Scope)> = Vec::new();
    for branch in branches {
        match branch {
            Tree::Not(inner, _) => excluded.add(inner, scope, &mut required),
            other => required.push((other, scope)),
        }
    }
    if excluded.is_empty() {
        return None;
    }
    required.into_iter().find_map(|(tree, scope)| excluded.refutes(tree, scope, false, cache))
}

fn outside(left: &Arc<Term>, right: &Arc<Term>) -> String {
    let (left_shown, right_shown) = (shown(left), shown(right));
    if left.words == right.words {
        return format!("{left_shown} never stands outside of itself");
    }
    format!("{left_shown} never stands outside of {right_shown}")
}
