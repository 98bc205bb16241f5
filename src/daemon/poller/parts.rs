//! What every poll needs, in one place.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::last_read::LastRead;
use crate::config::Config;
use crate::daemon::blocking::BlockingThreads;
use crate::daemon::fetcher::Fetcher;
use crate::daemon::matching::StoryMatcher;
use crate::daemon::wakeups::{PollsInProgress, Wakeups};
use crate::store::Store;

/// The most documents that are read and not yet recorded.
pub(crate) const DOCUMENTS: usize = 64;

/// What polls need.
#[derive(Debug)]
pub(crate) struct PollParts {
    pub(crate) config: Arc<Config>,
    pub(crate) store: Store,
    pub(crate) fetcher: Arc<Fetcher>,
    pub(crate) matcher: Arc<StoryMatcher>,
    pub(crate) threads: BlockingThreads,
    /// One permit for each document that is read and not yet recorded. They limit how far reading
    /// is ahead of the store.
    pub(crate) document_permits: Arc<Semaphore>,
    /// When any feed was read last, and which hosts have failed since.
    pub(crate) last_read: LastRead,
    pub(crate) polls: Arc<PollsInProgress>,
    pub(crate) wakeups: Arc<Wakeups>,
}
