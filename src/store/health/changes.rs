//! How the attempts of one turn change the health of their receivers: computed in memory, then
//! written.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Sqlite};

use super::{ReceiverHealth, bring_retries_forward, refusal_notice, whole_notifier};
use crate::alerts::Receiver;
use crate::alerts::breaker;
use crate::alerts::breaker::{FailureScope, NotifierHealth};
use crate::alerts::retry::{Finish, RetryRecord};
use crate::store::Lease;
use crate::store::column::to_millis;

/// The health of all receivers, and which of it has changed since it was read.
pub(in crate::store) struct HealthChanges {
    health: ReceiverHealth,
    /// Receivers whose health has changed.
    changed: BTreeSet<Receiver>,
    /// Receivers that began to refuse messages, or ceased to.
    refused: BTreeSet<Receiver>,
    /// Receivers that took a message after failures, with the health before.
    recovered: Vec<(Receiver, NotifierHealth)>,
}

impl HealthChanges {
    pub(in crate::store) fn new(health: ReceiverHealth) -> Self {
        let (changed, refused) = (BTreeSet::new(), BTreeSet::new());
        Self { health, changed, refused, recovered: Vec::new() }
    }

    /// Applies the result of an attempt to the health of its receiver or notifier. A refusal is
    /// kept apart from the health, because the receiver may take the next message.
    pub(in crate::store) fn apply(&mut self, lease: &Lease, finish: &Finish, now: Timestamp) {
        let receiver = &lease.receiver;
        match finish {
            Finish::Sent(_) => {
                if self.health.refused.remove(receiver).is_some() {
                    self.refused.insert(receiver.clone());
                }
                self.apply_success(receiver, now);
                if !receiver.recipient.is_empty() {
                    self.apply_success(&whole_notifier(&receiver.notifier), now);
                }
            }
            Finish::Retry(retry) | Finish::TooLarge(retry) => self.apply_failure(lease, retry, now),
            Finish::Dead(why) => self.apply_refusal(receiver, why, now),
        }
    }

    fn apply_failure(&mut self, lease: &Lease, retry: &RetryRecord, now: Timestamp) {
        let notifier = whole_notifier(&lease.receiver.notifier);
        let concerned = match retry.scope {
            FailureScope::Notifier => &notifier,
            FailureScope::Recipient => &lease.receiver,
            FailureScope::Message if breaker::is_long_refused(lease.tried_since, now) => {
                return self.apply_refusal(&lease.receiver, &retry.why, now);
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
        if !self.health.refused.contains_key(receiver) {
            let notice = refusal_notice(receiver, now, why.to_owned());
            self.health.refused.insert(receiver.clone(), (notice, false));
            self.refused.insert(receiver.clone());
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

    /// Writes the changes, and returns the health. Messages to receivers that are back are tried
    /// soon, and those who were notified that they were away get a notice that they are back.
    pub(in crate::store) async fn write(
        self,
        conn: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<ReceiverHealth, sqlx::Error> {
        self.write_health(conn, now).await?;
        self.write_refusals(conn).await?;
        for (receiver, before) in &self.recovered {
            if before.is_open() {
                bring_retries_forward(conn, receiver, now).await?;
            }
            if before.announced {
                super::insert_recovery_notice(conn, receiver, before, now).await?;
            }
        }
        Ok(self.health)
    }

    async fn write_health(
        &self,
        conn: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let mut delete =
            QueryBuilder::<Sqlite>::new("DELETE FROM health WHERE (notifier, recipient) IN (");
        delete.push_values(&self.changed, |mut values, receiver| {
            values.push_bind(&receiver.notifier.0).push_bind(&receiver.recipient);
        });
        delete.push(")");
        delete.build().execute(&mut *conn).await?;
        let away = self.changed.iter().filter_map(|one| Some((one, self.health.away.get(one)?)));
        let away: Vec<_> = away.collect();
        if away.is_empty() {
            return Ok(());
        }
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO health (notifier, recipient, failures, since, rests_until, rest_set_at, why, announced) ",
        );
        insert.push_values(away, |mut values, (receiver, state)| {
            values
                .push_bind(&receiver.notifier.0)
                .push_bind(&receiver.recipient)
                .push_bind(i64::from(state.failures))
                .push_bind(to_millis(state.since))
                .push_bind(to_millis(state.rests_until))
                .push_bind(to_millis(now))
                .push_bind(&state.why)
                .push_bind(state.announced);
        });
        insert.build().execute(conn).await?;
        Ok(())
    }

    async fn write_refusals(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        if self.refused.is_empty() {
            return Ok(());
        }
        let mut delete =
            QueryBuilder::<Sqlite>::new("DELETE FROM refusal WHERE (notifier, recipient) IN (");
        delete.push_values(&self.refused, |mut values, receiver| {
            values.push_bind(&receiver.notifier.0).push_bind(&receiver.recipient);
        });
        delete.push(")");
        delete.build().execute(&mut *conn).await?;
        let refused =
            self.refused.iter().filter_map(|one| Some((one, self.health.refused.get(one)?)));
        let refused: Vec<_> = refused.collect();
        if refused.is_empty() {
            return Ok(());
        }
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO refusal (notifier, recipient, since, why, announced) ",
        );
        insert.push_values(refused, |mut values, (receiver, (notice, announced))| {
            values
                .push_bind(&receiver.notifier.0)
                .push_bind(&receiver.recipient)
                .push_bind(to_millis(notice.since))
                .push_bind(&notice.why)
                .push_bind(*announced);
        });
        insert.build().execute(conn).await?;
        Ok(())
    }
}
