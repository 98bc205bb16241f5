//! What every poll needs, in one place.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::last_read::LastRead;
use crate::config::Config;
use crate::daemon::story_parts::StoryParts;

/// The most documents that are read and not yet recorded.
const DOCUMENTS: usize = 64;

/// What polls need.
#[derive(Debug)]
pub(crate) struct PollParts {
    pub(crate) shared: Arc<StoryParts>,
    /// One permit for each document that is read and not yet recorded. They limit how far reading
    /// is ahead of the store.
    pub(super) document_permits: Arc<Semaphore>,
    /// When any feed was read last, and which hosts have failed since.
    pub(super) last_read: LastRead,
}

impl PollParts {
    /// No feed was read yet.
    pub(crate) fn new(shared: Arc<StoryParts>) -> Self {
        let document_permits = Arc::new(Semaphore::new(DOCUMENTS));
        Self { shared, document_permits, last_read: LastRead::default() }
    }

    /// The configuration in force.
    pub(crate) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.shared.in_force.load().config)
    }
}
