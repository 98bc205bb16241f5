//! The status of stories and messages and the outcome of attempts, each with its mapping to a
//! column.

use std::fmt;

use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::lifecycle::story::StoryStatus;

/// The status of a story, and why, as the columns `status` and `status_why` hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredStatus {
    /// The status in the column. It is never [`StoryStatus::Purged`].
    pub status: StoryStatus,
    /// Why it is only recorded, in words.
    pub why: Option<String>,
}

impl StoredStatus {
    /// The status of a story's row.
    pub(super) fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self { status: story_status_from_row(row)?, why: row.try_get("status_why")? })
    }
}

/// The status in the column `status` of a story's row.
pub(super) fn story_status_from_row(row: &SqliteRow) -> Result<StoryStatus, sqlx::Error> {
    let word: &str = row.try_get("status")?;
    let mut all = StoryStatus::ALL.into_iter();
    all.find(|status| status.as_str() == word).ok_or_else(|| unknown_word(word))
}

/// The status of a message, as the column `status` holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageStatus {
    /// It waits until it is due.
    Pending,
    /// An attempt is in flight.
    Leased,
    /// Its receiver took it.
    Sent,
    /// It is dead-lettered.
    Dead,
    /// Its receiver left the configuration.
    Held,
}

impl MessageStatus {
    const ALL: [Self; 5] = [Self::Pending, Self::Leased, Self::Sent, Self::Dead, Self::Held];

    /// The word in the column, and for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Leased => "leased",
            Self::Sent => "sent",
            Self::Dead => "dead",
            Self::Held => "held",
        }
    }

    /// The status of a message's row.
    pub(super) fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let word: &str = row.try_get("status")?;
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or_else(|| unknown_word(word))
    }
}

impl fmt::Display for MessageStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The result of an attempt, as the column `outcome` holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AttemptOutcome {
    /// The receiver took the message.
    Sent,
    /// It failed, and another attempt follows.
    Again,
    /// It did not reach the receiver, and another attempt follows.
    Unreached,
    /// The message is dead-lettered.
    Dead,
    /// Its run ended before the attempt ended.
    Unknown,
}

impl AttemptOutcome {
    const ALL: [Self; 5] = [Self::Sent, Self::Again, Self::Unreached, Self::Dead, Self::Unknown];

    /// The word in the column, and for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Again => "again",
            Self::Unreached => "unreached",
            Self::Dead => "dead",
            Self::Unknown => "unknown",
        }
    }

    /// The outcome in an attempt's row; `None` while the attempt is in flight.
    pub(super) fn from_row(row: &SqliteRow) -> Result<Option<Self>, sqlx::Error> {
        let Some(word) = row.try_get::<Option<&str>, _>("outcome")? else { return Ok(None) };
        let outcome = Self::ALL.into_iter().find(|outcome| outcome.as_str() == word);
        outcome.map(Some).ok_or_else(|| unknown_word(word))
    }
}

fn unknown_word(word: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("`{word}` is no status or outcome of this schema").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_column_takes_the_words_of_every_status_but_purged() {
        let schema = include_str!("migrations/0001_first.sql");
        let table = schema.split("CREATE TABLE story (").nth(1).expect("the table of stories");
        let words = table.split("CHECK (status IN (").nth(1).expect("the words of the column");
        let words = words.split(')').next().expect("the end of the words");
        let words: Vec<&str> =
            words.split(',').map(|word| word.trim().trim_matches('\'')).collect();
        let expected = StoryStatus::ALL.map(StoryStatus::as_str);
        assert_eq!(words, expected[..5]);
        assert_eq!(expected[5], "purged");
    }
}
