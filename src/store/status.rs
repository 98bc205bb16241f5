//! Maps the status of stories and messages and the outcome of attempts to columns and back.

use crate::lifecycle::message;
use crate::lifecycle::message::{AttemptOutcome, MessageEvent, MessageStatus, MessageTransition};
use crate::lifecycle::story::StoryStatus;
use crate::store::db::DbRow;

/// The status of a story, and why, as the columns `status` and `status_why` hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredStatus {
    /// The status in the column. It is never [`StoryStatus::Purged`].
    pub status: StoryStatus,
    /// Why it is only recorded, in words.
    pub why: Option<String>,
}

/// The status in the column `status` of a story's row.
pub(super) fn story_status_from_row(row: &DbRow) -> Result<StoryStatus, sqlx::Error> {
    let word: &str = row.try_get("status")?;
    let mut all = StoryStatus::ALL.into_iter();
    all.find(|status| status.as_str() == word).ok_or_else(|| unknown_word(word))
}

/// The status of a message's row.
pub(super) fn read_message_status(row: &DbRow) -> Result<MessageStatus, sqlx::Error> {
    let word = row.try_get("status")?;
    MessageStatus::from_word(word).ok_or_else(|| unknown_word(word))
}

/// The outcome in an attempt's row; `None` while the attempt is in flight.
pub(super) fn read_attempt_outcome(row: &DbRow) -> Result<Option<AttemptOutcome>, sqlx::Error> {
    let Some(word) = row.try_get::<Option<&str>, _>("outcome")? else { return Ok(None) };
    AttemptOutcome::from_word(word).map(Some).ok_or_else(|| unknown_word(word))
}

/// What follows for a message with that status, which the caller has chosen for this event.
pub(super) fn next_message_status(
    status: MessageStatus,
    event: MessageEvent,
) -> Result<MessageTransition, sqlx::Error> {
    message::next(status, event).ok_or_else(|| {
        sqlx::Error::Decode(format!("{event:?} does not happen to a {status} message").into())
    })
}

fn unknown_word(word: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("`{word}` is no status or outcome of this schema").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words that the schema permits in `column` of `table`.
    fn permitted_words<'s>(schema: &'s str, table: &str, column: &str) -> Vec<&'s str> {
        let (_, table) = schema.split_once(&format!("CREATE TABLE {table} (")).unwrap();
        let (_, words) = table.split_once(&format!("CHECK ({column} IN (")).unwrap();
        let (words, _) = words.split_once(')').unwrap();
        words.split(", ").map(|word| word.trim_matches('\'')).collect()
    }

    #[test]
    fn the_schema_permits_the_words_of_the_enums_and_no_others() {
        let schema = include_str!("migrations/0001_first.sql");
        let statuses = MessageStatus::ALL.map(MessageStatus::as_str);
        assert_eq!(permitted_words(schema, "message", "status"), statuses);
        let outcomes = AttemptOutcome::ALL.map(AttemptOutcome::as_str);
        assert_eq!(permitted_words(schema, "attempt", "outcome"), outcomes);
        // A story is purged where its column `purged` says so.
        let statuses = StoryStatus::ALL.map(StoryStatus::as_str);
        assert_eq!(permitted_words(schema, "story", "status"), statuses[..5]);
        assert_eq!(statuses[5], "purged");
    }
}
