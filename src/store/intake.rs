//! Items that are new in every way and of which nothing is told: most of what any poll brings, kept in a few statements however many they are.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Sqlite};

use super::column::{millis, read_columns, to_json};
use super::{ItemRecord, Plan};
use crate::story::{FeedName, Story};

/// Rows that one statement inserts: `SQLite` binds at most 32,766 values.
const ROWS: usize = 500;

/// An item, its story, and what is to be done with it.
type Plain<'i> = (&'i ItemRecord, &'i Story, &'i Plan);

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
        let ids = insert_stories(conn, some, now).await?;
        insert_sightings(conn, feed, some, &ids, now).await?;
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

/// Inserts stories as their plans leave them; returns their rows by their keys.
async fn insert_stories(
    conn: &mut SqliteConnection,
    plain: &[Plain<'_>],
    now: Timestamp,
) -> Result<HashMap<String, i64>, sqlx::Error> {
    let mut rows = Vec::with_capacity(plain.len());
    for (item, story, plan) in plain {
        rows.push((item, story, to_json(&story.authors)?, to_json(&story.tags)?, Fate::of(plan, now)));
    }
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO story (uid, event, key, title, feed_text, url, published, lang, authors, tags, source, first_seen,
             fate, fate_why, read, read_why, due, waiting_since) ",
    );
    insert.push_values(rows, |mut values, (item, story, authors, tags, fate)| {
        let uid = uuid::Uuid::new_v4().to_string();
        values.push_bind(uid.clone()).push_bind(uid).push_bind(&item.story.0);
        values.push_bind(&story.title).push_bind(&story.body).push_bind(&story.url);
        values.push_bind(story.published.map(millis)).push_bind(&story.lang).push_bind(authors).push_bind(tags);
        values.push_bind(&story.source).push_bind(millis(story.first_seen)).push_bind(fate.word).push_bind(fate.why);
        values.push_bind(fate.read.0).push_bind(fate.read.1).push_bind(fate.waits).push_bind(fate.waits);
    });
    insert.push(" RETURNING key, id");
    let ids: Vec<(String, i64)> = insert.build_query_as().fetch_all(conn).await?;
    Ok(ids.into_iter().collect())
}

/// Where a plan leaves a new story, as its columns say it.
#[derive(Default)]
struct Fate<'p> {
    word: Option<&'static str>,
    why: Option<&'p str>,
    read: (Option<&'static str>, Option<&'p str>),
    /// Since when it waits, in milliseconds.
    waits: Option<i64>,
}

impl<'p> Fate<'p> {
    fn of(plan: &'p Plan, now: Timestamp) -> Self {
        match plan {
            Plan::Record(why) => Self { word: Some("recorded"), why: Some(why), ..Self::default() },
            Plan::ReadPage => Self { waits: Some(millis(now)), ..Self::default() },
            Plan::Settle(verdict) => {
                let (read, why) = read_columns(&verdict.read);
                Self { word: Some("unmatched"), read: (Some(read), why), ..Self::default() }
            }
        }
    }
}

async fn insert_sightings(
    conn: &mut SqliteConnection,
    feed: &FeedName,
    plain: &[Plain<'_>],
    stories: &HashMap<String, i64>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let mut insert =
        QueryBuilder::<Sqlite>::new("INSERT INTO sighting (feed, key, guid, link, hash, url, story, seen) ");
    insert.push_values(plain, |mut values, (item, _, _)| {
        values.push_bind(&feed.0).push_bind(&item.key.0).push_bind(&item.guid).push_bind(&item.link);
        values.push_bind(&item.hash).push_bind(&item.url).push_bind(stories.get(&item.story.0)).push_bind(millis(now));
    });
    insert.build().execute(conn).await?;
    Ok(())
}
