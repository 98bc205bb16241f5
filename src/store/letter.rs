//! Gathers what a message says: every rule that it tells of its event, and every feed that carried it.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::column;
use crate::alert::{Content, Head, Letter};
use crate::story::{Read, Sighting};

/// What the message says now. `uid` and `created` are its own, `event` is what it tells of.
pub(super) async fn gather(
    conn: &mut SqliteConnection,
    message: i64,
    uid: String,
    created: Timestamp,
    event: String,
) -> Result<Letter, sqlx::Error> {
    let alerts = sqlx::query(
        "SELECT alert.told, alert.read, alert.read_why FROM message_alert JOIN alert ON alert.id = message_alert.alert
         WHERE message_alert.message = $1 ORDER BY alert.rule, alert.occasion",
    )
    .bind(message)
    .fetch_all(&mut *conn)
    .await?;
    let content = Content::Alert {
        story: head(conn, message).await?,
        read: most_read(&alerts)?,
        feeds: feeds(conn, &event).await?,
        rules: alerts.iter().map(|row| column::json(row, "told")).collect::<Result<_, _>>()?,
        event,
    };
    Ok(Letter { id: uid, created, content })
}

/// The head of the story that the message's first alert is about.
async fn head(conn: &mut SqliteConnection, message: i64) -> Result<Head, sqlx::Error> {
    let row = sqlx::query(
        "SELECT story.title, story.url, story.published, story.first_seen, story.lang
         FROM message_alert JOIN alert ON alert.id = message_alert.alert JOIN story ON story.id = alert.story
         WHERE message_alert.message = $1 ORDER BY alert.id LIMIT 1",
    )
    .bind(message)
    .fetch_one(conn)
    .await?;
    Ok(Head {
        title: row.try_get("title")?,
        url: row.try_get("url")?,
        published: column::maybe_time(&row, "published")?,
        first_seen: column::time(&row, "first_seen")?,
        lang: row.try_get("lang")?,
    })
}

/// The feeds that carried the event's stories, first seen first.
async fn feeds(conn: &mut SqliteConnection, event: &str) -> Result<Vec<Sighting>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT sighting.feed, sighting.url, sighting.seen FROM sighting JOIN story ON story.id = sighting.story
         WHERE story.event = $1 ORDER BY sighting.seen, sighting.feed, sighting.key",
    )
    .bind(event)
    .fetch_all(conn)
    .await?;
    column::sightings(&rows)
}

/// The whole text, if any of the alerts saw it: one feed may give in full what another only hints at.
fn most_read(alerts: &[SqliteRow]) -> Result<Read, sqlx::Error> {
    let mut most = None;
    for row in alerts {
        match column::read(row)? {
            Some(Read::Full) => return Ok(Read::Full),
            teaser => most = most.or(teaser),
        }
    }
    most.ok_or(sqlx::Error::RowNotFound)
}
