//! The changes of stories: what a revision changed, and the headline before it.

use jiff::Timestamp;
use serde::Serialize;
use std::collections::HashMap;

use super::EventData;
use crate::lifecycle::story::StoryEffect;
use crate::store::StoryId;
use crate::store::column::{read_time, story_list, to_millis};
use crate::store::db::{self, DbConnection};
use crate::store::dialect::sql;

/// The most revisions of an event that are read.
const MOST: i64 = 200;

/// A change of a story's title or text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoryRevision {
    /// The number of the revision that it made.
    pub revision: i64,
    /// When it was seen.
    pub at: Timestamp,
    /// Whether the title changed.
    pub title_changed: bool,
    /// Whether the text changed.
    pub text_changed: bool,
    /// The title before.
    pub previous_title: String,
}

/// Records the revision that `effect` is about to make, if it makes one. A story whose texts were
/// deleted has nothing to compare.
pub(super) async fn record_revision(
    conn: &mut DbConnection<'_>,
    story: StoryId,
    effect: StoryEffect,
    data: &EventData<'_>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    match (effect, data) {
        (StoryEffect::ReplaceFeedText, EventData::Item(text, _) | EventData::Edit(text, ..)) => {
            let insert = db::query(
                "INSERT INTO story_revision (story, revision, at, title_changed, text_changed, previous_title)
                 SELECT id, revision + 1, $2, title <> $3, feed_text <> $4, title FROM story
                 WHERE id = $1 AND purged IS NULL AND (title <> $3 OR feed_text <> $4)",
            );
            let insert = insert.bind(story.0).bind(to_millis(now));
            insert.bind(&text.title).bind(&text.body).execute(conn).await?;
        }
        (StoryEffect::KeepMatchedText, EventData::Rechecked(_)) => {
            let insert = db::query(
                "INSERT INTO story_revision (story, revision, at, title_changed, text_changed, previous_title)
                 SELECT id, revision + 1, $2, FALSE, TRUE, title FROM story WHERE id = $1 AND purged IS NULL",
            );
            insert.bind(story.0).bind(to_millis(now)).execute(conn).await?;
        }
        _ => {}
    }
    Ok(())
}

/// The first revisions of these stories, in order of time.
pub(in crate::store) async fn read_revisions(
    conn: &mut DbConnection<'_>,
    stories: &[StoryId],
) -> Result<HashMap<StoryId, Vec<StoryRevision>>, sqlx::Error> {
    let rows = db::query(sql!(
        "SELECT * FROM story_revision WHERE story IN ",
        id_list!("$1"),
        " ORDER BY at, story, revision LIMIT $2"
    ));
    let rows = rows.bind(story_list(stories)?).bind(MOST).fetch_all(conn).await?;
    let mut found: HashMap<StoryId, Vec<StoryRevision>> = HashMap::new();
    for row in &rows {
        found.entry(StoryId(row.try_get("story")?)).or_default().push(StoryRevision {
            revision: row.try_get("revision")?,
            at: read_time(row, "at")?,
            title_changed: row.try_get("title_changed")?,
            text_changed: row.try_get("text_changed")?,
            previous_title: row.try_get("previous_title")?,
        });
    }
    Ok(found)
}
