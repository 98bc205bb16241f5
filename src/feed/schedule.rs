//! When to poll a feed next, and why: a pure function of its history, `now` and the bounds.

use std::time::Duration;

use jiff::Timestamp;

use crate::config::Poll;

/// What is known of a feed's past polls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Polls in a row that failed, up to and with the last.
    pub failures: u32,
    /// The mean gap between its newest items, where it is known.
    pub mean_gap: Option<Duration>,
}

/// How the last poll ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A 200 or a 304 that parsed; the longest of the hints it gave.
    Well {
        /// How long it asked to be left alone (`max-age`, `ttl`, …).
        hint: Option<Duration>,
    },
    /// 404.
    NotFound,
    /// 410.
    Gone,
    /// 429 or 503: the server asks for time.
    Busy {
        /// `Retry-After`.
        until: Option<Timestamp>,
    },
    /// Any other failure.
    Failed,
}

/// The next poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// When. `None`: never, until the configuration changes (410).
    pub at: Option<Timestamp>,
    /// Why then, in words.
    pub why: String,
}

/// When to poll next. `every` is the user's own interval; `own_host` lowers the floor from five minutes to a second; `seed` makes the jitter, up to 10%.
#[must_use]
pub fn next(
    history: &History,
    ended: &Ended,
    every: Option<Duration>,
    own_host: bool,
    bounds: &Poll,
    now: Timestamp,
    seed: u64,
) -> Next {
    let _ = (history, ended, every, own_host, bounds, now, seed);
    todo!()
}
