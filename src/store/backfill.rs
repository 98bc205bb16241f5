//! Backfills: stored stories that a new rule is matched against, and which rules are done.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::column::to_millis;
use super::dialect::sql;
use super::story_changes::EventData;
use super::{MatchResult, Store, StoreError, StoredStory, StoryId, archive};
use crate::store::db::{self, SqlList};

impl Store {
    /// The rules whose backfill is done.
    pub async fn backfilled_rules(&self) -> Result<BTreeSet<String>, StoreError> {
        let names: Vec<String> =
            db::query_scalar("SELECT rule FROM backfill").fetch_all(&self.readers).await?;
        Ok(names.into_iter().collect())
    }

    /// Stories with texts that were matched, after the row `after`, first seen at `since` or later,
    /// in the order of their rows. Empty at the end.
    pub async fn settled_stories(
        &self,
        since: Timestamp,
        after: Option<StoryId>,
        limit: u32,
    ) -> Result<Vec<StoredStory>, StoreError> {
        let mut reader = self.readers.begin().await?;
        Ok(archive::read_stories_after(&mut reader, since, after, limit, true).await?)
    }

    /// Adds the alerts of `match_result` to a story that was matched before. If the story has a
    /// newer revision or waits, it writes nothing and returns `false`. The rules in force match the
    /// story later.
    pub async fn add_alerts(
        &self,
        story: StoryId,
        revision: i64,
        match_result: MatchResult,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.change_revision(story, revision, EventData::Backfilled(match_result), now).await
    }

    /// Records that the backfill of these rules is done.
    pub async fn record_backfill(
        &self,
        rules: BTreeSet<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let insert = sql!(
            "INSERT INTO backfill (rule, done_at) SELECT value, $2 FROM ",
            text_list!("$1"),
            " AS done WHERE TRUE ON CONFLICT (rule) DO NOTHING"
        );
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    let insert = db::query(insert).bind(SqlList::new(&rules)?).bind(to_millis(now));
                    insert.execute(conn).await.map(drop)
                })
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::super::StoryPlan;
    use super::super::fixture::{Bench, at_second, item, match_result, settle_plan};
    use super::*;

    #[tokio::test]
    async fn only_stories_that_were_matched_are_matched_by_a_backfill() {
        let bench = Bench::new().await;
        let old = StoryPlan::Record("older than first_poll".to_owned());
        let items = vec![
            item("a", settle_plan(&[])),
            item("b", old),
            item("c", StoryPlan::ReadPage),
            item("d", settle_plan(&["oil"])),
        ];
        bench.poll("wire", 0, items).await;
        bench.poll("paper", 1, vec![item("a", settle_plan(&[]))]).await;
        let found = bench.store.settled_stories(at_second(0), None, 9).await.unwrap();
        let found_values: Vec<_> =
            found.iter().map(|found| (found.story.title.as_str(), found.feeds.len())).collect();
        assert_eq!(found_values, [("a", 2), ("d", 1)]);
        assert_eq!(
            bench.store.settled_stories(at_second(0), Some(found[0].id), 9).await.unwrap(),
            found[1..]
        );
        assert_eq!(bench.store.settled_stories(at_second(1), None, 9).await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_backfill_alerts_once_and_not_for_a_story_that_has_changed() {
        let bench = Bench::new().await;
        bench.poll("wire", 0, vec![item("a", settle_plan(&[]))]).await;
        let story = bench.store.settled_stories(at_second(0), None, 9).await.unwrap().remove(0);
        assert!(
            !bench
                .store
                .add_alerts(story.id, 2, match_result(&["arms"]), at_second(1))
                .await
                .unwrap()
        );
        for _ in 0..2 {
            assert!(
                bench
                    .store
                    .add_alerts(story.id, 1, match_result(&["arms"]), at_second(1))
                    .await
                    .unwrap()
            );
        }
        assert_eq!(bench.query_text("SELECT status FROM story").await.unwrap(), "matched");
        assert_eq!(bench.sent_rules_and_feeds(1).await.len(), 1);
    }

    #[tokio::test]
    async fn a_finished_backfill_is_remembered_over_a_crash() {
        let bench = Bench::new().await;
        let names: BTreeSet<String> = ["arms", "oil"].map(str::to_owned).into();
        bench.store.record_backfill(names.clone(), at_second(0)).await.unwrap();
        bench.store.record_backfill(names.clone(), at_second(1)).await.unwrap();
        assert_eq!(bench.crash_and_reopen().await.store.backfilled_rules().await.unwrap(), names);
    }
}
