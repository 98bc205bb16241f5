//! Stories of a backtest, a batch at a time.

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
