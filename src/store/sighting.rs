//! Sightings: which feed carries which story, and by which item.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};

use super::column::{millis, time};
use super::{ItemRecord, StoryId};
use crate::story::{FeedName, Sighting};

/// The feeds that carry a story, first seen first.
pub(super) async fn of_story(conn: &mut SqliteConnection, story: StoryId) -> Result<Vec<Sighting>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT sighting.feed, sighting.url, sighting.seen, sighting.story, story.title
         FROM sighting JOIN story ON story.id = sighting.story
         WHERE sighting.story = $1 ORDER BY sighting.seen, sighting.feed, sighting.key",
    )
    .bind(story.0)
    .fetch_all(conn)
    .await?;
    sightings(&rows)
}

/// The copies of each event's stories, first seen first.
pub(super) async fn of_events(
    conn: &mut SqliteConnection,
    events: &[&str],
) -> Result<HashMap<String, Vec<Sighting>>, sqlx::Error> {
    if events.is_empty() {
        return Ok(HashMap::new());
    }
    let mut select = QueryBuilder::<Sqlite>::new(
        "SELECT story.event, sighting.feed, sighting.url, sighting.seen, sighting.story, story.title
         FROM sighting JOIN story ON story.id = sighting.story WHERE story.event IN ",
    );
    select.push_tuples(events, |mut tuple, event| {
        tuple.push_bind(*event);
    });
    let rows =
        select.push(" ORDER BY sighting.seen, sighting.feed, sighting.key").build().fetch_all(&mut *conn).await?;
    let of_event = |event: &str| sightings(rows.iter().filter(|row| row.get::<&str, _>("event") == event));
    events.iter().map(|event| Ok(((*event).to_owned(), of_event(event)?))).collect()
}

/// The names of the feeds that carry a story.
pub(super) async fn carriers(conn: &mut SqliteConnection, story: StoryId) -> Result<Vec<FeedName>, sqlx::Error> {
    let names: Vec<String> = sqlx::query_scalar("SELECT DISTINCT feed FROM sighting WHERE story = $1 ORDER BY feed")
        .bind(story.0)
        .fetch_all(conn)
        .await?;
    Ok(names.into_iter().map(FeedName).collect())
}

/// Inserts items of `feed` that it did not know, each with its story: at least one.
pub(super) async fn insert(
    conn: &mut SqliteConnection,
    feed: &FeedName,
    items: &[(&ItemRecord, StoryId)],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let mut insert =
        QueryBuilder::<Sqlite>::new("INSERT INTO sighting (feed, key, guid, link, hash, url, story, seen) ");
    insert.push_values(items, |mut values, (item, story)| {
        values.push_bind(&feed.0).push_bind(&item.key.0).push_bind(&item.guid).push_bind(&item.link);
        values.push_bind(&item.hash).push_bind(&item.url).push_bind(story.0).push_bind(millis(now));
    });
    insert.build().execute(conn).await?;
    Ok(())
}

/// Sightings from their rows, the first of each feed and story.
fn sightings<'r>(rows: impl IntoIterator<Item = &'r SqliteRow>) -> Result<Vec<Sighting>, sqlx::Error> {
    let mut known: HashSet<(&str, i64)> = HashSet::new();
    let mut found = Vec::new();
    for row in rows {
        let feed = row.try_get("feed")?;
        if known.insert((feed, row.try_get("story")?)) {
            found.push(Sighting {
                feed: FeedName(feed.to_owned()),
                title: row.try_get("title")?,
                url: row.try_get("url")?,
                seen: time(row, "seen")?,
            });
        }
    }
    Ok(found)
}
