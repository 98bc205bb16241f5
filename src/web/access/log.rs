//! Logs wrong tokens, but never so many that they flood the log.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tracing::warn;

use crate::clock::Stopwatch;

/// The most lines in [`WINDOW`].
const MOST_LINES: u32 = 10;

/// The time in which [`MOST_LINES`] are written.
const WINDOW: Duration = Duration::from_mins(1);

/// The log of wrong tokens.
#[derive(Debug)]
pub(super) struct RefusalLog {
    since: Stopwatch,
    window: Mutex<LogWindow>,
}

/// The lines since the window began.
#[derive(Debug, Default)]
struct LogWindow {
    start: Duration,
    written: u32,
    left_out: u32,
}

impl RefusalLog {
    pub(super) fn new() -> Self {
        Self { since: Stopwatch::start(), window: Mutex::default() }
    }

    /// Logs a wrong token, unless there were too many in this minute. `place` says where it was.
    pub(super) fn wrong_token(&self, place: &str, peer: Option<IpAddr>) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(left_out) = window.admit(self.since.elapsed()) else { return };
        let peer = peer.map_or_else(|| "the unix socket".to_owned(), |peer| peer.to_string());
        let more = match left_out {
            0 => String::new(),
            more => format!("; {more} before it were not logged"),
        };
        warn!(event = "login_refused", peer, "a wrong token {place} from {peer}{more}");
    }
}

impl LogWindow {
    /// Whether a line may be written at `now`: `None`, or how many were left out before it.
    fn admit(&mut self, now: Duration) -> Option<u32> {
        if now.saturating_sub(self.start) >= WINDOW {
            (self.start, self.written) = (now, 0);
        }
        if self.written >= MOST_LINES {
            self.left_out += 1;
            return None;
        }
        self.written += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_writes_ten_lines_a_minute_and_the_next_line_counts_the_others() {
        let mut window = LogWindow::default();
        let admitted =
            (0..25).filter(|second| window.admit(Duration::from_secs(*second)).is_some());
        assert_eq!(admitted.count(), 10);
        assert_eq!(window.admit(Duration::from_secs(59)), None);
        assert_eq!(window.admit(WINDOW), Some(16));
        assert_eq!(window.admit(WINDOW + Duration::from_secs(1)), Some(0));
    }
}
