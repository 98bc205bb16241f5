//! The health of all receivers, and how the attempts of a turn change it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::alerts::Receiver;
use crate::alerts::breaker::{self, FailureScope, NotifierHealth};
use crate::alerts::notice::{Notice, NoticeKind};
use crate::alerts::retry::{Finish, RetryRecord};
use tidings_rules::story::NotifierName;

/// The health of all receivers.
#[derive(Clone, Debug, Default)]
pub struct ReceiverHealth {
    /// The health of every receiver whose last attempt failed or that asked for rest. A receiver
    /// without a recipient is a whole notifier.
    pub away: BTreeMap<Receiver, NotifierHealth>,
    /// Receivers whose last message became dead.
    pub(crate) refusals: BTreeMap<Receiver, ReceiverRefusal>,
}

/// A receiver's last message became dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReceiverRefusal {
    /// When the first of its messages in a row did.
    pub(crate) since: Timestamp,
    /// The receiver's reason.
    pub(crate) why: String,
    /// Whether the other receivers got a notice.
    pub(crate) announced: bool,
}

impl ReceiverHealth {
    /// The health of the receivers of these notifiers.
    #[must_use]
    pub fn of_notifiers(mut self, is_one: impl Fn(&NotifierName) -> bool) -> Self {
        self.away.retain(|receiver, _| is_one(&receiver.notifier));
        self.refusals.retain(|receiver, _| is_one(&receiver.notifier));
        self
    }

    /// Notices of the refusals that were not announced.
    pub fn unannounced_refusals(&self) -> impl Iterator<Item = Notice> {
        let unannounced = self.refusals.iter().filter(|(_, refusal)| !refusal.announced);
        unannounced.map(|(receiver, refusal)| {
            Notice::new(NoticeKind::Refused, receiver, refusal.since, refusal.why.clone())
        })
    }
}

/// The health of all receivers, and which of it has changed since it was read.
#[derive(Debug)]
pub(crate) struct HealthChanges {
    pub(crate) health: ReceiverHealth,
    /// Receivers whose health has changed.
    pub(crate) changed: BTreeSet<Receiver>,
    /// Receivers that began to refuse messages, or ceased to.
    pub(crate) refusals: BTreeSet<Receiver>,
    /// Receivers that took a message after failures, with the health before.
    pub(crate) recovered: Vec<(Receiver, NotifierHealth)>,
}

impl HealthChanges {
    pub(crate) fn new(health: ReceiverHealth) -> Self {
        let (changed, refusals) = (BTreeSet::new(), BTreeSet::new());
        Self { health, changed, refusals, recovered: Vec::new() }
    }

    /// Applies the result of an attempt at a message to the health of its receiver or notifier.
    /// `tried_since` is when the message was first tried. A refusal is kept apart from the health,
    /// because the receiver may take the next message.
    pub(crate) fn apply(
        &mut self,
        receiver: &Receiver,
        tried_since: Timestamp,
        finish: &Finish,
        now: Timestamp,
    ) {
        match finish {
            Finish::Sent(_) => {
                if self.health.refusals.remove(receiver).is_some() {
                    self.refusals.insert(receiver.clone());
                }
                self.apply_success(receiver, now);
                if !receiver.recipient.is_empty() {
                    self.apply_success(&Receiver::whole_notifier(&receiver.notifier), now);
                }
            }
            Finish::Retry(retry) | Finish::TooLarge(retry) => {
                self.apply_failure(receiver, tried_since, retry, now);
            }
            Finish::Dead(why) => self.apply_refusal(receiver, why, now),
        }
    }

    fn apply_failure(
        &mut self,
        receiver: &Receiver,
        tried_since: Timestamp,
        retry: &RetryRecord,
        now: Timestamp,
    ) {
        let notifier = Receiver::whole_notifier(&receiver.notifier);
        let concerned = match retry.scope {
            FailureScope::Notifier => &notifier,
            FailureScope::Recipient => receiver,
            FailureScope::Message if breaker::is_long_refused(tried_since, now) => {
                return self.apply_refusal(receiver, &retry.why, now);
            }
            FailureScope::Message => return,
        };
        let before = self.health.away.remove(concerned);
        let state = breaker::record_failure(before, retry.cause, &retry.why, retry.rest_until, now);
        self.health.away.insert(concerned.clone(), state);
        self.changed.insert(concerned.clone());
        if *concerned != notifier {
            // The server answered for one of its recipients, so the notifier itself works.
            self.apply_success(&notifier, now);
        }
    }

    fn apply_refusal(&mut self, receiver: &Receiver, why: &str, now: Timestamp) {
        if !self.health.refusals.contains_key(receiver) {
            let refusal = ReceiverRefusal { since: now, why: why.to_owned(), announced: false };
            self.health.refusals.insert(receiver.clone(), refusal);
            self.refusals.insert(receiver.clone());
        }
    }

    fn apply_success(&mut self, receiver: &Receiver, now: Timestamp) {
        let Some(before) = self.health.away.remove(receiver) else { return };
        if let Some(rests) = breaker::after_delivery(before.clone(), now) {
            self.health.away.insert(receiver.clone(), rests);
        }
        self.changed.insert(receiver.clone());
        self.recovered.push((receiver.clone(), before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::breaker::FailureCause;
    use tidings_rules::story::NotifierName;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn receiver(recipient: &str) -> Receiver {
        Receiver { notifier: NotifierName("mail".to_owned()), recipient: recipient.to_owned() }
    }

    fn failure(scope: FailureScope) -> Finish {
        Finish::Retry(RetryRecord {
            due: at(60),
            cause: FailureCause::Failed,
            scope,
            counts: true,
            rest_until: None,
            why: "451".to_owned(),
        })
    }

    /// The recipients that are away and those that refuse messages, after these attempts at
    /// messages to ana, each first tried at the second 0.
    fn after(attempts: &[(i64, Finish)]) -> (Vec<String>, Vec<String>, HealthChanges) {
        let mut changes = HealthChanges::new(ReceiverHealth::default());
        for (second, finish) in attempts {
            changes.apply(&receiver("ana"), at(0), finish, at(*second));
        }
        let names = |receivers: Vec<&Receiver>| {
            receivers.into_iter().map(|one| one.recipient.clone()).collect()
        };
        let away = names(changes.health.away.keys().collect());
        let refuse = names(changes.health.refusals.keys().collect());
        (away, refuse, changes)
    }

    #[test]
    fn a_failure_concerns_the_notifier_the_recipient_or_neither() {
        for (scope, away) in [
            (FailureScope::Notifier, vec![""]),
            (FailureScope::Recipient, vec!["ana"]),
            (FailureScope::Message, vec![]),
        ] {
            let (found, refuse, changes) = after(&[(1, failure(scope))]);
            assert_eq!((found, refuse), (away.iter().map(ToString::to_string).collect(), vec![]));
            assert_eq!(changes.changed.len(), away.len(), "{scope:?}");
        }
    }

    #[test]
    fn a_message_that_is_refused_for_an_hour_is_a_refusal() {
        let (away, refuse, changes) = after(&[(3600, failure(FailureScope::Message))]);
        assert_eq!((away, refuse), (vec![], vec!["ana".to_owned()]));
        let notices: Vec<Notice> = changes.health.unannounced_refusals().collect();
        assert_eq!((notices.len(), notices[0].since), (1, at(3600)));
    }

    #[test]
    fn a_success_ends_failures_and_refusals() {
        let sent = Finish::Sent("250".to_owned());
        let (away, refuse, changes) = after(&[
            (1, failure(FailureScope::Recipient)),
            (2, Finish::Dead("550".to_owned())),
            (3, sent),
        ]);
        assert_eq!((away, refuse), (vec![], vec![]));
        assert_eq!(changes.recovered.len(), 1);
        assert_eq!(changes.refusals, [receiver("ana")].into());
    }

    #[test]
    fn a_recipient_that_is_answered_for_ends_the_failures_of_the_notifier() {
        let (away, _, changes) =
            after(&[(1, failure(FailureScope::Notifier)), (2, failure(FailureScope::Recipient))]);
        assert_eq!(away, ["ana"]);
        assert_eq!(changes.recovered[0].0, receiver(""));
    }

    #[test]
    fn the_first_refusal_of_a_row_is_kept() {
        let (_, _, changes) =
            after(&[(1, Finish::Dead("550 a".to_owned())), (2, Finish::Dead("550 b".to_owned()))]);
        let refusal = &changes.health.refusals[&receiver("ana")];
        assert_eq!((refusal.since, refusal.why.as_str()), (at(1), "550 a"));
    }
}
