//! Backfill: a new rule with `backfill` is matched once against the stored stories of that time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::alerts::MatchResult;
use crate::clock::{Jump, later, now};
use crate::daemon::blocking::BlockingThreads;
use crate::daemon::matching::StoryMatcher;
use crate::daemon::scheduler::{AfterPanic, Due, Panicked, Run, Running, Work};
use crate::daemon::wakeups::Wakeups;
use crate::daemon::{Mode, scheduler};
use crate::store::{Store, StoreError, StoredStory};
use tidings_rules::Rules;

/// The wait after a rule change. A story that is matched with the old rules is recorded within it.
const SETTLING: Duration = Duration::from_secs(3);

/// The number of stories of one step.
const STEP: u32 = 100;

/// Matches every new rule with `backfill` against stored stories, until `stop`, or once in a single
/// round. An interrupted backfill begins again at the next start.
pub(crate) async fn match_past_stories(mut backfills: Backfills, stop: CancellationToken) {
    let mode = backfills.mode;
    scheduler::run_work(&mut backfills, mode, &stop).await;
}

/// The backfills of a run: one at the start, and one after each change of the rules.
#[derive(Clone, Debug)]
pub(crate) struct Backfills {
    pub(super) store: Store,
    pub(super) matcher: Arc<StoryMatcher>,
    pub(super) threads: BlockingThreads,
    pub(super) wakeups: Arc<Wakeups>,
    pub(super) mode: Mode,
    pub(super) due: Option<Timestamp>,
}

impl Work for Backfills {
    type Key = ();
    type Job = ();
    type Output = ();

    const AT_ONCE: usize = 1;
    const LOOKUP_FAILED: &'static str = "new rules cannot be looked up";
    const JOB_FAILED: &'static str = "new rules cannot be matched against stored stories";

    async fn find_due(&mut self, _running: &Running<(), ()>) -> Result<Due<()>, StoreError> {
        let due = self.due.map_or(Due::NONE, Due::at);
        if !due.jobs.is_empty() {
            self.due = None;
        }
        Ok(due)
    }

    fn begin(&self, (): ()) -> ((), Run<()>) {
        let backfills = self.clone();
        ((), Box::pin(async move { match_new_rules(&backfills).await }))
    }

    fn end(&mut self, (): (), output: Option<()>) {
        if output.is_none() && self.mode == Mode::Forever {
            self.due = Some(now());
        }
    }

    fn end_after_panic(&mut self, (): (), why: &Panicked) -> AfterPanic<()> {
        error!("{}: {why}; it is tried again when the rules change", Self::JOB_FAILED);
        AfterPanic::Reschedule
    }

    async fn wait_for_change(&mut self) {
        self.wakeups.rules_changed.notified().await;
        self.due = Some(later(now(), SETTLING));
    }

    async fn check_clock(&mut self, _jump: Option<Jump>) {
        self.due = self.due.map(|due| due.min(later(now(), SETTLING)));
    }
}

async fn match_new_rules(backfills: &Backfills) -> Result<(), StoreError> {
    let rules = backfills.matcher.rules.load_full();
    let done = backfills.store.backfilled_rules().await?;
    let at = now();
    let since = |name: &str, age| (name.to_owned(), at.checked_sub(age).unwrap_or(Timestamp::MIN));
    let all = rules.iter().filter_map(|rule| Some(since(rule.name(), rule.settings.backfill?)));
    let new: HashMap<String, Timestamp> = all.filter(|(name, _)| !done.contains(name)).collect();
    let Some(oldest) = new.values().min().copied() else { return Ok(()) };
    let (new, mut after, mut alerts) = (Arc::new(new), None, 0);
    loop {
        let stories = backfills.store.settled_stories(oldest, after, STEP).await?;
        let Some(last) = stories.last() else { break };
        after = Some(last.id);
        let matcher = Arc::clone(&backfills.matcher);
        let (rules, new) = (Arc::clone(&rules), Arc::clone(&new));
        let find = move || find_matches(&matcher, &rules, &new, stories);
        let found = backfills.threads.run(find).await;
        alerts += found.iter().map(|(_, result)| result.alerts.len()).sum::<usize>();
        let at = now();
        let add = |(story, result): (StoredStory, MatchResult)| {
            backfills.store.add_alerts(story.id, story.revision, result, at)
        };
        try_join_all(found.into_iter().map(add)).await?;
        backfills.wakeups.message_due.notify_one();
    }
    let names = new.keys().cloned().collect();
    backfills.store.record_backfill(names, now()).await?;
    info!("new rules matched against stored stories: {}; matches: {alerts}", new.len());
    Ok(())
}

/// The stories that a rule of `new` matches. Each rule has the time since which it is matched.
fn find_matches(
    matcher: &StoryMatcher,
    rules: &Rules,
    new: &HashMap<String, Timestamp>,
    stories: Vec<StoredStory>,
) -> Vec<(StoredStory, MatchResult)> {
    let at = now();
    let match_settled = |settled: StoredStory| {
        let carriers = matcher.carriers_by_name(&settled.feeds);
        let mut found = rules.matches(&settled.story, &carriers);
        found.retain(|one| {
            new.get(one.rule.name()).is_some_and(|since| *since <= settled.story.first_seen)
        });
        let read = settled.read.clone()?;
        let result = matcher.match_result(&settled.story, read, carriers, found, at);
        (!result.alerts.is_empty()).then_some((settled, result))
    };
    stories.into_iter().filter_map(match_settled).collect()
}
