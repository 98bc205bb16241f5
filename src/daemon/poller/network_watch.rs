//! Notices that the network is back. A machine may start before its network, or lose it for hours,
//! and the feeds should not wait for their usual retries then.

use std::time::Duration;

use tokio::time::timeout;
use url::{Host, Url};

use crate::config::FeedConfig;
use crate::store::FeedState;

/// How long one lookup of a name may take.
const LOOKUP: Duration = Duration::from_secs(2);

/// Whether names can be looked up, as far as it is known. No publisher hears of a lookup.
#[derive(Debug, Default)]
pub(super) struct NetworkWatch {
    /// Whether the last lookup failed.
    is_away: bool,
}

impl NetworkWatch {
    /// Looks a name up if no server of `feeds` could be reached. Returns whether the network is
    /// back since the last call.
    pub(super) async fn is_back<'f>(
        &mut self,
        feeds: impl Iterator<Item = (&'f FeedConfig, &'f FeedState)> + Clone,
    ) -> bool {
        let mut remote = feeds.filter(|(feed, _)| matches!(feed.url.host(), Some(Host::Domain(_))));
        let first = remote.clone().next().map(|(feed, _)| feed.url.clone());
        let was_away = self.is_away;
        self.is_away = match first {
            Some(url) if remote.all(|(_, state)| state.unreached) => !can_look_up(&url).await,
            _ => false,
        };
        was_away && !self.is_away
    }
}

async fn can_look_up(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let lookup = timeout(LOOKUP, tokio::net::lookup_host((host, 0))).await;
    lookup.is_ok_and(|found| found.is_ok_and(|mut addresses| addresses.next().is_some()))
}
