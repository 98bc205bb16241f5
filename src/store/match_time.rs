//! The time of a match: when it is recorded, or, for a story that was there before, an earlier one.

use std::time::Duration;

use jiff::Timestamp;

use super::StoryId;
use super::column::{from_millis, read_optional_time};
use crate::lifecycle::story::StoryStatus;
use crate::store::db::{self, DbConnection};

/// A story that waits longer than this to be matched came while nothing ran.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Why a story was matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MatchedBy {
    /// It is new or was edited: its matches are of now.
    Change,
    /// Its text is settled. If it waited to be matched for longer than [`LONGEST_WAIT`], its
    /// matches are of the time at which it came; else they are of now.
    Settling,
    /// A backfill: its matches are of the time at which the story was first seen. A rule would have
    /// matched it then.
    Backfill,
}

/// The time of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MatchTime {
    pub(super) at: Timestamp,
    /// Whether it is earlier than the match is recorded. Such a match is put in its place among the
    /// others by its time: it ends no episode and no absence of a later time.
    pub(super) is_earlier: bool,
}

impl MatchTime {
    /// The time of a match that is recorded at `now` and made then.
    pub(super) fn of_now(now: Timestamp) -> Self {
        Self { at: now, is_earlier: false }
    }

    /// The time of the matches of a story that are recorded at `now`. The story has the status that
    /// it had when it was matched.
    pub(super) async fn read(
        conn: &mut DbConnection<'_>,
        story: StoryId,
        by: MatchedBy,
        now: Timestamp,
    ) -> Result<Self, sqlx::Error> {
        let earlier = match by {
            MatchedBy::Change => None,
            MatchedBy::Settling => read_long_wait(conn, story, now).await?,
            MatchedBy::Backfill => {
                let seen = db::query_scalar("SELECT first_seen FROM story WHERE id = $1");
                Some(from_millis(seen.bind(story.0).fetch_one(conn).await?)?)
            }
        };
        Ok(earlier.map_or(Self::of_now(now), |at| Self { at, is_earlier: true }))
    }

    /// Its time, if it is earlier than the match is recorded.
    pub(super) fn earlier_at(self) -> Option<Timestamp> {
        self.is_earlier.then_some(self.at)
    }
}

/// Since when a story waits to be matched, if that is long.
async fn read_long_wait(
    conn: &mut DbConnection<'_>,
    story: StoryId,
    now: Timestamp,
) -> Result<Option<Timestamp>, sqlx::Error> {
    let since = db::query("SELECT waiting_since FROM story WHERE id = $1 AND status = $2");
    let since = since.bind(story.0).bind(StoryStatus::AwaitsMatch.as_str());
    let Some(row) = since.fetch_optional(conn).await? else { return Ok(None) };
    let is_long = |since: &Timestamp| {
        now.duration_since(*since) > LONGEST_WAIT.try_into().unwrap_or_default()
    };
    Ok(read_optional_time(&row, "waiting_since")?.filter(is_long))
}
