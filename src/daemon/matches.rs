//! Matches stories whose text is final: those from elsewhere, those that were edited, and those
//! that another feed began to carry.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::clock::now;
use crate::daemon::scheduler::{Due, Run, Running, Work};
use crate::daemon::story_parts::StoryParts;
use crate::daemon::{Mode, articles, scheduler};
use crate::store::{StoreError, StoryId, StoryWait, WaitingStory};
use tidings_rules::story::Read;

/// The most stories that are matched at once. All their texts are in memory, each of at most a few
/// MiB. One commit of the store takes as many commands.
const AT_ONCE: usize = 64;

/// How often the store is queried for stories that another process recorded.
const CHECK: Duration = Duration::from_secs(1);

/// Matches stories as they come, until `stop`, or in a single round until no story waits.
pub(crate) async fn match_waiting(parts: Arc<StoryParts>, mode: Mode, stop: &CancellationToken) {
    let mut check = tokio::time::interval(CHECK);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    scheduler::run_work(&mut WaitingMatches { parts, mode, check }, mode, stop).await;
}

/// The stories that wait to be matched, and what matches them.
struct WaitingMatches {
    parts: Arc<StoryParts>,
    mode: Mode,
    /// Ticks when the store is queried for what another process recorded.
    check: Interval,
}

impl Work for WaitingMatches {
    type Key = StoryId;
    type Job = WaitingStory;
    type Output = ();

    const AT_ONCE: usize = AT_ONCE;
    const STOP_GRACE: Duration = scheduler::STOP_GRACE;
    const LOOKUP_FAILED: &'static str = "stories that wait to be matched cannot be looked up";
    const JOB_FAILED: &'static str = "a story could not be matched";

    async fn find_due(
        &mut self,
        running: &Running<StoryId, ()>,
    ) -> Result<Due<WaitingStory>, StoreError> {
        let mut taken = running.taken();
        let store = &self.parts.store;
        let jobs = store.waiting_stories(StoryWait::Match, now(), &taken, running.free()).await?;
        taken.extend(jobs.iter().map(|waiting| waiting.id));
        Ok(Due { jobs, next: store.next_waiting_due(StoryWait::Match, &taken).await? })
    }

    fn begin(&self, waiting: WaitingStory) -> (StoryId, Run<()>) {
        let parts = Arc::clone(&self.parts);
        (waiting.id, Box::pin(async move { match_story(&parts, waiting).await }))
    }

    async fn wait_for_change(&mut self) {
        if self.mode == Mode::Once {
            return std::future::pending().await;
        }
        tokio::select! {
            () = self.parts.wakeups.match_waits.notified() => {}
            _ = self.check.tick() => {}
        }
    }

    fn is_round_over(&self, next: Option<jiff::Timestamp>) -> bool {
        next.is_none()
    }
}

async fn match_story(parts: &StoryParts, waiting: WaitingStory) -> Result<(), StoreError> {
    let page = articles::SettledPage {
        body: waiting.story.body.clone(),
        lang: None,
        read: waiting.read.clone().unwrap_or(Read::Full),
        fetches: 0,
    };
    articles::match_and_record(parts, waiting, page).await
}
