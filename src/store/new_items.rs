//! Inserts new items with new stories, many in one statement. Most items are of this kind.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use uuid::Uuid;

use super::column::{extent_columns, page_share, to_json, to_millis};
use super::dialect::sql;
use super::{ItemRecord, StoryId, StoryPlan};
use crate::lifecycle;
use crate::lifecycle::story::{NextStatus, StoryStatus};
use crate::store::db::{self, DbConnection, SqlList, StatementBuilder};
use crate::store::{feed_entries, story_changes};
use tidings_rules::story::{FeedName, Read, StoryKey};

/// The most rows that one statement inserts: `SQLite` binds at most 32,766 values.
const MOST_ROWS: usize = 500;

/// Inserts the `items` that are new and have a new story, and applies their plans. Returns the
/// other items in their order, and whether an inserted story waits.
pub(super) async fn insert_new_items(
    conn: &mut DbConnection<'_>,
    feed: &FeedName,
    items: Vec<ItemRecord>,
    now: Timestamp,
) -> Result<(Vec<ItemRecord>, bool), sqlx::Error> {
    if items.is_empty() {
        return Ok((items, false));
    }
    let (known_items, mut known_stories) = find_known_keys(conn, feed, &items).await?;
    let (new, others): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| {
        item.story_change.is_some()
            && !known_items.contains(item.known_key())
            && known_stories.insert(item.story.0.clone())
    });
    let mut waits = false;
    for items in new.chunks(MOST_ROWS) {
        let stories = insert_stories(conn, items, now).await?;
        let entries: Vec<_> = items.iter().map(|item| (item, stories[&item.story])).collect();
        feed_entries::insert_entries(conn, feed, &entries, now).await?;
        for (item, story) in entries {
            let Some((text, plan)) = &item.story_change else { continue };
            waits |= matches!(plan, StoryPlan::ReadPage | StoryPlan::AwaitMatch);
            if let StoryPlan::Settle(result) = plan
                && (!result.alerts.is_empty() || result.fingerprint.is_some())
            {
                story_changes::begin(conn, story, text, plan, now).await?;
            }
        }
    }
    Ok((others, waits))
}

/// The keys among those of `items` that the store has: of the feed's items, and of stories of any
/// feed.
async fn find_known_keys(
    conn: &mut DbConnection<'_>,
    feed: &FeedName,
    items: &[ItemRecord],
) -> Result<(HashSet<String>, HashSet<String>), sqlx::Error> {
    let item_keys: Vec<&str> = items.iter().map(ItemRecord::known_key).collect();
    let story_keys: Vec<&str> = items.iter().map(|item| item.story.0.as_str()).collect();
    let items: Vec<String> = db::query_scalar(sql!(
        "SELECT key FROM feed_entry WHERE feed = $1 AND key IN ",
        text_list!("$2")
    ))
    .bind(&feed.0)
    .bind(SqlList::new(&item_keys)?)
    .fetch_all(&mut *conn)
    .await?;
    let stories: Vec<String> =
        db::query_scalar(sql!("SELECT key FROM story WHERE key IN ", text_list!("$1")))
            .bind(SqlList::new(&story_keys)?)
            .fetch_all(conn)
            .await?;
    Ok((items.into_iter().collect(), stories.into_iter().collect()))
}

/// The status of a new story without alerts, why it is only recorded, how much was read, and why
/// not the whole text.
fn plan_columns(plan: &StoryPlan) -> (StoryStatus, Option<&str>, Option<&str>, Option<&str>) {
    let status = match lifecycle::story::first(plan.item_plan()).status {
        NextStatus::BeginsPageWait => StoryStatus::AwaitsPage,
        NextStatus::BeginsMatchWait => StoryStatus::AwaitsMatch,
        NextStatus::OnlyRecorded => StoryStatus::Recorded,
        NextStatus::ByAlerts | NextStatus::Same => StoryStatus::Unmatched,
    };
    match plan {
        StoryPlan::Record(why) => (status, Some(why), None, None),
        StoryPlan::ReadPage => (status, None, None, None),
        StoryPlan::AwaitMatch => (status, None, Some(extent_columns(&Read::Full).0), None),
        StoryPlan::Settle(match_result) => {
            let (read, why) = extent_columns(&match_result.read);
            (status, None, Some(read), why)
        }
    }
}

/// Makes the id of a story: UUID version 7 (RFC 9562), so that indexes grow at their end.
fn make_uid(first_seen: Timestamp) -> String {
    let time = first_seen.as_duration().unsigned_abs();
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, time.as_secs(), time.subsec_nanos()))
        .to_string()
}

/// Inserts the stories of these items, at least one. Returns their ids by their keys.
async fn insert_stories(
    conn: &mut DbConnection<'_>,
    items: &[ItemRecord],
    now: Timestamp,
) -> Result<HashMap<StoryKey, StoryId>, sqlx::Error> {
    let mut rows = Vec::with_capacity(items.len());
    for (item, change) in items.iter().map(|item| (item, &item.story_change)) {
        let Some((text, plan)) = change else { continue };
        rows.push((item, text, plan, to_json(&text.authors)?, to_json(&text.tags)?));
    }
    let mut insert = StatementBuilder::new(
        "INSERT INTO story (uid, event, key, title, feed_text, url, published, lang, authors, tags, source, first_seen,
             status, status_why, read, read_why, due, waiting_since, share) ",
    );
    insert.push_values(rows, |values, (item, text, plan, authors, tags)| {
        let (status, status_why, read, read_why) = plan_columns(plan);
        let waiting_since = status.waits().then(|| to_millis(now));
        let uid = make_uid(text.first_seen);
        values.push_bind(uid.clone()).push_bind(uid).push_bind(&item.story.0);
        values.push_bind(&text.title).push_bind(&text.body).push_bind(&text.url);
        values.push_bind(text.published.map(to_millis)).push_bind(&text.lang);
        values.push_bind(authors).push_bind(tags).push_bind(&text.source);
        values.push_bind(to_millis(text.first_seen));
        values.push_bind(status.as_str()).push_bind(status_why);
        values.push_bind(read).push_bind(read_why);
        values.push_bind(waiting_since).push_bind(waiting_since);
        values.push_bind(page_share(text));
    });
    insert.push(" RETURNING key, id");
    let ids: Vec<(String, i64)> = insert.build_query_as().fetch_all(conn).await?;
    Ok(ids.into_iter().map(|(key, id)| (StoryKey(key), StoryId(id))).collect())
}
