//! Matches stories whose text is final: those from elsewhere, those that were edited, and those
//! that another feed began to carry. They are matched side by side and recorded in order.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::clock::now;
use crate::daemon::scheduler::{Due, Run, Running, Work};
use crate::daemon::shares::ShareUse;
use crate::daemon::story_parts::StoryParts;
use crate::daemon::{Mode, articles, scheduler};
use crate::shares::{OwnShares, Share};
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
    let mut work = WaitingMatches { parts, mode, check, last: Turn::first() };
    scheduler::run_work(&mut work, mode, stop).await;
}

/// The stories that wait to be matched, and what matches them.
struct WaitingMatches {
    parts: Arc<StoryParts>,
    mode: Mode,
    /// Ticks when the store is queried for what another process recorded.
    check: Interval,
    /// Closes when the last story that was begun is queued to be recorded, or never will be.
    last: oneshot::Receiver<()>,
}

/// The turn of a story to be recorded. A rule with `after` looks at what was recorded before.
struct Turn {
    /// Closes when the story before is queued to be recorded, or never will be.
    before: oneshot::Receiver<()>,
    /// Dropped when this one is.
    done: oneshot::Sender<()>,
}

impl Turn {
    /// What the first turn waits for: nothing.
    fn first() -> oneshot::Receiver<()> {
        oneshot::channel().1
    }

    /// The turn after `last`, which becomes this one.
    fn after(last: &mut oneshot::Receiver<()>) -> Self {
        let (done, next) = oneshot::channel();
        Self { before: mem::replace(last, next), done }
    }
}

impl Work for WaitingMatches {
    type Key = StoryId;
    type Job = (WaitingStory, Turn, ShareUse);
    type Output = ();

    const AT_ONCE: usize = AT_ONCE;
    const STOP_GRACE: Duration = scheduler::STOP_GRACE;
    const LOOKUP_FAILED: &'static str = "stories that wait to be matched cannot be looked up";
    const JOB_FAILED: &'static str = "a story could not be matched";

    async fn find_due(
        &mut self,
        running: &Running<StoryId, ()>,
    ) -> Result<Due<Self::Job>, StoreError> {
        let (store, shares, all) = (&self.parts.store, &self.parts.shares, OwnShares::All);
        let mut taken = running.taken();
        let Some(_matches) = shares.begin(Share::MATCHES) else { return Ok(Due::NONE) };
        let due = store.waiting_stories(StoryWait::Match, now(), &taken, &all, running.free());
        let due = due.await?;
        taken.extend(due.iter().map(|waiting| waiting.id));
        let next = store.next_waiting_due(StoryWait::Match, &taken, &all).await?;
        let last = &mut self.last;
        let begin = |waiting| Some((waiting, Turn::after(last), shares.begin(Share::MATCHES)?));
        Ok(Due { jobs: due.into_iter().filter_map(begin).collect(), next })
    }

    fn begin(&self, (waiting, turn, share): Self::Job) -> (StoryId, Run<()>) {
        let (parts, story) = (Arc::clone(&self.parts), waiting.id);
        let matched = async move { share.hold_during(match_story(&parts, waiting, turn)).await };
        (story, Box::pin(matched))
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

async fn match_story(
    parts: &StoryParts,
    waiting: WaitingStory,
    turn: Turn,
) -> Result<(), StoreError> {
    let page = articles::SettledPage {
        body: waiting.story.body.clone(),
        lang: None,
        read: waiting.read.clone().unwrap_or(Read::Full),
        fetches: 0,
    };
    let matched = articles::match_settled(parts, waiting, page).await;
    // Closed is all that it can be: nothing is sent.
    let _ = turn.before.await;
    let recorded = matched.record(parts);
    drop(turn.done);
    recorded.await
}
