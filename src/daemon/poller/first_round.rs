//! The first polls of a run. When they have ended, the log says how many feeds fail, and why.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tracing::{info, warn};

use crate::store::FeedState;
use tidings_rules::story::FeedName;

/// The most failing feeds that are named.
const MOST_NAMED: usize = 10;

/// The feeds that were due at the start of the run.
#[derive(Debug, Default)]
pub(super) struct FirstRound {
    /// The feeds whose poll has not ended; `None` after the round was logged.
    not_ended: Option<BTreeSet<FeedName>>,
}

impl FirstRound {
    /// Starts with the feeds that are due at `now`.
    pub(super) fn start<'s>(states: impl Iterator<Item = &'s FeedState>, now: Timestamp) -> Self {
        let due = states.filter(|state| state.next_poll.is_some_and(|due| due <= now));
        Self { not_ended: Some(due.map(|state| state.name.clone()).collect()) }
    }

    /// Records the end of a poll, or that the feed left the configuration.
    pub(super) fn record_end(&mut self, feed: &FeedName) {
        if let Some(left) = &mut self.not_ended {
            left.remove(feed);
        }
    }

    /// Whether the last poll has ended. True once.
    pub(super) fn is_just_over(&mut self) -> bool {
        self.not_ended.take_if(|left| left.is_empty()).is_some()
    }
}

/// Logs how many feeds fail, and why.
pub(super) fn log_failing_feeds(states: &[&FeedState]) {
    match describe_failing_feeds(states) {
        Some(failing) => warn!(event = "first_polls_ended", "{failing}"),
        None if states.is_empty() => {}
        None => info!(event = "first_polls_ended", "no feed fails"),
    }
}

/// `2 of 3 feeds fail: a: why; b: why`; `None` if none does.
fn describe_failing_feeds(states: &[&FeedState]) -> Option<String> {
    let failing: Vec<String> = states
        .iter()
        .filter_map(|state| Some(format!("{}: {}", state.name, state.error.as_ref()?)))
        .collect();
    let more = failing.len().saturating_sub(MOST_NAMED);
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    let (feeds, fail) = if states.len() == 1 { ("feed", "fails") } else { ("feeds", "fail") };
    let named = failing[..failing.len().min(MOST_NAMED)].join("; ");
    (!failing.is_empty())
        .then(|| format!("{} of {} {feeds} {fail}: {named}{more}", failing.len(), states.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::hints::PollHints;
    use crate::polling::health::FeedHealthHistory;

    fn state(name: &str, error: Option<&str>) -> FeedState {
        FeedState {
            name: FeedName(name.to_owned()),
            address: String::new(),
            etag: None,
            last_modified: None,
            next_poll: None,
            next_why: String::new(),
            last_poll: None,
            last_good: None,
            failures: 0,
            error: error.map(str::to_owned),
            mean_gap: None,
            hints: PollHints::default(),
            moved: None,
            health_history: FeedHealthHistory::default(),
            unreached: false,
        }
    }

    #[test]
    fn feeds_that_fail_are_counted_and_named_with_their_reasons() {
        let states =
            [state("a", Some("connection refused")), state("b", None), state("c", Some("404"))];
        let states: Vec<&FeedState> = states.iter().collect();
        assert_eq!(
            describe_failing_feeds(&states).as_deref(),
            Some("2 of 3 feeds fail: a: connection refused; c: 404")
        );
        assert_eq!(
            describe_failing_feeds(&states[..1]).as_deref(),
            Some("1 of 1 feed fails: a: connection refused")
        );
        assert_eq!(describe_failing_feeds(&states[1..2]), None);
        let many: Vec<_> = (0..12).map(|n| state(&n.to_string(), Some("x"))).collect();
        let many: Vec<&FeedState> = many.iter().collect();
        let description = describe_failing_feeds(&many).expect("all fail");
        assert!(
            description.starts_with("12 of 12 feeds fail: 0: x; ")
                && description.ends_with("; 9: x; and 2 more"),
            "{description}"
        );
    }

    #[test]
    fn a_round_is_over_when_all_that_was_due_has_ended() {
        let due = |name: &str, at: i64| FeedState {
            next_poll: Timestamp::from_second(at).ok(),
            ..state(name, None)
        };
        let now = Timestamp::from_second(5).expect("in range");
        let states = [due("a", 5), due("later", 6), state("gone", None), due("b", 1)];
        let mut round = FirstRound::start(states.iter(), now);
        let mut over = Vec::new();
        for ended in ["a", "later", "b", "later"] {
            round.record_end(&FeedName(ended.to_owned()));
            over.push(round.is_just_over());
        }
        assert_eq!(over, [false, false, true, false]);
        assert!(!FirstRound::default().is_just_over());
    }
}
