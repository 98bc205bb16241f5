//! Shortens waits of messages, receivers and silences that were set while the clock was ahead.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::column::to_millis;
use super::{Store, StoreError};
use crate::alerts::breaker;
use tidings_rules::story::NotifierName;

/// Waits that were set less than this ahead of the clock stay unchanged.
const TOLERANCE: Duration = Duration::from_secs(5);

impl Store {
    /// Shortens every wait of messages, receivers and silences that was set later than `now` to its
    /// intended length. Returns the number of shortened messages.
    pub async fn shorten_delivery_waits(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write(move |conn| Box::pin(write_shorter_waits(conn, now))).await
    }

    /// Makes delayed messages for `notifiers` due at `now` and ends the rest of these notifiers.
    /// While they count as failing, one message is tried first.
    pub async fn retry_at_once(
        &self,
        notifiers: Vec<NotifierName>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |conn| Box::pin(retry_at_once(conn, notifiers, now))).await
    }
}

async fn retry_at_once(
    conn: &mut SqliteConnection,
    notifiers: Vec<NotifierName>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    for notifier in notifiers {
        for sql in [
            "UPDATE message SET due = $2
             WHERE status = 'pending' AND notifier = $1 AND due > $2 AND due_set_at > 0",
            "UPDATE health SET rests_until = $2 WHERE notifier = $1 AND rests_until > $2",
        ] {
            sqlx::query(sql).bind(&notifier.0).bind(to_millis(now)).execute(&mut *conn).await?;
        }
    }
    Ok(())
}

/// Does the work of [`Store::shorten_delivery_waits`].
pub(super) async fn write_shorter_waits(
    conn: &mut SqliteConnection,
    now: Timestamp,
) -> Result<u64, sqlx::Error> {
    let ahead = now.checked_add(TOLERANCE).unwrap_or(now);
    let messages = sqlx::query(
        "UPDATE message INDEXED BY message_due_set_at
         SET due = due - (max(created, due_set_at) - $1), created = min(created, $1), due_set_at = min(due_set_at, $1)
         WHERE status = 'pending' AND max(created, due_set_at) > $2",
    )
    .bind(to_millis(now))
    .bind(to_millis(ahead))
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "UPDATE health SET since = min(since, $1), rest_set_at = $1,
                rests_until = CASE WHEN rests_until < $3 THEN rests_until - (rest_set_at - $1) ELSE rests_until END
         WHERE rest_set_at > $2",
    )
    .bind(to_millis(now))
    .bind(to_millis(ahead))
    .bind(to_millis(breaker::NEVER))
    .execute(&mut *conn)
    .await?;
    sqlx::query("UPDATE silence SET until = until - (since - $1), since = $1 WHERE until > $2 AND since > $2")
        .bind(to_millis(now))
        .bind(to_millis(ahead))
        .execute(conn)
        .await?;
    Ok(messages.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, at_second, desk_receiver, item, retry_finish, settle_plan};
    use super::NotifierName;
    use crate::alerts::breaker::{FailureCause, FailureScope};
    use crate::alerts::retry::{Finish, RetryRecord};

    const AHEAD: i64 = 365 * 24 * 3600;

    async fn dues(bench: &Bench) -> Vec<i64> {
        let sql = "SELECT group_concat((due - 1000000000) / 1000, ' ') FROM (SELECT due FROM message ORDER BY id)";
        bench.query_text(sql).await.unwrap().split(' ').map(|due| due.parse().unwrap()).collect()
    }

    #[tokio::test]
    async fn waits_of_a_clock_that_was_a_year_ahead_are_cut_to_their_length_and_only_once() {
        let bench = Bench::new().await;
        for key in ["a", "b", "c"] {
            bench.poll("wire", AHEAD, vec![item(key, settle_plan(&["arms"]))]).await;
        }
        let run = bench.start_run(&[desk_receiver()]).await;
        let leases = bench.lease(run, "desk", AHEAD).await;
        let wish = RetryRecord {
            due: at_second(AHEAD + 301),
            cause: FailureCause::Busy,
            scope: FailureScope::Notifier,
            counts: false,
            rest_until: Some(at_second(AHEAD + 300)),
            why: "429".to_owned(),
        };
        let ended = vec![
            (
                leases[0].clone(),
                retry_finish(FailureCause::Failed, FailureScope::Notifier, AHEAD + 60),
            ),
            (leases[1].clone(), Finish::Retry(wish)),
            (
                leases[2].clone(),
                retry_finish(FailureCause::Unreached, FailureScope::Notifier, AHEAD + 5),
            ),
        ];
        bench.outbox_turn(run, ended, &[], AHEAD).await;

        for now in [100, 160] {
            let cut = bench.store.shorten_delivery_waits(at_second(now)).await.unwrap();
            assert_eq!(cut, if now == 100 { 3 } else { 0 });
            assert_eq!(dues(&bench).await, [160, 401, 105]);
            let away = bench.receiver_health().await.away;
            let health = away.values().next().unwrap();
            assert_eq!((health.since, health.rests_until), (at_second(100), at_second(400)));
        }
    }

    #[tokio::test]
    async fn what_a_pipe_that_was_closed_did_not_take_is_tried_at_the_next_start() {
        let bench = Bench::new().await;
        for key in ["a", "b"] {
            bench.poll("wire", 0, vec![item(key, settle_plan(&["arms"]))]).await;
        }
        let run = bench.start_run(&[desk_receiver()]).await;
        let lease = bench.lease(run, "desk", 0).await.remove(0);
        let wish = RetryRecord {
            due: at_second(300),
            cause: FailureCause::Unreached,
            scope: FailureScope::Notifier,
            counts: false,
            rest_until: Some(at_second(300)),
            why: "closed pipe".to_owned(),
        };
        bench.finish_attempt(run, &lease, Finish::Retry(wish), 1).await;
        let other = vec![NotifierName("other".to_owned())];
        bench.store.retry_at_once(other, at_second(10)).await.unwrap();
        assert_eq!(dues(&bench).await[0], 300);
        let desk = vec![NotifierName("desk".to_owned())];
        bench.store.retry_at_once(desk, at_second(10)).await.unwrap();
        assert_eq!(dues(&bench).await, [10, 0]);
        let away = bench.receiver_health().await.away;
        assert!(away.values().all(|health| health.rests_until <= at_second(10)));
    }

    #[tokio::test]
    async fn a_clock_that_is_right_cuts_nothing() {
        let bench = Bench::new().await;
        bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
        let run = bench.start_run(&[desk_receiver()]).await;
        let lease = bench.lease(run, "desk", 0).await.remove(0);
        bench
            .finish_attempt(
                run,
                &lease,
                retry_finish(FailureCause::Failed, FailureScope::Notifier, 36_000),
                10,
            )
            .await;
        assert_eq!(bench.store.shorten_delivery_waits(at_second(10)).await.unwrap(), 0);
        assert_eq!(dues(&bench).await, [36_000]);
    }
}
