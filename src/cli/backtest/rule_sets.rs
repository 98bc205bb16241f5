//! The one or two sets of rules of a backtest, and what they matched.

use std::time::Duration;

use crate::backtest::matching::{Hits, Matcher};

/// The rules that stories are matched against.
pub(super) struct RuleSets {
    /// The rules whose matches are shown.
    pub(super) base: Matcher,
    /// The rules to compare with; only differences are shown.
    pub(super) other: Option<Matcher>,
    /// The time that loading the first set took.
    pub(super) loading: Duration,
}

/// The matches of a batch, for each story.
pub(super) struct BatchMatches {
    /// The matches of the first set.
    pub(super) base: Vec<Hits>,
    /// The matches of the other set, if there is one.
    pub(super) other: Option<Vec<Hits>>,
    /// The time that matching the first set took.
    pub(super) took: Duration,
}
