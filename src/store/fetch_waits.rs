//! Waits that were begun while the clock was ahead: once it is set back they begin anew, and hold
//! nothing.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::column::millis;
use super::{Store, StoreError};

impl Store {
    /// Has rests of hosts and waits for pages that begin after `now` begin now, and keep their
    /// length. No page is to be looked at again after `latest_look`.
    pub async fn cut_fetch_waits(
        &self,
        latest_look: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |conn| Box::pin(cut(conn, latest_look, now))).await
    }

    /// Has every story that waits for its page wait from `now` on. The time in which nothing ran,
    /// or in which the machine was suspended, does not count.
    pub async fn restart_page_waits(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE story SET waiting_since = $1 WHERE status = 'waiting' AND waiting_since < $1",
                )
                .bind(millis(now))
                .execute(conn)
                .await?;
                Ok(())
            })
        })
        .await
    }
}

async fn cut(
    conn: &mut SqliteConnection,
    latest_look: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    for sql in [
        "UPDATE host SET rests_until = rests_until - (since - $1), since = $1 WHERE since > $1",
        "UPDATE story SET due = due - (waiting_since - $1), waiting_since = $1
         WHERE status = 'waiting' AND waiting_since > $1",
    ] {
        sqlx::query(sql).bind(millis(now)).execute(&mut *conn).await?;
    }
    if let Some(latest) = latest_look {
        sqlx::query("UPDATE story SET recheck_at = $1 WHERE recheck_at > $1")
            .bind(millis(latest))
            .execute(conn)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, at, item, page, verdict};
    use super::super::{FinalText, StoryPlan};

    #[tokio::test]
    async fn what_waits_by_a_clock_that_was_ahead_waits_no_longer_than_it_was_to() {
        let bench = Bench::new().await;
        bench.store.record_host_rest("example.org:443".to_owned(), at(1060), at(1000));
        bench
            .poll(
                "wire",
                1000,
                vec![item("a", StoryPlan::ReadPage), item("b", StoryPlan::ReadPage)],
            )
            .await;
        let [a, b] = <[_; 2]>::try_from(bench.waiting(1000).await).unwrap();
        bench.store.record_page_failure(a.id, 1, at(1005)).await.unwrap();
        let settled = FinalText { recheck_at: Some(at(9000)), ..page("The page.", verdict(&[])) };
        assert!(bench.store.settle_story(b.id, 1, settled, at(1001)).await.unwrap());

        for _ in 0..2 {
            bench.store.cut_fetch_waits(Some(at(700)), at(100)).await.unwrap();
            let rests = bench.store.resting_hosts(at(100)).await.unwrap();
            assert_eq!(rests, [("example.org:443".to_owned(), at(160))]);
            assert_eq!(bench.store.next_waiting_due(&[]).await.unwrap(), Some(at(105)));
            assert_eq!(bench.waiting(105).await[0].since, at(100));
            assert_eq!(bench.store.next_recheck(&[]).await.unwrap(), Some(at(700)));
        }
    }

    #[tokio::test]
    async fn the_time_in_which_nothing_ran_is_no_wait_for_a_page() {
        let bench = Bench::new().await;
        bench.poll("wire", 0, vec![item("a", StoryPlan::ReadPage)]).await;
        let waiting = bench.waiting(0).await.remove(0);
        bench.store.record_page_failure(waiting.id, 1, at(5)).await.unwrap();
        bench.store.restart_page_waits(at(3600)).await.unwrap();
        let waiting = bench.waiting(3600).await.remove(0);
        assert_eq!((waiting.since, waiting.attempts), (at(3600), 1));
    }

    #[tokio::test]
    async fn waits_of_a_clock_that_was_right_are_left_alone() {
        let bench = Bench::new().await;
        bench.store.record_host_rest("example.org:443".to_owned(), at(60), at(0));
        bench.poll("wire", 0, vec![item("a", StoryPlan::ReadPage)]).await;
        let waiting = bench.waiting(0).await.remove(0);
        bench.store.record_page_failure(waiting.id, 1, at(5)).await.unwrap();
        bench.store.cut_fetch_waits(Some(at(700)), at(1)).await.unwrap();
        assert_eq!(
            bench.store.resting_hosts(at(1)).await.unwrap(),
            [("example.org:443".to_owned(), at(60))]
        );
        assert_eq!(bench.store.next_waiting_due(&[]).await.unwrap(), Some(at(5)));
    }
}
