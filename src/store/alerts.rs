//! Writes down what came of matching: alerts, the messages that tell them, and the story's fate.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::column::{millis, read_columns, to_json};
use super::route::{self, Fresh};
use super::{MatchResult, StoryId, event};
use crate::alerts::NewAlert;
use crate::alerts::copies::CopyUpdate;
use tidings_rules::story::Read;

/// Records the alerts of `verdict` and has messages tell them. What a rule has told of an event, on
/// that occasion, is not told again: the alert of a copy is only recorded, unless the copy is an
/// update.
pub(super) async fn keep(
    conn: &mut SqliteConnection,
    story: StoryId,
    verdict: &MatchResult,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let event::Membership { event, update } = event::of(conn, story, verdict, now).await?;
    let mut fresh = Vec::with_capacity(verdict.alerts.len());
    for draft in &verdict.alerts {
        let Some(alert) = insert(conn, story, draft, &verdict.read, now).await? else { continue };
        if !event::has_told(conn, &event, alert, draft).await? {
            fresh.push(Fresh { alert, draft, is_update: false });
        } else if let Some(update) = &update {
            mark_as_update(conn, alert, update).await?;
            fresh.push(Fresh { alert, draft, is_update: true });
        }
    }
    route::tell(conn, &event, &fresh, verdict, now).await
}

async fn mark_as_update(
    conn: &mut SqliteConnection,
    alert: i64,
    update: &CopyUpdate,
) -> Result<(), sqlx::Error> {
    let said = to_json(update)?;
    sqlx::query("UPDATE alert SET update_said = $2 WHERE id = $1")
        .bind(alert)
        .bind(said)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends a story's wait, if it waits: it is matched if it ever alerted.
pub(super) async fn decide_fate(
    conn: &mut SqliteConnection,
    story: StoryId,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE story SET fate_why = NULL, due = NULL, waiting_since = NULL,
                fate = CASE WHEN EXISTS (SELECT 1 FROM alert WHERE alert.story = story.id) THEN 'matched' ELSE 'unmatched' END
         WHERE id = $1",
    )
    .bind(story.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// Inserts an alert. `None` if it is known.
async fn insert(
    conn: &mut SqliteConnection,
    story: StoryId,
    draft: &NewAlert,
    read: &Read,
    now: Timestamp,
) -> Result<Option<i64>, sqlx::Error> {
    let (read, read_why) = read_columns(read);
    sqlx::query_scalar(
        "INSERT INTO alert (story, rule, occasion, version, severity, revision, read, read_why, told, created)
         VALUES ($1, $2, $3, $4, $5, (SELECT revision FROM story WHERE id = $1), $6, $7, $8, $9)
         ON CONFLICT (story, rule, occasion) DO NOTHING RETURNING id",
    )
    .bind(story.0)
    .bind(&draft.told.rule)
    .bind(&draft.dedup_key)
    .bind(&draft.told.version)
    .bind(draft.told.severity.as_str())
    .bind(read)
    .bind(read_why)
    .bind(to_json(&draft.told)?)
    .bind(millis(now))
    .fetch_optional(conn)
    .await
}
