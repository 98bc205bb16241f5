//! How long a story waits for its page, and what follows a failed attempt.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{later, until};

/// How long a story waits for its page at the most while Tidings runs.
pub const LONGEST: Duration = Duration::from_mins(10);

/// How long a page that is being fetched has at the least, however long its story has waited.
pub const SHORTEST_FETCH: Duration = Duration::from_mins(1);

/// Failed attempts after which the teaser is settled.
const MOST_FAILURES: u32 = 3;

/// The most fetches that one story's page gets, over all of its edits and rechecks.
pub const MOST_FETCHES: u32 = 3;

/// The pause after the first and the second failed attempt.
const PAUSES: [Duration; 2] = [Duration::from_secs(5), Duration::from_mins(1)];

/// What a story's page went through before this attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageHistory {
    /// Attempts that failed since the wait began.
    pub failures: u32,
    /// Fetches of the page so far, over all edits and rechecks.
    pub fetches: u32,
    /// How long the story still waits at the most, measured before the attempt.
    pub left: Duration,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageRetry {
    /// The page is tried again then: [`StoryEvent::PageFailed`](super::story::StoryEvent).
    At(Timestamp),
    /// The teaser is matched in its place: [`StoryEvent::TextSettled`](super::story::StoryEvent).
    Teaser,
}

/// What follows an attempt that failed at `now`, for a reason that may pass. `rests_until`: until
/// when the host asked for no requests.
///
/// The teaser is settled after three failures, after three fetches, and where the next attempt
/// would come too late.
#[must_use]
pub fn after_failure(
    page: PageHistory,
    rests_until: Option<Timestamp>,
    now: Timestamp,
) -> PageRetry {
    let pause = PAUSES.get(page.failures as usize).map_or(LONGEST, |pause| *pause);
    let again = later(now, pause).max(rests_until.unwrap_or(Timestamp::MIN));
    retry_at(page, again, now)
}

/// What follows where the host asks for no requests until `again`, so that none was made.
#[must_use]
pub fn after_rest(page: PageHistory, again: Timestamp, now: Timestamp) -> PageRetry {
    retry_at(page, again, now)
}

fn retry_at(page: PageHistory, again: Timestamp, now: Timestamp) -> PageRetry {
    let may_fail = page.failures + 1 < MOST_FAILURES && page.fetches + 1 < MOST_FETCHES;
    if may_fail && until(again, now) < page.left { PageRetry::At(again) } else { PageRetry::Teaser }
}
