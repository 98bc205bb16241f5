//! Maps plain data to columns: times as milliseconds, lists as JSON text, how much was read as two
//! columns.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::StoryId;
use crate::alerts::StorySummary;
use tidings_rules::story::{Read, Story, headline};
use tidings_rules::text::visible;

/// A time as a column holds it.
pub(super) fn to_millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// A time as [`millis`] made it.
pub(super) fn from_millis(millis: i64) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_millisecond(millis).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// A column that always holds a time.
pub(super) fn read_time(row: &SqliteRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    from_millis(row.try_get(column)?)
}

/// A column that may hold a time.
pub(super) fn read_optional_time(
    row: &SqliteRow,
    column: &str,
) -> Result<Option<Timestamp>, sqlx::Error> {
    row.try_get::<Option<i64>, _>(column)?.map(from_millis).transpose()
}

/// The end of the range of texts that begin with `prefix`, for a search by an index: no text has a
/// character after this one.
pub(super) fn end_of_prefix(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

/// Plain data as JSON text.
pub(super) fn to_json<T: Serialize>(data: &T) -> Result<String, sqlx::Error> {
    serde_json::to_string(data).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// A column that holds JSON text.
pub(super) fn read_json<T: DeserializeOwned>(
    row: &SqliteRow,
    column: &str,
) -> Result<T, sqlx::Error> {
    serde_json::from_str(row.try_get(column)?).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// How much was read, as the columns `read` and `read_why` hold it.
pub(super) fn extent_columns(read: &Read) -> (&'static str, Option<&str>) {
    match read {
        Read::Full => ("full", None),
        Read::Teaser(why) => ("teaser", Some(why)),
    }
}

/// How much was read, from the columns `read` and `read_why`; `None` while that is open.
pub(super) fn read_extent(row: &SqliteRow) -> Result<Option<Read>, sqlx::Error> {
    Ok(match row.try_get::<Option<&str>, _>("read")? {
        None => None,
        Some("full") => Some(Read::Full),
        Some(_) => Some(Read::Teaser(row.try_get("read_why")?)),
    })
}

/// The stories of rows.
pub(super) fn story_ids(rows: &[SqliteRow]) -> Result<Vec<StoryId>, sqlx::Error> {
    rows.iter().map(|row| Ok(StoryId(row.try_get("id")?))).collect()
}

/// A text of a story, without characters that steer a terminal.
fn read_visible_text(row: &SqliteRow, column: &str) -> Result<String, sqlx::Error> {
    Ok(visible(row.try_get(column)?).into_owned())
}

/// A story, from the columns of its table and `text`: the page's text, or else the feed's.
pub(super) fn story_from_row(row: &SqliteRow) -> Result<Story, sqlx::Error> {
    Ok(Story {
        title: read_visible_text(row, "title")?,
        body: read_visible_text(row, "text")?,
        url: row.try_get("url")?,
        published: read_optional_time(row, "published")?,
        first_seen: read_time(row, "first_seen")?,
        lang: row.try_get("lang")?,
        authors: read_json(row, "authors")?,
        tags: read_json(row, "tags")?,
        source: row.try_get("source")?,
    })
}

/// What messages show of a story, from the columns of its table.
pub(super) fn summary_from_row(row: &SqliteRow) -> Result<StorySummary, sqlx::Error> {
    let title = read_visible_text(row, "title")?;
    Ok(StorySummary {
        opening: headline::stand_in(&title, &read_visible_text(row, "opening")?),
        title,
        url: row.try_get("url")?,
        published: read_optional_time(row, "published")?,
        first_seen: read_time(row, "first_seen")?,
        lang: row.try_get("lang")?,
    })
}
