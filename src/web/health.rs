//! Whether the daemon is alive, and whether it can do its work.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;

/// How long ago the loops must have turned.
const TURN: Duration = Duration::from_secs(10);

/// How long ago the writer of the store must have answered. A large batch takes seconds.
const ANSWER: Duration = Duration::from_secs(20);

/// How long ago the store must have been written.
const WRITE: Duration = Duration::from_secs(30);

/// The health of the daemon: when it last did what it must do again and again.
#[derive(Debug)]
pub struct Health(Mutex<Beats>);

/// The time since each beat.
#[derive(Debug)]
struct Beats {
    turned: Stopwatch,
    answered: Stopwatch,
    written: Stopwatch,
    is_started: bool,
}

impl Health {
    /// Everything has just happened, and the rules are not loaded yet.
    #[must_use]
    pub fn new() -> Self {
        let now = Stopwatch::start();
        Self(Mutex::new(Beats { turned: now, answered: now, written: now, is_started: false }))
    }

    /// Records that the runtime turned.
    pub(crate) fn record_turn(&self) {
        self.lock().turned = Stopwatch::start();
    }

    /// Records that the writer of the store answered, and whether it could write.
    pub(crate) fn record_answer(&self, has_written: bool) {
        let mut beats = self.lock();
        beats.answered = Stopwatch::start();
        if has_written {
            beats.written = beats.answered;
        }
    }

    /// Records that the rules are loaded, and that the loops run.
    pub(crate) fn record_start(&self) {
        self.lock().is_started = true;
    }

    /// Why the daemon is not alive, in sentences; empty if it is. Only a restart can help.
    #[must_use]
    pub fn ailments(&self) -> Vec<String> {
        let beats = self.lock();
        let turned = (beats.turned, TURN, "the runtime has not turned");
        let answered = (beats.answered, ANSWER, "the writer of the store has not answered");
        late(&[turned, answered])
    }

    /// Why the daemon cannot do its work, in sentences; empty if it can.
    #[must_use]
    pub fn obstacles(&self) -> Vec<String> {
        let mut obstacles = self.ailments();
        let beats = self.lock();
        obstacles.extend(late(&[(beats.written, WRITE, "the store has not been written")]));
        if !beats.is_started {
            obstacles.push("the rules are not loaded yet".to_owned());
        }
        obstacles
    }

    /// A panic cannot leave the beats half changed, so a poisoned lock is used as it is.
    fn lock(&self) -> MutexGuard<'_, Beats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

/// A sentence for each beat that is later than its limit.
fn late(beats: &[(Stopwatch, Duration, &str)]) -> Vec<String> {
    let late = beats.iter().filter(|(since, limit, _)| since.elapsed() > *limit);
    late.map(|(since, _, what)| format!("{what} for {} s", since.elapsed().as_secs())).collect()
}
