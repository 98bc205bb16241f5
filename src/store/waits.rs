//! Shortens waits that began while the clock was ahead: of messages, receivers and silences, and of
//! pages and hosts.

use std::time::Duration;

use jiff::Timestamp;

use super::column::{execute, to_millis};
use super::dialect::sql;
use super::{Store, StoreError};
use crate::alerts::breaker;
use crate::store::db::{self, DbConnection, Sql, SqlList};
use tidings_rules::story::NotifierName;

/// Waits that were set less than this ahead of the clock stay unchanged.
const TOLERANCE: Duration = Duration::from_secs(5);

impl Store {
    /// Moves rests of hosts and waits for pages that start after `now` to `now`, with the same
    /// length. Rechecks that are due after `latest_recheck` become due then.
    pub async fn shorten_fetch_waits(
        &self,
        latest_recheck: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SHORTEN: [&str; 2] = [
            "UPDATE host SET rests_until = rests_until - (since - $1), since = $1 WHERE since > $1",
            "UPDATE story SET due = due - (waiting_since - $1), waiting_since = $1
             WHERE status IN ('awaits_page', 'awaits_match') AND waiting_since > $1",
        ];
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    for sql in SHORTEN {
                        execute(conn, sql, &[to_millis(now)]).await?;
                    }
                    if let Some(latest) = latest_recheck {
                        let shorten = "UPDATE story SET recheck_at = $1 WHERE recheck_at > $1";
                        execute(conn, shorten, &[to_millis(latest)]).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Restarts the wait of every story that waits for its page at `now`. Time in which Tidings did
    /// not run, or the machine was suspended, is no waiting time for a page. A story that waits to
    /// be matched keeps the time at which it came.
    pub async fn restart_page_waits(&self, now: Timestamp) -> Result<(), StoreError> {
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    let restart = "UPDATE story SET waiting_since = $1
                     WHERE status IN ('awaits_page', 'awaits_match') AND status = 'awaits_page' AND waiting_since < $1";
                    execute(conn, restart, &[to_millis(now)]).await.map(drop)
                })
            })
            .await
    }

    /// Shortens every wait of messages, receivers and silences that was set later than `now` to its
    /// intended length. Returns the number of shortened messages.
    pub async fn shorten_delivery_waits(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.writer.write(move |conn| Box::pin(write_shorter_delivery_waits(conn, now))).await
    }

    /// Makes delayed messages for `notifiers` due at `now` and ends the rest of these notifiers.
    /// While they count as failing, one message is tried first.
    pub async fn retry_at_once(
        &self,
        notifiers: Vec<NotifierName>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    let notifiers = SqlList::new(&notifiers)?;
                    for sql in RETRY_AT_ONCE {
                        let retry = db::query(sql).bind(&notifiers).bind(to_millis(now));
                        retry.execute(&mut *conn).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

/// Makes delayed messages due, and ends rests.
const RETRY_AT_ONCE: [Sql; 2] = [
    sql!(
        "UPDATE message SET due = $2 WHERE status <> 'sent' AND status = 'pending' AND notifier IN ",
        text_list!("$1"),
        " AND due > $2 AND due_set_at > 0"
    ),
    sql!(
        "UPDATE health SET rests_until = $2 WHERE rests_until > $2 AND notifier IN ",
        text_list!("$1")
    ),
];

/// Does the work of [`Store::shorten_delivery_waits`].
pub(super) async fn write_shorter_delivery_waits(
    conn: &mut DbConnection<'_>,
    now: Timestamp,
) -> Result<u64, sqlx::Error> {
    let ahead = now.checked_add(TOLERANCE).unwrap_or(now);
    let (now, ahead) = (to_millis(now), to_millis(ahead));
    let messages = execute(
        conn,
        "UPDATE message SET due = due - (waits_since - $1),
                created = CASE WHEN created < $1 THEN created ELSE $1 END,
                due_set_at = CASE WHEN due_set_at < $1 THEN due_set_at ELSE $1 END
         WHERE status = 'pending' AND waits_since > $2",
        &[now, ahead],
    )
    .await?;
    execute(
        conn,
        "UPDATE health SET since = CASE WHEN since < $1 THEN since ELSE $1 END, rest_set_at = $1,
                rests_until = CASE WHEN rests_until < $3 THEN rests_until - (rest_set_at - $1) ELSE rests_until END
         WHERE rest_set_at > $2",
        &[now, ahead, to_millis(breaker::NEVER)],
    )
    .await?;
    let silences = "UPDATE silence SET until = until - (since - $1), since = $1 WHERE until > $2 AND since > $2";
    execute(conn, silences, &[now, ahead]).await?;
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{
        Bench, at_second, desk_receiver, final_text, item, match_result, retry_finish, settle_plan,
    };
    use super::super::{FinalText, StoryPlan};
    use super::NotifierName;
    use crate::alerts::breaker::{FailureCause, FailureScope};
    use crate::alerts::retry::{Finish, RetryRecord};
    use crate::shares::OwnShares;

    const AHEAD: i64 = 365 * 24 * 3600;

    async fn dues(bench: &Bench) -> Vec<i64> {
        let sql = "SELECT group_concat((due - 1000000000) / 1000, ' ') FROM (SELECT due FROM message ORDER BY id) AS one";
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

    #[tokio::test]
    async fn waits_that_began_while_the_clock_was_ahead_keep_their_length() {
        let bench = Bench::new().await;
        bench.store.record_host_rest(
            "example.org:443".to_owned(),
            at_second(1060),
            at_second(1000),
        );
        bench
            .poll(
                "wire",
                1000,
                vec![item("a", StoryPlan::ReadPage), item("b", StoryPlan::ReadPage)],
            )
            .await;
        let [a, b] = <[_; 2]>::try_from(bench.waiting_stories(1000).await).unwrap();
        bench.store.record_page_failure(a.id, 1, at_second(1005)).await.unwrap();
        let settled = FinalText {
            recheck_at: Some(at_second(9000)),
            ..final_text("The page.", match_result(&[]))
        };
        assert!(bench.store.settle_story(b.id, 1, settled, at_second(1001)).await.unwrap());

        for _ in 0..2 {
            bench.store.shorten_fetch_waits(Some(at_second(700)), at_second(100)).await.unwrap();
            let rests = bench.store.resting_hosts(at_second(100)).await.unwrap();
            assert_eq!(rests, [("example.org:443".to_owned(), at_second(160))]);
            assert_eq!(bench.next_page_due(&[]).await, Some(at_second(105)));
            assert_eq!(bench.waiting_stories(105).await[0].since, at_second(100));
            assert_eq!(
                bench.store.next_recheck(&[], &OwnShares::All).await.unwrap(),
                Some(at_second(700))
            );
        }
    }

    #[tokio::test]
    async fn time_in_which_nothing_ran_does_not_count_as_a_wait_for_a_page() {
        let bench = Bench::new().await;
        bench.poll("wire", 0, vec![item("a", StoryPlan::ReadPage)]).await;
        let waiting = bench.waiting_stories(0).await.remove(0);
        bench.store.record_page_failure(waiting.id, 1, at_second(5)).await.unwrap();
        bench.store.restart_page_waits(at_second(3600)).await.unwrap();
        let waiting = bench.waiting_stories(3600).await.remove(0);
        assert_eq!((waiting.since, waiting.attempts), (at_second(3600), 1));
    }

    #[tokio::test]
    async fn waits_of_a_clock_that_was_right_are_left_alone() {
        let bench = Bench::new().await;
        bench.store.record_host_rest("example.org:443".to_owned(), at_second(60), at_second(0));
        bench.poll("wire", 0, vec![item("a", StoryPlan::ReadPage)]).await;
        let waiting = bench.waiting_stories(0).await.remove(0);
        bench.store.record_page_failure(waiting.id, 1, at_second(5)).await.unwrap();
        bench.store.shorten_fetch_waits(Some(at_second(700)), at_second(1)).await.unwrap();
        assert_eq!(
            bench.store.resting_hosts(at_second(1)).await.unwrap(),
            [("example.org:443".to_owned(), at_second(60))]
        );
        assert_eq!(bench.next_page_due(&[]).await, Some(at_second(5)));
    }
}
