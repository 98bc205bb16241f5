//! The feeds that carried a story, and the filters of rules for feeds.

use std::collections::BTreeSet;

use super::FeedName;

/// One entry of a rule's `feeds`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FeedFilter {
    /// The feed with this name.
    Named(FeedName),
    /// The feeds with this tag, without its prefix (`tag:wire`).
    Tagged(String),
}

/// A feed that carried a story, as rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Its name.
    pub name: FeedName,
    /// Its tags.
    pub tags: BTreeSet<String>,
}

impl Carrier {
    /// Whether `filter` accepts this feed.
    pub(crate) fn passes(&self, filter: &FeedFilter) -> bool {
        match filter {
            FeedFilter::Named(name) => self.name == *name,
            FeedFilter::Tagged(tag) => self.tags.contains(tag),
        }
    }
}
