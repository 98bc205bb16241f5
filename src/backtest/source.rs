//! The source of the stories of a backtest. It is read in batches, so that memory does not depend
//! on its size.

use jiff::Timestamp;

use super::batch::{Batch, SourceStory};
use super::lines::StoryLines;
use super::sightings::StorySighting;
use super::stored::StoredStories;
use super::watch::PastWatch;
use crate::store::StoreError;
use tidings_rules::condition::Publishers;

/// A source of stories.
pub(crate) enum StorySource {
    /// JSON Lines.
    Lines(StoryLines),
    /// The store.
    Stored(StoredStories),
}

/// Why the next stories cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// The file cannot be read. The text is a sentence that names it.
    #[error("{0}")]
    Lines(String),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl StorySource {
    /// The next stories. `None` at the end.
    pub(crate) fn next_batch(&mut self) -> Result<Option<Batch>, SourceError> {
        match self {
            Self::Lines(lines) => lines.next_batch().map_err(SourceError::Lines),
            Self::Stored(stories) => stories.next_batch().map_err(SourceError::Store),
        }
    }

    /// The events of these stories, each with the time at which it counts. The times never go back,
    /// from call to call.
    pub(crate) fn sightings(
        &mut self,
        stories: &[(&SourceStory, Timestamp)],
        publishers: &Publishers,
    ) -> Result<Vec<StorySighting>, SourceError> {
        match self {
            Self::Lines(lines) => Ok(lines.sightings(stories, publishers)),
            Self::Stored(stored) => {
                stored.sightings(stories, publishers).map_err(SourceError::Store)
            }
        }
    }

    /// When feeds were watched.
    pub(crate) fn watch(&mut self) -> Result<PastWatch, SourceError> {
        match self {
            Self::Lines(_) => Ok(PastWatch::ByStories),
            Self::Stored(stored) => {
                stored.watched_slots().map(PastWatch::Stored).map_err(SourceError::Store)
            }
        }
    }

    /// The size in bytes, if it is known.
    pub(crate) fn size_in_bytes(&self) -> Option<u64> {
        match self {
            Self::Lines(lines) => lines.size_in_bytes(),
            Self::Stored(_) => None,
        }
    }
}
