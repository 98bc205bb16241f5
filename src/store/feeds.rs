//! What the next poll of a feed needs to know of the polls before it.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};
use url::Url;

use super::column::{from_millis, maybe_time, millis, time};
use super::intake::ROWS;
use super::{FeedState, Store, StoreError};
use crate::alert::ailment::{Ailment, Course};
use crate::feed::hints::{Hints, Pauses};
use crate::feed::identity::{Before, ItemKey, KnownItem, MOST_COMPARED};
use crate::feed::moved::Move;
use crate::story::FeedName;

impl Store {
    /// What every feed's state is, of those the store knows, in the order of their names.
    pub async fn feeds(&self) -> Result<Vec<FeedState>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        Ok(all(&mut reader).await?)
    }

    /// Every item that is known of a feed, gone ones too.
    pub async fn known_items(&self, feed: &FeedName) -> Result<Vec<KnownItem>, StoreError> {
        let rows = sqlx::query(
            "SELECT sighting.key, sighting.guid, sighting.link, sighting.stem, sighting.hash, sighting.text,
                    substr(story.title, 1, $2) AS title, story.published, story.first_seen, story.page_fetches,
                    coalesce(story.fate, '') = 'recorded' AS recorded, sighting.gone_at IS NOT NULL AS gone
             FROM sighting JOIN story ON story.id = sighting.story
             WHERE sighting.feed = $1 ORDER BY sighting.key",
        )
        .bind(&feed.0)
        .bind(MOST_COMPARED)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.iter().map(known_item).collect::<Result<_, _>>()?)
    }

    /// What these items of a feed said when they were last read, by their keys.
    pub async fn texts_of(&self, feed: &FeedName, items: Vec<ItemKey>) -> Result<HashMap<ItemKey, Before>, StoreError> {
        let mut found = HashMap::new();
        for some in items.chunks(ROWS) {
            let mut select = QueryBuilder::<Sqlite>::new(
                "SELECT sighting.key, story.title, story.published, substr(story.feed_text, 1, ",
            );
            select
                .push(MOST_COMPARED)
                .push(") AS text FROM sighting JOIN story ON story.id = sighting.story WHERE sighting.feed = ");
            select.push_bind(&feed.0).push(" AND sighting.key IN ");
            select.push_tuples(some, |mut tuple, key| {
                tuple.push_bind(&key.0);
            });
            for row in select.build().fetch_all(&self.readers).await? {
                found.insert(ItemKey(row.try_get("key")?), before(&row)?);
            }
        }
        Ok(found)
    }

    /// Hosts that asked to be left alone, and until when, of those whose time is after `now`.
    pub async fn resting_hosts(&self, now: Timestamp) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT name, rests_until FROM host WHERE rests_until > $1 ORDER BY name")
                .bind(millis(now))
                .fetch_all(&self.readers)
                .await?;
        let hosts = rows.into_iter().map(|(name, until)| Ok((name, from_millis(until)?)));
        Ok(hosts.collect::<Result<_, sqlx::Error>>()?)
    }
}

/// The state of every feed, in the order of their names.
pub(super) async fn all(conn: &mut SqliteConnection) -> Result<Vec<FeedState>, sqlx::Error> {
    let rows = sqlx::query("SELECT * FROM feed ORDER BY name").fetch_all(conn).await?;
    rows.iter().map(feed_state).collect()
}

fn course(row: &SqliteRow) -> Result<Course, sqlx::Error> {
    let told: Option<&str> = row.try_get("told")?;
    let known = [Ailment::Gone, Ailment::Failing, Ailment::Silent];
    let told = known.into_iter().find(|ailment| told == Some(ailment.as_str()));
    Ok(Course { failing_since: maybe_time(row, "failing_since")?, last_news: maybe_time(row, "last_news")?, told })
}

fn feed_state(row: &SqliteRow) -> Result<FeedState, sqlx::Error> {
    Ok(FeedState {
        name: FeedName(row.try_get("name")?),
        address: row.try_get("address")?,
        etag: row.try_get("etag")?,
        last_modified: row.try_get("last_modified")?,
        next_poll: maybe_time(row, "next_poll")?,
        next_why: row.try_get("next_why")?,
        last_poll: maybe_time(row, "last_poll")?,
        last_good: maybe_time(row, "last_good")?,
        failures: row.try_get("failures")?,
        error: row.try_get("error")?,
        mean_gap: row.try_get::<Option<u64>, _>("mean_gap")?.map(Duration::from_millis),
        hints: Hints {
            interval: row.try_get::<Option<u64>, _>("asked_interval")?.map(Duration::from_millis),
            pauses: Pauses::from_bits(row.try_get("pauses")?),
        },
        moved: moved(row)?,
        course: course(row)?,
    })
}

fn moved(row: &SqliteRow) -> Result<Option<Move>, sqlx::Error> {
    let to = row.try_get::<Option<&str>, _>("moved_to")?.and_then(|to| Url::parse(to).ok());
    Ok(to.zip(maybe_time(row, "moved_since")?).map(|(to, since)| Move { to, since }))
}

fn before(row: &SqliteRow) -> Result<Before, sqlx::Error> {
    Ok(Before { title: row.try_get("title")?, text: row.try_get("text")?, published: maybe_time(row, "published")? })
}

fn known_item(row: &SqliteRow) -> Result<KnownItem, sqlx::Error> {
    Ok(KnownItem {
        key: ItemKey(row.try_get("key")?),
        guid: row.try_get("guid")?,
        link: row.try_get("link")?,
        stem: row.try_get("stem")?,
        hash: row.try_get("hash")?,
        text: row.try_get("text")?,
        title: row.try_get("title")?,
        published: maybe_time(row, "published")?,
        first_seen: time(row, "first_seen")?,
        recorded: row.try_get("recorded")?,
        pages: row.try_get("page_fetches")?,
        gone: row.try_get("gone")?,
    })
}
