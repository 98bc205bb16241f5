//! Stories of the store, a page at a time.

use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Runtime;

use super::source::{Batch, Entry, MOST_STORIES};
use crate::cli::{Exit, no_threads, output};
use crate::config::Config;
use crate::daemon;
use crate::store::{Archive, Stored, StoryId};
use tidings_rules::Carrier;
use tidings_rules::story::FeedName;

/// The stories that were first seen since a time.
pub(super) struct StoredStories {
    runtime: Runtime,
    archive: Archive,
    since: Timestamp,
    /// The row that was read last.
    last: Option<StoryId>,
    /// The configuration's feeds.
    feeds: Vec<Carrier>,
}

impl StoredStories {
    /// Those of the store that `config` names, first seen less than `age` before `now`. Why it cannot be opened is printed.
    pub(super) fn open(config: &Config, age: Duration, now: Timestamp) -> Result<Self, Exit> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|why| no_threads(&why))?;
        let archive = runtime.block_on(Archive::open(&config.store)).map_err(|why| {
            let help = "`tidings run --once` fills a store; --stories FILE needs none";
            output::fail_with_help(why, help, Exit::Unavailable)
        })?;
        let since = now.checked_sub(age).unwrap_or(Timestamp::MIN);
        Ok(Self { runtime, archive, since, last: None, feeds: daemon::known(config).feeds })
    }

    /// The next stories; `None` at the end. Why they cannot be read is printed.
    pub(super) fn next(&mut self) -> Result<Option<Batch>, Exit> {
        let page = self.runtime.block_on(self.archive.page(self.since, self.last, MOST_STORIES));
        let page = page.map_err(|why| output::fail(why, Exit::Unavailable))?;
        let Some(last) = page.last() else { return Ok(None) };
        self.last = Some(last.id);
        let stories = page.into_iter().map(|stored| entry(stored, &self.feeds)).collect();
        Ok(Some(Batch { stories, ..Batch::default() }))
    }
}

fn entry(stored: Stored, feeds: &[Carrier]) -> Entry {
    let carriers = stored.feeds.into_iter().map(|name| carrier(name, feeds)).collect();
    Entry { id: stored.uid, story: stored.story, carriers: Some(carriers) }
}

/// The feed as rules see it; one that left the configuration has no tags.
fn carrier(name: FeedName, feeds: &[Carrier]) -> Carrier {
    let known = feeds.iter().find(|feed| feed.name == name);
    Carrier { name, tags: known.map(|feed| feed.tags.clone()).unwrap_or_default() }
}
