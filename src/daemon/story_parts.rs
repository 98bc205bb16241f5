//! What reads the texts of stories and matches them.

use std::sync::Arc;

use jiff::Timestamp;
use tracing::error;

use crate::alerts::{MatchResult, admit};
use crate::article;
use crate::clock::{later, timed};
use crate::daemon::blocking::BlockingThreads;
use crate::daemon::fetcher::Fetcher;
use crate::daemon::in_force::Shared;
use crate::daemon::shares::NodeShares;
use crate::daemon::wakeups::{PollsInProgress, Wakeups};
use crate::http::HostKey;
use crate::metrics::Metrics;
use crate::store::{Store, StoreError};
use tidings_rules::story::{FeedEntry, Read, Story};

/// What polls, pages, rechecks and backfills share.
#[derive(Debug)]
pub(crate) struct StoryParts {
    pub(crate) store: Store,
    pub(crate) in_force: Shared,
    pub(crate) fetcher: Fetcher,
    pub(crate) threads: BlockingThreads,
    pub(crate) polls: PollsInProgress,
    pub(crate) shares: Arc<NodeShares>,
    pub(crate) wakeups: Arc<Wakeups>,
    pub(crate) metrics: Arc<Metrics>,
}

impl StoryParts {
    /// Matches a story whose text is final, on a blocking thread. `page_lang` is the language that
    /// its page says. Returns the story with its language, and its match.
    pub(crate) async fn match_story(
        &self,
        mut story: Story,
        page_lang: Option<String>,
        read: Read,
        feed_entries: Vec<FeedEntry>,
        now: Timestamp,
    ) -> (Story, MatchResult) {
        let due = admit::due(self.polls.count(), now);
        let in_force = self.in_force.load_full();
        let match_story = move || {
            let said = [story.lang.as_deref(), page_lang.as_deref()];
            story.lang = article::story_language(&said, &story.title, &story.body);
            let feeds = feed_entries.iter().map(|entry| &entry.feed);
            let (result, took) = timed(|| in_force.match_story(&story, read, feeds, due));
            (story, result, took)
        };
        let (story, result, took) = self.threads.run(match_story).await;
        self.metrics.observe_match(took);
        (story, result)
    }

    /// Obeys the pauses that hosts asked for in earlier runs, and of other nodes.
    pub(crate) async fn read_host_rests(&self, now: Timestamp) -> Result<(), StoreError> {
        for (host, until) in self.store.resting_hosts(now).await? {
            self.fetcher.hosts.extend_rest(&HostKey(host), until);
        }
        Ok(())
    }

    /// Limits the pauses of hosts and the waits of pages to their schedule. They may be too long if
    /// the clock was ahead.
    pub(crate) async fn cut_waits(&self, now: Timestamp) {
        self.fetcher.hosts.cut_waits(now);
        let longest =
            self.in_force.load().recheck_ages.longest().map(|longest| later(now, longest));
        if let Err(why) = self.store.shorten_fetch_waits(longest, now).await
            && why.is_news()
        {
            error!(
                event = "store_failed",
                "waits cannot be checked against the clock: {why}; the check is repeated"
            );
        }
    }
}
