//! Records the result of matching: alerts, their messages, and the story's status.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::column::{extent_columns, to_json, to_millis};
use super::route::{self, RecordedAlert};
use super::{MatchResult, StoryId, event};
use crate::alerts::NewAlert;
use crate::alerts::copies::CopyUpdate;
use crate::lifecycle::story::StoryStatus;
use tidings_rules::story::Read;

/// Records the alerts of `match_result` and adds them to messages. A rule adds to messages once per
/// event and dedup key. A later alert, of a copy, is only recorded, unless the copy is an update.
pub(super) async fn record_alerts(
    conn: &mut SqliteConnection,
    story: StoryId,
    match_result: &MatchResult,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let event::Membership { event, update } =
        event::find_or_join_event(conn, story, match_result, now).await?;
    let mut recorded = Vec::with_capacity(match_result.alerts.len());
    for new_alert in &match_result.alerts {
        let Some(alert) = insert_alert(conn, story, new_alert, &match_result.read, now).await?
        else {
            continue;
        };
        if !event::has_earlier_alert(conn, &event, alert, new_alert).await? {
            recorded.push(RecordedAlert { alert, new_alert, is_update: false });
        } else if let Some(update) = &update {
            mark_as_update(conn, alert, update).await?;
            recorded.push(RecordedAlert { alert, new_alert, is_update: true });
        }
    }
    route::route_alerts(conn, &event, &recorded, match_result, now).await
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

/// Ends a story's wait, if it waits. A story with an alert becomes matched, any other unmatched.
pub(super) async fn set_match_status(
    conn: &mut SqliteConnection,
    story: StoryId,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE story SET status_why = NULL, due = NULL, waiting_since = NULL,
                status = CASE WHEN EXISTS (SELECT 1 FROM alert WHERE alert.story = story.id) THEN $2 ELSE $3 END
         WHERE id = $1",
    )
    .bind(story.0)
    .bind(StoryStatus::Matched.as_str())
    .bind(StoryStatus::Unmatched.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// Inserts an alert. Returns `None` if the story has an alert of this rule and dedup key.
async fn insert_alert(
    conn: &mut SqliteConnection,
    story: StoryId,
    new_alert: &NewAlert,
    read: &Read,
    now: Timestamp,
) -> Result<Option<i64>, sqlx::Error> {
    let (read, read_why) = extent_columns(read);
    sqlx::query_scalar(
        "INSERT INTO alert (story, rule, dedup_key, version, severity, revision, read, read_why, rule_match, created)
         VALUES ($1, $2, $3, $4, $5, (SELECT revision FROM story WHERE id = $1), $6, $7, $8, $9)
         ON CONFLICT (story, rule, dedup_key) DO NOTHING RETURNING id",
    )
    .bind(story.0)
    .bind(&new_alert.rule_match.rule)
    .bind(&new_alert.dedup_key)
    .bind(&new_alert.rule_match.version)
    .bind(new_alert.rule_match.severity.as_str())
    .bind(read)
    .bind(read_why)
    .bind(to_json(&new_alert.rule_match)?)
    .bind(to_millis(now))
    .fetch_optional(conn)
    .await
}
