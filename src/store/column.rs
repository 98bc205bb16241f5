//! Maps plain data to columns and back: times are milliseconds, lists are JSON text, and how much
//! was read takes two columns.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoryId;
use crate::alerts::{Receiver, StorySummary};
use crate::shares::{OwnShares, Share};
use crate::store::db::{self, Argument, DbConnection, DbRow, Sql, SqlList};
use tidings_rules::story::{NotifierName, Read, Story, headline};
use tidings_rules::text::visible;

/// A time as columns hold it: in milliseconds.
pub(super) fn to_millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// The time of a number that [`to_millis`] made.
pub(super) fn from_millis(millis: i64) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_millisecond(millis).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// The time in a column that is never null.
pub(super) fn read_time(row: &DbRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    from_millis(row.try_get(column)?)
}

/// The time in a column that may be null.
pub(super) fn read_optional_time(
    row: &DbRow,
    column: &str,
) -> Result<Option<Timestamp>, sqlx::Error> {
    row.try_get::<Option<i64>, _>(column)?.map(from_millis).transpose()
}

/// Runs a statement with these numbers as `$1` and so on. Returns how many rows it changed.
pub(super) async fn execute(
    conn: &mut DbConnection<'_>,
    sql: impl Into<Sql>,
    numbers: &[i64],
) -> Result<u64, sqlx::Error> {
    let query = numbers.iter().fold(db::query(sql), |query, number| query.bind(*number));
    Ok(query.execute(conn).await?.rows_affected())
}

/// Runs a statement with a list as `$1`. An empty list changes nothing.
pub(super) async fn execute_list<T: Serialize>(
    conn: &mut DbConnection<'_>,
    sql: impl Into<Sql>,
    list: &T,
) -> Result<(), sqlx::Error> {
    let list = SqlList::new(list)?;
    if !list.is_empty() {
        db::query(sql).bind(list).execute(conn).await?;
    }
    Ok(())
}

/// The same with another value as `$2`.
pub(super) async fn execute_list_with<'q, T: Serialize>(
    conn: &mut DbConnection<'_>,
    sql: impl Into<Sql>,
    list: &T,
    value: impl Into<Argument<'q>>,
) -> Result<(), sqlx::Error> {
    let list = SqlList::new(list)?;
    if !list.is_empty() {
        db::query(sql).bind(list).bind(value).execute(conn).await?;
    }
    Ok(())
}

/// The count in a column: no count is negative.
pub(super) fn read_count(row: &DbRow, column: &str) -> Result<u32, sqlx::Error> {
    let count: i64 = row.try_get(column)?;
    u32::try_from(count).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// The end of the range of texts that begin with `prefix`, for a search in an index: the prefix and
/// the greatest character.
pub(super) fn end_of_prefix(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

/// Data as JSON text, for a column.
pub(super) fn to_json<T: Serialize>(data: &T) -> Result<String, sqlx::Error> {
    serde_json::to_string(data).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// Receivers as the rows of a list: their notifiers and recipients.
pub(super) fn receiver_rows<'r>(
    receivers: impl IntoIterator<Item = &'r Receiver>,
) -> Vec<(&'r str, &'r str)> {
    receivers.into_iter().map(|one| (one.notifier.0.as_str(), one.recipient.as_str())).collect()
}

/// The data in a column that holds JSON text and is never null.
pub(super) fn read_json<T: DeserializeOwned>(row: &DbRow, column: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(row.try_get(column)?).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// The data in a column that holds JSON text or null.
pub(super) fn read_optional_json<T: DeserializeOwned>(
    row: &DbRow,
    column: &str,
) -> Result<Option<T>, sqlx::Error> {
    if is_null(row, column)? { Ok(None) } else { read_json(row, column).map(Some) }
}

/// Whether a column that holds text is null.
pub(super) fn is_null(row: &DbRow, column: &str) -> Result<bool, sqlx::Error> {
    Ok(row.try_get::<Option<&str>, _>(column)?.is_none())
}

/// The receiver in the columns `notifier` and `recipient`.
pub(super) fn receiver_from_row(row: &DbRow) -> Result<Receiver, sqlx::Error> {
    Ok(Receiver {
        notifier: NotifierName(row.try_get("notifier")?),
        recipient: row.try_get("recipient")?,
    })
}

/// How much was read, as values of the columns `read` and `read_why`.
pub(super) fn extent_columns(read: &Read) -> (&'static str, Option<&str>) {
    match read {
        Read::Full => ("full", None),
        Read::Partial(why) => ("partial", Some(why)),
        Read::Teaser(why) => ("teaser", Some(why)),
    }
}

/// How much was read, from the columns `read` and `read_why`. `None` until the page was read.
pub(super) fn read_extent(row: &DbRow) -> Result<Option<Read>, sqlx::Error> {
    let why = || row.try_get("read_why");
    Ok(match row.try_get::<Option<&str>, _>("read")? {
        None => None,
        Some("full") => Some(Read::Full),
        Some("partial") => Some(Read::Partial(why()?)),
        Some(_) => Some(Read::Teaser(why()?)),
    })
}

/// How much was read of a story whose page was read or refused.
pub(super) fn read_final_extent(row: &DbRow) -> Result<Read, sqlx::Error> {
    read_extent(row)?.ok_or(sqlx::Error::RowNotFound)
}

/// Stories as a list of their ids.
pub(super) fn story_list(stories: &[StoryId]) -> Result<SqlList, sqlx::Error> {
    SqlList::new(&stories.iter().map(|story| story.0).collect::<Vec<_>>())
}

/// The share of the site of a story's page.
pub(super) fn page_share(story: &Story) -> i64 {
    Share::of_page(story.url.as_deref()).0.into()
}

/// The shares of a node as a list; `None` for all.
pub(super) fn share_list(shares: &OwnShares) -> Result<Option<SqlList>, sqlx::Error> {
    let OwnShares::Some(shares) = shares else { return Ok(None) };
    let ids: Vec<u8> = shares.iter().map(|share| share.0).collect();
    SqlList::new(&ids).map(Some)
}

/// The ids of the stories in these rows.
pub(super) fn story_ids(rows: &[DbRow]) -> Result<Vec<StoryId>, sqlx::Error> {
    rows.iter().map(|row| Ok(StoryId(row.try_get("id")?))).collect()
}

/// A text of a story, without the characters that control a terminal.
fn read_visible_text(row: &DbRow, column: &str) -> Result<String, sqlx::Error> {
    Ok(visible(row.try_get(column)?).into_owned())
}

/// The story in a row of its table. The column `text` has the page's text, else the feed's.
pub(super) fn story_from_row(row: &DbRow) -> Result<Story, sqlx::Error> {
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

/// The summary for messages, of a story in a row of its table.
pub(super) fn summary_from_row(row: &DbRow) -> Result<StorySummary, sqlx::Error> {
    let title = read_visible_text(row, "title")?;
    Ok(StorySummary {
        opening: headline::made_headline(&title, &read_visible_text(row, "opening")?),
        title,
        url: row.try_get("url")?,
        published: read_optional_time(row, "published")?,
        first_seen: read_time(row, "first_seen")?,
        lang: row.try_get("lang")?,
    })
}
