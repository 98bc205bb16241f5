//! Feeds in the order of their polls: by due time. Feeds that are due at the same time are ordered
//! by their last poll.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use tidings_rules::story::FeedName;

/// A feed's turn: when it is due, when it was last polled, its name.
type PollTurn = (Timestamp, Option<Timestamp>, FeedName);

/// The feeds that wait for their next poll.
#[derive(Debug, Default)]
pub(super) struct PollQueue {
    turns: BTreeSet<PollTurn>,
    /// The turn of each feed that waits for one.
    turn_by_feed: HashMap<FeedName, PollTurn>,
}

impl PollQueue {
    /// Sets the due time of a feed; `None`: it is not polled.
    pub(super) fn schedule(
        &mut self,
        feed: &FeedName,
        last_poll: Option<Timestamp>,
        due: Option<Timestamp>,
    ) {
        if let Some(before) = self.turn_by_feed.remove(feed) {
            self.turns.remove(&before);
        }
        if let Some(due) = due {
            let turn = (due, last_poll, feed.clone());
            self.turn_by_feed.insert(feed.clone(), turn.clone());
            self.turns.insert(turn);
        }
    }

    /// When the first feed is due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.turns.first().map(|(due, ..)| *due)
    }

    /// Removes and returns the first feed that is due at `now`.
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<FeedName> {
        self.next_due().filter(|due| *due <= now)?;
        let (.., feed) = self.turns.pop_first()?;
        self.turn_by_feed.remove(&feed);
        Some(feed)
    }

    /// The feeds that wait.
    pub(super) fn waiting(&self) -> Vec<FeedName> {
        self.turns.iter().map(|(.., feed)| feed.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn feed(number: usize) -> FeedName {
        FeedName(number.to_string())
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
    }

    #[test]
    fn feeds_that_are_due_at_once_take_turns() {
        let mut polled =
            BTreeMap::from([(feed(0), Some(at(5))), (feed(1), None), (feed(2), Some(at(3)))]);
        let mut queue = PollQueue::default();
        let mut taken = Vec::new();
        for round in 10..16 {
            // Their host asked for a pause, so all are due at the same time.
            for (feed, last) in &polled {
                queue.schedule(feed, *last, Some(at(round)));
            }
            let due = queue.pop_due(at(round)).expect("three wait");
            taken.push(due.0.clone());
            polled.insert(due, Some(at(round)));
        }
        assert_eq!(taken, ["1", "2", "0", "1", "2", "0"]);
    }

    #[test]
    fn a_feed_waits_for_one_time_only() {
        let mut queue = PollQueue::default();
        queue.schedule(&feed(0), None, Some(at(9)));
        queue.schedule(&feed(1), None, Some(at(5)));
        queue.schedule(&feed(0), None, Some(at(1)));
        queue.schedule(&feed(1), None, None);
        assert_eq!((queue.next_due(), queue.waiting()), (Some(at(1)), vec![feed(0)]));
        assert_eq!(
            (queue.pop_due(at(0)), queue.pop_due(at(1)), queue.next_due()),
            (None, Some(feed(0)), None)
        );
    }
}
