//! When any feed was read last: that tells a feed that fails from a network that is away.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

use crate::config::Feed;

/// When a feed was read last that comes over the network, in milliseconds.
#[derive(Debug)]
pub(crate) struct LastRead {
    at: AtomicI64,
    /// Whether there are several such feeds: one by itself says nothing of the network.
    several: bool,
}

impl LastRead {
    /// For these feeds, none of which was read yet.
    pub(crate) fn new(feeds: &[Feed]) -> Self {
        let several = feeds.iter().filter(|feed| is_far(feed)).nth(1).is_some();
        Self { at: AtomicI64::new(i64::MIN), several }
    }

    /// When that was, if it tells anything.
    pub(super) fn at(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.at.load(Ordering::Relaxed)).ok().filter(|_| self.several)
    }

    /// Takes note that `feed` was read then.
    pub(super) fn note(&self, feed: &Feed, at: Timestamp) {
        if is_far(feed) {
            self.at.fetch_max(at.as_millisecond(), Ordering::Relaxed);
        }
    }
}

fn is_far(feed: &Feed) -> bool {
    feed.url.scheme() != "file"
}
