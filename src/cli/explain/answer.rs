//! The answer of `tidings explain`.

use tidings_rules::{Clause, Explained, Match};

/// An answer.
pub(super) enum ExplainAnswer {
    /// The rules that match, and the number of all rules.
    Matches(Vec<Match>, usize),
    /// One rule.
    Rule(Box<Explained>),
    /// An expression.
    Clause(Box<Clause>),
}
