//! Parses an expression to its tree, and reports all of its faults.
//!
//! ```text
//! query   = or ;
//! or      = and { "OR" and } ;                     AND or NOT beside OR wants parentheses
//! and     = not { "AND" not | "NOT" not } ;        a NOT b is a AND NOT b
//! not     = { "NOT" } near ;
//! near    = prim [ ( "NEAR/" INT | "ONEAR/" INT | "EXCEPT" ) prim ] ;    beside them only operands
//! prim    = FIELD ":" near | "(" or ")"            no field in a field, nor in SENT or PARA
//!         | "SENT" "(" or ")" | "PARA" "(" or ")"
//!         | "ATLEAST/" INT "(" operand ")" | "ANY/" INT "(" or { "," or } ")"
//!         | "/" REGEX "/" | ( "words" | "age" ) ( ">=" | "<=" | ">" | "<" ) VALUE
//!         | "cs(" phrase ")" | "$" NAME | phrase ;
//! operand = phrase, "cs(" phrase ")" or "$" NAME, or several of them joined by "OR"
//! phrase  = [ "=" ] '"' { CHARACTER } '"' | word { word } ;
//! word    = [ "=" ] CHARACTERS [ "*" ] ;           both in quotes, too
//! ```
//!
//! To add an operator, add a kind to `lexer`, its place to `parser`, a branch to [`Tree`] and to
//! `print`, and its meaning to `naive`. `foreign` refuses the syntax of other tools.

use super::lists::Lists;
use super::term::{Forms, Term};
use super::tree::Tree;

mod doubts;
mod field;
mod foreign;
mod joint;
mod lexeme;
mod lexer;
mod mixed;
mod parser;
mod phrase;
mod problems;
mod special;

pub(crate) use lexer::list_name;
pub(crate) use phrase::is_bare_phrase;
pub(crate) use problems::ExpressionProblem;

use problems::Problems;

/// The tree of `expression`, or `None` if any of its problems is an error. The time is linear in
/// its length.
///
/// A tree that holds if no term is found is returned, too. The caller decides whether that is a
/// fault.
pub(crate) fn parse(expression: &str, lists: &Lists) -> (Option<Tree>, Vec<ExpressionProblem>) {
    let mut problems = Problems::default();
    let lexemes = lexer::lex(expression, &mut problems);
    let tree = parser::parse(expression, &lexemes, lists, &mut problems);
    (tree.filter(|_| !problems.broken), problems.found)
}

/// The term of `entry` in a term list, in `forms` and with the list's label. `None` if any of its
/// problems is an error.
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
