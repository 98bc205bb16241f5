//! Stories of a backtest, a batch at a time.

use tidings_rules::Carrier;
use tidings_rules::fault::Fault;
use tidings_rules::story::Story;

/// The most stories of a batch.
pub(crate) const MOST_STORIES: u32 = 256;

/// A story to be matched.
#[derive(Debug)]
pub(crate) struct SourceStory {
    /// Its id in the output.
    pub(crate) id: String,
    /// The story.
    pub(crate) story: Story,
    /// The feeds that carried it. `None` matches it as if every feed had carried it.
    pub(crate) carriers: Option<Vec<Carrier>>,
}

/// Some stories, in the order of their source.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The stories.
    pub(crate) stories: Vec<SourceStory>,
    /// The number of lines that are not stories.
    pub(crate) faulty: usize,
    /// The faults of those lines. Only the first faults of a source are kept.
    pub(crate) faults: Vec<Fault>,
    /// The number of bytes that were read for the batch; 0 if the source does not count bytes.
    pub(crate) bytes: u64,
}
