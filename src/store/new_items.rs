//! Inserts new items with new stories and without alerts, many in one statement. Most items are of
//! this kind.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use super::column::{extent_columns, to_json, to_millis};
use super::dialect::text_list;
use super::{ItemRecord, StoryId, StoryPlan};
use crate::lifecycle;
use crate::lifecycle::story::{NextStatus, StoryStatus};
use crate::store::feed_entries;
use tidings_rules::story::{FeedName, Story, StoryKey};

/// The most rows that one statement inserts: `SQLite` binds at most 32,766 values.
pub(super) const MOST_ROWS: usize = 500;

/// Inserts the `items` that are new, have a new story and have no alerts. Returns the other items
/// in their order, and whether an inserted story waits for its page.
pub(super) async fn insert_plain_items(
    conn: &mut SqliteConnection,
    feed: &FeedName,
    items: Vec<ItemRecord>,
    now: Timestamp,
) -> Result<(Vec<ItemRecord>, bool), sqlx::Error> {
    if items.is_empty() {
        return Ok((items, false));
    }
    let (known_items, mut known_stories) = find_known_keys(conn, feed, &items).await?;
    let (mut plain, mut stories, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for mut item in items {
        let is_new = item.previous_key.is_none() && !known_items.contains(&item.key.0);
        match item.story_change.take() {
            Some((story, story_plan))
                if is_new
                    && changes_only_its_story(&story_plan)
                    && known_stories.insert(item.story.0.clone()) =>
            {
                plain.push((item, story_plan));
                stories.push(story);
            }
            story_change => others.push(ItemRecord { story_change, ..item }),
        }
    }
    let mut stories = stories.into_iter();
    for chunk in plain.chunks(MOST_ROWS) {
        let new = chunk.iter().zip(&mut stories);
        let new = new
            .map(|((item, plan), story)| {
                let (key, story) = (&item.story, Cow::Owned(story));
                NewStory { key, story, plan, now }
            })
            .collect();
        let ids = insert_stories(conn, new).await?;
        let items: Vec<_> = chunk.iter().map(|(item, _)| (item, ids[&item.story])).collect();
        feed_entries::insert_entries(conn, feed, &items, now).await?;
    }
    Ok((others, plain.iter().any(|(_, plan)| matches!(plan, StoryPlan::ReadPage))))
}

/// Whether a plan changes only the story's row.
fn changes_only_its_story(plan: &StoryPlan) -> bool {
    match plan {
        StoryPlan::Record(_) | StoryPlan::ReadPage => true,
        StoryPlan::Settle(match_result) => {
            match_result.alerts.is_empty() && match_result.fingerprint.is_none()
        }
    }
}

/// The keys among those of `items` that the store has: of the feed's items, and of stories of any
/// feed.
async fn find_known_keys(
    conn: &mut SqliteConnection,
    feed: &FeedName,
    items: &[ItemRecord],
) -> Result<(HashSet<String>, HashSet<String>), sqlx::Error> {
    let item_keys: Vec<&str> = items.iter().map(|item| item.key.0.as_str()).collect();
    let story_keys: Vec<&str> = items.iter().map(|item| item.story.0.as_str()).collect();
    let items: Vec<String> = sqlx::query_scalar(concat!(
        "SELECT key FROM feed_entry WHERE feed = $1 AND key IN ",
        text_list!("$2")
    ))
    .bind(&feed.0)
    .bind(to_json(&item_keys)?)
    .fetch_all(&mut *conn)
    .await?;
    let stories: Vec<String> =
        sqlx::query_scalar(concat!("SELECT key FROM story WHERE key IN ", text_list!("$1")))
            .bind(to_json(&story_keys)?)
            .fetch_all(conn)
            .await?;
    Ok((items.into_iter().collect(), stories.into_iter().collect()))
}

/// A story to be inserted, with what its plan makes of it. The plan changes no other row.
pub(super) struct NewStory<'s> {
    key: &'s StoryKey,
    story: Cow<'s, Story>,
    plan: &'s StoryPlan,
    now: Timestamp,
}

impl<'s> NewStory<'s> {
    /// A story that waits for its page.
    pub(super) fn waiting(key: &'s StoryKey, story: Cow<'s, Story>, now: Timestamp) -> Self {
        Self { key, story, plan: &StoryPlan::ReadPage, now }
    }

    /// The status that follows from the plan.
    fn status(&self) -> StoryStatus {
        match lifecycle::story::first(self.plan.item_plan()).status {
            NextStatus::BeginsPageWait => StoryStatus::AwaitsPage,
            NextStatus::BeginsMatchWait => StoryStatus::AwaitsMatch,
            NextStatus::OnlyRecorded => StoryStatus::Recorded,
            // It has no alerts.
            NextStatus::ByAlerts | NextStatus::Same => StoryStatus::Unmatched,
        }
    }

    /// Why it is only recorded, how much was read, and why only the teaser.
    fn reasons(&self) -> (Option<&'s str>, Option<&'static str>, Option<&'s str>) {
        match self.plan {
            StoryPlan::Record(why) => (Some(why.as_str()), None, None),
            StoryPlan::ReadPage => (None, None, None),
            StoryPlan::Settle(match_result) => {
                let (read, why) = extent_columns(&match_result.read);
                (None, Some(read), why)
            }
        }
    }
}

/// Makes the id of a story: UUID version 7 (RFC 9562), so that indexes grow at their end.
fn make_uid(first_seen: Timestamp) -> String {
    let time = first_seen.as_duration().unsigned_abs();
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, time.as_secs(), time.subsec_nanos()))
        .to_string()
}

/// Inserts stories, at least one. Returns their ids by their keys.
pub(super) async fn insert_stories(
    conn: &mut SqliteConnection,
    stories: Vec<NewStory<'_>>,
) -> Result<HashMap<StoryKey, StoryId>, sqlx::Error> {
    let mut rows = Vec::with_capacity(stories.len());
    for story in stories {
        let (authors, tags) = (to_json(&story.story.authors)?, to_json(&story.story.tags)?);
        rows.push((story, authors, tags));
    }
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO story (uid, event, key, title, feed_text, url, published, lang, authors, tags, source, first_seen,
             status, status_why, read, read_why, due, waiting_since) ",
    );
    insert.push_values(rows, |mut values, (new, authors, tags)| {
        let (status, (status_why, read, read_why)) = (new.status(), new.reasons());
        let waiting_since = status.waits().then(|| to_millis(new.now));
        let (uid, text) = (make_uid(new.story.first_seen), new.story.into_owned());
        values.push_bind(uid.clone()).push_bind(uid).push_bind(&new.key.0);
        values.push_bind(text.title).push_bind(text.body).push_bind(text.url);
        values.push_bind(text.published.map(to_millis)).push_bind(text.lang);
        values.push_bind(authors).push_bind(tags).push_bind(text.source);
        values.push_bind(to_millis(text.first_seen));
        values.push_bind(status.as_str()).push_bind(status_why);
        values.push_bind(read).push_bind(read_why);
        values.push_bind(waiting_since).push_bind(waiting_since);
    });
    // LOCK: a second writer needs ON CONFLICT (key) DO NOTHING here, and joins the stories that are
    // not returned.
    insert.push(" RETURNING key, id");
    let ids: Vec<(String, i64)> = insert.build_query_as().fetch_all(conn).await?;
    Ok(ids.into_iter().map(|(key, id)| (StoryKey(key), StoryId(id))).collect())
}
