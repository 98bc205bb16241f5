//! Why a rule matches a story or not.

use std::sync::Arc;

use crate::explain::Clause;
use crate::rule::Rule;
use crate::story::{self, Evidence};

/// A rule that matched a story, and the proof.
#[derive(Clone, Debug)]
pub struct Match {
    /// The rule.
    pub rule: Arc<Rule>,
    /// The words that made it match: one for every term of the expression that was found, in the
    /// order of the expression, at most twenty. Never empty.
    pub evidence: Vec<Evidence>,
    /// What the rule's `first` looks for in the story, folded, each once, at most a hundred. Empty
    /// for `first: source`, because the story does not say its publisher, and for rules without
    /// `first`.
    pub keys: Vec<String>,
}

/// Why a rule matches a story or not.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The rule.
    pub rule: Arc<Rule>,
    /// The row that was explained. `None` if the rule has no `each`, or if all rows were explained
    /// together.
    pub row: Option<story::WatchlistRow>,
    /// Why its settings do not accept the story, in words; `None` if they accept it.
    pub filtered_out: Option<String>,
    /// Its expression, with the truth of each clause.
    pub clause: Clause,
    /// What `first` looks for in the story. Empty if all rows were explained together.
    pub keys: Vec<String>,
}
