//! The one or two sets of rules of a backtest, and what they matched.

use std::time::Duration;

use crate::backtest::conditions::BatchResults;
use crate::backtest::matching::{Matcher, StoryMatches};

/// The rules that stories are matched against.
pub(super) struct RuleSets {
    /// The rules whose matches are shown.
    pub(super) base: Matcher,
    /// The rules to compare with; only differences are shown.
    pub(super) other: Option<Matcher>,
    /// The time that loading the first set took.
    pub(super) loading: Duration,
}

impl RuleSets {
    /// Whether a rule of either set has a condition.
    pub(super) fn have_conditions(&self) -> bool {
        self.base.has_conditions() || self.other.as_ref().is_some_and(Matcher::has_conditions)
    }
}

/// The matches of a batch, for each story.
pub(super) struct BatchMatches {
    /// The matches of the first set.
    pub(super) base: Vec<StoryMatches>,
    /// The matches of the other set, if there is one.
    pub(super) other: Option<Vec<StoryMatches>>,
    /// What conditions make of them. `None`: no rule has a condition.
    pub(super) results: Option<BatchResults>,
    /// The time that matching the first set took.
    pub(super) took: Duration,
}
