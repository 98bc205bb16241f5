//! How an alert stands to the condition of its rule, in words. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::queries::moment::day_and_minute;
use crate::store::PastAlert;
use tidings_rules::text::visible_line;

/// What is said of an alert that does not count.
const COPY: &str = "a copy, which does not count";

/// How an alert stands to the condition of its rule. Each has what counts, or else the condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// It is held.
    Held(&'a str),
    /// It was held at first, and told later: at that time, if it is known.
    HeldUntil(Option<Timestamp>, &'a str),
    /// It met the condition.
    Met(&'a str),
    /// The condition was met before.
    MetBefore(&'a str),
    /// It is of a copy of an event that was told.
    Copy,
}

/// The words of a [`Standing`], and the time in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct StandingParts<'a> {
    /// The standing in a few words.
    pub head: &'static str,
    /// The time after them.
    pub at: Option<Timestamp>,
    /// What counts, or else the condition.
    pub what: &'a str,
}

impl<'a> Standing<'a> {
    /// The standing of an alert now; `None` if its rule had no condition.
    #[must_use]
    pub fn of(alert: &'a PastAlert) -> Option<Self> {
        let state = alert.rule_match.condition.as_ref()?;
        let progress = state.progress.as_deref();
        Some(match (alert.held, state.met, progress) {
            (true, _, progress) => Self::Held(progress.unwrap_or(COPY)),
            (false, true, Some(progress)) => Self::Met(progress),
            (false, false, Some(progress)) => Self::HeldUntil(alert.held_until, progress),
            (false, true, None) => Self::MetBefore(&state.condition),
            (false, false, None) if alert.held_until.is_some() => {
                Self::HeldUntil(alert.held_until, COPY)
            }
            (false, false, None) => Self::Copy,
        })
    }

    /// Its words, for those who show the time in a way of their own.
    #[must_use]
    pub fn parts(self) -> StandingParts<'a> {
        let (head, at, what) = match self {
            Self::Held(what) => ("held", None, what),
            Self::HeldUntil(None, what) => ("held at first", None, what),
            Self::HeldUntil(at, what) => ("held until", at, what),
            Self::Met(what) => ("condition met", None, what),
            Self::MetBefore(what) => ("condition met before", None, what),
            Self::Copy => ("not held", None, COPY),
        };
        StandingParts { head, at, what }
    }

    /// Its words on one line, with the time in `zone`.
    #[must_use]
    pub fn words(self, zone: &TimeZone) -> String {
        let StandingParts { head, at, what } = self.parts();
        let at = at.map_or_else(String::new, |at| format!(" {}", day_and_minute(at, zone)));
        visible_line(&format!("{head}{at}: {what}"))
    }

    /// Its words on one line, as they were when the alert was recorded.
    #[must_use]
    pub fn words_at_first(self) -> String {
        let then = match self {
            Self::HeldUntil(_, what) => Self::Held(what),
            other => other,
        };
        let StandingParts { head, what, .. } = then.parts();
        visible_line(&format!("{head}: {what}"))
    }
}
