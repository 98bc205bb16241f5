//! Expressions over the rows of a watchlist. A rule with `each` is one rule for every row.

use std::sync::Arc;

use super::operand::Operand;
use super::pair::{Pair, Proximity};
use super::tree::Tree;
use crate::language::term_list::TermList;

/// `tree` with the row's `list` in place of the whole list of that name.
pub(crate) fn tree_of(tree: &Tree, list: &Arc<TermList>) -> Tree {
    let branches =
        |branches: &[Tree]| branches.iter().map(|branch| tree_of(branch, list)).collect();
    match tree {
        Tree::List(whole, span) if whole.name == list.name => {
            Tree::List(Arc::clone(list), span.clone())
        }
        Tree::Pair(pair, span) => {
            let (left, right) = (pair.left.with_list(list), pair.right.with_list(list));
            Tree::Pair(Box::new(Pair { left, link: pair.link, right }), span.clone())
        }
        Tree::AtLeast(least, operand, span) => {
            Tree::AtLeast(*least, operand.with_list(list), span.clone())
        }
        Tree::AnyOf(least, items, span) => Tree::AnyOf(*least, branches(items), span.clone()),
        Tree::Within(unit, branch, span) => {
            Tree::Within(*unit, Box::new(tree_of(branch, list)), span.clone())
        }
        Tree::And(all) => Tree::And(branches(all)),
        Tree::Or(any) => Tree::Or(branches(any)),
        Tree::Not(branch, span) => Tree::Not(Box::new(tree_of(branch, list)), span.clone()),
        Tree::In(scope, branch, span) => {
            Tree::In(*scope, Box::new(tree_of(branch, list)), span.clone())
        }
        Tree::List(..) | Tree::Term(..) | Tree::Pattern(..) | Tree::Compare(..) => tree.clone(),
    }
}

/// Whether `tree` may have the truth `wanted` if no term of the list `name` is found.
pub(crate) fn may_be_without(tree: &Tree, name: &str, wanted: bool) -> bool {
    let may_be = |branch: &Tree, wanted| may_be_without(branch, name, wanted);
    let needs = |operand: &Operand| operand.is_only(name);
    match tree {
        Tree::List(list, _) if list.name == name => !wanted,
        Tree::AtLeast(_, operand, _) if needs(operand) => !wanted,
        Tree::Pair(pair, _)
            if needs(&pair.left) || (pair.link != Proximity::Except && needs(&pair.right)) =>
        {
            !wanted
        }
        Tree::Within(..) if !wanted => true,
        Tree::In(_, branch, _) | Tree::Within(_, branch, _) => may_be(branch, wanted),
        Tree::Not(branch, _) => may_be(branch, !wanted),
        Tree::And(branches) if wanted => branches.iter().all(|branch| may_be(branch, true)),
        Tree::Or(branches) if !wanted => branches.iter().all(|branch| may_be(branch, false)),
        Tree::And(branches) | Tree::Or(branches) => {
            branches.iter().any(|branch| may_be(branch, wanted))
        }
        Tree::AnyOf(least, items, _) => {
            let count: usize = items.iter().map(Tree::weight).sum();
            let able: usize =
                items.iter().filter(|item| may_be(item, wanted)).map(Tree::weight).sum();
            if wanted { able >= *least } else { count - able < *least }
        }
        Tree::List(..)
        | Tree::Term(..)
        | Tree::Pattern(..)
        | Tree::Compare(..)
        | Tree::Pair(..)
        | Tree::AtLeast(..) => true,
    }
}

/// Whether `ANY` counts the terms of the list `name` anywhere in `tree`. Rows have different
/// numbers of terms.
pub(crate) fn is_counted(tree: &Tree, name: &str) -> bool {
    let is_it = |item: &Tree| matches!(item, Tree::List(list, _) if list.name == name);
    matches!(tree, Tree::AnyOf(_, items, _) if items.iter().any(is_it))
        || tree.branches().iter().any(|branch| is_counted(branch, name))
}
