//! How many messages a notifier is sent at once: fewer after it said that it is busy. Pure.

use crate::alerts::breaker::AT_ONCE;

/// The room of one notifier. It halves where the receiver is busy, and grows by one after a few
/// messages were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendWindow {
    at_once: u32,
    /// Messages taken since it last changed.
    taken: u32,
    /// The newest attempt that had begun when it last became narrower.
    narrowed: i64,
}

impl Default for SendWindow {
    fn default() -> Self {
        Self { at_once: AT_ONCE, taken: 0, narrowed: 0 }
    }
}

impl SendWindow {
    /// How many messages may be under way.
    #[must_use]
    pub fn at_once(self) -> u32 {
        self.at_once
    }

    /// After a message was taken.
    #[must_use]
    pub fn after_success(self) -> Self {
        let taken = self.taken + 1;
        if taken < 2 * self.at_once || self.at_once == AT_ONCE {
            return Self { taken, ..self };
        }
        Self { at_once: self.at_once + 1, taken: 0, ..self }
    }

    /// After the receiver was too busy for `attempt`; `newest` is the newest attempt that has
    /// begun. What was under way together halves the room once.
    #[must_use]
    pub fn after_busy(self, attempt: i64, newest: i64) -> Self {
        if attempt <= self.narrowed {
            return Self { taken: 0, ..self };
        }
        Self { at_once: (self.at_once / 2).max(1), taken: 0, narrowed: newest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_successes(width: SendWindow, successes: u32) -> SendWindow {
        (0..successes).fold(width, |width, _| width.after_success())
    }

    #[test]
    fn eight_refusals_of_one_flight_halve_the_room_once_and_the_next_flight_again() {
        let mut width = SendWindow::default();
        for attempt in 1..=8 {
            width = width.after_busy(attempt, 8);
        }
        assert_eq!(width.at_once(), 4);
        for attempt in 9..=12 {
            width = width.after_busy(attempt, 12);
        }
        assert_eq!(width.at_once(), 2);
        assert_eq!(width.after_busy(13, 13).after_busy(14, 14).at_once(), 1);
    }

    #[test]
    fn the_room_grows_by_one_for_twice_as_many_successes_as_fit_and_never_beyond_eight() {
        let narrow = SendWindow::default().after_busy(1, 1).after_busy(2, 2).after_busy(3, 3);
        let widths: Vec<u32> = [0, 1, 2, 5, 6, 11, 12, 1000]
            .map(|taken| after_successes(narrow, taken).at_once())
            .into();
        assert_eq!(widths, [1, 1, 2, 2, 3, 3, 4, 8]);
    }

    #[test]
    fn a_server_that_takes_three_at_once_is_sent_between_two_and_four() {
        let mut width = SendWindow::default();
        let mut attempt = 0;
        let mut sent = Vec::new();
        for _ in 0..60 {
            let flight = width.at_once();
            let newest = attempt + i64::from(flight);
            for place in 0..flight {
                attempt += 1;
                width = if place < 3 {
                    width.after_success()
                } else {
                    width.after_busy(attempt, newest)
                };
            }
            sent.push(flight);
        }
        assert!(sent[3..].iter().all(|flight| (2..=4).contains(flight)), "{sent:?}");
    }
}
