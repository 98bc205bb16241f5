//! Backfill: a new rule with `backfill` is matched once against the stored stories of that time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use tracing::{error, info};

use crate::alerts::MatchResult;
use crate::clock::now;
use crate::daemon::Mode;
use crate::daemon::in_force::InForce;
use crate::daemon::scheduler::{Chore, STORE_FAILED};
use crate::daemon::story_parts::StoryParts;
use crate::store::{StoreError, StoredStory};

/// The wait after a rule change. A story that is matched with the old rules is recorded within it.
const SETTLING: Duration = Duration::from_secs(3);

/// The number of stories of one step.
const STEP: u32 = 100;

/// The backfills of a run: one at the start, and one after each change of the rules. One that is
/// interrupted begins again at the next start.
#[derive(Clone, Debug)]
pub(crate) struct Backfills {
    pub(super) parts: Arc<StoryParts>,
    pub(super) mode: Mode,
}

impl Chore for Backfills {
    const FAILED: &'static str = "new rules cannot be matched against stored stories";
    const EVERY: Option<Duration> = None;

    async fn run(self) -> Result<(), StoreError> {
        while let Err(why) = match_new_rules(&self.parts).await {
            if self.mode == Mode::Once {
                return Err(why);
            }
            if why.is_news() {
                error!(event = "store_failed", "{}: {why}; it is tried again", Self::FAILED);
            }
            tokio::time::sleep(STORE_FAILED).await;
        }
        Ok(())
    }

    async fn wait_for_change(&self) -> Duration {
        self.parts.wakeups.rules_changed.notified().await;
        SETTLING
    }
}

async fn match_new_rules(parts: &StoryParts) -> Result<(), StoreError> {
    let in_force = parts.in_force.load_full();
    let done = parts.store.backfilled_rules().await?;
    let at = now();
    let since = |name: &str, age| (name.to_owned(), at.checked_sub(age).unwrap_or(Timestamp::MIN));
    let all =
        in_force.rules.iter().filter_map(|rule| Some(since(rule.name(), rule.settings.backfill?)));
    let new: HashMap<String, Timestamp> = all.filter(|(name, _)| !done.contains(name)).collect();
    let Some(oldest) = new.values().min().copied() else { return Ok(()) };
    let (new, mut after, mut alerts) = (Arc::new(new), None, 0);
    loop {
        let stories = parts.store.settled_stories(oldest, after, STEP).await?;
        let Some(last) = stories.last() else { break };
        after = Some(last.id);
        let (in_force, new) = (Arc::clone(&in_force), Arc::clone(&new));
        let find = move || find_matches(&in_force, &new, stories);
        let found = parts.threads.run(find).await;
        alerts += found.iter().map(|(_, result)| result.alerts.len()).sum::<usize>();
        let at = now();
        let add = |(story, result): (StoredStory, MatchResult)| {
            parts.store.add_alerts(story.id, story.revision, result, at)
        };
        try_join_all(found.into_iter().map(add)).await?;
        parts.wakeups.message_due.notify_one();
    }
    let names = new.keys().cloned().collect();
    parts.store.record_backfill(names, now()).await?;
    info!(
        event = "rules_backfilled",
        "new rules matched against stored stories: {}; matches: {alerts}",
        new.len()
    );
    Ok(())
}

/// The stories that a rule of `new` matches. Each rule has the time since which it is matched.
fn find_matches(
    in_force: &InForce,
    new: &HashMap<String, Timestamp>,
    stories: Vec<StoredStory>,
) -> Vec<(StoredStory, MatchResult)> {
    let at = now();
    let match_settled = |settled: StoredStory| {
        let carriers = in_force.carriers_by_name(&settled.feeds);
        let mut found = in_force.rules.matches(&settled.story, &carriers);
        found.retain(|one| {
            new.get(one.rule.name()).is_some_and(|since| *since <= settled.story.first_seen)
        });
        let read = settled.read.clone()?;
        let result = in_force.match_result(&settled.story, read, carriers, found, at);
        (!result.alerts.is_empty()).then_some((settled, result))
    };
    stories.into_iter().filter_map(match_settled).collect()
}
