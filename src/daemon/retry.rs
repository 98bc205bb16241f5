//! What becomes of a message after an attempt: a pure function of the outcome and how often it was tried.

use std::time::Duration;

use jiff::Timestamp;

use crate::alert::breaker;
use crate::daemon::clock::after;
use crate::notify::{Cause, Outcome, Retry};
use crate::store::{Attempted, Finish};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The pause before each repetition, in seconds: the second attempt comes 5 s after the first, the tenth a day after the ninth.
const PAUSES: [u64; 9] = [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/// The most that a receiver's own wish to wait is heeded.
const LONGEST_WISH: Duration = Duration::from_hours(24);

/// How soon a receiver that could not be reached is tried again: at first, and once it has been away for a minute.
const UNREACHABLE: [Duration; 2] = [Duration::from_secs(5), Duration::from_mins(1)];

/// What to record of an attempt that ended at `now`.
///
/// `counted` attempts of the schedule came before it, and the message has waited for `waited`; `seed` makes the jitter, up to a tenth of the pause.
/// An attempt that did not reach its receiver never counts, so that no outage, however long, kills a message.
#[must_use]
pub(crate) fn decide(outcome: Outcome, counted: u32, waited: Duration, now: Timestamp, seed: u64) -> Finish {
    match outcome {
        Outcome::Delivered(reply) => Finish::Sent(reply),
        Outcome::Refused(why) => Finish::Dead(why),
        Outcome::TooLarge(why) => Finish::TooLarge(why),
        Outcome::Gone(why) => Finish::Again { at: now, attempted: Attempted::Gone, rest: Some(breaker::NEVER), why },
        Outcome::Retry(Retry { why, cause: Cause::Unreached, after: wish, .. }) => {
            let pause = UNREACHABLE[usize::from(waited >= UNREACHABLE[1])];
            put_off(jittered(pause, seed), wish, Attempted::Unreached, why, now)
        }
        Outcome::Retry(Retry { why, cause: _, after: wish, .. }) => match PAUSES.get(counted as usize) {
            Some(&pause) => put_off(jittered(Duration::from_secs(pause), seed), wish, Attempted::Counted, why, now),
            None => Finish::Dead(format!("given up after {} attempts; the last: {why}", counted + 1)),
        },
    }
}

fn put_off(pause: Duration, wish: Option<Duration>, attempted: Attempted, why: String, now: Timestamp) -> Finish {
    let rest = wish.map(|wish| after(now, wish.min(LONGEST_WISH)));
    Finish::Again { at: after(now, pause).max(rest.unwrap_or(now)), attempted, rest, why }
}

fn jittered(pause: Duration, seed: u64) -> Duration {
    let tenths_of_percent = u32::try_from(seed % 100).unwrap_or_default();
    pause + pause * tenths_of_percent / 1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::Scope;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).expect("in range")
    }

    fn retry(reached: bool, wish: Option<u64>) -> Outcome {
        Outcome::Retry(Retry {
            why: "421 busy".to_owned(),
            cause: if reached { Cause::Failed } else { Cause::Unreached },
            scope: Scope::Notifier,
            after: wish.map(Duration::from_secs),
        })
    }

    fn pause_of(outcome: Outcome, counted: u32, waited: u64, seed: u64) -> (u64, bool) {
        match decide(outcome, counted, Duration::from_secs(waited), now(), seed) {
            Finish::Again { at, attempted, .. } => {
                let pause = at.as_millisecond() - now().as_millisecond();
                (pause.unsigned_abs(), attempted == Attempted::Counted)
            }
            other => panic!("expected another try, got {other:?}"),
        }
    }

    #[test]
    fn ten_attempts_are_made_before_a_message_is_given_up() {
        assert_eq!(pause_of(retry(true, None), 0, 0, 0), (5_000, true));
        assert_eq!(pause_of(retry(true, None), 8, 0, 0), (24 * 3_600_000, true));
        let given_up = decide(retry(true, None), 9, Duration::ZERO, now(), 0);
        assert_eq!(given_up, Finish::Dead("given up after 10 attempts; the last: 421 busy".to_owned()));
    }

    #[test]
    fn a_receiver_that_cannot_be_reached_burns_no_attempts() {
        assert_eq!(pause_of(retry(false, None), 9, 0, 0), (5_000, false));
        assert_eq!(pause_of(retry(false, None), 9, 3600, 0), (60_000, false));
    }

    #[test]
    fn a_wish_to_wait_lengthens_the_pause_up_to_a_day() {
        assert_eq!(pause_of(retry(true, Some(90)), 0, 0, 0), (90_000, true));
        assert_eq!(pause_of(retry(true, Some(1)), 1, 0, 0), (300_000, true));
        assert_eq!(pause_of(retry(true, Some(1_000_000)), 0, 0, 0), (24 * 3_600_000, true));
    }

    #[test]
    fn jitter_adds_at_most_a_tenth() {
        for seed in 0..1000 {
            let (pause, _) = pause_of(retry(true, None), 1, 0, seed);
            assert!((300_000..330_000).contains(&pause), "{pause}");
        }
    }

    #[test]
    fn a_receiver_that_is_gone_rests_and_what_is_for_it_is_kept() {
        let outcome = Outcome::Gone("410 gone".to_owned());
        let Finish::Again { attempted, rest, .. } = decide(outcome, 9, Duration::ZERO, now(), 0) else {
            panic!("kept")
        };
        assert_eq!((attempted, rest), (Attempted::Gone, Some(breaker::NEVER)));
    }

    #[test]
    fn a_refusal_is_final() {
        let outcome = Outcome::Refused("550 no such user".to_owned());
        assert_eq!(decide(outcome, 0, Duration::ZERO, now(), 0), Finish::Dead("550 no such user".to_owned()));
    }
}
