//! Stories that wait, and T2: one story's final text and alerts in one transaction.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::column::{self, from_millis, millis, read_columns, time};
use super::{Store, StoreError, StoryId, Verdict, Waiting, alerts, tell};

impl Store {
    /// Stories that wait and are due at `now`, but for those in `busy`; longest-waiting first, at most `limit`.
    pub async fn waiting(&self, now: Timestamp, busy: &[StoryId], limit: u32) -> Result<Vec<Waiting>, StoreError> {
        let mut reader = self.readers.begin().await?;
        // As many more as may be busy, so that the limit is met without them.
        let rows = sqlx::query(
            "SELECT *, coalesce(body, feed_text) AS text FROM story
             WHERE fate IS NULL AND due <= $1 ORDER BY waiting_since, id LIMIT $2",
        )
        .bind(millis(now))
        .bind(i64::from(limit).saturating_add_unsigned(busy.len() as u64))
        .fetch_all(&mut *reader)
        .await?;
        let mut found = Vec::new();
        for row in &rows {
            let id = StoryId(row.try_get("id")?);
            if found.len() < limit as usize && !busy.contains(&id) {
                found.push(waiting(&mut reader, id, row).await?);
            }
        }
        Ok(found)
    }

    /// When the next waiting story is due, but for those in `busy`.
    pub async fn next_waiting(&self, busy: &[StoryId]) -> Result<Option<Timestamp>, StoreError> {
        let rows: Vec<(i64, i64)> =
            sqlx::query_as("SELECT id, due FROM story WHERE fate IS NULL ORDER BY due LIMIT $1")
                .bind(1i64.saturating_add_unsigned(busy.len() as u64))
                .fetch_all(&self.readers)
                .await?;
        let next = rows.into_iter().find(|(id, _)| !busy.contains(&StoryId(*id)));
        Ok(next.map(|(_, due)| from_millis(due)).transpose()?)
    }

    /// Records a page that could not be read, to be tried again at `due`. Nothing happens if the story has a newer revision by now, or does not wait.
    pub async fn page_failed(&self, story: StoryId, revision: i64, due: Timestamp) -> Result<(), StoreError> {
        self.write(move |conn| Box::pin(put_off(conn, story, revision, due))).await
    }

    /// T2: a waiting story's final text, how much was read, and what came of matching it. `false`, and nothing written, if the story has a newer
    /// revision by now, or does not wait. A story that another feed has joined while it waited goes on waiting, due at once, to be matched once more.
    pub async fn settle(
        &self,
        story: StoryId,
        revision: i64,
        body: String,
        verdict: Verdict,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |conn| Box::pin(settle(conn, story, revision, body, verdict, now))).await
    }
}

async fn waiting(reader: &mut SqliteConnection, id: StoryId, row: &SqliteRow) -> Result<Waiting, sqlx::Error> {
    let sightings = sqlx::query("SELECT feed, url, seen FROM sighting WHERE story = $1 ORDER BY seen, feed, key")
        .bind(id.0)
        .fetch_all(reader)
        .await?;
    Ok(Waiting {
        id,
        revision: row.try_get("revision")?,
        story: column::story(row)?,
        read: column::read(row)?,
        sightings: column::sightings(&sightings)?,
        attempts: row.try_get("page_attempts")?,
        since: time(row, "waiting_since")?,
    })
}

async fn put_off(
    conn: &mut SqliteConnection,
    story: StoryId,
    revision: i64,
    due: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE story SET due = $3, page_attempts = page_attempts + 1, page_fetches = page_fetches + 1
         WHERE id = $1 AND revision = $2 AND fate IS NULL",
    )
    .bind(story.0)
    .bind(revision)
    .bind(millis(due))
    .execute(conn)
    .await?;
    Ok(())
}

async fn settle(
    conn: &mut SqliteConnection,
    story: StoryId,
    revision: i64,
    body: String,
    verdict: Verdict,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let (read, why) = read_columns(&verdict.read);
    // A story whose text was open had its page fetched just now.
    let joined: Option<bool> = sqlx::query_scalar(
        "UPDATE story SET body = CASE WHEN feed_text = $3 THEN NULL ELSE $3 END, read = $4, read_why = $5,
                page_fetches = page_fetches + CASE WHEN read IS NULL THEN 1 ELSE 0 END
         WHERE id = $1 AND revision = $2 AND fate IS NULL RETURNING joined",
    )
    .bind(story.0)
    .bind(revision)
    .bind(body)
    .bind(read)
    .bind(why)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(joined) = joined else { return Ok(false) };
    alerts::keep(conn, story, &verdict, now).await?;
    if joined {
        tell::match_again(conn, story, now).await?;
    } else {
        alerts::decide_fate(conn, story).await?;
    }
    Ok(true)
}
