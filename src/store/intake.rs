//! Items that are new in every way and of which nothing is told: most of what any poll brings, kept in a few statements however many they are.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Sqlite};

use super::column::{millis, read_columns, to_json};
use super::{ItemRecord, Plan, StoryId, sighting};
use crate::story::{FeedName, Story, StoryKey};

/// Rows that one statement inserts: `SQLite` binds at most 32,766 values.
const ROWS: usize = 500;

/// Keeps those of `items` that nobody knows, whose story nobody knows, and of which nothing is told. Returns the others, in their order, and whether a
/// story of those kept waits for its page.
pub(super) async fn keep_plain<'i>(
    conn: &mut SqliteConnection,
    feed: &FeedName,
    items: &'i [ItemRecord],
    now: Timestamp,
) -> Result<(Vec<&'i ItemRecord>, bool), sqlx::Error> {
    if items.is_empty() {
        return Ok((Vec::new(), false));
    }
    let known = known_keys(conn, feed, items).await?;
    let mut stories = known_stories(conn, items).await?;
    let (mut kept, mut others) = (Vec::new(), Vec::new());
    for item in items {
        let is_new = item.was.is_none() && !known.contains(&item.key.0);
        match &item.news {
            Some((story, plan)) if is_new && is_quiet(plan) && stories.insert(item.story.0.clone()) => {
                kept.push((item, story, plan));
            }
            _ => others.push(item),
        }
    }
    for some in kept.chunks(ROWS) {
        let new: Vec<NewStory<'_>> =
            some.iter().map(|(item, told, plan)| NewStory::of(&item.story, told, plan, now)).collect();
        let ids = insert_stories(conn, &new).await?;
        let items: Vec<_> = some.iter().map(|(item, ..)| (*item, ids[&item.story])).collect();
        sighting::insert(conn, feed, &items, now).await?;
    }
    Ok((others, kept.iter().any(|(_, _, plan)| matches!(plan, Plan::ReadPage))))
}

/// Whether a plan does nothing to any row but the story's.
fn is_quiet(plan: &Plan) -> bool {
    match plan {
        Plan::Record(_) | Plan::ReadPage => true,
        Plan::Settle(verdict) => verdict.alerts.is_empty() && verdict.print.is_none(),
    }
}

/// Which of the items' keys the feed knows.
async fn known_keys(
    conn: &mut SqliteConnection,
    feed: &FeedName,
    items: &[ItemRecord],
) -> Result<HashSet<String>, sqlx::Error> {
    let mut select = QueryBuilder::<Sqlite>::new("SELECT key FROM sighting WHERE feed = ");
    select.push_bind(&feed.0).push(" AND key IN ");
    select.push_tuples(items, |mut tuple, item| {
        tuple.push_bind(&item.key.0);
    });
    Ok(select.build_query_scalar().fetch_all(conn).await?.into_iter().collect())
}

/// Which of the items' stories are known.
async fn known_stories(conn: &mut SqliteConnection, items: &[ItemRecord]) -> Result<HashSet<String>, sqlx::Error> {
    let mut select = QueryBuilder::<Sqlite>::new("SELECT key FROM story WHERE key IN ");
    select.push_tuples(items, |mut tuple, item| {
        tuple.push_bind(&item.story.0);
    });
    Ok(select.build_query_scalar().fetch_all(conn).await?.into_iter().collect())
}

/// A story to be inserted, as its columns say where it stands.
pub(super) struct NewStory<'s> {
    key: &'s StoryKey,
    told: &'s Story,
    fate: Option<&'static str>,
    fate_why: Option<&'s str>,
    read: Option<&'static str>,
    read_why: Option<&'s str>,
    /// Since when it waits, in milliseconds.
    waits: Option<i64>,
}

impl<'s> NewStory<'s> {
    /// One that waits.
    pub(super) fn waiting(key: &'s StoryKey, told: &'s Story, now: Timestamp) -> Self {
        let waits = Some(millis(now));
        Self { key, told, fate: None, fate_why: None, read: None, read_why: None, waits }
    }

    /// One as its plan, which is a quiet one, leaves it.
    fn of(key: &'s StoryKey, told: &'s Story, plan: &'s Plan, now: Timestamp) -> Self {
        let waiting = Self::waiting(key, told, now);
        match plan {
            Plan::ReadPage => waiting,
            Plan::Record(why) => Self { fate: Some("recorded"), fate_why: Some(why), waits: None, ..waiting },
            Plan::Settle(verdict) => {
                let (read, read_why) = read_columns(&verdict.read);
                Self { fate: Some("unmatched"), read: Some(read), read_why, waits: None, ..waiting }
            }
        }
    }
}

/// Inserts stories, at least one; returns their rows by their keys.
pub(super) async fn insert_stories(
    conn: &mut SqliteConnection,
    stories: &[NewStory<'_>],
) -> Result<HashMap<StoryKey, StoryId>, sqlx::Error> {
    let mut rows = Vec::with_capacity(stories.len());
    for story in stories {
        rows.push((story, to_json(&story.told.authors)?, to_json(&story.told.tags)?));
    }
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO story (uid, event, key, title, feed_text, url, published, lang, authors, tags, source, first_seen,
             fate, fate_why, read, read_why, due, waiting_since) ",
    );
    insert.push_values(rows, |mut values, (story, authors, tags)| {
        let (uid, told) = (uuid::Uuid::new_v4().to_string(), story.told);
        values.push_bind(uid.clone()).push_bind(uid).push_bind(&story.key.0);
        values.push_bind(&told.title).push_bind(&told.body).push_bind(&told.url);
        values.push_bind(told.published.map(millis)).push_bind(&told.lang).push_bind(authors).push_bind(tags);
        values
            .push_bind(&told.source)
            .push_bind(millis(told.first_seen))
            .push_bind(story.fate)
            .push_bind(story.fate_why);
        values.push_bind(story.read).push_bind(story.read_why).push_bind(story.waits).push_bind(story.waits);
    });
    insert.push(" RETURNING key, id");
    let ids: Vec<(String, i64)> = insert.build_query_as().fetch_all(conn).await?;
    Ok(ids.into_iter().map(|(key, id)| (StoryKey(key), StoryId(id))).collect())
}
