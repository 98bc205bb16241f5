//! The first polls of a run. When they have ended, the log says how many feeds fail, and why.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tracing::{info, warn};

use crate::store::FeedState;

/// The most failing feeds that are named.
const MOST_NAMED: usize = 10;

/// The feeds that were due at the start of the run.
#[derive(Debug)]
pub(super) struct FirstRound {
    /// The indexes of feeds whose poll has not ended; `None` after the round was logged.
    not_ended: Option<BTreeSet<usize>>,
}

impl FirstRound {
    /// Starts with the feeds that are due at `now`.
    pub(super) fn start(states: &[FeedState], now: Timestamp) -> Self {
        let is_due = |state: &FeedState| state.next_poll.is_some_and(|due| due <= now);
        let due = states.iter().enumerate().filter(|(_, state)| is_due(state));
        Self { not_ended: Some(due.map(|(index, _)| index).collect()) }
    }

    /// Records the end of a poll.
    pub(super) fn record_end(&mut self, index: usize) {
        if let Some(left) = &mut self.not_ended {
            left.remove(&index);
        }
    }

    /// Logs the health of the feeds once, when the last poll has ended.
    pub(super) fn log_when_over(&mut self, states: &[FeedState]) {
        if self.not_ended.as_ref().is_some_and(BTreeSet::is_empty) {
            self.not_ended = None;
            log_failing_feeds(states);
        }
    }
}

/// Logs how many feeds fail, and why.
pub(super) fn log_failing_feeds(states: &[FeedState]) {
    match describe_failing_feeds(states) {
        Some(failing) => warn!("{failing}"),
        None if states.is_empty() => {}
        None => info!("no feed fails"),
    }
}

/// `2 of 3 feeds fail: a: why; b: why`; `None` if none does.
fn describe_failing_feeds(states: &[FeedState]) -> Option<String> {
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
    use tidings_rules::story::FeedName;

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
        let description = describe_failing_feeds(&many).expect("all fail");
        assert!(
            description.starts_with("12 of 12 feeds fail: 0: x; ")
                && description.ends_with("; 9: x; and 2 more"),
            "{description}"
        );
    }

    #[test]
    fn a_round_is_over_when_all_that_was_due_has_ended() {
        let due =
            |at: i64| FeedState { next_poll: Timestamp::from_second(at).ok(), ..state("a", None) };
        let now = Timestamp::from_second(5).expect("in range");
        let mut round = FirstRound::start(&[due(5), due(6), state("gone", None), due(1)], now);
        assert_eq!(round.not_ended, Some(BTreeSet::from([0, 3])));
        round.record_end(0);
        round.log_when_over(&[]);
        round.record_end(3);
        assert_eq!(round.not_ended, Some(BTreeSet::new()));
        round.log_when_over(&[]);
        assert_eq!(round.not_ended, None);
    }
}
