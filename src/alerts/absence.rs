//! Whether an absence of matches is told, and whether a rule is blind: what the polls of the rule's
//! feeds show. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::later;
use tidings_rules::story::FeedName;

/// For how long senders may bring what they kept back while no story from elsewhere was taken.
const CATCH_UP: Duration = Duration::from_mins(10);

/// A time between two checks that is longer than this is a pause: the process stood still, the
/// machine was suspended, or the store could not be used.
const LONGEST_BETWEEN_CHECKS: Duration = Duration::from_secs(40);

/// Since when a run takes stories from elsewhere without a pause.
#[derive(Clone, Copy, Debug)]
pub struct Intake {
    since: Timestamp,
    /// When it was last seen to run.
    checked: Timestamp,
}

impl Intake {
    /// A run that starts at `now`.
    #[must_use]
    pub fn begin(now: Timestamp) -> Self {
        Self { since: now, checked: now }
    }

    /// Whether senders have had the time to bring what they kept back. A pause before `now` begins
    /// that time anew.
    pub fn has_caught_up(&mut self, now: Timestamp) -> bool {
        if now.duration_since(self.checked).unsigned_abs() > LONGEST_BETWEEN_CHECKS {
            self.since = now;
        }
        self.checked = now;
        later(self.since, CATCH_UP) <= now
    }
}

/// The polls of a feed that a rule reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedPolls<'s> {
    /// Its name.
    pub name: &'s FeedName,
    /// Its last good poll; `None` before the first.
    pub last_good: Option<Timestamp>,
    /// The first failed poll since then; `None`: the feed is healthy.
    pub failing_since: Option<Timestamp>,
}

/// What becomes of an absence that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AbsenceDecision<'s> {
    /// It is told. These feeds are ill and were left out.
    Tell(Vec<&'s FeedName>),
    /// A healthy feed has no good poll since it was due, or every feed is ill: a story may be there
    /// that was not seen.
    Wait,
}

/// Decides about an absence that was due at `due`.
#[must_use]
pub fn decide<'s>(feeds: &[FeedPolls<'s>], due: Timestamp) -> AbsenceDecision<'s> {
    let (healthy, ill): (Vec<_>, Vec<_>) =
        feeds.iter().partition(|feed| feed.failing_since.is_none());
    let is_late = |feed: &&FeedPolls<'_>| feed.last_good.is_none_or(|good| good < due);
    if healthy.iter().any(is_late) || (healthy.is_empty() && !ill.is_empty()) {
        return AbsenceDecision::Wait;
    }
    AbsenceDecision::Tell(ill.into_iter().map(|feed| feed.name).collect())
}

/// Since when a rule is blind at `now`, whose absence is due after `longest`: the time of the first
/// of its feeds that has failed for twice as long, with the names of all such feeds.
#[must_use]
pub fn find_blind<'s>(
    feeds: &[FeedPolls<'s>],
    longest: Duration,
    now: Timestamp,
) -> Option<(Timestamp, Vec<&'s FeedName>)> {
    let limit = longest.saturating_mul(2);
    let blind = feeds.iter().filter_map(|feed| {
        let since = feed.failing_since?;
        (later(since, limit) <= now).then_some((since, feed.name))
    });
    let (since, names): (Vec<Timestamp>, Vec<&FeedName>) = blind.unzip();
    Some((since.into_iter().min()?, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).expect("in range")
    }

    fn feeds(polls: &[(Option<i64>, Option<i64>)], names: &[FeedName]) -> Vec<Option<usize>> {
        let watched: Vec<FeedPolls<'_>> = polls
            .iter()
            .zip(names)
            .map(|((good, failing), name)| FeedPolls {
                name,
                last_good: good.map(at),
                failing_since: failing.map(at),
            })
            .collect();
        match decide(&watched, at(0)) {
            AbsenceDecision::Wait => vec![None],
            AbsenceDecision::Tell(ill) => {
                ill.iter().map(|one| names.iter().position(|name| name == *one)).collect()
            }
        }
    }

    #[test]
    fn an_absence_is_told_when_every_healthy_feed_was_read_since_it_was_due() {
        let names = ["a", "b"].map(|name| FeedName(name.to_owned()));
        let wait: &[Option<usize>] = &[None];
        for (polls, expected) in [
            (&[(Some(0), None), (Some(5), None)][..], &[][..]),
            (&[(Some(-1), None), (Some(5), None)], wait),
            (&[(None, None), (Some(5), None)], wait),
            (&[(Some(-90), Some(-80)), (Some(5), None)], &[Some(0)]),
            (&[(Some(-90), Some(-80)), (Some(-1), None)], wait),
            (&[(Some(-90), Some(-80)), (None, Some(-80))], wait),
            (&[], &[]),
        ] {
            assert_eq!(feeds(polls, &names), expected, "{polls:?}");
        }
    }

    #[test]
    fn senders_may_catch_up_after_a_start_and_after_each_pause() {
        let second = |second: i64| at(0) + jiff::SignedDuration::from_secs(second);
        let mut intake = Intake::begin(second(0));
        let mut caught_up = |from: i64, to: i64| {
            let checks = (from..=to).step_by(20);
            checks.filter(|one| intake.has_caught_up(second(*one))).min()
        };
        assert_eq!(caught_up(0, 900), Some(600));
        assert_eq!(caught_up(940, 940), Some(940));
        assert_eq!(caught_up(1000, 2000), Some(1600), "after a pause");
        assert_eq!(caught_up(1900, 3000), Some(2500), "after the clock was set back");
    }

    #[test]
    fn a_rule_is_blind_when_a_feed_fails_for_twice_as_long() {
        let names = ["a", "b", "c"].map(|name| FeedName(name.to_owned()));
        let feed = |place: usize, since: Option<i64>| FeedPolls {
            name: &names[place],
            last_good: None,
            failing_since: since.map(at),
        };
        let feeds = [feed(0, Some(10)), feed(1, None), feed(2, Some(0))];
        let hour = Duration::from_hours(1);
        assert_eq!(find_blind(&feeds, hour, at(119)), None);
        assert_eq!(find_blind(&feeds, hour, at(120)), Some((at(0), vec![&names[2]])));
        let both = vec![&names[0], &names[2]];
        assert_eq!(find_blind(&feeds, hour, at(130)), Some((at(0), both)));
    }
}
