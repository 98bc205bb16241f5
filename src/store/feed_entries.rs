//! Feed entries: which feed carries which story, by which item.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};

use super::column::{read_time, to_json, to_millis};
use super::dialect::{id_list, text_list};
use super::{ItemRecord, StoryId};
use tidings_rules::story::{FeedEntry, FeedName};

/// The feeds that carry each of these stories, first seen first.
pub(super) async fn read_entries_of_stories(
    conn: &mut SqliteConnection,
    stories: &[StoryId],
) -> Result<HashMap<StoryId, Vec<FeedEntry>>, sqlx::Error> {
    let rows = sqlx::query(concat!(
        "SELECT feed_entry.story, feed, feed_entry.url, seen, story.title
         FROM feed_entry JOIN story ON story.id = feed_entry.story WHERE feed_entry.story IN ",
        id_list!("$1"),
        " ORDER BY seen, feed, feed_entry.key"
    ))
    .bind(to_id_list(stories)?)
    .fetch_all(conn)
    .await?;
    group_entries(&rows, |row| Ok(StoryId(row.try_get("story")?)))
}

/// The copies of each event's stories, first seen first.
pub(super) async fn read_entries_of_events(
    conn: &mut SqliteConnection,
    events: &[&str],
) -> Result<HashMap<String, Vec<FeedEntry>>, sqlx::Error> {
    let events: BTreeSet<&str> = events.iter().copied().collect();
    let rows = sqlx::query(concat!(
        "SELECT story.event, feed, feed_entry.url, seen, feed_entry.story, story.title
         FROM story JOIN feed_entry ON feed_entry.story = story.id WHERE story.event IN ",
        text_list!("$1"),
        " ORDER BY seen, feed, feed_entry.key"
    ))
    .bind(to_json(&events)?)
    .fetch_all(conn)
    .await?;
    group_entries(&rows, |row| row.try_get("event"))
}

/// The names of the feeds that carry each of these stories, in order.
pub(super) async fn read_feeds_of_stories(
    conn: &mut SqliteConnection,
    stories: &[StoryId],
) -> Result<HashMap<StoryId, Vec<FeedName>>, sqlx::Error> {
    let rows: Vec<(i64, String)> = sqlx::query_as(concat!(
        "SELECT DISTINCT story, feed FROM feed_entry WHERE story IN ",
        id_list!("$1"),
        " ORDER BY feed"
    ))
    .bind(to_id_list(stories)?)
    .fetch_all(conn)
    .await?;
    let mut names: HashMap<StoryId, Vec<FeedName>> = HashMap::new();
    for (story, feed) in rows {
        names.entry(StoryId(story)).or_default().push(FeedName(feed));
    }
    Ok(names)
}

/// Stories as the list that a statement reads.
fn to_id_list(stories: &[StoryId]) -> Result<String, sqlx::Error> {
    to_json(&stories.iter().map(|story| story.0).collect::<Vec<_>>())
}

/// Inserts new items of `feed`, at least one, each with its story.
pub(super) async fn insert_entries(
    conn: &mut SqliteConnection,
    feed: &FeedName,
    items: &[(&ItemRecord, StoryId)],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO feed_entry (feed, key, guid, link, stem, hash, text_hash, url, story, seen) ",
    );
    insert.push_values(items, |mut values, (item, story)| {
        values
            .push_bind(&feed.0)
            .push_bind(&item.key.0)
            .push_bind(&item.guid)
            .push_bind(&item.link);
        values.push_bind(&item.stem).push_bind(&item.hash).push_bind(&item.text_hash);
        values.push_bind(&item.url).push_bind(story.0).push_bind(to_millis(now));
    });
    insert.build().execute(conn).await?;
    Ok(())
}

/// Frees the key of a known item for another story. From then on the item is known only by its
/// text, and its story has another key.
pub(super) async fn retire_entry(
    conn: &mut SqliteConnection,
    feed: &FeedName,
    item: &ItemRecord,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let past = format!("\nuntil {}", to_millis(now));
    let story: Option<i64> = sqlx::query_scalar(
        "UPDATE feed_entry SET key = key || $3, guid = NULL, link = NULL, stem = NULL, removed_at = $4
         WHERE feed = $1 AND key = $2 RETURNING story",
    )
    .bind(&feed.0)
    .bind(&item.key.0)
    .bind(&past)
    .bind(to_millis(now))
    .fetch_optional(&mut *conn)
    .await?;
    // An item of another feed may have freed the story's key already.
    sqlx::query("UPDATE story SET key = key || $3 WHERE id = $1 AND key = $2")
        .bind(story)
        .bind(&item.story.0)
        .bind(&past)
        .execute(conn)
        .await?;
    Ok(())
}

/// Groups entries by `key`: in each group, the first entry of each feed and story.
fn group_entries<K: Eq + Hash>(
    rows: &[SqliteRow],
    key: impl Fn(&SqliteRow) -> Result<K, sqlx::Error>,
) -> Result<HashMap<K, Vec<FeedEntry>>, sqlx::Error> {
    let mut known: HashSet<(&str, i64)> = HashSet::new();
    let mut found: HashMap<K, Vec<FeedEntry>> = HashMap::new();
    for row in rows {
        let feed = row.try_get("feed")?;
        if known.insert((feed, row.try_get("story")?)) {
            let feed_entry = FeedEntry {
                feed: FeedName(feed.to_owned()),
                title: row.try_get("title")?,
                url: row.try_get("url")?,
                seen: read_time(row, "seen")?,
            };
            found.entry(key(row)?).or_default().push(feed_entry);
        }
    }
    Ok(found)
}
