//! Decides what follows an attempt at a message, from its outcome and the earlier attempts.

use std::time::Duration;

use jiff::Timestamp;

use crate::alerts::breaker;
use crate::alerts::breaker::{FailureCause, FailureScope};
use crate::alerts::outcome::{Outcome, RetryReason};
use crate::clock::later;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The pause after each attempt that counts, in seconds. Their sum is three days.
const PAUSES: [u64; 9] =
    [5, MINUTE, 10 * MINUTE, HOUR, 4 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/// The shortest time from the first attempt until a message is given up.
const TRIED_FOR: Duration = Duration::from_hours(48);

/// The longest pause that a receiver can ask for.
const LONGEST_WISH: Duration = Duration::from_hours(24);

/// The shortest pause that a receiver can ask for.
const SHORTEST_WISH: Duration = Duration::from_millis(200);

/// The bounds of the pause after an attempt that does not count. It is as long as the message was
/// tried for.
const UNCOUNTED: [Duration; 2] = [Duration::from_secs(5), Duration::from_mins(1)];

/// The shortest pause after a busy receiver.
const BUSY: Duration = Duration::from_millis(500);

/// The longest jitter that is added to the pause that a receiver asked for. It spreads the waiting
/// messages.
const LONGEST_JITTER: Duration = Duration::from_millis(900);

/// The resolution of stored times. It is added, so that no pause ends too soon.
const CLOCK_STEP: Duration = Duration::from_millis(1);

/// The record of an attempt that is to be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryRecord {
    /// When.
    pub due: Timestamp,
    /// How the attempt failed. If no attempt so far reached the receiver, the payload is
    /// rendered anew.
    pub cause: FailureCause,
    /// Whom that concerns.
    pub scope: FailureScope,
    /// Whether the attempt counts against the schedule.
    pub counts: bool,
    /// Until when the receiver asked for no messages.
    pub rest_until: Option<Timestamp>,
    /// Why, in words.
    pub why: String,
}

/// The result of an attempt at a leased message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// Sent; what the receiver answered.
    Sent(String),
    /// To be tried again.
    Retry(RetryRecord),
    /// Given up, kept for replay. Why, in words.
    Dead(String),
    /// Refused for its size: a digest of several alerts is halved, any other message is tried
    /// again as this says.
    TooLarge(RetryRecord),
}

/// The earlier attempts at a message.
#[derive(Clone, Copy, Debug)]
pub struct MessageHistory {
    /// The number of attempts that counted.
    pub counted: u32,
    /// The time since the first attempt began.
    pub tried_for: Duration,
}

/// What to record of an attempt that ended at `now`. `seed` sets the jitter, which is at most a
/// tenth of the pause. An attempt does not count if the receiver was unreachable, busy or shut, or
/// asked for a pause. So no outage, however long, kills a message.
#[must_use]
pub fn decide_next_step(
    outcome: Outcome,
    history: MessageHistory,
    now: Timestamp,
    seed: u64,
) -> Finish {
    match outcome {
        Outcome::Delivered(reply) => Finish::Sent(reply),
        Outcome::Refused(why) => Finish::Dead(why),
        Outcome::Gone(why) => Finish::Retry(RetryRecord {
            due: now,
            cause: FailureCause::Shut,
            scope: FailureScope::Notifier,
            counts: false,
            rest_until: Some(breaker::NEVER),
            why,
        }),
        Outcome::TooLarge(why) => {
            let retry = RetryReason {
                why,
                cause: FailureCause::Failed,
                scope: FailureScope::Message,
                requested_wait: None,
            };
            match retry_or_give_up(retry, history, now, seed) {
                Finish::Retry(again) => Finish::TooLarge(again),
                given_up => given_up,
            }
        }
        Outcome::Retry(retry) => retry_or_give_up(retry, history, now, seed),
    }
}

fn retry_or_give_up(
    retry: RetryReason,
    history: MessageHistory,
    now: Timestamp,
    seed: u64,
) -> Finish {
    let RetryReason { why, cause, scope, requested_wait: wish } = retry;
    // A receiver that asks for a pause asks for it for all messages.
    let scope = if wish.is_some() && scope == FailureScope::Message {
        FailureScope::Notifier
    } else {
        scope
    };
    let again = |pause, counts, rest| {
        Finish::Retry(RetryRecord {
            due: later(now, pause),
            cause,
            scope,
            counts,
            rest_until: rest,
            why: why.clone(),
        })
    };
    if let Some(wish) = wish.filter(|wish| !wish.is_zero()) {
        let pause = wish.clamp(SHORTEST_WISH, LONGEST_WISH) + CLOCK_STEP;
        return again(
            pause + jitter(pause, seed).min(LONGEST_JITTER),
            false,
            Some(later(now, pause)),
        );
    }
    let pause = match cause {
        FailureCause::Unreached | FailureCause::Shut => {
            history.tried_for.clamp(UNCOUNTED[0], UNCOUNTED[1])
        }
        FailureCause::Busy => (history.tried_for / 10).clamp(BUSY, UNCOUNTED[1]),
        FailureCause::Failed => match PAUSES.get(history.counted as usize) {
            Some(pause) => Duration::from_secs(*pause),
            None if history.tried_for < TRIED_FOR => Duration::from_secs(PAUSES[PAUSES.len() - 1]),
            None => {
                return Finish::Dead(format!(
                    "given up after {} attempts; the last: {why}",
                    history.counted + 1
                ));
            }
        },
    };
    again(pause + jitter(pause, seed), cause == FailureCause::Failed, None)
}

/// Up to a tenth of `pause`.
fn jitter(pause: Duration, seed: u64) -> Duration {
    let tenths_of_percent = u32::try_from(seed % 100).unwrap_or_default();
    pause * tenths_of_percent / 1000
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const DAY: Duration = Duration::from_hours(24);
    const NOT_QUITE_TWO_DAYS: Duration = Duration::from_secs(2 * 24 * HOUR - 1);

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).expect("in range")
    }

    fn retry(cause: FailureCause, wish: Option<Duration>) -> Outcome {
        Outcome::Retry(RetryReason {
            why: "421 busy".to_owned(),
            cause,
            scope: FailureScope::Notifier,
            requested_wait: wish,
        })
    }

    fn past(counted: u32, tried_for: Duration) -> MessageHistory {
        MessageHistory { counted, tried_for }
    }

    /// The pause after an attempt, and what is recorded of it.
    fn expect_retry(outcome: Outcome, past: MessageHistory, seed: u64) -> (Duration, RetryRecord) {
        match decide_next_step(outcome, past, now(), seed) {
            Finish::Retry(again) => (again.due.duration_since(now()).unsigned_abs(), again),
            other => panic!("expected another try, got {other:?}"),
        }
    }

    #[rstest]
    fn no_message_is_given_up_within_two_days(
        #[values(
            FailureCause::Unreached,
            FailureCause::Busy,
            FailureCause::Shut,
            FailureCause::Failed
        )]
        cause: FailureCause,
    ) {
        let (mut waited, mut counted, mut attempts) = (Duration::ZERO, 0, 0);
        while waited < 2 * DAY {
            let (pause, again) = expect_retry(retry(cause, None), past(counted, waited), 0);
            waited += pause;
            counted += u32::from(again.counts);
            attempts += 1;
        }
        let expected_attempts = if cause == FailureCause::Failed { 8..10 } else { 2800..3000 };
        assert!(expected_attempts.contains(&attempts), "{attempts}");
        // A message that was tried often is not given up sooner.
        expect_retry(retry(cause, None), past(50, NOT_QUITE_TWO_DAYS), 0);
    }

    #[test]
    fn a_failure_that_counts_kills_after_ten_attempts_and_two_days() {
        let given_up =
            decide_next_step(retry(FailureCause::Failed, None), past(9, 2 * DAY), now(), 0);
        assert_eq!(
            given_up,
            Finish::Dead("given up after 10 attempts; the last: 421 busy".to_owned())
        );
        assert_eq!(
            expect_retry(retry(FailureCause::Failed, None), past(9, NOT_QUITE_TWO_DAYS), 0).0,
            DAY
        );
    }

    #[rstest]
    #[case::away(FailureCause::Unreached, &[5, 5, 10, 20, 40, 60, 60])]
    #[case::shut(FailureCause::Shut, &[5, 5, 10, 20, 40, 60, 60])]
    #[case::failed(FailureCause::Failed, &[5, 60, 600, 3600])]
    fn first_retries_come_soon(#[case] cause: FailureCause, #[case] expected: &[u64]) {
        let (mut waited, mut counted, mut pauses) = (Duration::ZERO, 0, Vec::new());
        for _ in expected {
            let (pause, again) = expect_retry(retry(cause, None), past(counted, waited), 0);
            pauses.push(pause.as_secs());
            waited += pause;
            counted += u32::from(again.counts);
        }
        assert_eq!(pauses, expected);
    }

    #[rstest]
    #[case(1_000)]
    #[case(650)]
    #[case(90_000)]
    #[case(86_400_000)]
    fn a_wish_is_obeyed_never_sooner_and_at_most_a_second_later_and_costs_no_attempt(
        #[values(FailureCause::Busy, FailureCause::Shut, FailureCause::Failed)] cause: FailureCause,
        #[case] milliseconds: u64,
    ) {
        let wish = Duration::from_millis(milliseconds);
        for seed in 0..100 {
            let (pause, again) = expect_retry(retry(cause, Some(wish)), past(9, 3 * DAY), seed);
            assert!((wish..=wish + SECOND).contains(&pause), "{pause:?}");
            assert_eq!(
                (again.rest_until, again.counts),
                (Some(later(now(), wish + CLOCK_STEP)), false)
            );
        }
    }

    #[test]
    fn an_absurd_wish_is_a_day_one_of_nothing_is_none_and_a_tiny_one_does_not_spin() {
        assert_eq!(
            expect_retry(retry(FailureCause::Busy, Some(400 * DAY)), past(0, SECOND), 0).0,
            DAY + CLOCK_STEP
        );
        let (pause, again) =
            expect_retry(retry(FailureCause::Busy, Some(Duration::ZERO)), past(0, SECOND), 0);
        assert_eq!((pause, again.rest_until), (BUSY, None));
        let tiny = expect_retry(
            retry(FailureCause::Busy, Some(Duration::from_nanos(1))),
            past(0, SECOND),
            0,
        )
        .0;
        assert_eq!(tiny, SHORTEST_WISH + CLOCK_STEP);
    }

    #[test]
    fn jitter_adds_at_most_a_tenth() {
        for seed in 0..1000 {
            let (pause, _) = expect_retry(retry(FailureCause::Failed, None), past(2, DAY), seed);
            assert!((600 * SECOND..660 * SECOND).contains(&pause), "{pause:?}");
        }
    }

    #[test]
    fn a_receiver_that_is_gone_rests_and_what_is_for_it_is_kept() {
        let (_, again) = expect_retry(Outcome::Gone("410 gone".to_owned()), past(9, 3 * DAY), 0);
        assert_eq!((again.counts, again.rest_until), (false, Some(breaker::NEVER)));
    }

    #[test]
    fn what_is_too_large_and_cannot_be_halved_is_tried_for_two_days_and_counts_against_nobody_else()
    {
        let too_large = || Outcome::TooLarge("413 too large".to_owned());
        let Finish::TooLarge(again) =
            decide_next_step(too_large(), past(0, Duration::ZERO), now(), 0)
        else {
            panic!("kept")
        };
        assert_eq!((again.scope, again.counts), (FailureScope::Message, true));
        let kept = decide_next_step(too_large(), past(9, NOT_QUITE_TWO_DAYS), now(), 0);
        assert!(matches!(kept, Finish::TooLarge(_)), "{kept:?}");
        assert!(matches!(
            decide_next_step(too_large(), past(9, 2 * DAY), now(), 0),
            Finish::Dead(_)
        ));
    }

    #[test]
    fn a_refusal_is_final() {
        let outcome = Outcome::Refused("550 no such user".to_owned());
        assert_eq!(
            decide_next_step(outcome, past(0, SECOND), now(), 0),
            Finish::Dead("550 no such user".to_owned())
        );
    }
}
