//! Feed entries: which feed carries which story, by which item.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use jiff::Timestamp;

use super::column::{execute_list, read_time, story_list, to_millis};
use super::dialect::sql;
use super::{ItemRecord, StoryId};
use crate::feed::identity::ItemKey;
use crate::store::db::{self, DbConnection, DbRow, Sql, SqlList};
use tidings_rules::story::{FeedEntry, FeedName};

/// The feeds that carry each of these stories, first seen first.
pub(super) async fn read_entries_of_stories(
    conn: &mut DbConnection<'_>,
    stories: &[StoryId],
) -> Result<HashMap<StoryId, Vec<FeedEntry>>, sqlx::Error> {
    let sql = sql!(
        "SELECT feed_entry.story, feed, feed_entry.url, seen, story.title
         FROM feed_entry JOIN story ON story.id = feed_entry.story WHERE feed_entry.story IN ",
        id_list!("$1"),
        " ORDER BY seen, feed, feed_entry.key"
    );
    read_entries(conn, sql, story_list(stories)?, |row| Ok(StoryId(row.try_get("story")?))).await
}

/// The copies of each event's stories, first seen first.
pub(super) async fn read_entries_of_events(
    conn: &mut DbConnection<'_>,
    events: &[&str],
) -> Result<HashMap<String, Vec<FeedEntry>>, sqlx::Error> {
    let events: BTreeSet<&str> = events.iter().copied().collect();
    let sql = sql!(
        "SELECT story.event, feed, feed_entry.url, seen, feed_entry.story, story.title
         FROM story JOIN feed_entry ON feed_entry.story = story.id WHERE story.event IN ",
        text_list!("$1"),
        " ORDER BY seen, feed, feed_entry.key"
    );
    read_entries(conn, sql, SqlList::new(&events)?, |row| row.try_get("event")).await
}

/// The names of the feeds that carry each of these stories, in order.
pub(super) async fn read_feeds_of_stories(
    conn: &mut DbConnection<'_>,
    stories: &[StoryId],
) -> Result<HashMap<StoryId, Vec<FeedName>>, sqlx::Error> {
    let rows: Vec<(i64, String)> = db::query_as(sql!(
        "SELECT DISTINCT story, feed FROM feed_entry WHERE story IN ",
        id_list!("$1"),
        " ORDER BY feed"
    ))
    .bind(story_list(stories)?)
    .fetch_all(conn)
    .await?;
    let mut names: HashMap<StoryId, Vec<FeedName>> = HashMap::new();
    for (story, feed) in rows {
        names.entry(StoryId(story)).or_default().push(FeedName(feed));
    }
    Ok(names)
}

/// Inserts new items of `feed`, each with its story.
pub(super) async fn insert_entries(
    conn: &mut DbConnection<'_>,
    feed: &FeedName,
    items: &[(&ItemRecord, StoryId)],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let insert = sql!(
        "INSERT INTO feed_entry (feed, key, guid, link, stem, hash, text_hash, url, story, seen) SELECT * FROM ",
        row_list!("$1", 0 feed TEXT, 1 key TEXT, 2 guid TEXT, 3 link TEXT, 4 stem TEXT, 5 hash TEXT, 6 text_hash TEXT,
            7 url TEXT, 8 story BIGINT, 9 seen BIGINT),
        " AS given"
    );
    let rows = items.iter().map(|(item, story)| {
        let ItemRecord { key, guid, link, stem, hash, text_hash, url, .. } = item;
        (&feed.0, &key.0, guid, link, stem, hash, text_hash, url, story.0, to_millis(now))
    });
    execute_list(conn, insert, &rows.collect::<Vec<_>>()).await
}

/// Brings the rows of known items of `feed` up to date. Returns their stories by their keys.
pub(super) async fn update_entries(
    conn: &mut DbConnection<'_>,
    feed: &FeedName,
    items: &[ItemRecord],
) -> Result<HashMap<ItemKey, StoryId>, sqlx::Error> {
    if items.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = items.iter().map(|item| {
        let ItemRecord { key, guid, link, stem, hash, text_hash, url, .. } = item;
        (&feed.0, item.known_key(), &key.0, guid, link, stem, hash, text_hash, url)
    });
    let updated: Vec<(String, i64)> = db::query_as(sql!(
        "UPDATE feed_entry SET key = given.key, guid = given.guid, link = given.link, stem = given.stem, hash = given.hash,
                text_hash = given.text_hash, url = given.url, removed_at = NULL
         FROM ",
        row_list!("$1", 0 feed TEXT, 1 known TEXT, 2 key TEXT, 3 guid TEXT, 4 link TEXT, 5 stem TEXT, 6 hash TEXT,
            7 text_hash TEXT, 8 url TEXT),
        " AS given
         WHERE feed_entry.feed = given.feed AND feed_entry.key = given.known RETURNING feed_entry.key, feed_entry.story"
    ))
    .bind(SqlList::new(&rows.collect::<Vec<_>>())?)
    .fetch_all(conn)
    .await?;
    Ok(updated.into_iter().map(|(key, story)| (ItemKey(key), StoryId(story))).collect())
}

/// Frees the keys of known items that are other stories now. From then on such an item is known
/// only by its text, and its story has another key.
pub(super) async fn retire_entries(
    conn: &mut DbConnection<'_>,
    feed: &FeedName,
    items: &[ItemRecord],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let past = format!("\nuntil {}", to_millis(now));
    let renewed = items.iter().filter(|item| item.renews);
    let renewed = renewed.map(|item| (&feed.0, &item.key.0, &item.story.0, &past, to_millis(now)));
    let renewed: Vec<_> = renewed.collect();
    // An item of another feed may have freed the story's key already.
    for sql in [
        sql!(
            "UPDATE story SET key = story.key || given.past FROM ",
            row_list!("$1", 0 feed TEXT, 1 item TEXT, 2 story TEXT, 3 past TEXT),
            " AS given JOIN feed_entry ON feed_entry.feed = given.feed AND feed_entry.key = given.item
             WHERE story.id = feed_entry.story AND story.key = given.story"
        ),
        sql!(
            "UPDATE feed_entry SET key = feed_entry.key || given.past, guid = NULL, link = NULL, stem = NULL,
                    removed_at = given.removed_at
             FROM ",
            row_list!("$1", 0 feed TEXT, 1 item TEXT, 3 past TEXT, 4 removed_at BIGINT),
            " AS given WHERE feed_entry.feed = given.feed AND feed_entry.key = given.item"
        ),
    ] {
        execute_list(conn, sql, &renewed).await?;
    }
    Ok(())
}

/// Reads the entries of a list, grouped by `key`: in each group, the first entry of each feed and
/// story.
async fn read_entries<K: Eq + Hash>(
    conn: &mut DbConnection<'_>,
    sql: impl Into<Sql>,
    list: SqlList,
    key: impl Fn(&DbRow) -> Result<K, sqlx::Error>,
) -> Result<HashMap<K, Vec<FeedEntry>>, sqlx::Error> {
    let rows = db::query(sql).bind(list).fetch_all(conn).await?;
    let mut known: HashSet<(&str, i64)> = HashSet::new();
    let mut found: HashMap<K, Vec<FeedEntry>> = HashMap::new();
    for row in &rows {
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
