//! The time of the last successful poll of any feed, and the hosts that have failed since. They
//! distinguish a failing feed from a network that is down.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::config::FeedConfig;
use crate::http::HostKey;
use crate::polling::health::{FeedNotice, FeedNoticeKind, Outage};
use crate::store::FeedState;
use tidings_rules::story::FeedName;

/// The last successful poll over the network, and the hosts that have failed since.
#[derive(Debug, Default)]
pub(crate) struct LastRead(Mutex<ReadTimes>);

#[derive(Debug, Default)]
struct ReadTimes {
    last_read: Option<Timestamp>,
    /// The hosts of feeds that have failed since. A single one does not mean that the network is
    /// down.
    failing_hosts: BTreeSet<HostKey>,
    /// Whether the notice of the outage was sent.
    notified: bool,
}

impl LastRead {
    /// Restores the state of earlier runs. Returns the dedup key of the notice that an earlier run
    /// may have sent.
    pub(super) fn restore<'f>(
        &self,
        feeds: impl Iterator<Item = (&'f FeedConfig, &'f FeedState)> + Clone,
    ) -> Option<String> {
        let mut times = self.lock();
        let remote = feeds.filter(|(feed, _)| is_remote(feed));
        times.last_read = remote.clone().filter_map(|(_, state)| state.last_good).max();
        let since = times.last_read?;
        let failing = remote.filter(|(_, state)| {
            state.health_history.failing_since.is_some_and(|failing| failing > since)
        });
        times.failing_hosts = failing.map(|(feed, _)| HostKey::from_url(&feed.url)).collect();
        let (kind, feed, why) = (FeedNoticeKind::Away, FeedName(String::new()), String::new());
        Some(FeedNotice { kind, feed, since, why }.dedup_prefix())
    }

    /// Records whether `feed` failed. Returns the outage of all feeds, if there is one.
    pub(super) fn find_outage(&self, feed: &FeedConfig, failed: bool) -> Option<Outage> {
        let mut times = self.lock();
        if failed && is_remote(feed) {
            times.failing_hosts.insert(HostKey::from_url(&feed.url));
        }
        let since = times.last_read.filter(|_| is_remote(feed) && times.failing_hosts.len() > 1)?;
        Some(Outage { since, notified: times.notified })
    }

    /// Records that `feed` was read at `at`.
    pub(super) fn record_read(&self, feed: &FeedConfig, at: Timestamp) {
        if is_remote(feed) {
            *self.lock() = ReadTimes { last_read: Some(at), ..ReadTimes::default() };
        }
    }

    /// Records that the notice of the outage was sent.
    pub(super) fn mark_notified(&self) {
        self.lock().notified = true;
    }

    /// A panic cannot leave the state half changed, so a poisoned lock is used as it is.
    fn lock(&self) -> MutexGuard<'_, ReadTimes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_remote(feed: &FeedConfig) -> bool {
    feed.url.scheme() != "file"
}
