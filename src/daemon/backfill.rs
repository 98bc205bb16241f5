//! Backfill: a new rule with `backfill` is matched once against the stored stories of that time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::clock::now;
use crate::daemon::context::{RunContext, run_blocking_limited};
use crate::daemon::{Mode, matching};
use crate::store::{MatchResult, SettledStory, StoreError};
use tidings_rules::Rules;

/// The wait after a rule change. A story that is matched with the old rules is recorded within it.
const SETTLING: Duration = Duration::from_secs(3);

/// The pause after a failure of the store.
const STORE_FAILED: Duration = Duration::from_secs(30);

/// The number of stories of one step.
const STEP: u32 = 100;

/// Matches every new rule with `backfill` against stored stories, until `stop`, or once in a single
/// round. An interrupted backfill begins again at the next start.
pub(crate) async fn match_past_stories(context: &Arc<RunContext>, stop: CancellationToken) {
    let rounds = async {
        loop {
            let again = match match_new_rules(context).await {
                Ok(()) => None,
                Err(why) => {
                    error!(
                        "new rules cannot be matched against stored stories: {why}; they are tried again"
                    );
                    Some(STORE_FAILED)
                }
            };
            match (context.mode, again) {
                (Mode::Once, _) => return,
                (Mode::Forever, Some(pause)) => tokio::time::sleep(pause).await,
                (Mode::Forever, None) => {
                    context.rules_changed.notified().await;
                    tokio::time::sleep(SETTLING).await;
                }
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = rounds => {}
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
    info!("new rules matched against stored stories: {}; matches: {matches}", new.len());
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
