//! Writes a tree in canonical form. The form parses to the same tree, except for clauses with a
//! hundred levels and terms with several kinds of quotation marks.

use super::operand::{Choice, Operand};
use super::scope::Scope;
use super::syntax;
use super::term::Term;
use super::tree::Tree;

/// The expression of `tree`, on one line.
pub(crate) fn expression(tree: &Tree) -> String {
    match tree {
        Tree::Term(term, _) => term_text(term),
        Tree::List(list, _) => format!("${}", list.name),
        Tree::Pattern(pattern, _) => format!("/{}/", pattern.text),
        Tree::Compare(comparison, _) => comparison.written(),
        Tree::Not(branch, _) => format!("NOT {}", operand(branch)),
        Tree::Pair(pair, _) => {
            format!("{} {} {}", choices(&pair.left), pair.link.written(), choices(&pair.right))
        }
        Tree::AtLeast(least, operand, _) => format!("ATLEAST/{least}({})", joined(operand)),
        Tree::AnyOf(least, items, _) => {
            format!("ANY/{least}({})", items.iter().map(expression).collect::<Vec<_>>().join(", "))
        }
        Tree::Within(unit, branch, _) => format!("{}({})", unit.operator(), expression(branch)),
        Tree::In(scope, branch, _) => format!("{}:{}", scope.as_str(), operand(branch)),
        Tree::And(branches) => {
            branches.iter().map(operand_of_and).collect::<Vec<_>>().join(" AND ")
        }
        Tree::Or(branches) => branches.iter().map(operand).collect::<Vec<_>>().join(" OR "),
    }
}

/// A term as an expression writes it: without quotes if that means the same, else in quotes. A cell
/// of a table is written unchanged.
pub(crate) fn term_text(term: &Term) -> String {
    if term.is_cell {
        return term.text.clone();
    }
    let phrase = phrase(term);
    if term.capitals.is_some() { format!("cs({phrase})") } else { phrase }
}

fn phrase(term: &Term) -> String {
    let quoted = || {
        if term.text.contains('"') {
            format!("“{}”", term.text)
        } else {
            format!("\"{}\"", term.text)
        }
    };
    if term.literal {
        format!("={}", quoted())
    } else if syntax::is_bare_phrase(&term.text) {
        term.text.clone()
    } else {
        quoted()
    }
}

/// The operand of NEAR and similar operators.
pub(crate) fn choices(operand: &Operand) -> String {
    if operand.choices().len() == 1 { joined(operand) } else { format!("({})", joined(operand)) }
}

fn joined(operand: &Operand) -> String {
    let written = |choice: &Choice| match choice {
        Choice::Term(term) => term_text(term),
        Choice::List(list) => format!("${}", list.name),
    };
    operand.choices().iter().map(written).collect::<Vec<_>>().join(" OR ")
}

fn operand_of_and(branch: &Tree) -> String {
    match branch {
        Tree::Not(..) => expression(branch),
        other => operand(other),
    }
}

/// The expression of `branch` as an operand, in parentheses if it needs them: `NOT a OR b` would be
/// refused.
pub(crate) fn operand(branch: &Tree) -> String {
    match branch {
        Tree::Not(..) | Tree::And(_) | Tree::Or(_) | Tree::Pair(..) => {
            format!("({})", expression(branch))
        }
        Tree::Term(..)
        | Tree::List(..)
        | Tree::Pattern(..)
        | Tree::Compare(..)
        | Tree::AtLeast(..)
        | Tree::AnyOf(..)
        | Tree::Within(..)
        | Tree::In(..) => expression(branch),
    }
}

/// The expression of `tree` with its `field`.
pub(crate) fn in_field(tree: &Tree, field: Option<Scope>) -> String {
    match (field, tree) {
        (None, _) | (_, Tree::In(..)) => expression(tree),
        (Some(field), _) => format!("{}:{}", field.as_str(), operand(tree)),
    }
}
