//! One event: its stories, its alerts and its messages.

use serde::Serialize;

use super::Archive;
use super::history::{Message, PastAlert, read_alerts, read_messages};
use crate::alerts::StorySummary;
use crate::lifecycle::story::StoryStatus;
use crate::store::column;
use crate::store::db::{self, DbRow};
use crate::store::status::story_status_from_row;
use crate::store::{StoreError, StoryId, StoryRevision, feed_entries, story_changes};
use tidings_rules::story::FeedEntry;

/// The most stories, alerts and messages of an event that are read.
const MOST: i64 = 200;

/// An event: a story with its copies, and what became of them. Of each list the first 200.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventRecord {
    /// Its id.
    pub event: String,
    /// Its stories, in order of time.
    pub stories: Vec<EventStory>,
    /// The alerts of its stories, in order of time.
    pub alerts: Vec<PastAlert>,
    /// The messages with these alerts, in order of time.
    pub messages: Vec<Message>,
}

/// A story of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventStory {
    /// Its UUID.
    pub id: String,
    /// Its head.
    #[serde(flatten)]
    pub story: StorySummary,
    /// The number of its revision, from 1.
    pub revision: i64,
    /// Its status.
    pub status: StoryStatus,
    /// The feeds that carried it, in order of time.
    pub feeds: Vec<FeedEntry>,
    /// The changes of its title and text, in order of time.
    pub revisions: Vec<StoryRevision>,
}

impl Archive {
    /// The event with that id, or the event of the story with that id; `None` if there is none.
    pub async fn event_record(&mut self, uid: &str) -> Result<Option<EventRecord>, StoreError> {
        let event: Option<String> = db::query_scalar("SELECT event FROM story WHERE uid = $1")
            .bind(uid)
            .fetch_optional(&mut self.conn)
            .await?;
        let Some(event) = event else { return Ok(None) };
        let alerts: Vec<i64> = db::query_scalar(
            "SELECT alert.id FROM story JOIN alert ON alert.story = story.id
             WHERE story.event = $1 ORDER BY alert.id LIMIT $2",
        )
        .bind(&event)
        .bind(MOST)
        .fetch_all(&mut self.conn)
        .await?;
        let mut past = read_alerts(&mut self.conn, &alerts).await?;
        past.reverse();
        let messages = read_messages(&mut self.conn, &alerts, MOST).await?;
        let stories = self.event_stories(&event).await?;
        Ok(Some(EventRecord { event, stories, alerts: past, messages }))
    }

    async fn event_stories(&mut self, event: &str) -> Result<Vec<EventStory>, StoreError> {
        let rows = db::query("SELECT * FROM story WHERE event = $1 ORDER BY id LIMIT $2")
            .bind(event)
            .bind(MOST)
            .fetch_all(&mut self.conn)
            .await?;
        let ids = column::story_ids(&rows)?;
        let mut feeds = feed_entries::read_entries_of_stories(&mut self.conn, &ids).await?;
        let mut revisions = story_changes::read_revisions(&mut self.conn, &ids).await?;
        let story = |(row, id): (&DbRow, StoryId)| {
            Ok(EventStory {
                id: row.try_get("uid")?,
                story: column::summary_from_row(row)?,
                revision: row.try_get("revision")?,
                status: story_status_from_row(row)?,
                feeds: feeds.remove(&id).unwrap_or_default(),
                revisions: revisions.remove(&id).unwrap_or_default(),
            })
        };
        Ok(rows.iter().zip(ids).map(story).collect::<Result<_, sqlx::Error>>()?)
    }
}
