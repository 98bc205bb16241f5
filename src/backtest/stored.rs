//! Reads stories of the store in pages: those since a time, or the newest.

use std::io;

use jiff::Timestamp;
use tokio::runtime::Runtime;

use super::batch::{Batch, MOST_STORIES, SourceStory};
use super::sightings::StorySighting;
use crate::config::StorePlace;
use crate::store::{Archive, OpenError, StoreError, StoredStory, StoryId};
use tidings_rules::Carrier;
use tidings_rules::condition::Publishers;
use tidings_rules::story::FeedName;

/// The stories that were first seen since a time, or the newest.
pub(crate) struct StoredStories {
    runtime: Runtime,
    archive: Archive,
    since: Timestamp,
    /// The row before the first story.
    before: Option<StoryId>,
    /// The last story that was read.
    last: Option<StoryId>,
    /// The configuration's feeds.
    feeds: Vec<Carrier>,
}

/// Why the stories of a store cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoredError {
    /// The system cannot create the threads or sockets of a runtime.
    #[error(transparent)]
    Threads(#[from] io::Error),
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] StoreError),
}

impl StoredStories {
    /// Opens the stories of `store` that were first seen at `since` or later. `feeds` are those of
    /// the configuration.
    pub(crate) fn open(
        store: &StorePlace,
        since: Timestamp,
        feeds: Vec<Carrier>,
    ) -> Result<Self, StoredError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let archive = runtime.block_on(Archive::open(store))?;
        Ok(Self { runtime, archive, since, before: None, last: None, feeds })
    }

    /// Opens the newest stories of `store`, at most `most`, if there is a store. Their feeds have
    /// no tags.
    pub(crate) fn open_newest(store: &StorePlace, most: u32) -> Result<Option<Self>, StoredError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let archive = runtime.block_on(Archive::open_if_any(store))?;
        let Some(archive) = archive else { return Ok(None) };
        let (since, feeds) = (Timestamp::MIN, Vec::new());
        let mut stories = Self { runtime, archive, since, before: None, last: None, feeds };
        stories.before = stories.runtime.block_on(stories.archive.row_before_newest(most))?;
        stories.rewind();
        Ok(Some(stories))
    }

    /// Goes back to the first story.
    pub(crate) fn rewind(&mut self) {
        self.last = self.before;
    }

    /// The next stories. `None` at the end.
    pub(crate) fn next_batch(&mut self) -> Result<Option<Batch>, StoreError> {
        let page = self.runtime.block_on(self.archive.stories_after(
            self.since,
            self.last,
            MOST_STORIES,
        ))?;
        let Some(last) = page.last() else { return Ok(None) };
        self.last = Some(last.id);
        let stories = page.into_iter().map(|stored| source_story(stored, &self.feeds)).collect();
        Ok(Some(Batch { stories, ..Batch::default() }))
    }

    /// The events of these stories.
    pub(super) fn sightings(
        &mut self,
        stories: &[(&SourceStory, Timestamp)],
        publishers: &Publishers,
    ) -> Result<Vec<StorySighting>, StoreError> {
        if stories.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<&str> = stories.iter().map(|(entry, _)| entry.id.as_str()).collect();
        let known = self.runtime.block_on(self.archive.sightings(&ids))?;
        let sighting = |id: &str| {
            // A story that was deleted since is no news.
            let found = known.get(id).map(|one| StorySighting::of_stored(one, publishers));
            found.unwrap_or_else(StorySighting::of_deleted)
        };
        Ok(ids.into_iter().map(sighting).collect())
    }

    /// The slots in which feeds were watched since the time of the first story, ascending.
    pub(super) fn watched_slots(&mut self) -> Result<Vec<i64>, StoreError> {
        self.runtime.block_on(self.archive.watched_slots(self.since))
    }
}

fn source_story(stored: StoredStory, feeds: &[Carrier]) -> SourceStory {
    let carriers = stored.feeds.iter().map(|name| carrier_by_name(name, feeds)).collect();
    SourceStory { id: stored.uid, story: stored.story, carriers: Some(carriers) }
}

/// The feed as rules see it. A feed that left the configuration is not among `feeds` and has no
/// tags.
pub(crate) fn carrier_by_name(name: &FeedName, feeds: &[Carrier]) -> Carrier {
    let known = feeds.iter().find(|feed| feed.name == *name);
    known.cloned().unwrap_or_else(|| Carrier { name: name.clone(), tags: [].into() })
}
