//! New rules that look back: a rule with `backfill` is held against the stories of that time that
//! were matched before it came, once.

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

/// How long after rules came into force a story may be recorded that was matched without them.
const SETTLING: Duration = Duration::from_secs(3);

/// When a look back is tried again that the store failed.
const STORE_FAILED: Duration = Duration::from_secs(30);

/// Stories that are looked at in one step.
const STEP: u32 = 100;

/// Matches every new rule with `backfill` against stored stories, until `stop`, or once in a single
/// round. A rule that is interrupted begins again at the next start.
pub(crate) async fn match_past_stories(context: &Arc<RunContext>, stop: CancellationToken) {
    let rounds = async {
        loop {
            let again = match match_new_rules(context).await {
                Ok(()) => None,
                Err(why) => {
                    error!("new rules cannot look back: {why}; it is tried again");
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
    let wish =
        |name: &str, reach| (name.to_owned(), at.checked_sub(reach).unwrap_or(Timestamp::MIN));
    let wishes = rules.iter().filter_map(|rule| Some(wish(rule.name(), rule.settings.backfill?)));
    let new: HashMap<String, Timestamp> = wishes.filter(|(name, _)| !done.contains(name)).collect();
    let Some(oldest) = new.values().min().copied() else { return Ok(()) };
    let (new, mut after, mut told) = (Arc::new(new), None, 0);
    loop {
        let stories = context.store.settled_stories(oldest, after, STEP).await?;
        let Some(last) = stories.last() else { break };
        after = Some(last.id);
        let (shared, rules, new) = (Arc::clone(context), Arc::clone(&rules), Arc::clone(&new));
        let found =
            run_blocking_limited(context, move || find_matches(&shared, &rules, &new, stories))
                .await;
        for (story, verdict) in found {
            told += verdict.alerts.len();
            context.store.add_alerts(story.id, story.revision, verdict, now()).await?;
        }
        context.message_due.notify_one();
    }
    let names = new.keys().cloned().collect();
    context.store.record_backfill(names, now()).await?;
    info!("{} new rules were matched against stored stories: {told} matches", new.len());
    Ok(())
}

/// The stories that one of the new rules matches within its reach.
fn find_matches(
    context: &RunContext,
    rules: &Rules,
    new: &HashMap<String, Timestamp>,
    stories: Vec<SettledStory>,
) -> Vec<(SettledStory, MatchResult)> {
    let at = now();
    let verdict = |settled: SettledStory| {
        let carriers = matching::carriers_by_name(context, &settled.feeds);
        let mut matches = rules.matches(&settled.story, &carriers);
        matches.retain(|found| {
            new.get(found.rule.name()).is_some_and(|since| *since <= settled.story.first_seen)
        });
        let verdict = matching::match_result(
            context,
            &settled.story,
            settled.read.clone(),
            carriers,
            matches,
            at,
        );
        (!verdict.alerts.is_empty()).then_some((settled, verdict))
    };
    stories.into_iter().filter_map(verdict).collect()
}
