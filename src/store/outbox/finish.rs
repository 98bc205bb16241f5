//! Records the results of attempts: the status of their messages and the health of their receivers.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Sqlite};

use crate::alerts::breaker::FailureCause;
use crate::store::column::to_millis;
use crate::store::health::{self, ReceiverHealth};
use crate::store::{AttemptOutcome, Finish, Lease, MessageStatus, digest};

/// Records the results of attempts, as [`outbox_turn`](crate::store::Store::outbox_turn) says.
/// Returns the health of all receivers after that.
pub(in crate::store) async fn record_outcomes(
    conn: &mut SqliteConnection,
    run: i64,
    ended: &[(Lease, Finish)],
    now: Timestamp,
) -> Result<ReceiverHealth, sqlx::Error> {
    let released = release_leases(conn, run, ended, now).await?;
    let ended: Vec<_> =
        ended.iter().filter(|(lease, _)| released.contains(&lease.message)).collect();
    end_attempts(conn, &ended, now).await?;
    let mut receivers = health::read_receiver_health(conn).await?;
    for (lease, finish) in ended {
        if matches!(finish, Finish::TooLarge(_))
            && digest::halve_digest(conn, lease.message, now).await?
        {
            continue;
        }
        if !matches!(finish, Finish::Sent(_)) || !receivers.is_healthy(&lease.receiver) {
            health::record_outcome(conn, lease, finish, now).await?;
            receivers = health::read_receiver_health(conn).await?;
        }
    }
    Ok(receivers)
}

/// Releases the leases that these attempts of this run still hold, and returns their messages. The
/// other messages stay unchanged.
async fn release_leases(
    conn: &mut SqliteConnection,
    run: i64,
    ended: &[(Lease, Finish)],
    now: Timestamp,
) -> Result<BTreeSet<i64>, sqlx::Error> {
    if ended.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut update = QueryBuilder::<Sqlite>::new(
        "WITH ended (message, attempt, status, counts, due, why, unreached) AS (",
    );
    update.push_values(ended, |mut values, (lease, finish)| {
        let columns = AttemptColumns::from_finish(finish);
        values
            .push_bind(lease.message)
            .push_bind(lease.attempt)
            .push_bind(columns.status.as_str())
            .push_bind(columns.counts);
        values
            .push_bind(columns.due.map(to_millis))
            .push_bind(columns.why)
            .push_bind(columns.outcome == AttemptOutcome::Unreached);
    });
    update.push(
        ") UPDATE message
           SET status = ended.status, lease = NULL, due = coalesce(ended.due, message.due), why = ended.why, due_set_at = ",
    );
    update.push_bind(to_millis(now));
    update.push(
        ", unreached = ended.unreached,
               counted_attempts = counted_attempts + ended.counts,
               payload = CASE WHEN ended.unreached AND NOT EXISTS
                                   (SELECT 1 FROM attempt WHERE attempt.message = message.id AND attempt.outcome != 'unreached')
                         THEN NULL ELSE payload END
           FROM ended JOIN attempt AS held ON held.id = ended.attempt
           WHERE message.id = ended.message AND message.lease = held.id AND held.run = ",
    );
    update.push_bind(run).push(" RETURNING message.id");
    Ok(update.build_query_scalar().fetch_all(conn).await?.into_iter().collect())
}

/// Records the ends of the attempts.
async fn end_attempts(
    conn: &mut SqliteConnection,
    ended: &[&(Lease, Finish)],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if ended.is_empty() {
        return Ok(());
    }
    let mut update = QueryBuilder::<Sqlite>::new("WITH ended (attempt, outcome, why) AS (");
    update.push_values(ended, |mut values, (lease, finish)| {
        let columns = AttemptColumns::from_finish(finish);
        values.push_bind(lease.attempt).push_bind(columns.outcome.as_str()).push_bind(columns.why);
    });
    update.push(") UPDATE attempt SET outcome = ended.outcome, why = ended.why, ended = ");
    update.push_bind(to_millis(now)).push(" FROM ended WHERE attempt.id = ended.attempt");
    update.build().execute(conn).await?;
    Ok(())
}

/// The result of an attempt, as columns hold it.
struct AttemptColumns<'f> {
    /// The message's status.
    status: MessageStatus,
    /// The attempt's outcome.
    outcome: AttemptOutcome,
    /// Whether the attempt counts against the schedule.
    counts: bool,
    /// When the message is due again, if it is.
    due: Option<Timestamp>,
    why: &'f str,
}

impl<'f> AttemptColumns<'f> {
    fn from_finish(finish: &'f Finish) -> Self {
        let ended = |status, outcome, why| Self { status, outcome, counts: true, due: None, why };
        match finish {
            Finish::Sent(answer) => ended(MessageStatus::Sent, AttemptOutcome::Sent, answer),
            Finish::Dead(why) => ended(MessageStatus::Dead, AttemptOutcome::Dead, why),
            Finish::Retry(retry) | Finish::TooLarge(retry) => Self {
                status: MessageStatus::Pending,
                outcome: match retry.cause {
                    FailureCause::Unreached => AttemptOutcome::Unreached,
                    FailureCause::Busy | FailureCause::Shut | FailureCause::Failed => {
                        AttemptOutcome::Again
                    }
                },
                counts: retry.counts,
                due: Some(retry.due),
                why: &retry.why,
            },
        }
    }
}
