//! What `tidings explain` found.

use tidings_rules::{Clause, Explained, Match};

/// What came of it.
pub(super) enum ExplainAnswer {
    /// The rules that match, of so many.
    Matches(Vec<Match>, usize),
    /// One rule.
    Rule(Box<Explained>),
    /// An expression.
    Clause(Box<Clause>),
}
