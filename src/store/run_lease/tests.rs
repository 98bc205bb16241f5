//! Tests of the run lease, on a server.

use futures_util::FutureExt;
use futures_util::future::join;
use sqlx::Executor;
use tokio::time::{sleep_until, timeout};

use super::super::fixture::{Bench, Home, at_second, compare_here, item, settle_plan};
use super::super::writer_connection::{WriterConnection, WritingSession};
use super::super::{Archive, OpenError, Store, StoreError};
use super::*;
use crate::config::StorePlace;
use crate::store::db::DbPool;

/// Longer than any wait of these tests.
const LONG: Duration = Duration::from_secs(40);

/// A store on a server with a run; `None` if the tests are about files.
async fn bench() -> Option<(Bench, ServerAddress)> {
    let home = Home::new().await;
    let StorePlace::Server(server) = home.place() else { return None };
    Some((Bench::open(home, compare_here()).await, *server))
}

async fn connect(server: &ServerAddress) -> PgConnection {
    server::connect_to_write(server).await.unwrap()
}

/// Why a second run cannot open the store.
async fn refusal(bench: &Bench) -> OpenError {
    Store::open(&bench.place(), RunRole::Alone, compare_here()).await.err().unwrap()
}

async fn facts(place: &StorePlace) -> super::super::StoreFacts {
    Archive::open(place).await.unwrap().store_facts(place).await.unwrap()
}

/// Ends the sessions of the run: that of its writer, and that of its renewals.
async fn end_sessions(server: &ServerAddress) {
    let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    connect(server).await.execute(end).await.unwrap();
}

/// Waits until the writer ends because the lease is lost.
async fn wait_for_loss(bench: &mut Bench) -> LeaseLost {
    timeout(LONG, &mut bench.writer).await.expect("a loss").unwrap().unwrap_err()
}

#[tokio::test]
async fn a_second_run_is_refused_while_the_lease_of_the_first_is_live_and_the_node_is_named() {
    let Some((bench, _)) = bench().await else { return };
    let refused = refusal(&bench).await;
    assert!(matches!(refused, OpenError::Locked(_)), "{refused}");
    let why = refused.to_string();
    assert!(why.contains("another tidings is running on this store"), "{why}");
    assert!(why.contains(&name_node()), "{why}");
    let before = facts(&bench.place()).await;
    assert_eq!(before.is_locked, Some(true));
    assert!(before.bytes > 1 << 20, "{}", before.bytes);
    let [running] = &before.nodes.unwrap().running[..] else { panic!("one run") };
    assert_eq!((&running.node, running.role), (&name_node(), RunRole::Alone));
    assert!(running.left > MARGIN && running.left <= LEASE, "{running:?}");
    let home = bench.stop_cleanly().await;
    let after = facts(&home.place()).await;
    assert_eq!((after.is_locked, after.nodes.unwrap().running), (Some(false), vec![]));
    drop(Store::open(&home.place(), RunRole::Alone, compare_here()).await.unwrap());
}

#[tokio::test]
async fn a_lease_is_renewed_before_it_ends() {
    let Some((bench, server)) = bench().await else { return };
    let mut conn = connect(&server).await;
    let first = read_leases(&mut conn).await.unwrap()[0].until;
    let mut until = first;
    for _ in 0..2 {
        let renewed = async {
            loop {
                let now = read_leases(&mut conn).await.unwrap()[0].until;
                if now > until {
                    return now;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        until = timeout(LONG, renewed).await.unwrap();
    }
    bench.store.record_seen(1, at_second(1)).await.unwrap();
    assert!(matches!(refusal(&bench).await, OpenError::Locked(_)));
}

#[tokio::test]
async fn a_run_whose_lease_is_over_writes_nothing_and_another_may_take_the_store() {
    let Some((mut bench, _)) = bench().await else { return };
    bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
    bench.home.end_leases().await;
    let (other, writer) =
        Store::open(&bench.place(), RunRole::Alone, compare_here()).await.unwrap();
    let writer = tokio::spawn(writer);
    assert_eq!(other.leased_run, Some(2));
    let later = Timestamp::from_second(100_000_000_000).unwrap();
    let seen = "SELECT CAST(max(seen) AS TEXT) FROM run";
    let before = bench.query_text(seen).await;
    // The first run has not noticed.
    let refused = bench.store.record_seen(1, later).await.unwrap_err();
    assert!(matches!(refused, StoreError::Stopped), "{refused}");
    assert!(!refused.is_news());
    assert!(matches!(wait_for_loss(&mut bench).await, LeaseLost::Over));
    assert_eq!(bench.query_text(seen).await, before);
    other.record_seen(2, later).await.unwrap();
    assert_ne!(bench.query_text(seen).await, before);
    drop(other);
    writer.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_a_run_wrote_comes_before_all_that_the_next_one_writes() {
    let home = Home::new().await;
    let StorePlace::Server(server) = home.place() else { return };
    // A run that does not renew its lease, and does not know that it has ended.
    let (conn, lease, readers) = server::open(&server, RunRole::Alone).await.unwrap();
    let session = WritingSession { server: *server, fence: Some(lease.fence()) };
    let conn = WriterConnection::Server(DbConnection::Postgres(conn), session);
    let (store, writer) = Store::start(conn, DbPool::Postgres(readers), None, compare_here());
    tokio::spawn(writer);
    // It is in the middle of a transaction when its lease ends.
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (go_on, goes_on) = tokio::sync::oneshot::channel::<()>();
    let slow = store.writer.write(move |conn| {
        Box::pin(async move {
            begun.send(()).unwrap();
            goes_on.await.unwrap();
            let insert = "INSERT INTO rule_file (name, text, stored_at) VALUES ('slow', '', 0)";
            crate::store::db::query(insert).execute(conn).await.map(drop)
        })
    });
    has_begun.await.unwrap();
    home.end_leases().await;
    let place = home.place();
    let mut taking = Box::pin(Store::open(&place, RunRole::Alone, compare_here()));
    let waited = timeout(Duration::from_millis(500), &mut taking).await;
    assert!(waited.is_err(), "the transaction has the latch");
    go_on.send(()).unwrap();
    let (written, taken) = join(slow, taking).await;
    let (other, _writer) = taken.unwrap();
    written.unwrap();
    assert_eq!(other.rule_set().await.unwrap().files.len(), 1);
}

#[tokio::test]
async fn of_two_nodes_that_start_at_once_on_a_new_database_one_runs() {
    let Home::Database(database) = Home::empty().await else { return };
    let place = Home::Database(database);
    let open = || Store::open(place.place(), RunRole::Alone, compare_here());
    let (one, other) = Box::pin(join(open(), open())).await;
    let ((Ok(_), Err(refused)) | (Err(refused), Ok(_))) = (&one, &other) else {
        panic!("{:?} {:?}", one.err(), other.err())
    };
    assert!(matches!(refused, OpenError::Locked(_)), "{refused}");
}

#[tokio::test]
async fn a_session_that_was_lost_is_made_again_while_the_lease_is_live() {
    let Some((bench, server)) = bench().await else { return };
    bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
    end_sessions(&server).await;
    bench.store.record_seen(1, at_second(1)).await.unwrap_err();
    bench.poll("wire", 2, vec![item("b", settle_plan(&["arms"]))]).await;
    assert_eq!(bench.store.count_holdings().await.unwrap().alerts, 2);
    assert!(matches!(refusal(&bench).await, OpenError::Locked(_)));
}

#[tokio::test]
async fn a_run_that_cannot_renew_its_lease_stops_before_another_takes_it() {
    let Some((mut bench, server)) = bench().await else { return };
    let mut other = connect(&server).await;
    other.execute("SET idle_in_transaction_session_timeout = 0").await.unwrap();
    other.execute("BEGIN; SELECT 1 FROM run_lease FOR UPDATE").await.unwrap();
    let deadline = bench.store.lease_deadline().unwrap();
    let lost = wait_for_loss(&mut bench).await;
    assert!(matches!(lost, LeaseLost::Unrenewed(_)), "{lost:?}");
    assert_eq!(bench.store.lease_deadline(), Some(deadline));
    assert!(sleep_until(deadline).now_or_never().is_some(), "it has passed");
    // The server counts from the moment at which it renewed, the node from that of its request.
    let left = read_leases(&mut other).await.unwrap()[0].left;
    assert!(left <= MARGIN + RENEWAL_TIMEOUT, "{left:?}");
    assert!(bench.store.record_seen(1, at_second(1)).now_or_never().is_none_or(|it| it.is_err()));
}

#[tokio::test]
async fn a_process_that_stops_within_a_transaction_gives_up_the_latch() {
    let Some((bench, server)) = bench().await else { return };
    let home = bench.stop_cleanly().await;
    let mut stopped = connect(&server).await;
    stopped.execute("BEGIN; SELECT 1 FROM latch FOR UPDATE").await.unwrap();
    let taken =
        timeout(LONG, Store::open(&home.place(), RunRole::Alone, compare_here())).await.unwrap();
    drop(taken.unwrap());
    assert!(stopped.execute("COMMIT").await.is_err());
}

#[tokio::test]
async fn a_node_that_waits_is_told_who_runs_and_is_known_to_wait() {
    let Some((bench, server)) = bench().await else { return };
    let mut watch = LeaseWatch::new(&server, None);
    let running = watch.ask().await.unwrap().unwrap();
    assert_eq!((&running.node, running.role), (&name_node(), RunRole::Alone));
    let nodes = facts(&bench.place()).await.nodes.unwrap();
    assert_eq!(nodes.waiting.len(), 1);
    let known = &nodes.waiting[0];
    assert!(!known.is_empty() && name_node().starts_with(known.as_str()), "{known}");
    let home = bench.stop_cleanly().await;
    assert_eq!(watch.ask().await.unwrap(), None);
    drop(watch);
    drop(home);
}
