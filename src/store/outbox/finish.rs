//! Records the results of attempts: the status of their messages and the health of their receivers.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Sqlite};

use crate::alerts::breaker::FailureCause;
use crate::alerts::receiver_health::{HealthChanges, ReceiverHealth};
use crate::alerts::retry::Finish;
use crate::lifecycle::message::{
    AttemptOutcome, MessageEvent, MessageStatus, MessageTransition, PayloadChange,
};
use crate::store::column::{to_json, to_millis};
use crate::store::dialect::id_list;
use crate::store::status::next_message_status;
use crate::store::{Lease, digest, health};

/// Records the results of attempts, as [`outbox_turn`](crate::store::Store::outbox_turn) says.
/// Returns the health of all receivers after that.
pub(in crate::store) async fn record_outcomes(
    conn: &mut SqliteConnection,
    run: i64,
    ended: &[(Lease, Finish)],
    now: Timestamp,
) -> Result<ReceiverHealth, sqlx::Error> {
    let halved = find_halved(conn, ended).await?;
    let ended: Vec<EndedAttempt<'_>> = ended
        .iter()
        .map(|(lease, finish)| EndedAttempt::new(lease, finish, halved.contains(&lease.message)))
        .collect::<Result<_, _>>()?;
    let released = release_leases(conn, run, &ended, now).await?;
    let ended: Vec<_> =
        ended.into_iter().filter(|one| released.contains(&one.lease.message)).collect();
    end_attempts(conn, &ended, now).await?;
    let mut changes = HealthChanges::new(health::read_receiver_health(conn).await?);
    for EndedAttempt { lease, finish, .. } in ended {
        if halved.contains(&lease.message) {
            digest::halve_digest(conn, lease.message, now).await?;
            continue;
        }
        changes.apply(&lease.receiver, lease.tried_since, finish, now);
    }
    health::write_changes(conn, &changes, now).await?;
    Ok(changes.health)
}

/// The digests of several alerts that their receivers refused as too large.
async fn find_halved(
    conn: &mut SqliteConnection,
    ended: &[(Lease, Finish)],
) -> Result<BTreeSet<i64>, sqlx::Error> {
    let refused: Vec<i64> = ended
        .iter()
        .filter(|(lease, finish)| lease.is_digest && matches!(finish, Finish::TooLarge(_)))
        .map(|(lease, _)| lease.message)
        .collect();
    if refused.is_empty() {
        return Ok(BTreeSet::new());
    }
    let halved: Vec<i64> = sqlx::query_scalar(concat!(
        "SELECT message FROM message_alert WHERE message IN ",
        id_list!("$1"),
        " GROUP BY message HAVING count(*) > 1"
    ))
    .bind(to_json(&refused)?)
    .fetch_all(conn)
    .await?;
    Ok(halved.into_iter().collect())
}

/// Releases the leases that these attempts of this run still hold, and returns their messages. The
/// other messages stay unchanged.
async fn release_leases(
    conn: &mut SqliteConnection,
    run: i64,
    ended: &[EndedAttempt<'_>],
    now: Timestamp,
) -> Result<BTreeSet<i64>, sqlx::Error> {
    if ended.is_empty() {
        return Ok(BTreeSet::new());
    }
    // LOCK: a second writer needs the fence of this run's share before this.
    let mut update = QueryBuilder::<Sqlite>::new(
        "WITH ended (message, attempt, status, counts, due, why, may_have_arrived, is_opened) AS (",
    );
    update.push_values(ended, |mut values, one| {
        values
            .push_bind(one.lease.message)
            .push_bind(one.lease.attempt)
            .push_bind(one.next.status.as_str())
            .push_bind(i64::from(one.counts))
            .push_bind(one.due.map(to_millis))
            .push_bind(one.why)
            .push_bind(one.may_have_arrived)
            .push_bind(one.next.payload == PayloadChange::Opened);
    });
    update.push(
        ") UPDATE message
           SET status = ended.status, lease = NULL, due = coalesce(ended.due, message.due), why = ended.why, due_set_at = ",
    );
    update.push_bind(to_millis(now));
    update.push(
        ", may_have_arrived = ended.may_have_arrived,
               counted_attempts = counted_attempts + ended.counts,
               payload = CASE WHEN ended.is_opened THEN NULL ELSE payload END
           FROM ended JOIN attempt AS held ON held.id = ended.attempt
           WHERE message.id = ended.message AND message.lease = held.id AND held.run = ",
    );
    update.push_bind(run).push(" RETURNING message.id");
    Ok(update.build_query_scalar().fetch_all(conn).await?.into_iter().collect())
}

/// Records the ends of the attempts.
async fn end_attempts(
    conn: &mut SqliteConnection,
    ended: &[EndedAttempt<'_>],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if ended.is_empty() {
        return Ok(());
    }
    let mut update = QueryBuilder::<Sqlite>::new("WITH ended (attempt, outcome, why) AS (");
    update.push_values(ended, |mut values, one| {
        values.push_bind(one.lease.attempt).push_bind(one.outcome.as_str()).push_bind(one.why);
    });
    update.push(") UPDATE attempt SET outcome = ended.outcome, why = ended.why, ended = ");
    update.push_bind(to_millis(now)).push(" FROM ended WHERE attempt.id = ended.attempt");
    update.build().execute(conn).await?;
    Ok(())
}

/// An attempt that has ended, and what follows from it.
struct EndedAttempt<'f> {
    lease: &'f Lease,
    finish: &'f Finish,
    outcome: AttemptOutcome,
    /// What becomes of the message.
    next: MessageTransition,
    /// Whether this attempt or one before may have delivered the message.
    may_have_arrived: bool,
    /// Whether the attempt counts against the schedule.
    counts: bool,
    /// When the message is due again, if it is.
    due: Option<Timestamp>,
    why: &'f str,
}

impl<'f> EndedAttempt<'f> {
    fn new(lease: &'f Lease, finish: &'f Finish, is_halved: bool) -> Result<Self, sqlx::Error> {
        let (outcome, counts, due, why) = match finish {
            Finish::Sent(answer) => (AttemptOutcome::Sent, true, None, answer),
            Finish::Dead(why) => (AttemptOutcome::Dead, true, None, why),
            Finish::Retry(retry) | Finish::TooLarge(retry) => {
                let outcome = match retry.cause {
                    FailureCause::Unreached => AttemptOutcome::Unreached,
                    FailureCause::Busy | FailureCause::Shut | FailureCause::Failed => {
                        AttemptOutcome::Again
                    }
                };
                (outcome, retry.counts, Some(retry.due), &retry.why)
            }
        };
        let may_have_arrived = lease.may_have_arrived || outcome.may_have_arrived();
        let event = match finish {
            Finish::Sent(_) => MessageEvent::Delivered,
            Finish::Dead(_) => MessageEvent::Refused,
            Finish::Retry(_) | Finish::TooLarge(_) if is_halved => MessageEvent::Halved,
            Finish::Retry(_) | Finish::TooLarge(_) => MessageEvent::Retried { may_have_arrived },
        };
        // A message with a lease is leased.
        let next = next_message_status(MessageStatus::Leased, event)?;
        Ok(Self { lease, finish, outcome, next, may_have_arrived, counts, due, why })
    }
}
