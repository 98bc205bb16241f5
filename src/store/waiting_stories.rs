//! Stories that wait, and settling one: its final text and its alerts in one transaction.

use jiff::Timestamp;

use super::column::{self, from_millis, read_time, to_millis};
use super::dialect::sql;
use super::story_changes::EventData;
use super::{FinalText, Store, StoreError, StoryId, WaitingStory};
use crate::shares::OwnShares;
use crate::store::db::{self, DbRow, Sql};
use crate::store::feed_entries;
use tidings_rules::story::FeedEntry;

/// What a story waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoryWait {
    /// For its page.
    Page,
    /// To be matched.
    Match,
}

impl Store {
    /// Stories that wait for this and are due at `now`, of these shares, without those in
    /// `in_flight`, at most `limit`: the longest-waiting first, and those that came together in the
    /// order of their rows.
    pub async fn waiting_stories(
        &self,
        wait: StoryWait,
        now: Timestamp,
        in_flight: &[StoryId],
        shares: &OwnShares,
        limit: u32,
    ) -> Result<Vec<WaitingStory>, StoreError> {
        // The list of both statuses is that of the index.
        let due = match wait {
            StoryWait::Page => sql!(
                "SELECT *, coalesce(body, feed_text) AS text FROM story
                 WHERE status IN ('awaits_page', 'awaits_match') AND status = 'awaits_page' AND due <= $1 AND id NOT IN ",
                id_list!("$2"),
                " AND (CAST($4 AS TEXT) IS NULL OR share IN ",
                id_list!("$4"),
                ") ORDER BY waiting_since, id LIMIT $3"
            ),
            StoryWait::Match => sql!(
                "SELECT *, coalesce(body, feed_text) AS text FROM story
                 WHERE status IN ('awaits_page', 'awaits_match') AND status = 'awaits_match' AND due <= $1 AND id NOT IN ",
                id_list!("$2"),
                " AND (CAST($4 AS TEXT) IS NULL OR share IN ",
                id_list!("$4"),
                ") ORDER BY waiting_since, id LIMIT $3"
            ),
        };
        self.find_due_stories(due, now, in_flight, shares, limit, waiting_from_row).await
    }

    /// When the next story of these shares is due that waits for this, without those in
    /// `in_flight`.
    pub async fn next_waiting_due(
        &self,
        wait: StoryWait,
        in_flight: &[StoryId],
        shares: &OwnShares,
    ) -> Result<Option<Timestamp>, StoreError> {
        let due = match wait {
            StoryWait::Page => sql!(
                "SELECT due FROM story
                 WHERE status IN ('awaits_page', 'awaits_match') AND status = 'awaits_page' AND id NOT IN ",
                id_list!("$1"),
                " AND (CAST($2 AS TEXT) IS NULL OR share IN ",
                id_list!("$2"),
                ") ORDER BY due LIMIT 1"
            ),
            StoryWait::Match => sql!(
                "SELECT due FROM story
                 WHERE status IN ('awaits_page', 'awaits_match') AND status = 'awaits_match' AND id NOT IN ",
                id_list!("$1"),
                " AND (CAST($2 AS TEXT) IS NULL OR share IN ",
                id_list!("$2"),
                ") ORDER BY due LIMIT 1"
            ),
        };
        self.find_next_due(due, in_flight, shares).await
    }

    /// The stories that the statement finds at `now` that are not `in_flight`, at most `limit`,
    /// each with the feeds that carry it.
    pub(super) async fn find_due_stories<T>(
        &self,
        due: impl Into<Sql>,
        now: Timestamp,
        in_flight: &[StoryId],
        shares: &OwnShares,
        limit: u32,
        from_row: fn(StoryId, &DbRow, Vec<FeedEntry>) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, StoreError> {
        let mut reader = self.readers.begin().await?;
        let rows = db::query(due)
            .bind(to_millis(now))
            .bind(column::story_list(in_flight)?)
            .bind(i64::from(limit))
            .bind(column::share_list(shares)?)
            .fetch_all(&mut reader)
            .await?;
        let ids = column::story_ids(&rows)?;
        let mut entries = feed_entries::read_entries_of_stories(&mut reader, &ids).await?;
        let found = rows
            .iter()
            .zip(ids)
            .map(|(row, id)| from_row(id, row, entries.remove(&id).unwrap_or_default()));
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The first time that the statement finds of a story that is not `in_flight`.
    pub(super) async fn find_next_due(
        &self,
        due: impl Into<Sql>,
        in_flight: &[StoryId],
        shares: &OwnShares,
    ) -> Result<Option<Timestamp>, StoreError> {
        let next = db::query_scalar(due).bind(column::story_list(in_flight)?);
        let next = next.bind(column::share_list(shares)?);
        let next: Option<i64> = next.fetch_optional(&self.readers).await?;
        Ok(next.map(from_millis).transpose()?)
    }

    /// Records a page that could not be read, to be tried again at `due`. Nothing happens if the
    /// story has a newer revision by now, or does not wait.
    pub async fn record_page_failure(
        &self,
        story: StoryId,
        revision: i64,
        due: Timestamp,
    ) -> Result<(), StoreError> {
        self.change_revision(story, revision, EventData::PageFailed(due), due).await.map(drop)
    }

    /// Records a waiting story's final text, how much was read, and the result of matching it.
    /// Writes nothing and returns `false` if the story has a newer revision by now, or does not
    /// wait. A story that another feed joined while it waited goes on waiting, due at once, to be
    /// matched once more.
    ///
    /// It is queued at once, and the future is the answer. Alerts are recorded in the order in
    /// which they were queued.
    pub fn settle_story(
        &self,
        story: StoryId,
        revision: i64,
        settled: FinalText,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + use<> {
        self.change_revision(story, revision, EventData::Settled(settled), now)
    }
}

fn waiting_from_row(
    id: StoryId,
    row: &DbRow,
    feed_entries: Vec<FeedEntry>,
) -> Result<WaitingStory, sqlx::Error> {
    Ok(WaitingStory {
        id,
        revision: row.try_get("revision")?,
        story: column::story_from_row(row)?,
        read: column::read_extent(row)?,
        feed_entries,
        attempts: column::read_count(row, "page_attempts")?,
        fetches: column::read_count(row, "page_fetches")?,
        since: read_time(row, "waiting_since")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, at_second, final_text, item, match_result, story};
    use super::super::{MatchResult, StoryPlan};
    use super::*;
    use tidings_rules::story::Read;

    async fn one_waiting(bench: &Bench) -> WaitingStory {
        bench.poll("wire", 0, vec![item("a", StoryPlan::ReadPage)]).await;
        bench.waiting_stories(0).await.remove(0)
    }

    #[tokio::test]
    async fn a_story_waits_with_all_that_its_feed_gave() {
        let bench = Bench::new().await;
        let waiting = one_waiting(&bench).await;
        assert_eq!(waiting.story, story("a", "Teaser."));
        assert_eq!(
            (waiting.read, waiting.revision, waiting.attempts, waiting.since),
            (None, 1, 0, at_second(0))
        );
        assert_eq!(waiting.feed_entries.len(), 1);
        assert_eq!(
            waiting.feed_entries[0].url.as_deref(),
            Some("https://example.org/a?utm_source=feed")
        );
    }

    #[tokio::test]
    async fn the_longest_waiting_come_first_without_those_in_flight_and_within_the_limit() {
        let bench = Bench::new().await;
        for (now, key) in [(2, "b"), (1, "a"), (3, "c")] {
            bench.poll("wire", now, vec![item(key, StoryPlan::ReadPage)]).await;
        }
        let ids: Vec<StoryId> =
            bench.waiting_stories(9).await.iter().map(|waiting| waiting.id).collect();
        for (now, in_flight, limit, expected) in [
            (9, vec![], 9, vec!["a", "b", "c"]),
            (9, vec![], 2, vec!["a", "b"]),
            (9, vec![ids[0]], 1, vec!["b"]),
            (9, ids.clone(), 9, vec![]),
            (2, vec![], 9, vec!["a", "b"]),
            (9, vec![], 0, vec![]),
        ] {
            let found = bench.waiting_for_page(now, &in_flight, limit).await;
            let titles: Vec<_> = found.iter().map(|waiting| waiting.story.title.as_str()).collect();
            assert_eq!(titles, expected, "at {now}, {in_flight:?} in flight, {limit} at most");
        }
        for (in_flight, expected) in
            [(vec![], Some(at_second(1))), (vec![ids[0]], Some(at_second(2))), (ids.clone(), None)]
        {
            assert_eq!(bench.next_page_due(&in_flight).await, expected);
        }
    }

    #[tokio::test]
    async fn a_page_that_failed_is_counted_and_put_off() {
        let bench = Bench::new().await;
        let waiting = one_waiting(&bench).await;
        bench.store.record_page_failure(waiting.id, waiting.revision, at_second(60)).await.unwrap();
        assert_eq!(bench.waiting_stories(59).await, []);
        assert_eq!(bench.next_page_due(&[]).await, Some(at_second(60)));
        let again = bench.waiting_stories(60).await.remove(0);
        assert_eq!((again.attempts, again.since), (1, at_second(0)));

        bench
            .store
            .record_page_failure(waiting.id, waiting.revision + 1, at_second(90))
            .await
            .unwrap();
        assert_eq!(
            bench.waiting_stories(60).await.remove(0).attempts,
            1,
            "another revision's failure is not this one's"
        );

        bench
            .store
            .settle_story(
                again.id,
                again.revision,
                final_text("The page.", match_result(&[])),
                at_second(61),
            )
            .await
            .unwrap();
        assert_eq!(bench.known_items("wire").await[0].pages, 2);
    }

    #[tokio::test]
    async fn an_edit_overtakes_a_page_that_is_under_way() {
        let bench = Bench::new().await;
        let waiting = one_waiting(&bench).await;
        bench.store.record_page_failure(waiting.id, waiting.revision, at_second(60)).await.unwrap();
        bench.poll("wire", 5, vec![item("a", StoryPlan::ReadPage)]).await;

        let stale = bench
            .store
            .settle_story(
                waiting.id,
                waiting.revision,
                final_text("Old.", match_result(&["arms"])),
                at_second(6),
            )
            .await;
        assert!(!stale.unwrap());
        assert_eq!(bench.store.count_holdings().await.unwrap().alerts, 0);
        let now = bench.waiting_stories(5).await.remove(0);
        assert_eq!(
            (now.revision, now.attempts, now.story.body.as_str()),
            (waiting.revision + 1, 0, "Teaser.")
        );
    }

    #[tokio::test]
    async fn a_story_is_settled_once_and_a_crash_does_not_bring_it_back() {
        let bench = Bench::new().await;
        let waiting = one_waiting(&bench).await.id;
        let partial = MatchResult {
            read: Read::Partial("the page is behind a paywall".to_owned()),
            ..match_result(&["arms"])
        };
        assert!(
            bench
                .store
                .settle_story(waiting, 1, final_text("Teaser.", partial), at_second(1))
                .await
                .unwrap()
        );
        let bench = bench.crash_and_reopen().await;
        assert!(
            !bench
                .store
                .settle_story(
                    waiting,
                    1,
                    final_text("Other.", match_result(&["oil"])),
                    at_second(2)
                )
                .await
                .unwrap()
        );
        assert_eq!(bench.waiting_stories(9).await, []);
        assert_eq!(bench.next_page_due(&[]).await, None);
        let row = "SELECT status || ', ' || read || ': ' || read_why || ', ' || coalesce(body, 'as the feed has it') FROM story";
        assert_eq!(
            bench.query_text(row).await.unwrap(),
            "matched, partial: the page is behind a paywall, as the feed has it"
        );
    }
}
