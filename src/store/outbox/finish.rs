//! What came of attempts: what becomes of their messages, and what it says of their receivers.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Sqlite};

use crate::alerts::breaker::FailureCause;
use crate::store::column::millis;
use crate::store::health::{self, ReceiverHealth};
use crate::store::{Finish, Lease, digest};

/// Records what came of attempts, as [`turn`](crate::store::Store::turn) says, and how the
/// receivers stand then.
pub(in crate::store) async fn record(
    conn: &mut SqliteConnection,
    run: i64,
    ended: &[(Lease, Finish)],
    now: Timestamp,
) -> Result<ReceiverHealth, sqlx::Error> {
    let ours = unlease(conn, run, ended, now).await?;
    let ended: Vec<_> = ended.iter().filter(|(lease, _)| ours.contains(&lease.message)).collect();
    close(conn, &ended, now).await?;
    let mut standing = health::standing(conn).await?;
    for (lease, finish) in ended {
        if matches!(finish, Finish::TooLarge(_)) && digest::halve(conn, lease.message, now).await? {
            continue;
        }
        if !matches!(finish, Finish::Sent(_)) || !standing.is_healthy(&lease.receiver) {
            health::note(conn, lease, finish, now).await?;
            standing = health::standing(conn).await?;
        }
    }
    Ok(standing)
}

/// Takes the leases away from the messages, and says which of them were still held by these
/// attempts of this run: the others stay as they are.
async fn unlease(
    conn: &mut SqliteConnection,
    run: i64,
    ended: &[(Lease, Finish)],
    now: Timestamp,
) -> Result<BTreeSet<i64>, sqlx::Error> {
    if ended.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut update = QueryBuilder::<Sqlite>::new(
        "WITH came (message, attempt, state, counts, due, why, unreached) AS (",
    );
    update.push_values(ended, |mut values, (lease, finish)| {
        let came = AttemptColumns::of(finish);
        values
            .push_bind(lease.message)
            .push_bind(lease.attempt)
            .push_bind(came.state)
            .push_bind(came.counts);
        values
            .push_bind(came.due.map(millis))
            .push_bind(came.why)
            .push_bind(came.outcome == "unreached");
    });
    update.push(
        ") UPDATE message
           SET state = came.state, lease = NULL, due = coalesce(came.due, message.due), why = came.why, put_off = ",
    );
    update.push_bind(millis(now));
    update.push(
        ", unreached = came.unreached,
               counted = counted + came.counts,
               payload = CASE WHEN came.unreached AND NOT EXISTS
                                   (SELECT 1 FROM attempt WHERE attempt.message = message.id AND attempt.outcome != 'unreached')
                         THEN NULL ELSE payload END
           FROM came JOIN attempt AS held ON held.id = came.attempt
           WHERE message.id = came.message AND message.lease = held.id AND held.run = ",
    );
    update.push_bind(run).push(" RETURNING message.id");
    Ok(update.build_query_scalar().fetch_all(conn).await?.into_iter().collect())
}

/// Writes down how the attempts ended.
async fn close(
    conn: &mut SqliteConnection,
    ended: &[&(Lease, Finish)],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if ended.is_empty() {
        return Ok(());
    }
    let mut update = QueryBuilder::<Sqlite>::new("WITH came (attempt, outcome, why) AS (");
    update.push_values(ended, |mut values, (lease, finish)| {
        let came = AttemptColumns::of(finish);
        values.push_bind(lease.attempt).push_bind(came.outcome).push_bind(came.why);
    });
    update.push(") UPDATE attempt SET outcome = came.outcome, why = came.why, ended = ");
    update.push_bind(millis(now)).push(" FROM came WHERE attempt.id = came.attempt");
    update.build().execute(conn).await?;
    Ok(())
}

/// What came of an attempt, as columns hold it.
struct AttemptColumns<'f> {
    /// The message's state.
    state: &'static str,
    /// The attempt's outcome.
    outcome: &'static str,
    /// Whether the attempt counts against the schedule.
    counts: bool,
    /// When the message is due again, if it is.
    due: Option<Timestamp>,
    why: &'f str,
}

impl<'f> AttemptColumns<'f> {
    fn of(finish: &'f Finish) -> Self {
        match finish {
            Finish::Sent(answer) => {
                Self { state: "sent", outcome: "sent", counts: true, due: None, why: answer }
            }
            Finish::Retry(again) | Finish::TooLarge(again) => {
                let outcome =
                    if again.cause == FailureCause::Unreached { "unreached" } else { "again" };
                Self {
                    state: "pending",
                    outcome,
                    counts: again.counts,
                    due: Some(again.at),
                    why: &again.why,
                }
            }
            Finish::Dead(why) => {
                Self { state: "dead", outcome: "dead", counts: true, due: None, why }
            }
        }
    }
}
