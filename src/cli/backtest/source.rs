//! Where the stories of a backtest come from, batch by batch: 1 GB of them is never in memory at once.

use super::lines::Lines;
use super::stored::StoredStories;
use crate::cli::{Exit, output};
use tidings_rules::Carrier;
use tidings_rules::fault::Fault;
use tidings_rules::story::Story;

/// The most stories of a batch.
pub(super) const MOST_STORIES: u32 = 256;

/// A story to be matched.
#[derive(Debug)]
pub(super) struct Entry {
    /// What the output calls it.
    pub(super) id: String,
    /// The story.
    pub(super) story: Story,
    /// The feeds that carried it; `None`: it is matched as if every feed had.
    pub(super) carriers: Option<Vec<Carrier>>,
}

/// Some stories, in the order of their source.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// The stories.
    pub(super) stories: Vec<Entry>,
    /// How many lines were no stories.
    pub(super) faulty: usize,
    /// What is wrong with those: of a source's many, only the first.
    pub(super) faults: Vec<Fault>,
    /// Bytes that were read for it, where the source counts them.
    pub(super) bytes: u64,
}

/// A source of stories.
pub(super) enum Source {
    /// JSON Lines.
    Lines(Lines),
    /// The store.
    Stored(StoredStories),
}

impl Source {
    /// The next stories; `None` at the end. Why it cannot be read is printed.
    pub(super) fn next(&mut self) -> Result<Option<Batch>, Exit> {
        match self {
            Self::Lines(lines) => lines.next().map_err(|why| output::fail(why, Exit::Unavailable)),
            Self::Stored(stories) => stories.next(),
        }
    }

    /// Its size in bytes, where that is known.
    pub(super) fn size(&self) -> Option<u64> {
        match self {
            Self::Lines(lines) => lines.size(),
            Self::Stored(_) => None,
        }
    }
}
