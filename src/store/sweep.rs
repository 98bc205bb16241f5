//! Deletes what `retain` no longer keeps, in small steps.
//!
//! - A message is deleted with its attempts when it was created, tried and sent, dead or dropped
//!   before the time from which alerts are kept. A pending, leased or held message stays, and so do
//!   its alerts and stories.
//! - An alert's match is deleted when the alert is older than that time and has no message. The row
//!   stays as long as its story's row, so that its rule does not alert twice.
//! - A story's texts are deleted when it is older than stories are kept and no alert of its event
//!   is kept, and its revisions with them. The row stays, with its key and its feed entries, until
//!   all keys of its items expire, so that an item that returns is known until then.

use jiff::Timestamp;

use super::column::{execute, to_millis};
use super::{Store, StoreError, alert_index, digest};
use crate::store::db::{self, DbConnection};

/// The times from which rows are kept. `None` keeps all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Stories first seen at this time or later.
    pub stories: Option<Timestamp>,
    /// Alerts recorded, and messages created or tried, at this time or later.
    pub alerts: Option<Timestamp>,
    /// The keys of items that their feed had at this time or later.
    pub keys: Timestamp,
}

/// The position of a sweep: its start by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepPosition {
    part: SweepPart,
    after: i64,
}

/// The parts of a sweep in their order. Each deletes rows that would keep rows of the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SweepPart {
    #[default]
    Messages,
    Alerts,
    Stories,
}

/// The numbers of deleted or emptied rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepCounts {
    /// Messages, with their attempts.
    pub messages: u64,
    /// Matches of alerts, whose rows stay.
    pub alerts: u64,
    /// Texts of stories.
    pub stories: u64,
    /// Keys of items.
    pub keys: u64,
    /// Rows of stories whose last key was deleted.
    pub rows: u64,
}

impl SweepCounts {
    /// The sums of both.
    #[must_use]
    pub fn add_counts(self, other: Self) -> Self {
        Self {
            messages: self.messages + other.messages,
            alerts: self.alerts + other.alerts,
            stories: self.stories + other.stories,
            keys: self.keys + other.keys,
            rows: self.rows + other.rows,
        }
    }
}

/// The result of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SweepStep {
    /// The start of the next step; `None` at the end of the sweep.
    pub next: Option<SweepPosition>,
    /// The numbers of deleted rows.
    pub counts: SweepCounts,
}

impl Store {
    /// One step of a sweep, in one transaction. Reads a few hundred rows from `place` on, and
    /// deletes those that `kept` does not keep.
    pub async fn sweep(
        &self,
        position: SweepPosition,
        kept: Retention,
        now: Timestamp,
    ) -> Result<SweepStep, StoreError> {
        self.writer.write(move |conn| Box::pin(run_step(conn, position, kept, now))).await
    }
}

async fn run_step(
    conn: &mut DbConnection<'_>,
    SweepPosition { part, after }: SweepPosition,
    kept: Retention,
    now: Timestamp,
) -> Result<SweepStep, sqlx::Error> {
    let (since, next_part) = match part {
        SweepPart::Messages => (kept.alerts, Some(SweepPart::Alerts)),
        SweepPart::Alerts => (kept.alerts, Some(SweepPart::Stories)),
        SweepPart::Stories => (kept.stories, None),
    };
    let since = since.map_or(i64::MIN, to_millis);
    let Some(last) = find_last(conn, part, after, since).await? else {
        let next = next_part.map(|part| SweepPosition { part, after: 0 });
        return Ok(SweepStep { next, counts: SweepCounts::default() });
    };
    let window = [after, last, since];
    let counts = match part {
        SweepPart::Messages => delete_messages(conn, window).await?,
        SweepPart::Alerts => purge_alerts(conn, window, now).await?,
        SweepPart::Stories => purge_stories(conn, window, kept.keys, now).await?,
    };
    Ok(SweepStep { next: Some(SweepPosition { part, after: last }), counts })
}

/// The last of the next rows to read: few, so that no command waits long. `None` if all of them are
/// from `since` or later. Then all later rows are, too, because ids grow with time.
async fn find_last(
    conn: &mut DbConnection<'_>,
    part: SweepPart,
    after: i64,
    since: i64,
) -> Result<Option<i64>, sqlx::Error> {
    let sql = match part {
        SweepPart::Messages => {
            "SELECT max(id), min(at) FROM (SELECT id, created AS at FROM message WHERE id > $1 ORDER BY id LIMIT 200) AS step"
        }
        SweepPart::Alerts => {
            "SELECT max(id), min(at) FROM (SELECT id, created AS at FROM alert WHERE id > $1 ORDER BY id LIMIT 200) AS step"
        }
        SweepPart::Stories => {
            "SELECT max(id), min(at) FROM (SELECT id, first_seen AS at FROM story WHERE id > $1 ORDER BY id LIMIT 200) AS step"
        }
    };
    let (last, oldest): (Option<i64>, Option<i64>) =
        db::query_as(sql).bind(after).fetch_one(conn).await?;
    Ok(last.filter(|_| oldest.is_some_and(|oldest| oldest < since)))
}

/// Rows after the first number, up to the second; and the time from which they are kept.
type Window = [i64; 3];

async fn delete_messages(
    conn: &mut DbConnection<'_>,
    [after, last, since]: Window,
) -> Result<SweepCounts, sqlx::Error> {
    let ended: Vec<i64> = db::query_scalar(
        "SELECT id FROM message WHERE id > $1 AND id <= $2 AND created < $3 AND status IN ('sent', 'dead', 'dropped')
         AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.message = message.id AND coalesce(ended, started) >= $3)
         AND NOT EXISTS (SELECT 1 FROM message_alert JOIN alert ON alert.id = message_alert.alert
                         WHERE message_alert.message = message.id AND alert.created >= $3)",
    )
    .bind(after)
    .bind(last)
    .bind(since)
    .fetch_all(&mut *conn)
    .await?;
    digest::delete_messages(conn, &ended).await?;
    Ok(SweepCounts { messages: ended.len() as u64, ..SweepCounts::default() })
}

async fn purge_alerts(
    conn: &mut DbConnection<'_>,
    [after, last, since]: Window,
    now: Timestamp,
) -> Result<SweepCounts, sqlx::Error> {
    let purged: Vec<i64> = db::query_scalar(
        "UPDATE alert SET rule_match = '', purged = $4, index_lag = 0
         WHERE id > $1 AND id <= $2 AND created < $3 AND purged IS NULL
         AND NOT EXISTS (SELECT 1 FROM message_alert WHERE message_alert.alert = alert.id) RETURNING id",
    )
    .bind(after)
    .bind(last)
    .bind(since)
    .bind(to_millis(now))
    .fetch_all(&mut *conn)
    .await?;
    alert_index::remove_alerts(conn, &purged).await?;
    Ok(SweepCounts { alerts: purged.len() as u64, ..SweepCounts::default() })
}

async fn purge_stories(
    conn: &mut DbConnection<'_>,
    [after, last, since]: Window,
    keys: Timestamp,
    now: Timestamp,
) -> Result<SweepCounts, sqlx::Error> {
    let stories = execute(
        conn,
        "UPDATE story SET title = '', feed_text = '', body = NULL, authors = '[]', tags = '[]', source = NULL, purged = $4
         WHERE id > $1 AND id <= $2 AND first_seen < $3 AND status NOT IN ('awaits_page', 'awaits_match') AND purged IS NULL
         AND NOT EXISTS (SELECT 1 FROM story AS copy JOIN alert ON alert.story = copy.id
                         WHERE copy.event = story.event AND alert.purged IS NULL)",
        &[after, last, since, to_millis(now)],
    )
    .await?;
    execute(
        conn,
        "DELETE FROM story_revision
         WHERE story IN (SELECT id FROM story WHERE id > $1 AND id <= $2 AND purged IS NOT NULL)",
        &[after, last],
    )
    .await?;
    let keys = execute(
        conn,
        "DELETE FROM feed_entry WHERE removed_at < $3
         AND story IN (SELECT id FROM story WHERE id > $1 AND id <= $2 AND purged IS NOT NULL)",
        &[after, last, to_millis(keys)],
    )
    .await?;
    // A story without texts has no kept alert.
    execute(
        conn,
        "DELETE FROM alert WHERE story IN (SELECT id FROM story WHERE id > $1 AND id <= $2 AND purged IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM feed_entry WHERE feed_entry.story = story.id))",
        &[after, last],
    )
    .await?;
    let rows = execute(
        conn,
        "DELETE FROM story WHERE id > $1 AND id <= $2 AND purged IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM feed_entry WHERE feed_entry.story = story.id)",
        &[after, last],
    )
    .await?;
    Ok(SweepCounts { stories, keys, rows, ..SweepCounts::default() })
}

#[cfg(test)]
mod tests;
