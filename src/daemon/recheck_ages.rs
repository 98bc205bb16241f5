//! The ages at which pages are rechecked, as the configuration sets them.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::later;
use crate::config::Config;
use tidings_rules::story::{FeedEntry, FeedName};

/// The ages at which pages are rechecked, for the feeds with `recheck`.
#[derive(Debug)]
pub(crate) struct RecheckAges(HashMap<FeedName, Vec<Duration>>);

impl RecheckAges {
    pub(super) fn new(config: &Config) -> Self {
        let rechecked = config.feeds.iter().filter(|feed| !feed.recheck.is_empty());
        Self(rechecked.map(|feed| (feed.name.clone(), feed.recheck.clone())).collect())
    }

    /// The longest of all.
    pub(super) fn longest(&self) -> Option<Duration> {
        self.0.values().flatten().max().copied()
    }

    /// When a page is rechecked next, by the settings of the feeds of its story. `None` if never.
    pub(crate) fn next_recheck(
        &self,
        entries: &[FeedEntry],
        first_seen: Timestamp,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let times = |feed: &FeedName| self.0.get(feed).map(Vec::as_slice).unwrap_or_default();
        let all = entries.iter().flat_map(|entry| times(&entry.feed));
        all.map(|time| later(first_seen, *time)).filter(|due| *due > now).min()
    }
}
