//! Backfill: a new rule with `backfill` is matched once against the stored stories of that time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::clock::{Jump, later, now};
use crate::daemon::context::{RunContext, run_blocking_limited};
use crate::daemon::scheduler::{AfterPanic, Due, Panicked, Running, Work};
use crate::daemon::{Mode, matching, scheduler};
use crate::store::{MatchResult, SettledStory, StoreError};
use tidings_rules::Rules;

/// The wait after a rule change. A story that is matched with the old rules is recorded within it.
const SETTLING: Duration = Duration::from_secs(3);

/// The number of stories of one step.
const STEP: u32 = 100;

/// Matches every new rule with `backfill` against stored stories, until `stop`, or once in a single
/// round. An interrupted backfill begins again at the next start.
pub(crate) async fn match_past_stories(context: &Arc<RunContext>, stop: CancellationToken) {
    let mut backfills = Backfills { context: Arc::clone(context), due: Some(now()) };
    scheduler::run_work(&mut backfills, context.mode, &stop).await;
}

/// The backfills of a run: one at the start, and one after each change of the rules.
struct Backfills {
    context: Arc<RunContext>,
    due: Option<Timestamp>,
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

    fn begin(&self, (): ()) -> ((), impl Future<Output = Result<(), StoreError>> + Send + 'static) {
        let context = Arc::clone(&self.context);
        ((), async move { match_new_rules(&context).await })
    }

    fn end(&mut self, (): (), output: Option<()>) {
        if output.is_none() && self.context.mode == Mode::Forever {
            self.due = Some(now());
        }
    }

    fn end_after_panic(&mut self, (): (), why: &Panicked) -> AfterPanic<()> {
        error!("{}: {why}; they are tried again after the next change", Self::JOB_FAILED);
        AfterPanic::Reschedule
    }

    async fn wait_for_change(&mut self) {
        self.context.rules_changed.notified().await;
        self.due = Some(later(now(), SETTLING));
    }

    async fn check_clock(&mut self, _jump: Option<Jump>) {
        self.due = self.due.map(|due| due.min(later(now(), SETTLING)));
    }
}

async fn match_new_rules(context: &Arc<RunContext>) -> Result<(), StoreError> {
    let rules = context.rules.load_full();
    let done = context.store.backfilled_rules().await?;
    let at = now();
    let since = |name: &str, age| (name.to_owned(), at.checked_sub(age).unwrap_or(Timestamp::MIN));
    let all = rules.iter().filter_map(|rule| Some(since(rule.name(), rule.settings.backfill?)));
    let new: HashMap<String, Timestamp> = all.filter(|(name, _)| !done.contains(name)).collect();
    let Some(oldest) = new.values().min().copied() else { return Ok(()) };
    let (new, mut after, mut matches) = (Arc::new(new), None, 0);
    loop {
        let stories = context.store.settled_stories(oldest, after, STEP).await?;
        let Some(last) = stories.last() else { break };
        after = Some(last.id);
        let (shared, rules, new) = (Arc::clone(context), Arc::clone(&rules), Arc::clone(&new));
        let found =
            run_blocking_limited(context, move || find_matches(&shared, &rules, &new, stories))
                .await;
        for (story, result) in found {
            matches += result.alerts.len();
            context.store.add_alerts(story.id, story.revision, result, now()).await?;
        }
        context.message_due.notify_one();
    }
    let names = new.keys().cloned().collect();
    context.store.record_backfill(names, now()).await?;
    info!("{} new rules were matched against stored stories: {matches} matches", new.len());
    Ok(())
}

/// The stories that a rule of `new` matches. Each rule has the time since which it is matched.
fn find_matches(
    context: &RunContext,
    rules: &Rules,
    new: &HashMap<String, Timestamp>,
    stories: Vec<SettledStory>,
) -> Vec<(SettledStory, MatchResult)> {
    let at = now();
    let match_settled = |settled: SettledStory| {
        let carriers = matching::carriers_by_name(context, &settled.feeds);
        let mut matches = rules.matches(&settled.story, &carriers);
        matches.retain(|found| {
            new.get(found.rule.name()).is_some_and(|since| *since <= settled.story.first_seen)
        });
        let result = matching::match_result(
            context,
            &settled.story,
            settled.read.clone(),
            carriers,
            matches,
            at,
        );
        (!result.alerts.is_empty()).then_some((settled, result))
    };
    stories.into_iter().filter_map(match_settled).collect()
}
