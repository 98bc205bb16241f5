//! Whether an alert is sent at once or gathered, and why: silences, digests, bursts, quiet hours,
//! limits. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alerts::digest::DigestReason;
use crate::alerts::{RuleMatch, calendar};
use crate::clock::later;
use tidings_rules::condition::Publishers;
use tidings_rules::story::delivery::{Burst, Cadence, DeliveryPolicy};
use tidings_rules::story::{NotifierName, Severity};

/// The throttle of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Throttle {
    /// Its `burst`.
    pub burst: Option<Burst>,
    /// Its `digest`.
    pub digest: Option<Cadence>,
}

/// What notifiers say of it, and the zone of all times of day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryPolicies {
    /// By notifier; one that says nothing may be missing.
    pub policies: BTreeMap<NotifierName, DeliveryPolicy>,
    /// The configuration's zone.
    pub zone: TimeZone,
    /// The names of publishers.
    pub publishers: Publishers,
}

/// What becomes of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routing {
    /// It is sent at once.
    Now,
    /// It joins the digest of that reason; one that is opened for it is due then.
    Gathered(DigestReason, Timestamp),
}

/// Applies the rule's throttle to an alert at `now`. `before`: the times of earlier alerts of the
/// same rule and row, newest first; as many as a burst sends at once are enough. Times after `now`,
/// from a wrong clock, do not count.
#[must_use]
pub fn throttle_rule(
    rule_match: &RuleMatch,
    throttle: &Throttle,
    before: &[Timestamp],
    now: Timestamp,
    zone: &TimeZone,
) -> Routing {
    let rule = rule_match.rule.clone();
    if let Some(cadence) = &throttle.digest {
        return Routing::Gathered(DigestReason::Digest { rule }, calendar::due(cadence, now, zone));
    }
    match &throttle.burst {
        Some(burst) if is_burst(burst, before, now) => {
            let row = rule_match.row.clone();
            Routing::Gathered(DigestReason::Burst { rule, row }, later(now, burst.then))
        }
        _ => Routing::Now,
    }
}

/// Whether the alerts that are sent at once are used up, without a quiet time after any of them.
fn is_burst(burst: &Burst, before: &[Timestamp], now: Timestamp) -> bool {
    let first = burst.first as usize;
    let before = since_set_back(before, now);
    let mut gaps = std::iter::once(&now).chain(before).zip(before).take(first);
    let close = |(later, earlier): (&Timestamp, &Timestamp)| {
        earlier.checked_add(burst.then).is_ok_and(|quiet_from| *later < quiet_from)
    };
    before.len() >= first && gaps.all(close)
}

/// The times in `before`, newest first, down to the first that is later than `now`: a clock was set
/// back after that one.
fn since_set_back(before: &[Timestamp], now: Timestamp) -> &[Timestamp] {
    let known = before.iter().position(|time| *time > now).unwrap_or(before.len());
    &before[..known]
}

/// What a receiver's policy make of a message of that severity that is to go at `at`, after
/// messages to the same receiver at `before`, newest first.
#[must_use]
pub fn throttle_receiver(
    policy: &DeliveryPolicy,
    severity: Severity,
    before: &[Timestamp],
    at: Timestamp,
    zone: &TimeZone,
) -> Routing {
    if let Some(end) = quiet_end(policy, severity, at, zone) {
        return Routing::Gathered(DigestReason::Quiet, end);
    }
    let before = since_set_back(before, at);
    let overflows = policy.limit.and_then(|limit| {
        let oldest = before.get((limit.most as usize).checked_sub(1)?)?;
        oldest.checked_add(limit.per).ok().filter(|free| at < *free)
    });
    overflows.map_or(Routing::Now, |free| Routing::Gathered(DigestReason::Limit, free))
}

/// When a digest may go out that is due at `due`: not in quiet hours that its severity does not
/// pierce.
#[must_use]
pub fn digest_due(
    policy: &DeliveryPolicy,
    severity: Severity,
    due: Timestamp,
    zone: &TimeZone,
) -> Timestamp {
    quiet_end(policy, severity, due, zone).unwrap_or(due)
}

fn quiet_end(
    policy: &DeliveryPolicy,
    severity: Severity,
    at: Timestamp,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let quiet = policy.quiet.as_ref().filter(|quiet| !quiet.except.contains(&severity))?;
    calendar::quiet_until(quiet, at, zone)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use tidings_rules::story::WatchlistRow;
    use tidings_rules::story::delivery::{QuietHours, RateLimit, time_of_day};

    fn at(minutes: i64) -> Timestamp {
        // 2027-01-15T08:00:00Z
        Timestamp::from_second(1_800_000_000 + minutes * 60).expect("in range")
    }

    fn times(minutes: &[i64]) -> Vec<Timestamp> {
        minutes.iter().map(|minute| at(*minute)).collect()
    }

    fn arms(row: Option<WatchlistRow>) -> RuleMatch {
        RuleMatch {
            rule: "arms".to_owned(),
            row,
            version: String::new(),
            text_sha256: None,
            severity: Severity::High,
            why: None,
            owner: None,
            tags: vec![],
            condition: None,
            evidence: vec![],
        }
    }

    #[test]
    fn a_burst_is_sent_three_times_and_then_gathered_until_it_is_quiet() {
        let burst = Burst { first: 3, then: Duration::from_mins(30) };
        let throttle = Throttle { burst: Some(burst), digest: None };
        let row = Some(WatchlistRow { id: "36".to_owned(), label: "Ivan Petrov".to_owned() });
        let gathered = |due| {
            Routing::Gathered(
                DigestReason::Burst { rule: "arms".to_owned(), row: row.clone() },
                at(due),
            )
        };
        for (before, expected) in [
            (&[][..], Routing::Now),
            (&[99, 98], Routing::Now),
            (&[99, 98, 97], gathered(130)),
            (&[71, 42, 13], gathered(130)),
            (&[70, 69, 68], Routing::Now),
            (&[99, 98, 68], Routing::Now),
            (&[99, 69, 68], Routing::Now),
        ] {
            assert_eq!(
                throttle_rule(
                    &arms(row.clone()),
                    &throttle,
                    &times(before),
                    at(100),
                    &TimeZone::UTC
                ),
                expected,
                "{before:?}"
            );
        }
    }

    #[test]
    fn a_clock_that_was_ahead_holds_no_alert_back() {
        let throttle = Throttle {
            burst: Some(Burst { first: 3, then: Duration::from_mins(30) }),
            digest: None,
        };
        let policy = DeliveryPolicy {
            quiet: None,
            limit: Some(RateLimit { most: 3, per: Duration::from_hours(1) }),
        };
        for before in [&[500, 499, 498][..], &[99, 98, 500]] {
            assert_eq!(
                throttle_rule(&arms(None), &throttle, &times(before), at(100), &TimeZone::UTC),
                Routing::Now,
                "{before:?}"
            );
            let way =
                throttle_receiver(&policy, Severity::High, &times(before), at(100), &TimeZone::UTC);
            assert_eq!(way, Routing::Now, "{before:?}");
        }
    }

    #[test]
    fn a_digest_gathers_from_the_first_alert_on() {
        let throttle =
            Throttle { burst: None, digest: Some(Cadence::Every(Duration::from_hours(1))) };
        let gathered = Routing::Gathered(DigestReason::Digest { rule: "arms".to_owned() }, at(60));
        assert_eq!(throttle_rule(&arms(None), &throttle, &[], at(0), &TimeZone::UTC), gathered);
        assert_eq!(
            throttle_rule(
                &arms(None),
                &Throttle::default(),
                &times(&[0, 0, 0]),
                at(0),
                &TimeZone::UTC
            ),
            Routing::Now
        );
    }

    #[test]
    fn quiet_hours_gather_all_but_what_pierces_them() {
        let time = |text| time_of_day(text).expect("a time");
        let quiet = QuietHours {
            from: time("07:00"),
            to: time("09:00"),
            except: [Severity::Critical].into(),
        };
        let policy = DeliveryPolicy { quiet: Some(quiet), limit: None };
        let way = |severity, minute| {
            throttle_receiver(&policy, severity, &[], at(minute), &TimeZone::UTC)
        };
        assert_eq!(way(Severity::High, 0), Routing::Gathered(DigestReason::Quiet, at(60)));
        assert_eq!(way(Severity::Critical, 0), Routing::Now);
        assert_eq!(way(Severity::High, 60), Routing::Now);
        assert_eq!(digest_due(&policy, Severity::High, at(10), &TimeZone::UTC), at(60));
        assert_eq!(digest_due(&policy, Severity::Critical, at(10), &TimeZone::UTC), at(10));
    }

    #[test]
    fn a_limit_gathers_what_is_beyond_it_until_there_is_room() {
        let policy = DeliveryPolicy {
            quiet: None,
            limit: Some(RateLimit { most: 2, per: Duration::from_hours(1) }),
        };
        let way = |before: &[i64]| {
            throttle_receiver(&policy, Severity::High, &times(before), at(100), &TimeZone::UTC)
        };
        assert_eq!(way(&[99]), Routing::Now);
        assert_eq!(way(&[99, 50]), Routing::Gathered(DigestReason::Limit, at(110)));
        assert_eq!(way(&[99, 40]), Routing::Now);
    }
}
