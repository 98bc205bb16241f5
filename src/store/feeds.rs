//! What the next poll of a feed needs to know of the polls before it.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use url::Url;

use super::column::{from_millis, maybe_time, millis, time};
use super::{FeedState, Store, StoreError};
use crate::alert::ailment::{Ailment, Course};
use crate::feed::hints::{Hints, Pauses};
use crate::feed::identity::{ItemKey, KnownItem};
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
            "SELECT sighting.key, sighting.guid, sighting.link, sighting.hash, story.first_seen, story.page_fetches,
                    coalesce(story.fate, '') = 'recorded' AS recorded, sighting.gone_at IS NOT NULL AS gone
             FROM sighting JOIN story ON story.id = sighting.story
             WHERE sighting.feed = $1 ORDER BY sighting.key",
        )
        .bind(&feed.0)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.iter().map(known_item).collect::<Result<_, _>>()?)
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

fn known_item(row: &SqliteRow) -> Result<KnownItem, sqlx::Error> {
    Ok(KnownItem {
        key: ItemKey(row.try_get("key")?),
        guid: row.try_get("guid")?,
        link: row.try_get("link")?,
        hash: row.try_get("hash")?,
        first_seen: time(row, "first_seen")?,
        recorded: row.try_get("recorded")?,
        pages: row.try_get("page_fetches")?,
        gone: row.try_get("gone")?,
    })
}
