//! What settles and rechecks stories.

use std::sync::Arc;

use crate::daemon::matching::StoryMatcher;
use crate::daemon::page::ArticleReader;
use crate::daemon::recheck::RecheckAges;
use crate::daemon::wakeups::{PollsInProgress, Wakeups};
use crate::store::Store;

/// What reads the pages of stories and matches them.
#[derive(Clone, Debug)]
pub(crate) struct StoryParts {
    pub(crate) store: Store,
    pub(crate) pages: ArticleReader,
    pub(crate) matcher: Arc<StoryMatcher>,
    pub(crate) recheck_ages: Arc<RecheckAges>,
    pub(crate) polls: Arc<PollsInProgress>,
    pub(crate) wakeups: Arc<Wakeups>,
}
