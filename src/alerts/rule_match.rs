//! One rule that matched, as alerts and messages show it.

use serde::{Deserialize, Serialize};

use crate::alerts::condition_state::ConditionState;
use tidings_rules::story::{Evidence, Severity, WatchlistRow};

/// What a message says of one rule that matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleMatch {
    /// The rule's name.
    pub rule: String,
    /// The row that matched, of a rule with `each`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<WatchlistRow>,
    /// SHA-256 of the rule's text, in hex: which version of the rule it was.
    pub version: String,
    /// [`crate::alerts::draft::hash_story_text`] of the story as the rule saw it; `None` of alerts
    /// that were kept before there was such a hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_sha256: Option<String>,
    /// The rule's severity.
    pub severity: Severity,
    /// The rule's `why`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The rule's `owner`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The rule's tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// How far the rule's condition was met, of a rule with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<ConditionState>,
    /// The words that made it match.
    pub evidence: Vec<Evidence>,
}

impl RuleMatch {
    /// The rule's name, and the row that matched.
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.rule, self.row.as_ref())
    }
}

/// A rule's name, and behind it the row of it that is meant.
#[must_use]
pub fn title(rule: &str, row: Option<&WatchlistRow>) -> String {
    row.map_or_else(|| rule.to_owned(), |row| format!("{rule}: {row}"))
}
