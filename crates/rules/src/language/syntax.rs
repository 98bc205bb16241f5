//! From the text of an expression to its tree, with every fault that can be told at once.
//!
//! ```text
//! query   = or ;
//! or      = and { "OR" and } ;                     AND or NOT beside OR wants parentheses
//! and     = not { "AND" not | "NOT" not } ;        a NOT b is a AND NOT b
//! not     = { "NOT" } near ;
//! near    = prim [ ( "NEAR/" INT | "ONEAR/" INT | "EXCEPT" ) prim ] ;    beside them only operands
//! prim    = FIELD ":" near | "(" or ")" | "SENT" "(" or ")" | "PARA" "(" or ")"       no field in a field, nor in SENT or PARA
//!         | "ATLEAST/" INT "(" operand ")" | "ANY/" INT "(" or { "," or } ")"
//!         | "/" REGEX "/" | ( "words" | "age" ) ( ">=" | "<=" | ">" | "<" ) VALUE | "cs(" phrase ")" | "$" NAME | phrase ;
//! operand = phrase, "cs(" phrase ")" or "$" NAME, or several of them joined by "OR"
//! phrase  = [ "=" ] '"' { CHARACTER } '"' | word { word } ;
//! word    = [ "=" ] CHARACTERS [ "*" ] ;           both in quotes, too
//! ```
//!
//! To add an operator: a kind in `lexer`, its place in `parser`, a branch in [`Tree`] and in
//! `print`, and what it means in `naive`. Other tools' syntax is refused in `foreign`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::term::{Forms, Term, TermList};
use super::tree::Tree;
use crate::fault::Level;
use crate::files::record::Printed;

mod doubts;
mod field;
mod foreign;
mod lexer;
mod mixed;
mod parser;
mod phrase;
mod special;

pub(crate) use lexer::list_name;
pub(crate) use phrase::is_bare_phrase;

/// The term lists that an expression may name, and the forms in which their words and its own are
/// found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    /// By name.
    pub(crate) by_name: BTreeMap<String, Arc<TermList>>,
    /// The forms.
    pub(crate) forms: Forms,
    /// The lists as YAML, as far as they were asked for.
    pub(crate) printed: Printed,
    /// Whether others are out of sight, in a file that cannot be read: then an unknown name is no
    /// fault.
    pub(crate) partial: bool,
}

impl Lists {
    /// The same lists, which are in plain forms, in `forms`.
    pub(crate) fn with(&self, forms: Forms) -> Self {
        let by_name =
            self.by_name.iter().map(|(name, list)| (name.clone(), Arc::new(list.with(forms))));
        Self {
            by_name: by_name.collect(),
            forms,
            printed: Printed::default(),
            partial: self.partial,
        }
    }
}

/// Faults told of one expression: who has that many wants to see them mended first.
const MOST_PROBLEMS: usize = 25;

/// Parentheses in parentheses, at most.
const DEEPEST: usize = 100;

/// Something wrong with an expression.
#[derive(Clone, Debug)]
pub(crate) struct ExpressionProblem {
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
    found: Vec<ExpressionProblem>,
    /// Whether any is an error, told or not.
    broken: bool,
}

impl Problems {
    fn error(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.add(Level::Error, span, message.into(), help.into());
        self.broken = true;
    }

    fn warning(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.add(Level::Warning, span, message.into(), help.into());
    }

    fn add(&mut self, level: Level, span: Range<usize>, message: String, help: String) {
        let first_error = level == Level::Error && !self.broken;
        if self.found.len() < MOST_PROBLEMS || first_error {
            let help = (!help.is_empty()).then_some(help);
            self.found.push(ExpressionProblem { level, span, message, help });
        }
    }
}

/// The tree of `expression`, or `None` if any of its problems is an error. Costs time linear in its
/// length.
///
/// A tree that holds where no term is found is returned like any other: a part of a rule may, a
/// rule may not.
pub(crate) fn parse(expression: &str, lists: &Lists) -> (Option<Tree>, Vec<ExpressionProblem>) {
    let mut problems = Problems::default();
    let lexemes = lexer::lex(expression, &mut problems);
    let tree = parser::parse(expression, &lexemes, lists, &mut problems);
    (tree.filter(|_| !problems.broken), problems.found)
}

/// The term that `entry` of a term list writes, found in `forms`, with the list's label; `None` if
/// any of its problems is an error.
pub(crate) fn parse_term(
    entry: &str,
    forms: Forms,
    label: Option<&str>,
) -> (Option<Term>, Vec<ExpressionProblem>) {
    let mut problems = Problems::default();
    let lexemes = lexer::lex(entry, &mut problems);
    let term = phrase::only_term(entry, &lexemes, forms, label, &mut problems);
    (term.filter(|_| !problems.broken), problems.found)
}

#[cfg(test)]
mod tests;
