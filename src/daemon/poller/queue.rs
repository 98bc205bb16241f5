//! Feeds in the order of their polls: by due time. Feeds that are due at the same time are ordered
//! by their last poll.

use std::collections::BTreeSet;

use jiff::Timestamp;

/// A feed's turn: when it is due, when it was last polled, its index.
type PollTurn = (Timestamp, Option<Timestamp>, usize);

/// The feeds that wait for their next poll.
#[derive(Debug, Default)]
pub(super) struct PollQueue {
    turns: BTreeSet<PollTurn>,
    /// The turn of each feed by its index, where it waits for one.
    turn_by_feed: Vec<Option<PollTurn>>,
}

impl PollQueue {
    /// An empty queue for this number of feeds.
    pub(super) fn new(feeds: usize) -> Self {
        Self { turns: BTreeSet::new(), turn_by_feed: vec![None; feeds] }
    }

    /// Sets the due time of a feed; `None`: it is not polled.
    pub(super) fn schedule(
        &mut self,
        index: usize,
        last_poll: Option<Timestamp>,
        due: Option<Timestamp>,
    ) {
        let turn = due.map(|due| (due, last_poll, index));
        if let Some(before) = std::mem::replace(&mut self.turn_by_feed[index], turn) {
            self.turns.remove(&before);
        }
        self.turns.extend(turn);
    }

    /// When the first feed is due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.turns.first().map(|(due, ..)| *due)
    }

    /// Removes and returns the first feed, due or not.
    pub(super) fn pop_first(&mut self) -> Option<usize> {
        let (.., index) = self.turns.pop_first()?;
        self.turn_by_feed[index] = None;
        Some(index)
    }

    /// Whether a feed waits for its turn.
    pub(super) fn is_waiting(&self, index: usize) -> bool {
        self.turn_by_feed[index].is_some()
    }

    /// The feeds that wait, by their indexes.
    pub(super) fn waiting(&self) -> Vec<usize> {
        self.turns.iter().map(|(.., index)| *index).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
    }

    #[test]
    fn feeds_that_are_due_at_once_take_turns() {
        let mut polled = [Some(at(5)), None, Some(at(3))];
        let mut queue = PollQueue::new(3);
        let mut taken = Vec::new();
        for round in 10..16 {
            // Their host asked for a pause, so all are due at the same time.
            polled
                .iter()
                .enumerate()
                .for_each(|(index, last)| queue.schedule(index, *last, Some(at(round))));
            let index = queue.pop_first().expect("three wait");
            taken.push(index);
            polled[index] = Some(at(round));
        }
        assert_eq!(taken, [1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn a_feed_waits_for_one_time_only() {
        let mut queue = PollQueue::new(2);
        queue.schedule(0, None, Some(at(9)));
        queue.schedule(1, None, Some(at(5)));
        queue.schedule(0, None, Some(at(1)));
        queue.schedule(1, None, None);
        assert_eq!((queue.next_due(), queue.waiting()), (Some(at(1)), vec![0]));
        assert_eq!((queue.pop_first(), queue.pop_first(), queue.next_due()), (Some(0), None, None));
    }
}
