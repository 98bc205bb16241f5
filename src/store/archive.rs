//! Reads a store beside a running Tidings. Takes no lock, writes nothing, migrates nothing.

mod event_record;
mod find;
mod history;

use jiff::Timestamp;

use super::column::{self, to_millis};
use super::{FeedState, OpenError, StoreError, StoryId, feeds};
use crate::config::StorePlace;
use crate::store::db::{self, DbConnection, DbRow, run_script};
use crate::store::{command_connection, feed_entries};
use tidings_rules::story::{FeedName, Read, Story};

pub use event_record::{EventRecord, EventStory};
pub use find::{Alerted, StoryRecord};
pub use history::{AlertFilter, AlertRecord, Attempt, Message, PastAlert};

/// A store's stories, open for reading.
#[derive(Debug)]
pub struct Archive {
    pub(super) conn: DbConnection<'static>,
}

/// A stored story, with its page's text if that was read, else with its feed's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredStory {
    /// Its row.
    pub id: StoryId,
    /// Its UUID, for payloads and people.
    pub uid: String,
    /// The revision of its text.
    pub revision: i64,
    /// The story.
    pub story: Story,
    /// How much of it was read; `None` while it waits for its page.
    pub read: Option<Read>,
    /// The feeds that carried it, in the order of their names.
    pub feeds: Vec<FeedName>,
}

impl Archive {
    /// Opens the store at `place`, which must exist and have the schema of this build.
    pub async fn open(place: impl Into<StorePlace>) -> Result<Self, OpenError> {
        Ok(Self { conn: command_connection::open_to_read(&place.into()).await? })
    }

    /// The same, if there is a store at `place`: Tidings may not have run yet.
    ///
    /// # Errors
    /// If there is one and it cannot be opened, or if its server does not answer.
    pub async fn open_if_any(place: &StorePlace) -> Result<Option<Self>, OpenError> {
        if place.file().is_some_and(|path| !path.exists()) {
            return Ok(None);
        }
        match Self::open(place).await {
            Err(OpenError::Empty(_)) => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// The archive, unless its connection to a server was lost.
    pub async fn if_it_answers(mut self) -> Option<Self> {
        run_script(&mut self.conn, "SELECT 1".into()).await.is_ok().then_some(self)
    }

    /// Stories with texts, after the row `after`, first seen at `since` or later: at most `limit`,
    /// in the order of their rows. Empty at the end.
    pub async fn stories_after(
        &mut self,
        since: Timestamp,
        after: Option<StoryId>,
        limit: u32,
    ) -> Result<Vec<StoredStory>, StoreError> {
        Ok(read_stories_after(&mut self.conn, since, after, limit, false).await?)
    }

    /// Stories with texts, before the row `before`: at most `limit`, newest first. Empty at the
    /// end.
    pub async fn stories_before(
        &mut self,
        before: Option<StoryId>,
        limit: u32,
    ) -> Result<Vec<StoredStory>, StoreError> {
        let rows = db::query(
            "SELECT *, coalesce(body, feed_text) AS text FROM story
             WHERE id < $1 AND purged IS NULL ORDER BY id DESC LIMIT $2",
        );
        let rows = rows.bind(before.map_or(i64::MAX, |row| row.0)).bind(i64::from(limit));
        let rows = rows.fetch_all(&mut self.conn).await?;
        Ok(stories_from_rows(&mut self.conn, &rows).await?)
    }

    /// A row after which there are at most the newest `most` stories, and usually as many; `None`
    /// if there are no stories.
    pub async fn row_before_newest(&mut self, most: u32) -> Result<Option<StoryId>, StoreError> {
        let newest: Option<i64> =
            db::query_scalar("SELECT max(id) FROM story").fetch_one(&mut self.conn).await?;
        Ok(newest.map(|newest| StoryId(newest - i64::from(most))))
    }

    /// The state of every feed, in the order of their names.
    pub async fn feed_states(&mut self) -> Result<Vec<FeedState>, StoreError> {
        Ok(feeds::read_feed_states(&mut self.conn).await?)
    }
}

/// Stories with texts, as [`Archive::stories_after`] says. `is_matched`: only those that are
/// matched or unmatched.
pub(super) async fn read_stories_after(
    conn: &mut DbConnection<'_>,
    since: Timestamp,
    after: Option<StoryId>,
    limit: u32,
    is_matched: bool,
) -> Result<Vec<StoredStory>, sqlx::Error> {
    let rows = db::query(
        "SELECT *, coalesce(body, feed_text) AS text FROM story
         WHERE id > $1 AND first_seen >= $2 AND purged IS NULL AND (NOT $3 OR status IN ('matched', 'unmatched'))
         ORDER BY id LIMIT $4",
    )
    .bind(after.map_or(i64::MIN, |row| row.0))
    .bind(to_millis(since))
    .bind(is_matched)
    .bind(i64::from(limit))
    .fetch_all(&mut *conn)
    .await?;
    stories_from_rows(conn, &rows).await
}

async fn stories_from_rows(
    conn: &mut DbConnection<'_>,
    rows: &[DbRow],
) -> Result<Vec<StoredStory>, sqlx::Error> {
    let ids = column::story_ids(rows)?;
    let mut feeds = feed_entries::read_feeds_of_stories(conn, &ids).await?;
    let stored = rows.iter().zip(ids).map(|(row, id)| {
        Ok(StoredStory {
            id,
            uid: row.try_get("uid")?,
            revision: row.try_get("revision")?,
            story: column::story_from_row(row)?,
            read: column::read_extent(row)?,
            feeds: feeds.remove(&id).unwrap_or_default(),
        })
    });
    stored.collect()
}

#[cfg(test)]
mod tests {
    use super::super::StoryPlan;
    use super::super::fixture::{Bench, at_second, final_text, item, match_result, settle_plan};
    use super::*;

    async fn titles(
        archive: &mut Archive,
        since: i64,
        after: Option<StoryId>,
        limit: u32,
    ) -> Vec<String> {
        let page = archive.stories_after(at_second(since), after, limit).await.unwrap();
        page.into_iter().map(|stored| stored.story.title).collect()
    }

    /// Stories a, b, c, first seen at 0, and d at 5.
    async fn bench() -> Bench {
        let bench = Bench::new().await;
        bench
            .poll(
                "wire",
                0,
                vec![
                    item("a", StoryPlan::ReadPage),
                    item("b", settle_plan(&[])),
                    item("c", settle_plan(&[])),
                ],
            )
            .await;
        let mut later = item("d", settle_plan(&[]));
        later.story_change.as_mut().unwrap().0.first_seen = at_second(5);
        bench.poll("wire", 5, vec![later]).await;
        bench
    }

    #[tokio::test]
    async fn stories_come_in_pages_from_a_time_on() {
        let bench = bench().await;
        let mut archive = Archive::open(&bench.place()).await.unwrap();
        for (since, after, limit, expected) in [
            (0, None, 9, vec!["a", "b", "c", "d"]),
            (0, None, 2, vec!["a", "b"]),
            (0, Some(2), 9, vec!["c", "d"]),
            (1, None, 9, vec!["d"]),
            (6, None, 9, vec![]),
        ] {
            let found = titles(&mut archive, since, after.map(StoryId), limit).await;
            assert_eq!(found, expected, "since {since}, after {after:?}, {limit} at most");
        }
    }

    #[tokio::test]
    async fn the_newest_stories_are_those_behind_a_row() {
        let bench = bench().await;
        let mut archive = Archive::open(&bench.place()).await.unwrap();
        for (most, expected) in
            [(1, vec!["d"]), (3, vec!["b", "c", "d"]), (9, vec!["a", "b", "c", "d"])]
        {
            let row = archive.row_before_newest(most).await.unwrap();
            assert_eq!(titles(&mut archive, 0, row, 9).await, expected, "{most} at most");
        }
        let before = archive.stories_before(Some(StoryId(3)), 9).await.unwrap();
        assert_eq!(
            before.iter().map(|one| one.story.title.as_str()).collect::<Vec<_>>(),
            ["b", "a"]
        );
        assert_eq!(archive.stories_before(None, 1).await.unwrap()[0].story.title, "d");
        let empty = Bench::new().await;
        let mut archive = Archive::open(&empty.place()).await.unwrap();
        assert_eq!(archive.row_before_newest(9).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_story_has_the_text_of_its_page_and_all_its_feeds() {
        let bench = bench().await;
        bench.poll("agency", 1, vec![item("a", StoryPlan::ReadPage)]).await;
        let mut archive = Archive::open(&bench.place()).await.unwrap();
        let waiting = bench.waiting_stories(9).await.remove(0);
        assert_eq!(
            archive.stories_after(at_second(0), None, 1).await.unwrap()[0].story.body,
            "Teaser."
        );
        bench
            .store
            .settle_story(
                waiting.id,
                waiting.revision,
                final_text("The page.", match_result(&[])),
                at_second(9),
            )
            .await
            .unwrap();
        let stored = archive.stories_after(at_second(0), None, 1).await.unwrap().remove(0);
        assert_eq!(stored.story.body, "The page.");
        assert_eq!(stored.feeds, ["agency", "wire"].map(|name| FeedName(name.to_owned())));
    }

    #[tokio::test]
    async fn an_archive_needs_no_lock_and_cannot_write() {
        let bench = bench().await;
        let _held = bench.home.lock();
        let mut archive = Archive::open(&bench.place()).await.unwrap();
        let refused =
            db::query("INSERT INTO run (started) VALUES (0)").execute(&mut archive.conn).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("readonly") || refused.contains("read-only"), "{refused}");
    }

    #[tokio::test]
    async fn a_store_that_is_not_there_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidings.db");
        let refused = Archive::open(&path).await.unwrap_err().to_string();
        assert!(
            refused.contains("tidings.db cannot be opened: there is no such file"),
            "{refused}"
        );
        assert!(!path.exists());
    }
}
