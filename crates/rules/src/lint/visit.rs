//! Visits every term that an expression writes.

use std::ops::Range;
use std::sync::Arc;

use crate::language::operand::{Choice, Operand};
use crate::language::scope::Scope;
use crate::language::term::Term;
use crate::language::tree::Tree;

/// Calls `see` with every term of `tree`, its place or that of its operator, and its field.
pub(super) fn visit_terms(tree: &Tree, see: &mut impl FnMut(&Arc<Term>, &Range<usize>, Scope)) {
    within(tree, Scope::Text, see);
}

fn within(tree: &Tree, scope: Scope, see: &mut impl FnMut(&Arc<Term>, &Range<usize>, Scope)) {
    let mut operand = |operand: &Operand, span: &Range<usize>| {
        for choice in operand.choices() {
            if let Choice::Term(term) = choice {
                see(term, span, scope);
            }
        }
    };
    match tree {
        Tree::Term(term, span) => see(term, span, scope),
        Tree::Pair(pair, span) => {
            operand(&pair.left, span);
            operand(&pair.right, span);
        }
        Tree::AtLeast(_, terms, span) => operand(terms, span),
        Tree::In(scope, branch, _) => within(branch, *scope, see),
        other => other.branches().iter().for_each(|branch| within(branch, scope, see)),
    }
}
