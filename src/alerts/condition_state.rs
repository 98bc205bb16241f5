//! How far the condition of a rule is met, as alerts and messages show it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::later;
use tidings_rules::condition::{Condition, Decision};
use tidings_rules::story::WatchlistRow;

/// How far the condition of a rule was met when an alert was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionState {
    /// The condition in words, such as `3 publishers within 6h`.
    pub condition: String,
    /// Whether this alert met it, or it was met before.
    pub met: bool,
    /// What counts, in words, such as `2 of 3 publishers: afp.com, yna.co.kr`. `None`: this alert
    /// does not count, or the condition was met before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// Until when this alert counts for later ones, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts_until: Option<Timestamp>,
}

impl ConditionState {
    /// The state after this decision about a match of `row` at `at`. `None`: the alert does not
    /// count.
    #[must_use]
    pub fn new(
        condition: &Condition,
        decision: Option<&Decision>,
        row: Option<&WatchlistRow>,
        at: Timestamp,
    ) -> Self {
        let progress = match decision {
            Some(Decision::Held(progress) | Decision::Fired(progress)) => {
                Some(progress.clone().with_row(row).to_string())
            }
            Some(Decision::Told) | None => None,
        };
        let met = decision.is_some_and(Decision::is_told);
        let within = condition.within().filter(|_| decision.is_some() && condition.has_episodes());
        let counts_until = within.map(|within| later(at, within));
        Self { condition: condition.to_string(), met, progress, counts_until }
    }

    /// Whether the condition was met by this alert itself.
    #[must_use]
    pub fn is_met_by_it(&self) -> bool {
        self.met && self.progress.is_some()
    }
}

impl fmt::Display for ConditionState {
    /// The condition of an alert that is told, such as `first match in 365d (new match: X)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.condition)?;
        match &self.progress {
            Some(progress) if self.met => write!(f, " ({progress})"),
            Some(progress) => write!(f, " (held at first: {progress})"),
            None => f.write_str(" (met before)"),
        }
    }
}
