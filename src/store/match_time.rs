//! The time of a match: when it is recorded, or for a backfill when its story was first seen.

use jiff::Timestamp;

use super::StoryId;
use super::column::from_millis;
use crate::store::db::{self, DbConnection};

/// Why a story was matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MatchedBy {
    /// It is new or was edited: its matches are of now.
    Change,
    /// A backfill: its matches are of the time at which the story was first seen. A rule would have
    /// matched it then.
    Backfill,
}

/// The time of a match, and what found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MatchTime {
    pub(super) at: Timestamp,
    pub(super) by: MatchedBy,
}

impl MatchTime {
    /// The time of the matches of a story that are recorded at `now`.
    pub(super) async fn read(
        conn: &mut DbConnection<'_>,
        story: StoryId,
        by: MatchedBy,
        now: Timestamp,
    ) -> Result<Self, sqlx::Error> {
        let at = match by {
            MatchedBy::Change => now,
            MatchedBy::Backfill => {
                let seen = db::query_scalar("SELECT first_seen FROM story WHERE id = $1");
                from_millis(seen.bind(story.0).fetch_one(conn).await?)?
            }
        };
        Ok(Self { at, by })
    }

    /// Its time, if a backfill found it.
    pub(super) fn backfill_at(self) -> Option<Timestamp> {
        (self.by == MatchedBy::Backfill).then_some(self.at)
    }
}
