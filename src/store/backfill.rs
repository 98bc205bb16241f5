//! Backfills: stored stories that a new rule is matched against, and which rules are done.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::column::{self, to_json, to_millis};
use super::dialect::text_list;
use super::story_changes::EventData;
use super::writer::WriteStories;
use super::{MatchResult, Store, StoreError, StoryId, story_changes};
use crate::alerts::copies::BatchStory;
use crate::lifecycle::story::StoryEvent;
use crate::store::feed_entries;
use tidings_rules::story::{FeedName, Read, Story};

/// A story that is matched or unmatched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledStory {
    /// Its row.
    pub id: StoryId,
    /// The revision of its text.
    pub revision: i64,
    /// The story with its final text.
    pub story: Story,
    /// How much of it was read.
    pub read: Read,
    /// The feeds that carried it.
    pub feeds: Vec<FeedName>,
}

impl Store {
    /// The rules whose backfill is done.
    pub async fn backfilled_rules(&self) -> Result<BTreeSet<String>, StoreError> {
        let names: Vec<String> =
            sqlx::query_scalar("SELECT rule FROM backfill").fetch_all(&self.readers).await?;
        Ok(names.into_iter().collect())
    }

    /// Stories with texts that were matched, after the row `after`, first seen at `since` or later,
    /// in the order of their rows. Empty at the end.
    pub async fn settled_stories(
        &self,
        since: Timestamp,
        after: Option<StoryId>,
        limit: u32,
    ) -> Result<Vec<SettledStory>, StoreError> {
        let mut reader = self.readers.begin().await?;
        let rows = sqlx::query(
            "SELECT *, coalesce(body, feed_text) AS text FROM story
             WHERE id > $1 AND first_seen >= $2 AND purged IS NULL AND status IN ('matched', 'unmatched') ORDER BY id LIMIT $3",
        )
        .bind(after.map_or(i64::MIN, |row| row.0))
        .bind(to_millis(since))
        .bind(i64::from(limit))
        .fetch_all(&mut *reader)
        .await?;
        let ids = column::story_ids(&rows)?;
        let mut feeds = feed_entries::read_feeds_of_stories(&mut reader, &ids).await?;
        let found = rows
            .iter()
            .zip(ids)
            .map(|(row, id)| settled_from_row(id, row, feeds.remove(&id).unwrap_or_default()));
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Adds the alerts of `match_result` to a story that was matched before. If the story has a
    /// newer revision or waits, it writes nothing and returns `false`. The rules in force match the
    /// story later.
    pub async fn add_alerts(
        &self,
        story: StoryId,
        revision: i64,
        mut match_result: MatchResult,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let compared = BatchStory::of_row(story.0, &match_result, false, now);
        let write: WriteStories = Box::new(move |conn, mut joins| {
            match_result.joins = joins.pop().flatten();
            Box::pin(async move {
                let (event, data) = (StoryEvent::Backfilled, EventData::Backfilled(&match_result));
                story_changes::apply_to_revision(conn, (story, revision), |_| event, data, now)
                    .await
            })
        });
        self.write_stories(compared, write).await
    }

    /// Records that the backfill of these rules is done.
    pub async fn record_backfill(
        &self,
        rules: BTreeSet<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |conn| Box::pin(insert_backfills(conn, rules, now))).await
    }
}

fn settled_from_row(
    id: StoryId,
    row: &SqliteRow,
    feeds: Vec<FeedName>,
) -> Result<SettledStory, sqlx::Error> {
    Ok(SettledStory {
        id,
        revision: row.try_get("revision")?,
        story: column::story_from_row(row)?,
        read: column::read_final_extent(row)?,
        feeds,
    })
}

async fn insert_backfills(
    conn: &mut SqliteConnection,
    rules: BTreeSet<String>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(concat!(
        "INSERT INTO backfill (rule, done_at) SELECT value, $2 FROM ",
        text_list!("$1"),
        " AS done WHERE TRUE ON CONFLICT (rule) DO NOTHING"
    ))
    .bind(to_json(&rules)?)
    .bind(to_millis(now))
    .execute(conn)
    .await?;
    Ok(())
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
