//! Shortens waits for pages and rests of hosts that began while the clock was ahead.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::column::to_millis;
use super::{Store, StoreError};

impl Store {
    /// Moves rests of hosts and waits for pages that start after `now` to `now`, with the same
    /// length. Rechecks that are due after `latest_recheck` become due then.
    pub async fn shorten_fetch_waits(
        &self,
        latest_recheck: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |conn| Box::pin(write_shorter_waits(conn, latest_recheck, now))).await
    }

    /// Restarts the wait of every waiting story at `now`. Time in which Tidings did not run, or the
    /// machine was suspended, is no waiting time.
    pub async fn restart_page_waits(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE story SET waiting_since = $1
                     WHERE status IN ('awaits_page', 'awaits_match') AND waiting_since < $1",
                )
                .bind(to_millis(now))
                .execute(conn)
                .await?;
                Ok(())
            })
        })
        .await
    }
}

async fn write_shorter_waits(
    conn: &mut SqliteConnection,
    latest_recheck: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    for sql in [
        "UPDATE host SET rests_until = rests_until - (since - $1), since = $1 WHERE since > $1",
        "UPDATE story SET due = due - (waiting_since - $1), waiting_since = $1
         WHERE status IN ('awaits_page', 'awaits_match') AND waiting_since > $1",
    ] {
        sqlx::query(sql).bind(to_millis(now)).execute(&mut *conn).await?;
    }
    if let Some(latest) = latest_recheck {
        sqlx::query("UPDATE story SET recheck_at = $1 WHERE recheck_at > $1")
            .bind(to_millis(latest))
            .execute(conn)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, at_second, final_text, item, match_result};
    use super::super::{FinalText, StoryPlan};

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
            assert_eq!(bench.store.next_waiting_due(&[]).await.unwrap(), Some(at_second(105)));
            assert_eq!(bench.waiting_stories(105).await[0].since, at_second(100));
            assert_eq!(bench.store.next_recheck(&[]).await.unwrap(), Some(at_second(700)));
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
        assert_eq!(bench.store.next_waiting_due(&[]).await.unwrap(), Some(at_second(5)));
    }
}
