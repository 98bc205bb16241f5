//! Which message each alert of an event joins: the open one, the next one, or a digest. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alerts::digest::DigestReason;
use crate::alerts::silence::Silence;
use crate::alerts::volume;
use crate::alerts::volume::Routing;
use tidings_rules::story::Severity;
use tidings_rules::story::delivery::DeliveryPolicy;

/// An alert that was just recorded, and how its rule and silences route it.
#[derive(Clone, Debug)]
pub struct RoutedAlert<'s> {
    /// Its rule's severity.
    pub severity: Severity,
    /// Whether its rule has alerted for the event before, and its story is an update.
    pub is_update: bool,
    /// What its rule's throttle makes of it.
    pub routing: Routing,
    /// The silence that mutes it longest. `None` for an alert with `firing`, whose matches are
    /// muted one by one.
    pub silence: Option<&'s Silence>,
    /// Why it is told with others in a message of their own, if it meets a condition that held
    /// them.
    pub firing: Option<&'s DigestReason>,
}

/// What is known of a receiver of the alerts.
#[derive(Clone, Copy, Debug)]
pub struct ReceiverState<'s> {
    /// Its notifier's policy.
    pub policy: &'s DeliveryPolicy,
    /// Whether it has a message about the event that still takes alerts.
    pub has_open_message: bool,
    /// When its last messages were created, newest first; as many as its limit counts.
    pub sent: &'s [Timestamp],
}

/// Where an alert goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The open message about the event.
    OpenMessage,
    /// The next message about the event.
    NextMessage,
    /// The digest of that reason; one that is opened for it is due then.
    Digest(DigestReason, Timestamp),
}

impl Destination {
    /// The digest at the end of the silence that mutes an alert.
    #[must_use]
    pub fn muted(silence: &Silence) -> Self {
        Self::Digest(silence.reason(), silence.until)
    }
}

/// Where these alerts of one event go, all of which are for one receiver, in their order.
///
/// - What a silence mutes is gathered until the silence ends.
/// - An update is a message of its own, and so is what a condition held until now.
/// - The others join the open message. Without one, they share the next message if a rule wants
///   one, as far as the receiver's policy allows it.
#[must_use]
pub fn plan(
    alerts: &[RoutedAlert<'_>],
    receiver: ReceiverState<'_>,
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<Destination> {
    let shared = shared_message(alerts, receiver, now, zone);
    let destination = |alert: &RoutedAlert<'_>| match (alert.silence, alert.firing, &shared) {
        (Some(silence), ..) => Destination::muted(silence),
        (None, None, Some(shared)) => shared.clone(),
        (None, firing, _) => own_message(alert, firing, receiver, now, zone),
    };
    alerts.iter().map(destination).collect()
}

/// Where an alert goes that shares no message.
fn own_message(
    alert: &RoutedAlert<'_>,
    firing: Option<&DigestReason>,
    receiver: ReceiverState<'_>,
    now: Timestamp,
    zone: &TimeZone,
) -> Destination {
    if let Routing::Gathered(reason, due) = &alert.routing {
        let due = volume::digest_due(receiver.policy, alert.severity, *due, zone);
        return Destination::Digest(reason.clone(), due);
    }
    let Some(firing) = firing else { return Destination::NextMessage };
    match volume::throttle_receiver(receiver.policy, alert.severity, receiver.sent, now, zone) {
        Routing::Now => Destination::Digest(firing.clone(), now),
        Routing::Gathered(reason, due) => Destination::Digest(reason, due),
    }
}

/// The message that all alerts share that no silence mutes and no condition held others for.
/// `None`: each goes its own way.
fn shared_message(
    alerts: &[RoutedAlert<'_>],
    receiver: ReceiverState<'_>,
    now: Timestamp,
    zone: &TimeZone,
) -> Option<Destination> {
    let unmuted =
        || alerts.iter().filter(|alert| alert.silence.is_none() && alert.firing.is_none());
    let severity = unmuted().map(|alert| alert.severity).max()?;
    if receiver.has_open_message && !unmuted().any(|alert| alert.is_update) {
        return Some(Destination::OpenMessage);
    }
    if !unmuted().any(|alert| alert.routing == Routing::Now) {
        return None;
    }
    match volume::throttle_receiver(receiver.policy, severity, receiver.sent, now, zone) {
        Routing::Now => Some(Destination::NextMessage),
        Routing::Gathered(reason, due) => Some(Destination::Digest(reason, due)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;

    use super::Destination::{NextMessage, OpenMessage};
    use super::*;
    use crate::alerts::silence::SilenceTarget;
    use tidings_rules::story::delivery::RateLimit;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).expect("in range")
    }

    fn now_alert() -> RoutedAlert<'static> {
        let routing = Routing::Now;
        RoutedAlert {
            severity: Severity::High,
            is_update: false,
            routing,
            silence: None,
            firing: None,
        }
    }

    fn gathered() -> RoutedAlert<'static> {
        let reason = DigestReason::Digest { rule: "oil".to_owned() };
        RoutedAlert { routing: Routing::Gathered(reason, at(60)), ..now_alert() }
    }

    fn update() -> RoutedAlert<'static> {
        RoutedAlert { is_update: true, ..now_alert() }
    }

    fn own_digest() -> Destination {
        Destination::Digest(DigestReason::Digest { rule: "oil".to_owned() }, at(60))
    }

    fn limit_digest() -> Destination {
        Destination::Digest(DigestReason::Limit, at(10))
    }

    /// With an open message or without one, below the receiver's limit or at it.
    #[rstest]
    #[case::one(&[now_alert()], [OpenMessage, OpenMessage, NextMessage, limit_digest()])]
    #[case::an_update(
        &[update()],
        [NextMessage, limit_digest(), NextMessage, limit_digest()]
    )]
    #[case::a_digest_rule(
        &[gathered()],
        [OpenMessage, OpenMessage, own_digest(), own_digest()]
    )]
    #[case::both(
        &[gathered(), now_alert()],
        [OpenMessage, OpenMessage, NextMessage, limit_digest()]
    )]
    fn an_alert_goes_where_the_table_says(
        #[case] alerts: &[RoutedAlert<'_>],
        #[case] expected: [Destination; 4],
    ) {
        let limit = Some(RateLimit { most: 1, per: Duration::from_mins(10) });
        let policy = DeliveryPolicy { limit, ..DeliveryPolicy::default() };
        let sent = [at(0)];
        let states = [(true, &[][..]), (true, &sent), (false, &[]), (false, &sent)];
        for ((has_open_message, sent), expected) in states.into_iter().zip(expected) {
            let receiver = ReceiverState { policy: &policy, has_open_message, sent };
            let found = plan(alerts, receiver, at(0), &TimeZone::UTC);
            assert_eq!(found, vec![expected; alerts.len()], "{has_open_message} {sent:?}");
        }
    }

    #[test]
    fn what_is_muted_waits_for_the_silence_and_the_others_do_not() {
        let target = SilenceTarget::Rule("arms".to_owned());
        let why = String::new();
        let silence = Silence { id: 7, target, until: at(90), why, since: at(0) };
        let muted = RoutedAlert { silence: Some(&silence), ..now_alert() };
        let policy = DeliveryPolicy::default();
        for (has_open_message, other) in [(true, OpenMessage), (false, NextMessage)] {
            let receiver = ReceiverState { policy: &policy, has_open_message, sent: &[] };
            let found = plan(&[muted.clone(), now_alert()], receiver, at(0), &TimeZone::UTC);
            let digest = Destination::Digest(silence.reason(), at(90));
            assert_eq!(found, [digest.clone(), other]);
            let found = plan(std::slice::from_ref(&muted), receiver, at(0), &TimeZone::UTC);
            assert_eq!(found, [digest]);
        }
    }
}
