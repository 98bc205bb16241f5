//! Feeds that moved: when a permanent redirect replaces the configured address.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use crate::http::{HttpAnswer, RedirectKind};

/// How long every poll must have seen a move before the new address replaces the configured one.
const HELD: Duration = Duration::from_hours(6 * 24);

/// The target of permanent redirects from a feed's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The address where the feed was read, without a fragment.
    pub to: Url,
    /// When the feed was first read there. Every successful poll since then has ended there.
    pub since: Timestamp,
}

impl Move {
    /// Whether the new address is polled now. `last_good` is the feed's last successful poll.
    #[must_use]
    pub fn is_adopted(&self, last_good: Option<Timestamp>) -> bool {
        last_good.is_some_and(|last| {
            Duration::try_from(last.duration_since(self.since)).is_ok_and(|held| held >= HELD)
        })
    }
}

/// The state of a feed's move after a successful poll. `asked` is the address that was polled.
/// `is_read` is whether the answer held a feed. A move begins with a feed, and continues with a
/// feed or a 304.
#[must_use]
pub fn move_after(
    before: Option<Move>,
    asked: &Url,
    answer: &HttpAnswer,
    is_read: bool,
    now: Timestamp,
) -> Option<Move> {
    let to = without_fragment(&answer.url);
    match answer.redirects {
        RedirectKind::Straight => before.filter(|known| known.to == without_fragment(asked)),
        RedirectKind::Redirected => None,
        RedirectKind::MovedForGood => match before {
            Some(known) if known.to == to => Some(known),
            _ => (is_read && to != without_fragment(asked)).then_some(Move { to, since: now }),
        },
    }
}

fn without_fragment(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    url
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use rstest::rstest;

    use super::*;
    use crate::http::{Freshness, Validators};

    const OLD: &str = "http://old.example/feed";
    const NEW: &str = "https://new.example/feed";
    const NEWER: &str = "https://newer.example/feed";

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn day(day: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * day)
    }

    fn since_day_1(to: &str) -> Move {
        Move { to: url(to), since: day(1) }
    }

    fn answer(from: &str, way: RedirectKind) -> HttpAnswer {
        HttpAnswer {
            body: None,
            content_type: None,
            links: None,
            refresh: None,
            validators: Validators::default(),
            freshness: Freshness::default(),
            url: url(from),
            redirects: way,
        }
    }

    #[rstest]
    #[case::begins(None, OLD, NEW, RedirectKind::MovedForGood, Some((NEW, 9)))]
    #[case::goes_on(Some(since_day_1(NEW)), OLD, NEW, RedirectKind::MovedForGood, Some((NEW, 1)))]
    #[case::whatever_the_fragment(Some(since_day_1(NEW)), OLD, "https://new.example/feed#top", RedirectKind::MovedForGood, Some((NEW, 1)))]
    #[case::leads_elsewhere(Some(since_day_1(NEW)), OLD, NEWER, RedirectKind::MovedForGood, Some((NEWER, 9)))]
    #[case::not_for_good(None, OLD, NEW, RedirectKind::Redirected, None)]
    #[case::no_longer_for_good(Some(since_day_1(NEW)), OLD, NEW, RedirectKind::Redirected, None)]
    #[case::is_back(Some(since_day_1(NEW)), OLD, OLD, RedirectKind::Straight, None)]
    #[case::leads_in_a_circle(None, OLD, OLD, RedirectKind::MovedForGood, None)]
    #[case::answers_where_it_moved_to(Some(since_day_1(NEW)), NEW, NEW, RedirectKind::Straight, Some((NEW, 1)))]
    #[case::moves_on(Some(since_day_1(NEW)), NEW, NEWER, RedirectKind::MovedForGood, Some((NEWER, 9)))]
    fn a_move_goes_on_as_long_as_permanent_redirects_lead_to_the_same_place(
        #[case] before: Option<Move>,
        #[case] asked: &str,
        #[case] from: &str,
        #[case] way: RedirectKind,
        #[case] expected: Option<(&str, i64)>,
    ) {
        let after = move_after(before, &url(asked), &answer(from, way), true, day(9));
        assert_eq!(after, expected.map(|(to, since)| Move { to: url(to), since: day(since) }));
    }

    #[test]
    fn a_304_carries_a_move_on_but_does_not_begin_one() {
        let unchanged = answer(NEW, RedirectKind::MovedForGood);
        assert_eq!(move_after(None, &url(OLD), &unchanged, false, day(9)), None);
        assert_eq!(
            move_after(Some(since_day_1(NEW)), &url(OLD), &unchanged, false, day(9)),
            Some(since_day_1(NEW))
        );
    }

    #[test]
    fn a_move_is_adopted_once_it_was_seen_for_six_days() {
        let since = since_day_1(NEW);
        assert!(!since.is_adopted(None));
        assert!(!since.is_adopted(Some(day(7) - SignedDuration::from_secs(1))));
        assert!(since.is_adopted(Some(day(7))));
    }
}
