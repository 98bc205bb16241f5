//! The start of a run: releases the leases of earlier runs, and holds the messages of receivers
//! that left the configuration.

use jiff::Timestamp;

use super::column::{self, to_millis};
use super::dialect::sql;
use super::{RunStart, Store, StoreError, health, run_lease, waits};
use crate::alerts::Receiver;
use crate::lifecycle::message;
use crate::lifecycle::message::{AttemptOutcome, MessageEvent, MessageStatus};
use crate::shares::{OwnShares, RunNumber, Share};
use crate::store::db::{self, DbConnection, SqlList};
use tidings_rules::story::NotifierName;

impl Store {
    /// Numbers this run, unless its run lease did, and releases the leases of earlier runs; frozen
    /// payloads stay. Messages of receivers not in `receivers` become held, those of receivers that
    /// are back become pending. A notifier that was permanently away is tried once more, because
    /// its address may be corrected. Waits that a wrong clock made too long are shortened, as
    /// [`Store::shorten_delivery_waits`] says.
    pub async fn start_run(
        &self,
        receivers: &[Receiver],
        own: &OwnShares,
        now: Timestamp,
    ) -> Result<RunStart, StoreError> {
        let (receivers, own, leased_run) = (receivers.to_vec(), own.clone(), self.leased_run);
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    let run = record_start(conn, leased_run, now).await?;
                    let reclaimed = reclaim_of_dead_runs(conn, now).await?;
                    let held = hold_messages(conn, &receivers, &own).await?;
                    health::end_permanent_rests(conn, now).await?;
                    waits::write_shorter_delivery_waits(conn, now).await?;
                    Ok(RunStart { run, reclaimed, held })
                })
            })
            .await
    }

    /// Releases every lease of this run but those of the attempts `in_flight`. A run does this
    /// after a turn of the outbox that failed: a server may have committed it before the connection
    /// was lost.
    pub async fn reopen_leases(
        &self,
        in_flight: Vec<i64>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let own = self.leased_run;
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    let mut others = run_lease::list_runs(conn).await?;
                    others.retain(|run| Some(*run) != own);
                    reclaim_leases(conn, &others, &in_flight, now).await
                })
            })
            .await
    }

    /// Holds the messages of receivers that are not in `receivers`, and makes held messages of the
    /// others pending. Both only for the notifiers of these shares. Returns how many messages are
    /// held for each receiver.
    pub async fn hold_messages(
        &self,
        receivers: &[Receiver],
        own: &OwnShares,
    ) -> Result<Vec<(Receiver, u64)>, StoreError> {
        let (receivers, own) = (receivers.to_vec(), own.clone());
        self.writer
            .write(move |conn| Box::pin(async move { hold_messages(conn, &receivers, &own).await }))
            .await
    }
}

/// The number of a run that starts. One that has a lease has its row already.
async fn record_start(
    conn: &mut DbConnection<'_>,
    leased_run: Option<i64>,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    let now = to_millis(now);
    let Some(run) = leased_run else {
        let insert = "INSERT INTO run (started, seen, reloaded) VALUES ($1, $1, $1) RETURNING id";
        return db::query_scalar(insert).bind(now).fetch_one(conn).await;
    };
    let start = "UPDATE run SET started = $2, seen = $2, reloaded = $2 WHERE id = $1";
    db::query(start).bind(run).bind(now).execute(conn).await?;
    Ok(run)
}

/// Releases the leases of runs that have ended. A file has one run, which has just begun.
pub(super) async fn reclaim_of_dead_runs(
    conn: &mut DbConnection<'_>,
    now: Timestamp,
) -> Result<u64, sqlx::Error> {
    let live = run_lease::list_runs(conn).await?;
    reclaim_leases(conn, &live, &[], now).await
}

/// Releases every lease but those of these `runs` and of the attempts `in_flight`: nobody works on
/// the others.
async fn reclaim_leases(
    conn: &mut DbConnection<'_>,
    runs: &[RunNumber],
    in_flight: &[i64],
    now: Timestamp,
) -> Result<u64, sqlx::Error> {
    let (runs, in_flight) = (SqlList::new(&runs)?, SqlList::new(&in_flight)?);
    let mut reclaimed = 0;
    for (from, next) in message::moves(MessageEvent::RunEnded) {
        db::query(sql!(
            "UPDATE attempt SET ended = $1, outcome = $2
             WHERE id IN (SELECT lease FROM message WHERE status <> 'sent' AND status = $3)
               AND id NOT IN ",
            id_list!("$4"),
            " AND run NOT IN ",
            id_list!("$5")
        ))
        .bind(to_millis(now))
        .bind(AttemptOutcome::Unknown.as_str())
        .bind(from.as_str())
        .bind(&in_flight)
        .bind(&runs)
        .execute(&mut *conn)
        .await?;
        let opened = db::query(sql!(
            "UPDATE message SET status = $1, lease = NULL, may_have_arrived = TRUE
             WHERE status <> 'sent' AND status = $2
               AND EXISTS (SELECT 1 FROM attempt WHERE attempt.id = message.lease AND outcome = $3)"
        ))
        .bind(next.status.as_str())
        .bind(from.as_str())
        .bind(AttemptOutcome::Unknown.as_str())
        .execute(&mut *conn)
        .await?;
        reclaimed += opened.rows_affected();
    }
    Ok(reclaimed)
}

/// Holds messages of receivers that left, and makes held messages of receivers that are back
/// pending. Returns how many messages are held now, by receiver.
async fn hold_messages(
    conn: &mut DbConnection<'_>,
    receivers: &[Receiver],
    own: &OwnShares,
) -> Result<Vec<(Receiver, u64)>, sqlx::Error> {
    let notifiers = list_own_notifiers(conn, own).await?;
    let receivers = SqlList::new(&column::receiver_rows(receivers))?;
    for (event, is_known) in
        [(MessageEvent::ReceiverKnown, true), (MessageEvent::ReceiverLeft, false)]
    {
        for (from, next) in message::moves(event) {
            db::query(sql!(
                "UPDATE message SET status = $2 WHERE status <> 'sent' AND status = $1 AND $4 = ((notifier, recipient) IN ",
                row_list!("$3", 0 notifier TEXT, 1 recipient TEXT),
                ") AND (CAST($5 AS TEXT) IS NULL OR notifier IN ",
                text_list!("$5"),
                ")"
            ))
            .bind(from.as_str())
            .bind(next.status.as_str())
            .bind(&receivers)
            .bind(is_known)
            .bind(notifiers.clone())
            .execute(&mut *conn)
            .await?;
        }
    }
    let held = db::query(
        "SELECT notifier, recipient, count(*) AS messages FROM message WHERE status <> 'sent' AND status = $1
         GROUP BY notifier, recipient ORDER BY notifier, recipient",
    )
    .bind(MessageStatus::Held.as_str())
    .fetch_all(conn)
    .await?;
    let held = held.iter().map(|row| {
        Ok((column::receiver_from_row(row)?, column::read_count(row, "messages")?.into()))
    });
    held.collect()
}

/// The notifiers of these shares that have messages; `None`: all.
async fn list_own_notifiers(
    conn: &mut DbConnection<'_>,
    own: &OwnShares,
) -> Result<Option<SqlList>, sqlx::Error> {
    if *own == OwnShares::All {
        return Ok(None);
    }
    let names = db::query_scalar(
        "SELECT DISTINCT notifier FROM message
         WHERE status <> 'sent' AND status IN ('pending', 'leased', 'held')",
    );
    let names: Vec<String> = names.fetch_all(conn).await?;
    let names = names.into_iter().map(NotifierName);
    let own: Vec<_> = names.filter(|name| own.contains(Share::of_notifier(name))).collect();
    SqlList::new(&own).map(Some)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{
        Bench, at_second, desk_receiver, item, match_result, new_alert, receiver,
    };
    use super::super::{MatchResult, StoryPlan};
    use crate::alerts::retry::Finish;
    use crate::shares::OwnShares;

    async fn states(bench: &Bench) -> String {
        let sql = "SELECT group_concat(recipient || ' ' || status, ', ') FROM (SELECT * FROM message ORDER BY recipient) AS one";
        bench.query_text(sql).await.unwrap()
    }

    #[tokio::test]
    async fn every_run_has_its_own_number_and_a_first_one_finds_nothing() {
        let bench = Bench::new().await;
        let first =
            bench.store.start_run(&[desk_receiver()], &OwnShares::All, at_second(0)).await.unwrap();
        assert_eq!((first.reclaimed, first.held), (0, vec![]));
        let bench = bench.crash_and_reopen().await;
        assert!(bench.start_run(&[desk_receiver()]).await > first.run);
    }

    #[tokio::test]
    async fn leases_that_nobody_works_on_are_released_and_those_in_flight_stay() {
        let bench = Bench::new().await;
        for (now, key) in [(0, "a"), (1, "b")] {
            let plan = StoryPlan::Settle(match_result(&["arms"]));
            bench.poll("wire", now, vec![item(key, plan)]).await;
        }
        let run = bench.start_run(&[desk_receiver()]).await;
        let leases = bench.lease(run, "desk", 5).await;
        assert_eq!(leases.len(), 2);
        let in_flight = vec![leases[0].attempt];
        assert_eq!(bench.store.reopen_leases(in_flight, at_second(6)).await.unwrap(), 1);
        let again = bench.lease(run, "desk", 7).await;
        assert_eq!((again.len(), &again[0].id), (1, &leases[1].id));
        assert!(again[0].may_have_arrived);
    }

    #[tokio::test]
    async fn a_crash_while_sending_leaves_the_same_message_due_at_once() {
        let bench = Bench::new().await;
        bench.poll("wire", 0, vec![item("a", StoryPlan::Settle(match_result(&["arms"])))]).await;
        let old = bench.start_run(&[desk_receiver()]).await;
        let lost = bench.lease(old, "desk", 5).await.remove(0);

        let bench = bench.crash_and_reopen().await;
        // A later rule goes into the next message, because this one is frozen.
        bench.poll("paper", 6, vec![item("a", StoryPlan::Settle(match_result(&["oil"])))]).await;
        let start =
            bench.store.start_run(&[desk_receiver()], &OwnShares::All, at_second(7)).await.unwrap();
        assert_eq!((start.reclaimed, start.held), (1, vec![]));
        let again = bench.lease(start.run, "desk", 7).await;
        assert_eq!(again.len(), 2);
        assert_eq!((&again[0].id, &again[0].payload), (&lost.id, &lost.payload));
        assert_ne!(again[0].attempt, lost.attempt);
        assert_eq!(again[0].counted_attempts, 0);

        assert!(
            !bench.finish_attempt(old, &lost, Finish::Sent(String::new()), 8).await,
            "the old run is fenced off"
        );
        assert!(
            !bench.finish_attempt(start.run, &lost, Finish::Sent(String::new()), 8).await,
            "so is the old attempt"
        );
        assert!(!bench.finish_attempt(old, &again[0], Finish::Sent(String::new()), 8).await);
        assert!(bench.finish_attempt(start.run, &again[0], Finish::Sent(String::new()), 8).await);
        let outcomes = "SELECT group_concat(coalesce(outcome, 'open'), ', ') FROM (SELECT * FROM attempt ORDER BY id) AS one";
        assert_eq!(bench.query_text(outcomes).await.unwrap(), "unknown, sent, open");
    }

    #[tokio::test]
    async fn messages_of_receivers_that_left_are_held_until_they_are_back() {
        let bench = Bench::new().await;
        let (ana, bob) = (receiver("mail", "ana"), receiver("mail", "bob"));
        let alerts = vec![new_alert("arms", &[ana.clone(), bob.clone()])];
        bench
            .poll(
                "wire",
                0,
                vec![item("a", StoryPlan::Settle(MatchResult { alerts, ..match_result(&[]) }))],
            )
            .await;

        // Bob's lease is in flight when the run ends, and the next configuration does not have Bob.
        let run = bench.start_run(&[ana.clone(), bob.clone()]).await;
        assert_eq!(bench.lease(run, "mail", 0).await.len(), 2);
        let bench = bench.crash_and_reopen().await;
        let start = bench
            .store
            .start_run(std::slice::from_ref(&ana), &OwnShares::All, at_second(1))
            .await
            .unwrap();
        assert_eq!((start.reclaimed, start.held), (2, vec![(bob.clone(), 1)]));
        assert_eq!(states(&bench).await, "ana pending, bob held");
        let leased = bench.lease(start.run, "mail", 1).await;
        assert_eq!(leased.len(), 1);
        assert!(bench.finish_attempt(start.run, &leased[0], Finish::Sent(String::new()), 2).await);
        assert_eq!(bench.store.count_undelivered(at_second(9)).await.unwrap(), 1);
        assert_eq!(bench.next_due().await, []);

        let still = bench
            .store
            .start_run(std::slice::from_ref(&ana), &OwnShares::All, at_second(3))
            .await
            .unwrap();
        assert_eq!((still.reclaimed, still.held), (0, vec![(bob.clone(), 1)]));
        let back = bench.store.start_run(&[ana, bob], &OwnShares::All, at_second(4)).await.unwrap();
        assert_eq!((back.reclaimed, back.held), (0, vec![]));
        assert_eq!(states(&bench).await, "ana sent, bob pending");
    }
}
