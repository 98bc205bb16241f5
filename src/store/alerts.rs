//! Writes down what came of matching: alerts, the messages that tell them, and the story's fate.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::column::{millis, read_columns, to_json};
use super::{StoryId, Verdict, event};
use crate::alert::{Draft, Receiver};
use crate::story::Read;

/// Records the alerts of `verdict` and has messages tell them. What a rule has told of an event, on that occasion, is not
/// told again: the alert of a copy is only recorded.
pub(super) async fn keep(
    conn: &mut SqliteConnection,
    story: StoryId,
    verdict: &Verdict,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let event = event::of(conn, story, verdict.print.as_ref(), now).await?;
    for draft in &verdict.alerts {
        let Some(alert) = insert(conn, story, draft, &verdict.read, now).await? else { continue };
        if event::has_told(conn, &event, alert, draft).await? {
            continue;
        }
        for receiver in &draft.receivers {
            let message = open_message(conn, &event, receiver, verdict.due, now).await?;
            sqlx::query("INSERT INTO message_alert (message, alert) VALUES ($1, $2)")
                .bind(message)
                .bind(alert)
                .execute(&mut *conn)
                .await?;
        }
    }
    Ok(())
}

/// Ends a story's wait, if it waits: it is matched if it ever alerted.
pub(super) async fn decide_fate(conn: &mut SqliteConnection, story: StoryId) -> Result<(), sqlx::Error> {
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
    draft: &Draft,
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
    .bind(&draft.occasion)
    .bind(&draft.told.version)
    .bind(draft.told.severity.as_str())
    .bind(read)
    .bind(read_why)
    .bind(to_json(&draft.told)?)
    .bind(millis(now))
    .fetch_optional(conn)
    .await
}

/// The newest message of an event to a receiver if it was never leased, or else the next one.
async fn open_message(
    conn: &mut SqliteConnection,
    event: &str,
    receiver: &Receiver,
    due: Timestamp,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    let newest: Option<(i64, i64, bool)> = sqlx::query_as(
        "SELECT id, n, state = 'pending' AND payload IS NULL FROM message
         WHERE event = $1 AND notifier = $2 AND recipient = $3 ORDER BY n DESC LIMIT 1",
    )
    .bind(event)
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .fetch_optional(&mut *conn)
    .await?;
    let n = match newest {
        Some((message, _, true)) => return Ok(message),
        Some((_, n, false)) => n + 1,
        None => 1,
    };
    sqlx::query_scalar(
        "INSERT INTO message (key, uid, event, n, notifier, recipient, created, state, due)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8) RETURNING id",
    )
    .bind(format!("event:{event}:{}/{}:{n}", receiver.notifier, receiver.recipient))
    .bind(uuid::Uuid::new_v4().to_string())
    .bind(event)
    .bind(n)
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .bind(millis(now))
    .bind(millis(due))
    .fetch_one(conn)
    .await
}
