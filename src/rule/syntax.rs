//! From the text of an expression to its tree, with every fault that can be told at once.
//!
//! The grammar is in the rule guide. To add an operator: a kind in `lexer`, its place in `parser`, a branch in
//! [`Tree`](super::tree::Tree), and what it means in [`naive`](super::naive).

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::tree::{Tree, TermList};
use crate::fault::Level;

mod foreign;
mod later;
mod lexer;
mod mixed;
mod parser;

pub(crate) use lexer::list_name;
pub(crate) use parser::is_bare_phrase;

/// The term lists that an expression may name.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    /// By name.
    pub(crate) by_name: BTreeMap<String, Arc<TermList>>,
    /// Whether others are out of sight, in a file that cannot be read: then an unknown name is no fault.
    pub(crate) partial: bool,
}

/// Faults told of one expression: who has that many wants to see them mended first.
const MOST_PROBLEMS: usize = 25;

/// Parentheses in parentheses, at most.
const DEEPEST: usize = 100;

/// Something wrong with an expression.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// How bad it is.
    pub(crate) level: Level,
    /// The wrong words: bytes of the expression, on character boundaries.
    pub(crate) span: Range<usize>,
    /// What is wrong.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) help: Option<String>,
}

/// The problems of one expression so far.
#[derive(Debug, Default)]
struct Problems {
    found: Vec<Problem>,
    /// Whether any is an error, told or not.
    broken: bool,
}

impl Problems {
    fn error(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.broken = true;
        self.add(Level::Error, span, message.into(), help.into());
    }

    fn warning(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.add(Level::Warning, span, message.into(), help.into());
    }

    fn add(&mut self, level: Level, span: Range<usize>, message: String, help: String) {
        if self.found.len() < MOST_PROBLEMS {
            let help = (!help.is_empty()).then_some(help);
            self.found.push(Problem { level, span, message, help });
        }
    }
}

/// The tree of `expression`, or `None` if any of its problems is an error. Costs time linear in its length.
///
/// A tree that holds where no term is found is returned like any other: a part of a rule may, a rule may not.
pub(crate) fn parse(expression: &str, lists: &Lists) -> (Option<Tree>, Vec<Problem>) {
    let mut problems = Problems::default();
    let lexemes = lexer::lex(expression, &mut problems);
    let tree = parser::parse(expression, &lexemes, lists, &mut problems);
    (tree.filter(|_| !problems.broken), problems.found)
}

/// The word or phrase that `entry` of a term list writes, without its quotes; `None` if any of its problems is an error.
pub(crate) fn parse_phrase(entry: &str) -> (Option<&str>, Vec<Problem>) {
    let mut problems = Problems::default();
    let lexemes = lexer::lex(entry, &mut problems);
    let phrase = parser::only_phrase(entry, &lexemes, &mut problems);
    (phrase.filter(|_| !problems.broken), problems.found)
}

#[cfg(test)]
mod tests;
