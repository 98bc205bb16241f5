//! Where the stories of a backtest come from, batch by batch: 1 GB of them is never in memory at
//! once.

use super::lines::StoryLines;
use super::stored::StoredStories;
use crate::store::StoreError;
use tidings_rules::Carrier;
use tidings_rules::fault::Fault;
use tidings_rules::story::Story;

/// The most stories of a batch.
pub(crate) const MOST_STORIES: u32 = 256;

/// A story to be matched.
#[derive(Debug)]
pub(crate) struct SourceStory {
    /// What the output calls it.
    pub(crate) id: String,
    /// The story.
    pub(crate) story: Story,
    /// The feeds that carried it; `None`: it is matched as if every feed had.
    pub(crate) carriers: Option<Vec<Carrier>>,
}

/// Some stories, in the order of their source.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The stories.
    pub(crate) stories: Vec<SourceStory>,
    /// How many lines were no stories.
    pub(crate) faulty: usize,
    /// What is wrong with those: of a source's many, only the first.
    pub(crate) faults: Vec<Fault>,
    /// Bytes that were read for it, where the source counts them.
    pub(crate) bytes: u64,
}

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
    /// The file cannot be read; a sentence that names it.
    #[error("{0}")]
    Lines(String),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl StorySource {
    /// The next stories; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Batch>, SourceError> {
        match self {
            Self::Lines(lines) => lines.next().map_err(SourceError::Lines),
            Self::Stored(stories) => stories.next().map_err(SourceError::Store),
        }
    }

    /// Its size in bytes, where that is known.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Self::Lines(lines) => lines.size(),
            Self::Stored(_) => None,
        }
    }
}
