//! Which event a story belongs to: its own, or that of the earliest story that it is a copy of.
//!
//! A story joins an event before anything is told of it, or not at all: what was told, and to whom, is counted by events.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::StoryId;
use super::column::millis;
use crate::alert::Draft;
use crate::alert::copies::sketch::{BANDS, Sketch};
use crate::alert::copies::{self, Print};

/// Old sketches that go when a new one is kept. More than one, so that none stays for good.
const SWEPT: u32 = 4;

/// Sketches that have a value in common with another, of events that still take copies: oldest event first.
const LIKELY: &str = "WITH wanted (band, value) AS (VALUES
         (0, $3), (1, $4), (2, $5), (3, $6), (4, $7), (5, $8), (6, $9), (7, $10), (8, $11), (9, $12), (10, $13), (11, $14))
     SELECT story, minima FROM sketch
     WHERE begun >= $2 AND story <> $1
         AND story IN (SELECT sketch_band.story FROM wanted JOIN sketch_band USING (band, value))
     ORDER BY begun, story";

const KEEP_BANDS: &str = "WITH given (band, value) AS (VALUES
         (0, $2), (1, $3), (2, $4), (3, $5), (4, $6), (5, $7), (6, $8), (7, $9), (8, $10), (9, $11), (10, $12), (11, $13))
     INSERT INTO sketch_band (band, value, story) SELECT band, value, $1 FROM given WHERE value IS NOT NULL";

/// The event of a story whose text has this print. A story of which nothing was told, and that has no copies itself, joins here what it is a copy of.
pub(super) async fn of(
    conn: &mut SqliteConnection,
    story: StoryId,
    print: Option<&Print>,
    now: Timestamp,
) -> Result<String, sqlx::Error> {
    let (event, free): (String, bool) = sqlx::query_as(
        "SELECT event, event = uid AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.story = story.id)
             AND NOT EXISTS (SELECT 1 FROM story AS other WHERE other.event = story.uid AND other.id <> story.id)
         FROM story WHERE id = $1",
    )
    .bind(story.0)
    .fetch_one(&mut *conn)
    .await?;
    let Some(print) = print.filter(|_| free) else { return Ok(event) };
    let Some(joined) = copied(conn, story, print, now).await? else { return Ok(event) };
    sqlx::query("UPDATE story SET event = $2 WHERE id = $1").bind(story.0).bind(&joined).execute(conn).await?;
    Ok(joined)
}

/// Whether an older alert of the event, of whichever story, has told this rule on this occasion.
pub(super) async fn has_told(
    conn: &mut SqliteConnection,
    event: &str,
    alert: i64,
    draft: &Draft,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM story JOIN alert ON alert.story = story.id
             WHERE story.event = $1 AND alert.rule = $2 AND alert.occasion = $3 AND alert.id < $4)",
    )
    .bind(event)
    .bind(&draft.told.rule)
    .bind(&draft.occasion)
    .bind(alert)
    .fetch_one(conn)
    .await
}

/// Keeps what finds a story's text from now on, in the place of what was kept before; nothing once its event takes no more copies.
pub(super) async fn keep_sketch(
    conn: &mut SqliteConnection,
    story: StoryId,
    print: Option<&Print>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let open_since = millis(copies::open_since(now));
    sqlx::query(
        "DELETE FROM sketch WHERE story = $1
             OR story IN (SELECT story FROM sketch WHERE begun < $2 ORDER BY begun LIMIT $3)",
    )
    .bind(story.0)
    .bind(open_since)
    .bind(SWEPT)
    .execute(&mut *conn)
    .await?;
    let Some(Print { sketch, .. }) = print else { return Ok(()) };
    let kept = sqlx::query(
        "INSERT INTO sketch (story, begun, minima)
         SELECT story.id, first.first_seen, $2 FROM story JOIN story AS first ON first.uid = story.event
         WHERE story.id = $1 AND first.first_seen >= $3",
    )
    .bind(story.0)
    .bind(sketch.to_bytes())
    .bind(open_since)
    .execute(&mut *conn)
    .await?;
    if kept.rows_affected() == 1 {
        bound(sqlx::query(KEEP_BANDS).bind(story.0), sketch).execute(conn).await?;
    }
    Ok(())
}

/// The oldest open event with a story that this text is a copy of.
async fn copied(
    conn: &mut SqliteConnection,
    story: StoryId,
    print: &Print,
    now: Timestamp,
) -> Result<Option<String>, sqlx::Error> {
    let likely = sqlx::query(LIKELY).bind(story.0).bind(millis(copies::open_since(now)));
    for row in bound(likely, &print.sketch).fetch_all(&mut *conn).await? {
        let resembles = Sketch::from_bytes(row.try_get("minima")?).is_some_and(|other| print.sketch.resembles(&other));
        if resembles && let Some(event) = proved(conn, &row, print).await? {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

/// The event of the row's story, if this text is a copy of its.
async fn proved(conn: &mut SqliteConnection, row: &SqliteRow, print: &Print) -> Result<Option<String>, sqlx::Error> {
    let (event, text): (String, String) =
        sqlx::query_as("SELECT event, coalesce(body, feed_text) FROM story WHERE id = $1")
            .bind(row.try_get::<i64, _>("story")?)
            .fetch_one(conn)
            .await?;
    Ok(copies::print(&text).is_some_and(|other| copies::is_copy(print, &other)).then_some(event))
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// The query with a value for each band, in their order.
fn bound<'q>(query: Query<'q>, sketch: &Sketch) -> Query<'q> {
    let bands: [Option<i64>; BANDS] = sketch.bands();
    bands.into_iter().fold(query, Query::bind)
}

#[cfg(test)]
mod tests;
