//! Records the results of attempts: the status of their messages and the health of their receivers.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::alerts::breaker::FailureCause;
use crate::alerts::receiver_health::{HealthChanges, ReceiverHealth};
use crate::alerts::retry::Finish;
use crate::lifecycle::message::{AttemptOutcome, MessageEvent, MessageStatus, PayloadChange};
use crate::store::column::to_millis;
use crate::store::db::{self, DbConnection, SqlList};
use crate::store::dialect::sql;
use crate::store::status::next_message_status;
use crate::store::{Lease, digest, health};

/// Records the results of attempts, as [`outbox_turn`](crate::store::Store::outbox_turn) says.
/// Returns the health of all receivers after that.
pub(in crate::store) async fn record_outcomes(
    conn: &mut DbConnection<'_>,
    run: i64,
    ended: &[(Lease, Finish)],
    now: Timestamp,
) -> Result<ReceiverHealth, sqlx::Error> {
    let halved = find_halved(conn, ended).await?;
    let released = end_attempts(conn, run, ended, &halved, now).await?;
    let ended = ended.iter().filter(|(lease, _)| released.contains(&lease.message));
    let (too_large, others): (Vec<_>, Vec<_>) =
        ended.partition(|(lease, _)| halved.contains(&lease.message));
    let too_large: Vec<i64> = too_large.iter().map(|(lease, _)| lease.message).collect();
    digest::halve_digests(conn, &too_large, now).await?;
    let mut changes = HealthChanges::new(health::read_receiver_health(conn).await?);
    for (lease, finish) in others {
        changes.apply(&lease.receiver, lease.tried_since, finish, now);
    }
    health::write_changes(conn, &changes, now).await?;
    Ok(changes.health)
}

/// The digests of several alerts that their receivers refused as too large.
async fn find_halved(
    conn: &mut DbConnection<'_>,
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
    let halved: Vec<i64> = db::query_scalar(sql!(
        "SELECT message FROM message_alert WHERE message IN ",
        id_list!("$1"),
        " GROUP BY message HAVING count(*) > 1"
    ))
    .bind(SqlList::new(&refused)?)
    .fetch_all(conn)
    .await?;
    Ok(halved.into_iter().collect())
}

/// Ends the attempts of this run that still hold their leases, and returns their messages. Other
/// attempts and messages stay unchanged.
async fn end_attempts(
    conn: &mut DbConnection<'_>,
    run: i64,
    ended: &[(Lease, Finish)],
    halved: &BTreeSet<i64>,
    now: Timestamp,
) -> Result<BTreeSet<i64>, sqlx::Error> {
    if ended.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows = ended
        .iter()
        .map(|(lease, finish)| ended_row(lease, finish, halved.contains(&lease.message)));
    let rows = SqlList::new(&rows.collect::<Result<Vec<_>, _>>()?)?;
    db::query(sql!(
        "UPDATE attempt SET outcome = ended.outcome, why = ended.why, ended = $2 FROM ",
        row_list!("$1", 0 message BIGINT, 1 attempt BIGINT, 2 outcome TEXT, 3 why TEXT),
        " AS ended JOIN message ON message.id = ended.message AND message.lease = ended.attempt
         WHERE attempt.id = ended.attempt AND attempt.run = $3"
    ))
    .bind(&rows)
    .bind(to_millis(now))
    .bind(run)
    .execute(&mut *conn)
    .await?;
    let released: Vec<i64> = db::query_scalar(sql!(
        "UPDATE message
         SET status = ended.status, lease = NULL, due = coalesce(ended.due, message.due), why = ended.why, due_set_at = $2,
             may_have_arrived = ended.may_have_arrived, counted_attempts = counted_attempts + ended.counts,
             payload = CASE WHEN ended.is_opened THEN NULL ELSE payload END
         FROM ",
        row_list!("$1", 0 message BIGINT, 1 attempt BIGINT, 3 why TEXT, 4 status TEXT, 5 counts BIGINT, 6 due BIGINT,
            7 may_have_arrived BOOLEAN, 8 is_opened BOOLEAN),
        " AS ended JOIN attempt AS held ON held.id = ended.attempt
         WHERE message.id = ended.message AND message.lease = held.id AND held.run = $3 RETURNING message.id"
    ))
    .bind(rows)
    .bind(to_millis(now))
    .bind(run)
    .fetch_all(conn)
    .await?;
    Ok(released.into_iter().collect())
}

/// An attempt that has ended, and what follows from it, as [`end_attempts`] names the columns.
fn ended_row<'f>(
    lease: &'f Lease,
    finish: &'f Finish,
    is_halved: bool,
) -> Result<impl Serialize + 'f, sqlx::Error> {
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
            (outcome, retry.counts, Some(to_millis(retry.due)), &retry.why)
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
    let is_opened = next.payload == PayloadChange::Opened;
    let (message, attempt, counts) = (lease.message, lease.attempt, i64::from(counts));
    Ok((message, attempt, outcome, why, next.status, counts, due, may_have_arrived, is_opened))
}
