//! Records the result of matching: alerts, their messages, and the story's status.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::column::{millis, read_columns, to_json};
use super::route::{self, RecordedAlert};
use super::{MatchResult, StoryId, event};
use crate::alerts::NewAlert;
use crate::alerts::copies::CopyUpdate;
use tidings_rules::story::Read;

/// Records the alerts of `verdict` and adds them to messages. A rule notifies of an event once per
/// dedup key: a later alert, of a copy, is only recorded, unless the copy is an update.
pub(super) async fn record_alerts(
    conn: &mut SqliteConnection,
    story: StoryId,
    verdict: &MatchResult,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let event::Membership { event, update } = event::of(conn, story, verdict, now).await?;
    let mut fresh = Vec::with_capacity(verdict.alerts.len());
    for draft in &verdict.alerts {
        let Some(alert) = insert_alert(conn, story, draft, &verdict.read, now).await? else {
            continue;
        };
        if !event::has_told(conn, &event, alert, draft).await? {
            fresh.push(RecordedAlert { alert, draft, is_update: false });
        } else if let Some(update) = &update {
            mark_as_update(conn, alert, update).await?;
            fresh.push(RecordedAlert { alert, draft, is_update: true });
        }
    }
    route::route_alerts(conn, &event, &fresh, verdict, now).await
}

async fn mark_as_update(
    conn: &mut SqliteConnection,
    alert: i64,
    update: &CopyUpdate,
) -> Result<(), sqlx::Error> {
    let update = to_json(update)?;
    sqlx::query("UPDATE alert SET copy_update = $2 WHERE id = $1")
        .bind(alert)
        .bind(update)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends a story's wait, if it waits: it is matched if it has an alert.
pub(super) async fn set_match_status(
    conn: &mut SqliteConnection,
    story: StoryId,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE story SET status_why = NULL, due = NULL, waiting_since = NULL,
                status = CASE WHEN EXISTS (SELECT 1 FROM alert WHERE alert.story = story.id) THEN 'matched' ELSE 'unmatched' END
         WHERE id = $1",
    )
    .bind(story.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// Inserts an alert. `None` if it is known.
async fn insert_alert(
    conn: &mut SqliteConnection,
    story: StoryId,
    draft: &NewAlert,
    read: &Read,
    now: Timestamp,
) -> Result<Option<i64>, sqlx::Error> {
    let (read, read_why) = read_columns(read);
    sqlx::query_scalar(
        "INSERT INTO alert (story, rule, dedup_key, version, severity, revision, read, read_why, rule_match, created)
         VALUES ($1, $2, $3, $4, $5, (SELECT revision FROM story WHERE id = $1), $6, $7, $8, $9)
         ON CONFLICT (story, rule, dedup_key) DO NOTHING RETURNING id",
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
