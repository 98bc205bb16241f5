//! The phrases that an expression writes where AND could be written instead, and that advice.

use std::ops::Range;
use std::sync::Arc;

use crate::language::print;
use crate::language::scope::Scope;
use crate::language::term::Term;
use crate::language::tree::{TextUnit, Tree};

/// A term of an expression, and where it stands.
pub(super) struct WrittenPhrase {
    pub(super) term: Arc<Term>,
    /// Its bytes in the expression.
    pub(super) span: Range<usize>,
    /// Whether it is in SENT or PARA.
    pub(super) is_within: bool,
    /// Whether AND in its place needs parentheses.
    needs_parentheses: bool,
}

impl WrittenPhrase {
    /// What to write instead: `tree`, which is an AND. It holds in so many stories, and within a
    /// `unit` of so many.
    pub(super) fn advice(
        &self,
        tree: &Tree,
        in_stories: usize,
        unit: TextUnit,
        in_units: usize,
    ) -> String {
        let joined = print::expression(tree);
        let clause = if self.needs_parentheses { format!("({joined})") } else { joined.clone() };
        let (operator, name) = (unit.operator(), unit.name());
        if self.is_within {
            format!("did you mean AND? `{clause}`, in one {name}, finds {in_units} of them")
        } else if in_units > 0 {
            format!(
                "did you mean AND? `{clause}` finds {in_stories} of them; `{operator}({joined})`, in one {name}, finds {in_units}"
            )
        } else {
            format!("did you mean AND? `{clause}` finds {in_stories} of them")
        }
    }
}

/// The terms of `tree`. Not among them are terms after NOT and in fields, and operands: there AND
/// has no place, or another sense. The entries of lists are not among them either.
pub(super) fn phrases(tree: &Tree) -> Vec<WrittenPhrase> {
    let mut found = Vec::new();
    visit(tree, false, false, &mut found);
    found
}

fn visit(tree: &Tree, needs_parentheses: bool, is_within: bool, found: &mut Vec<WrittenPhrase>) {
    match tree {
        Tree::Term(term, span) => found.push(WrittenPhrase {
            term: Arc::clone(term),
            span: span.clone(),
            is_within,
            needs_parentheses,
        }),
        Tree::And(branches) | Tree::AnyOf(_, branches, _) => {
            for branch in branches {
                visit(branch, false, is_within, found);
            }
        }
        Tree::Or(branches) => {
            for branch in branches {
                visit(branch, true, is_within, found);
            }
        }
        Tree::Within(_, branch, _) => visit(branch, false, true, found),
        Tree::In(Scope::Text, branch, _) => visit(branch, true, is_within, found),
        Tree::In(..)
        | Tree::Not(..)
        | Tree::Pair(..)
        | Tree::AtLeast(..)
        | Tree::List(..)
        | Tree::Pattern(..)
        | Tree::Compare(..) => {}
    }
}
