//! The faults and warnings of one expression.

use std::ops::Range;

use crate::fault::Level;

/// The most faults and warnings of one expression that are reported.
pub(super) const MOST_PROBLEMS: usize = 25;

/// A mistake in an expression.
#[derive(Clone, Debug)]
pub(crate) struct ExpressionProblem {
    /// Its level.
    pub(crate) level: Level,
    /// The wrong words: bytes of the expression, on character boundaries.
    pub(crate) span: Range<usize>,
    /// The mistake.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) help: Option<String>,
}

/// The problems of one expression so far.
#[derive(Debug, Default)]
pub(super) struct Problems {
    pub(super) found: Vec<ExpressionProblem>,
    /// Whether there is an error, even if it was not reported.
    pub(super) broken: bool,
}

impl Problems {
    pub(super) fn error(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Level::Error, span, message.into(), help.into());
        self.broken = true;
    }

    pub(super) fn warning(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
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
