//! The health of a receiver after failed attempts, and how much it is sent until it recovers. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::later;

/// Failures in a row after which a receiver is only probed.
const OPENS_AFTER: u32 = 5;

/// The most messages that a notifier is sent at once.
pub const AT_ONCE: u32 = 8;

/// The pause before the first probe. It grows with the outage.
const FIRST_PROBE: Duration = Duration::from_secs(5);

/// The pause between two probes of a receiver that was away for a minute.
const PROBE: Duration = Duration::from_mins(1);

/// How long a receiver takes nothing before the other receivers get a notice.
const NOTICE_AFTER: Duration = Duration::from_hours(1);

/// Until when a notifier rests that said it is gone for good: longer than any daemon runs. A new
/// run tries it once more.
pub const NEVER: Timestamp = Timestamp::constant(253_370_764_800, 0);

/// The kind of a failure that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureCause {
    /// The receiver was not reached. The attempt does not count.
    Unreached,
    /// The receiver said that it is busy (429, 421, 450). The attempt does not count.
    Busy,
    /// The receiver refused us or our route, not this message (401, 404, a login). The attempt does
    /// not count.
    Shut,
    /// Anything else, an answer that never came included. The attempt counts.
    Failed,
}

/// Whom a failure concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureScope {
    /// Every recipient of the notifier.
    Notifier,
    /// This recipient alone.
    Recipient,
    /// This message alone: others may be taken.
    Message,
}

/// The state of a receiver, or of a whole notifier, whose last attempt failed or that asked for
/// rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifierHealth {
    /// Failed attempts in a row; 0 if it takes messages but asked for a pause.
    pub failures: u32,
    /// When the first of them did.
    pub since: Timestamp,
    /// Nothing is sent before.
    pub rests_until: Timestamp,
    /// Why the last of them failed.
    pub why: String,
    /// Whether the other receivers got a notice.
    pub announced: bool,
}

/// What a receiver may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendAllowance {
    /// All that is due, as far as there is room.
    All,
    /// One message, to see whether it is back.
    Probe,
    /// Nothing until then.
    NotBefore(Timestamp),
}

impl NotifierHealth {
    /// Whether it failed so often that it is only probed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.failures >= OPENS_AFTER
    }

    /// Whether it said that it is gone for good.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.rests_until >= NEVER
    }

    /// Whether it rested, and took nothing since.
    fn has_rested(&self) -> bool {
        self.rests_until > self.since
    }

    /// Whether the other receivers get a notice now.
    #[must_use]
    pub fn needs_notice(&self, now: Timestamp) -> bool {
        let takes_nothing = self.is_open() || now < self.rests_until;
        let long = takes_nothing && later(self.since, NOTICE_AFTER) <= now;
        !self.announced && (self.is_gone() || long)
    }
}

/// The state after one more failed attempt. `wish`: the end of the pause that the receiver asked
/// for.
///
/// A pause holds as asked, however often the receiver failed; an earlier one holds on.
#[must_use]
pub fn record_failure(
    before: Option<NotifierHealth>,
    cause: FailureCause,
    why: &str,
    wish: Option<Timestamp>,
    now: Timestamp,
) -> NotifierHealth {
    let before = before.filter(|before| before.failures > 0 || now < before.rests_until);
    let mut health = before.unwrap_or_else(|| NotifierHealth {
        failures: 0,
        since: now,
        rests_until: now,
        why: String::new(),
        announced: false,
    });
    why.clone_into(&mut health.why);
    health.failures = health.failures.saturating_add(1);
    let until = wish.or_else(|| Some(later(now, own_rest(&health, cause, now)?)));
    health.rests_until = health.rests_until.max(until.unwrap_or(health.rests_until));
    health
}

/// How long a receiver rests that did not ask for it; `None`: it does not.
///
/// One that is busy still takes some of what it is sent. Only where it takes nothing of as much as
/// is sent at once does it rest, for a second at first.
fn own_rest(health: &NotifierHealth, cause: FailureCause, now: Timestamp) -> Option<Duration> {
    if cause == FailureCause::Busy {
        let beyond = health.failures.checked_sub(AT_ONCE)?;
        return Some(Duration::from_secs(1 << beyond.min(6)).min(PROBE));
    }
    let age = Duration::try_from(now.duration_since(health.since)).unwrap_or_default();
    health.is_open().then(|| age.clamp(FIRST_PROBE, PROBE))
}

/// The state after a message was taken. `None`: the receiver is healthy.
///
/// The message may have been in flight when the receiver asked for a pause, so a pause holds on.
#[must_use]
pub fn after_delivery(before: NotifierHealth, now: Timestamp) -> Option<NotifierHealth> {
    let holds = now < before.rests_until && !before.is_gone();
    holds.then_some(NotifierHealth { failures: 0, since: now, announced: false, ..before })
}

/// Whether a notice is sent for a message that was first tried then and is refused for its content.
#[must_use]
pub fn is_long_refused(tried_since: Timestamp, now: Timestamp) -> bool {
    later(tried_since, NOTICE_AFTER) <= now
}

/// What a receiver may be sent at `now`; `None` is one that takes messages.
#[must_use]
pub fn allowance(health: Option<&NotifierHealth>, now: Timestamp) -> SendAllowance {
    match health {
        Some(health) if now < health.rests_until => SendAllowance::NotBefore(health.rests_until),
        Some(health) if health.is_open() || health.has_rested() => SendAllowance::Probe,
        _ => SendAllowance::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
    }

    /// The state after failures of `cause` at these seconds.
    fn after(cause: FailureCause, failures: &[i64]) -> NotifierHealth {
        let mut health = None;
        for second in failures {
            health = Some(record_failure(health, cause, "connection refused", None, at(*second)));
        }
        health.expect("a failure")
    }

    fn unreached(failures: &[i64]) -> NotifierHealth {
        after(FailureCause::Unreached, failures)
    }

    #[test]
    fn four_failures_hinder_nothing_and_the_fifth_leaves_probes() {
        assert_eq!(allowance(None, at(0)), SendAllowance::All);
        assert_eq!(allowance(Some(&unreached(&[0, 1, 2, 3])), at(3)), SendAllowance::All);
        let open = unreached(&[0, 1, 2, 3, 4]);
        assert_eq!(allowance(Some(&open), at(8)), SendAllowance::NotBefore(at(9)));
        assert_eq!(allowance(Some(&open), at(9)), SendAllowance::Probe);
    }

    #[test]
    fn probes_become_rarer_with_the_outage_down_to_one_a_minute() {
        let mut failures = vec![0, 0, 0, 0, 0];
        let mut probes = Vec::new();
        for _ in 0..7 {
            let SendAllowance::NotBefore(next) =
                allowance(Some(&unreached(&failures)), at(*failures.last().unwrap()))
            else {
                panic!("it rests")
            };
            let second = next.duration_since(at(0)).as_secs();
            probes.push(second);
            failures.push(second);
        }
        assert_eq!(probes, [5, 10, 20, 40, 80, 140, 200]);
    }

    #[test]
    fn a_wish_is_obeyed_as_it_stands_from_the_first_failure_on() {
        let asked = record_failure(None, FailureCause::Busy, "429", Some(at(90)), at(0));
        assert_eq!(allowance(Some(&asked), at(89)), SendAllowance::NotBefore(at(90)));
        assert_eq!(allowance(Some(&asked), at(90)), SendAllowance::Probe);
        // What was under way when it asked does not take the wish back.
        let again =
            record_failure(Some(asked.clone()), FailureCause::Failed, "timeout", None, at(1));
        assert_eq!(again.rests_until, at(90));
        let taken = after_delivery(asked, at(1)).expect("the wish holds");
        assert_eq!(
            (allowance(Some(&taken), at(89)), allowance(Some(&taken), at(90))),
            (SendAllowance::NotBefore(at(90)), SendAllowance::Probe)
        );
        assert_eq!(after_delivery(taken, at(90)), None);
        // After many failures, too.
        let away = record_failure(
            Some(unreached(&[0, 0, 0, 0, 0, 0])),
            FailureCause::Busy,
            "429",
            Some(at(6)),
            at(5),
        );
        assert_eq!(away.rests_until, at(6));
    }

    #[test]
    fn one_that_is_busy_rests_only_where_it_takes_nothing_at_all() {
        let busy = |times: usize| after(FailureCause::Busy, &vec![0; times]);
        assert_eq!(allowance(Some(&busy(4)), at(0)), SendAllowance::All);
        assert_eq!(allowance(Some(&busy(7)), at(0)), SendAllowance::Probe);
        for (times, rest) in [(8, 1), (9, 2), (12, 16), (14, 60), (99, 60)] {
            assert_eq!(
                allowance(Some(&busy(times)), at(0)),
                SendAllowance::NotBefore(at(rest)),
                "{times}"
            );
        }
    }

    #[test]
    fn one_that_is_gone_for_good_is_sent_nothing_more_and_is_reported_at_once() {
        let gone = record_failure(None, FailureCause::Shut, "410", Some(NEVER), at(0));
        assert_eq!(allowance(Some(&gone), at(100_000_000)), SendAllowance::NotBefore(NEVER));
        assert!(gone.needs_notice(at(0)));
        assert!(!NotifierHealth { announced: true, ..gone }.needs_notice(at(0)));
    }

    #[test]
    fn an_hour_away_is_reported_once() {
        let away = unreached(&[0, 1, 2, 3, 4]);
        assert!(!away.needs_notice(at(3599)));
        assert!(away.needs_notice(at(3600)));
        assert!(!NotifierHealth { announced: true, ..away }.needs_notice(at(3600)));
        assert!(!unreached(&[0, 1]).needs_notice(at(9999)), "it may only have had nothing to send");
        let rests = record_failure(None, FailureCause::Busy, "429", Some(at(9000)), at(0));
        assert!(rests.needs_notice(at(3600)), "it wants three hours of rest");
    }
}
