//! Writes a tree in canonical form: what it prints parses to the same tree.

use super::pair::{Choice, Operand};
use super::syntax;
use super::tree::{Term, Tree};

/// The expression of `tree`, on one line.
pub(crate) fn expression(tree: &Tree) -> String {
    match tree {
        Tree::Term(term, _) => term_text(term),
        Tree::List(list, _) => format!("${}", list.name),
        Tree::Not(branch, _) => format!("NOT {}", operand(branch)),
        Tree::Pair(pair, _) => format!("{} {} {}", choices(&pair.left), pair.link.written(), choices(&pair.right)),
        Tree::In(scope, branch, _) => format!("{}:{}", scope.as_str(), operand(branch)),
        Tree::And(branches) => branches.iter().map(operand_of_and).collect::<Vec<_>>().join(" AND "),
        Tree::Or(branches) => branches.iter().map(operand).collect::<Vec<_>>().join(" OR "),
    }
}

/// A term as an expression writes it: bare if that means the same, else in quotes.
pub(crate) fn term_text(term: &Term) -> String {
    if syntax::is_bare_phrase(&term.text) {
        term.text.clone()
    } else if term.text.contains('"') {
        format!("“{}”", term.text)
    } else {
        format!("\"{}\"", term.text)
    }
}

fn choices(operand: &Operand) -> String {
    let written = |choice: &Choice| match choice {
        Choice::Term(term) => term_text(term),
        Choice::List(list) => format!("${}", list.name),
    };
    let all: Vec<String> = operand.choices().iter().map(written).collect();
    if all.len() == 1 { all.concat() } else { format!("({})", all.join(" OR ")) }
}

fn operand_of_and(branch: &Tree) -> String {
    match branch {
        Tree::Not(..) => expression(branch),
        other => operand(other),
    }
}

/// In parentheses, unless it is a term, a list or about a field: `NOT a OR b` would be refused.
fn operand(branch: &Tree) -> String {
    match branch {
        Tree::Term(..) | Tree::List(..) | Tree::In(..) => expression(branch),
        _ => format!("({})", expression(branch)),
    }
}
