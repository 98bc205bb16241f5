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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).expect("a time")
    }

    fn history(failures: u32, fetches: u32, left: u64) -> PageHistory {
        PageHistory { failures, fetches, left: Duration::from_secs(left) }
    }

    #[test]
    fn a_failed_page_is_tried_again_after_5_and_60_seconds_then_its_teaser_is_settled() {
        for (page, rests_until, expected) in [
            (history(0, 0, 600), None, PageRetry::At(at(5))),
            (history(1, 1, 595), None, PageRetry::At(at(60))),
            (history(2, 2, 535), None, PageRetry::Teaser),
            // Fetches of earlier revisions and rechecks count, too.
            (history(0, 1, 600), None, PageRetry::At(at(5))),
            (history(0, 2, 600), None, PageRetry::Teaser),
            // The host's pause is the longer one, or the shorter one.
            (history(0, 0, 600), Some(at(90)), PageRetry::At(at(90))),
            (history(0, 0, 600), Some(at(3)), PageRetry::At(at(5))),
            // The next attempt comes within the wait, or too late.
            (history(0, 0, 6), None, PageRetry::At(at(5))),
            (history(0, 0, 5), None, PageRetry::Teaser),
            (history(0, 0, 600), Some(at(600)), PageRetry::Teaser),
            (history(1, 1, 0), None, PageRetry::Teaser),
        ] {
            assert_eq!(after_failure(page, rests_until, at(0)), expected, "{page:?}");
        }
    }

    #[test]
    fn a_page_whose_host_rests_is_tried_when_the_rest_is_over() {
        for (page, again, expected) in [
            (history(0, 0, 600), 599, PageRetry::At(at(599))),
            (history(0, 0, 600), 600, PageRetry::Teaser),
            (history(1, 0, 600), 1, PageRetry::At(at(1))),
            (history(2, 0, 600), 1, PageRetry::Teaser),
            (history(0, 2, 600), 1, PageRetry::Teaser),
        ] {
            assert_eq!(after_rest(page, at(again), at(0)), expected, "{page:?}");
        }
    }
}
