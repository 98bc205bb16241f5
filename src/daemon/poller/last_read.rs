//! When any feed was last read, and which hosts have failed since. This distinguishes a failing
//! feed from a network that is down.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::config::FeedConfig;
use crate::http::HostKey;
use crate::polling::health::{FeedNotice, FeedNoticeKind, Outage};
use crate::store::FeedState;
use tidings_rules::story::FeedName;

/// What is known of all feeds that come over the network.
#[derive(Debug, Default)]
pub(crate) struct LastRead(Mutex<ReadTimes>);

#[derive(Debug, Default)]
struct ReadTimes {
    read: Option<Timestamp>,
    /// The hosts of feeds that have failed since. One by itself says nothing of the network.
    failing: BTreeSet<HostKey>,
    /// Whether the notice of the outage was sent.
    notified: bool,
}

impl LastRead {
    /// Restores the state of earlier runs. Returns the dedup key of the notice that may have been
    /// sent.
    pub(super) fn begin<'f>(
        &self,
        feeds: impl Iterator<Item = (&'f FeedConfig, &'f FeedState)> + Clone,
    ) -> Option<String> {
        let mut known = self.known();
        let far = feeds.filter(|(feed, _)| is_far(feed));
        known.read = far.clone().filter_map(|(_, state)| state.last_good).max();
        let since = known.read?;
        let failing = far.filter(|(_, state)| {
            state.health_history.failing_since.is_some_and(|failing| failing > since)
        });
        known.failing = failing.map(|(feed, _)| HostKey::of(&feed.url)).collect();
        let (kind, feed, why) = (FeedNoticeKind::Away, FeedName(String::new()), String::new());
        Some(FeedNotice { kind, feed, since, why }.dedup_prefix())
    }

    /// The outage of all feeds, if there is one, after `feed` failed or not.
    pub(super) fn outage(&self, feed: &FeedConfig, failed: bool) -> Option<Outage> {
        let mut known = self.known();
        if failed && is_far(feed) {
            known.failing.insert(HostKey::of(&feed.url));
        }
        let since = known.read.filter(|_| is_far(feed) && known.failing.len() > 1)?;
        Some(Outage { since, notified: known.notified })
    }

    /// Takes note that `feed` was read then.
    pub(super) fn note(&self, feed: &FeedConfig, at: Timestamp) {
        if is_far(feed) {
            *self.known() = ReadTimes { read: Some(at), ..ReadTimes::default() };
        }
    }

    /// Records that the notice of the outage was sent.
    pub(super) fn mark_notified(&self) {
        self.known().notified = true;
    }

    /// A panic while the lock was held cannot leave it half changed, so a poisoned lock is used on.
    fn known(&self) -> MutexGuard<'_, ReadTimes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_far(feed: &FeedConfig) -> bool {
    feed.url.scheme() != "file"
}
