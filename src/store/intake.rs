//! Items that are new in every way and of which nothing is told: most of what any poll brings, kept
//! in a few statements however many they are.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use super::column::{millis, read_columns, to_json};
use super::{ItemRecord, StoryId, StoryPlan, sighting};
use crate::feed::document::MOST_ITEMS;
use tidings_rules::story::{FeedName, Story, StoryKey};

/// Rows that one statement inserts or marks: `SQLite` binds at most 32,766 values.
pub(super) const ROWS: usize = 500;

/// Keeps those of `items` that nobody knows, whose story nobody knows, and of which nothing is
/// told. Returns the others, in their order, and whether a story of those kept waits for its page.
pub(super) async fn keep_plain(
    conn: &mut SqliteConnection,
    feed: &FeedName,
    items: Vec<ItemRecord>,
    now: Timestamp,
) -> Result<(Vec<ItemRecord>, bool), sqlx::Error> {
    if items.is_empty() {
        return Ok((items, false));
    }
    let mut known = known(conn, feed, &items).await?;
    let (mut kept, mut stories, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for mut item in items {
        let is_new = item.was.is_none() && !known.items.contains(&item.key.0);
        match item.news.take() {
            Some((story, plan))
                if is_new && is_quiet(&plan) && known.stories.insert(item.story.0.clone()) =>
            {
                kept.push((item, plan));
                stories.push(story);
            }
            news => others.push(ItemRecord { news, ..item }),
        }
    }
    let mut stories = stories.into_iter();
    for some in kept.chunks(ROWS) {
        let new = some.iter().zip(&mut stories);
        let new = new
            .map(|((item, plan), story)| NewStory::of(&item.story, Cow::Owned(story), plan, now))
            .collect();
        let ids = insert_stories(conn, new).await?;
        let items: Vec<_> = some.iter().map(|(item, _)| (item, ids[&item.story])).collect();
        sighting::insert(conn, feed, &items, now).await?;
    }
    Ok((others, kept.iter().any(|(_, plan)| matches!(plan, StoryPlan::ReadPage))))
}

/// Whether a plan does nothing to any row but the story's.
fn is_quiet(plan: &StoryPlan) -> bool {
    match plan {
        StoryPlan::Record(_) | StoryPlan::ReadPage => true,
        StoryPlan::Settle(verdict) => verdict.alerts.is_empty() && verdict.print.is_none(),
    }
}

// One statement asks for all that a document holds.
const _: () = assert!(2 * MOST_ITEMS < 32_766, "SQLite binds no more");

/// What is known of some items.
struct KnownItems {
    /// The keys that the feed knows.
    items: HashSet<String>,
    /// The stories that any feed knows.
    stories: HashSet<String>,
}

async fn known(
    conn: &mut SqliteConnection,
    feed: &FeedName,
    items: &[ItemRecord],
) -> Result<KnownItems, sqlx::Error> {
    let mut select = QueryBuilder::<Sqlite>::new("SELECT key, TRUE FROM sighting WHERE feed = ");
    select.push_bind(&feed.0).push(" AND key IN ");
    select.push_tuples(items, |mut tuple, item| {
        tuple.push_bind(&item.key.0);
    });
    select.push(" UNION ALL SELECT key, FALSE FROM story WHERE key IN ");
    select.push_tuples(items, |mut tuple, item| {
        tuple.push_bind(&item.story.0);
    });
    let rows: Vec<(String, bool)> = select.build_query_as().fetch_all(conn).await?;
    let mut known = KnownItems { items: HashSet::new(), stories: HashSet::new() };
    for (key, of_feed) in rows {
        let keys = if of_feed { &mut known.items } else { &mut known.stories };
        keys.insert(key);
    }
    Ok(known)
}

/// A story to be inserted, as its columns say where it stands.
pub(super) struct NewStory<'s> {
    key: &'s StoryKey,
    told: Cow<'s, Story>,
    fate: Option<&'static str>,
    fate_why: Option<&'s str>,
    read: Option<&'static str>,
    read_why: Option<&'s str>,
    /// Since when it waits, in milliseconds.
    waits: Option<i64>,
}

impl<'s> NewStory<'s> {
    /// One that waits.
    pub(super) fn waiting(key: &'s StoryKey, told: Cow<'s, Story>, now: Timestamp) -> Self {
        let waits = Some(millis(now));
        Self { key, told, fate: None, fate_why: None, read: None, read_why: None, waits }
    }

    /// One as its plan, which is a quiet one, leaves it.
    fn of(key: &'s StoryKey, told: Cow<'s, Story>, plan: &'s StoryPlan, now: Timestamp) -> Self {
        let waiting = Self::waiting(key, told, now);
        match plan {
            StoryPlan::ReadPage => waiting,
            StoryPlan::Record(why) => {
                Self { fate: Some("recorded"), fate_why: Some(why), waits: None, ..waiting }
            }
            StoryPlan::Settle(verdict) => {
                let (read, read_why) = read_columns(&verdict.read);
                Self { fate: Some("unmatched"), read: Some(read), read_why, waits: None, ..waiting }
            }
        }
    }
}

/// An id of a story: UUID version 7 (RFC 9562), so that indexes grow at their end.
fn uid(at: Timestamp) -> String {
    let at = at.as_duration().unsigned_abs();
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, at.as_secs(), at.subsec_nanos()))
        .to_string()
}

/// Inserts stories, at least one; returns their rows by their keys.
pub(super) async fn insert_stories(
    conn: &mut SqliteConnection,
    stories: Vec<NewStory<'_>>,
) -> Result<HashMap<StoryKey, StoryId>, sqlx::Error> {
    let mut rows = Vec::with_capacity(stories.len());
    for story in stories {
        let (authors, tags) = (to_json(&story.told.authors)?, to_json(&story.told.tags)?);
        rows.push((story, authors, tags));
    }
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO story (uid, event, key, title, feed_text, url, published, lang, authors, tags, source, first_seen,
             fate, fate_why, read, read_why, due, waiting_since) ",
    );
    insert.push_values(rows, |mut values, (story, authors, tags)| {
        let (uid, told) = (uid(story.told.first_seen), story.told.into_owned());
        values.push_bind(uid.clone()).push_bind(uid).push_bind(&story.key.0);
        values.push_bind(told.title).push_bind(told.body).push_bind(told.url);
        values
            .push_bind(told.published.map(millis))
            .push_bind(told.lang)
            .push_bind(authors)
            .push_bind(tags);
        values
            .push_bind(told.source)
            .push_bind(millis(told.first_seen))
            .push_bind(story.fate)
            .push_bind(story.fate_why);
        values
            .push_bind(story.read)
            .push_bind(story.read_why)
            .push_bind(story.waits)
            .push_bind(story.waits);
    });
    insert.push(" RETURNING key, id");
    let ids: Vec<(String, i64)> = insert.build_query_as().fetch_all(conn).await?;
    Ok(ids.into_iter().map(|(key, id)| (StoryKey(key), StoryId(id))).collect())
}
