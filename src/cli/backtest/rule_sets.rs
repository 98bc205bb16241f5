//! The one or two sets of rules of a backtest, and what they matched.

use std::time::Duration;

use crate::backtest::matching::{Hits, Matcher};

/// The rules that stories are matched against.
pub(super) struct RuleSets {
    /// Those whose matches are shown.
    pub(super) base: Matcher,
    /// The rules to compare with; only differences are shown.
    pub(super) other: Option<Matcher>,
    /// What reading and checking the first took.
    pub(super) loading: Duration,
}

/// What the sides found in a batch, story by story.
pub(super) struct BatchMatches {
    /// The first.
    pub(super) base: Vec<Hits>,
    /// The others; `None` if there are none.
    pub(super) other: Option<Vec<Hits>>,
    /// What matching the first took.
    pub(super) took: Duration,
}
