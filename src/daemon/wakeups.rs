//! What the loops of a run signal to one another.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::daemon::Mode;

/// Notified when a loop has work before its due time.
#[derive(Debug, Default)]
pub(crate) struct Wakeups {
    /// A story begins to wait for its page.
    pub(super) story_waits: Notify,
    /// A story begins to wait to be matched.
    pub(super) match_waits: Notify,
    /// Other rules are in force.
    pub(super) rules_changed: Notify,
    /// Another configuration is in force, or this node has other shares: feeds may have come, gone
    /// or changed.
    pub(super) config_changed: Notify,
    /// Rules are reloaded: feeds that fail are polled soon.
    pub(super) retry_failing: Notify,
    /// A message may be due.
    pub(super) message_due: Notify,
}

impl Wakeups {
    /// Wakes every loop whose work depends on the shares of this node.
    pub(super) fn shares_changed(&self) {
        self.config_changed.notify_one();
        self.story_waits.notify_one();
        self.match_waits.notify_one();
        self.message_due.notify_one();
    }
}

/// The number of polls in progress that may bring a copy of a story. A message waits for them.
#[derive(Debug)]
pub(crate) struct PollsInProgress {
    mode: Mode,
    count: AtomicUsize,
}

/// A poll in progress. It is counted until it is dropped, also by a panic.
pub(crate) struct CountedPoll<'c>(&'c AtomicUsize);

impl PollsInProgress {
    pub(super) fn new(mode: Mode) -> Self {
        Self { mode, count: AtomicUsize::new(0) }
    }

    /// Counts a poll.
    pub(super) fn start(&self) -> CountedPoll<'_> {
        self.count.fetch_add(1, Ordering::Relaxed);
        CountedPoll(&self.count)
    }

    /// The number of polls to wait for. A single round delivers after all polls, so no message has
    /// to wait.
    pub(super) fn count(&self) -> usize {
        match self.mode {
            Mode::Forever => self.count.load(Ordering::Relaxed),
            Mode::Once => 0,
        }
    }
}

impl Drop for CountedPoll<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
