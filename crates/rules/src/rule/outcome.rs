//! What a rule makes of a story.

use std::sync::Arc;

use crate::explain::Clause;
use crate::rule::Rule;
use crate::story::{self, Evidence};

/// A rule that matched a story, and why.
#[derive(Clone, Debug)]
pub struct Match {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Words that made it match: one for every term of the expression that was found, in the order
    /// of the expression, at most twenty.
    pub evidence: Vec<Evidence>,
}

/// What a rule makes of a story.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The rule.
    pub rule: Arc<Rule>,
    /// The row that it was explained for; `None` of a rule with `each` where it was explained for
    /// all rows at once.
    pub row: Option<story::WatchlistRow>,
    /// Why it does not look at the story, whatever its words are; `None` if it does.
    pub filtered_out: Option<String>,
    /// What of its expression holds.
    pub clause: Clause,
}
