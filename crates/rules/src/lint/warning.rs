//! Formats warnings and the terms in them.

use std::ops::Range;

use crate::explain::excerpt;
use crate::fault::Level;
use crate::language::print;
use crate::language::syntax::ExpressionProblem;
use crate::language::term::Term;

/// What is the matter with a term, and what to write instead.
pub(super) type TermWarning = (String, String);

/// A warning about the bytes `span` of an expression.
pub(super) fn warning(
    span: Range<usize>,
    message: impl Into<String>,
    help: impl Into<String>,
) -> ExpressionProblem {
    ExpressionProblem {
        level: Level::Warning,
        span,
        message: message.into(),
        help: Some(help.into()),
    }
}

/// A term as a warning shows it, cut if it is long.
pub(super) fn shown(term: &Term) -> String {
    let text = print::term_text(term);
    format!("`{}`", excerpt::head(&text, 60))
}
