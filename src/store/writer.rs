//! The only writer. Runs queued commands, each in a savepoint, commits once a batch, and then
//! answers the callers.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::{oneshot, watch};

use super::StoreError;
use super::run_lease::LeaseLost;
use super::writer_connection::{NotBegun, WriterConnection};
use crate::alerts::copies::{BatchStory, CopyDecisions};
use crate::metrics::WriterMetrics;
use crate::store::db::{DbConnection, DbPool, Sql, run_script};

/// Begins a transaction that writes. No other writes until it ends.
pub(super) const BEGIN: Sql =
    Sql { sqlite: "BEGIN IMMEDIATE", postgres: "BEGIN; SELECT 1 FROM latch FOR UPDATE" };

/// Begins a transaction that writes, and its first command.
const BEGIN_BATCH: Sql = Sql {
    sqlite: "BEGIN IMMEDIATE; SAVEPOINT command",
    postgres: "BEGIN; SELECT 1 FROM latch FOR UPDATE; SAVEPOINT command",
};

/// The most commands in one commit. A sync serves many commands, and answers stay quick.
const BATCH: usize = 64;

/// The result of a command, of any type.
type Value = Box<dyn Any + Send>;

/// A command: any number of statements on the writer's connection.
type WriterCommand = Box<
    dyn for<'c> FnOnce(&'c mut DbConnection<'static>) -> BoxFuture<'c, Result<Value, sqlx::Error>>
        + Send,
>;

/// The answer to a command's caller, if the caller still waits.
type WriterReply = oneshot::Sender<Result<Value, StoreError>>;

/// A command in the writer's queue.
pub(super) struct Job {
    work: WriterCommand,
    reply: WriterReply,
}

/// Records stories with these decisions.
pub(super) type WriteStories = Box<
    dyn for<'c> FnOnce(
            &'c mut DbConnection<'static>,
            CopyDecisions,
        ) -> BoxFuture<'c, Result<bool, sqlx::Error>>
        + Send,
>;

/// A command with the stories that it records, in their order.
pub(super) type CopyCommand = (Vec<BatchStory>, WriteStories);

/// A command whose stories wait to be compared, and the sender of its answer.
pub(super) type QueuedCommand = (CopyCommand, oneshot::Sender<Result<bool, StoreError>>);

/// The queue of the one connection that writes.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    pub(super) queue: UnboundedSender<Job>,
    pub(super) metrics: WriterMetrics,
}

impl Writer {
    /// Queues `work` at once. The future is its answer. All of it is committed if `work` returns
    /// `Ok`, and none of it if `Err`. If the future is dropped, a failure is only logged.
    pub(super) fn write<T, F>(
        &self,
        work: F,
    ) -> impl Future<Output = Result<T, StoreError>> + use<T, F>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut DbConnection<'static>) -> BoxFuture<'c, Result<T, sqlx::Error>>
            + Send
            + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work: WriterCommand =
            Box::new(|conn| Box::pin(async move { Ok(Box::new(work(conn).await?) as Value) }));
        self.metrics.count_queued();
        // A job that cannot be sent is dropped, and so is the sender of its answer.
        let _ = self.queue.send(Job { work, reply });
        async move {
            let value = answer.await.map_err(|_| StoreError::Stopped)??;
            Ok(*value.downcast().expect("a reply holds what its own work returned"))
        }
    }
}

/// Runs commands until every [`Store`](super::Store) is dropped and the queue is empty.
///
/// # Errors
/// If the lease of the run is over. What is queued is not done then.
pub(super) async fn run_writer(
    conn: &mut WriterConnection,
    mut queue: UnboundedReceiver<Job>,
    metrics: WriterMetrics,
    committed: watch::Sender<()>,
) -> Result<(), LeaseLost> {
    let mut jobs = Vec::new();
    while queue.recv_many(&mut jobs, BATCH).await > 0 {
        let timer = metrics.start_commit(jobs.len());
        let failures = run_batch(conn, std::mem::take(&mut jobs)).await?;
        timer.end(failures);
        committed.send_replace(());
    }
    Ok(())
}

/// Gives back the lease of a run, and leaves the store in one file if no other process has it open.
pub(super) async fn close_writer(mut conn: WriterConnection, readers: DbPool) {
    let follows = match conn {
        WriterConnection::File(_) => "a copy of the store needs its -wal file",
        _ => "other nodes wait for its lease to end",
    };
    let released = conn.release().await;
    // The last connection that closes merges the log into the file. Only a connection that can
    // write is able to.
    readers.close().await;
    let error = match released.and(conn.close().await) {
        Ok(true) => return,
        Ok(false) => StoreError::Failed("another process reads it".to_owned()),
        Err(error) => error.into(),
    };
    tracing::warn!(
        event = "store_not_closed",
        "the store did not close cleanly; nothing is lost, but {follows}: {error}"
    );
}

/// Runs `jobs` in one transaction and answers their callers. The writer survives every failure, and
/// a panic of a command, too.
///
/// Returns how many failed.
async fn run_batch(conn: &mut WriterConnection, jobs: Vec<Job>) -> Result<u64, LeaseLost> {
    let mut failures = 0;
    let mut waiting = jobs.into_iter();
    let mut done = Vec::with_capacity(waiting.len());
    let committed = match conn.begin(BEGIN_BATCH).await {
        Ok(conn) => run_transaction(conn, &mut waiting, &mut done).await,
        Err(NotBegun::Unreachable(why)) => Err(StoreError::Unreachable(why)),
        Err(NotBegun::Failed(why)) => Err(why.into()),
        Err(NotBegun::LeaseOver) => return Err(LeaseLost::Over),
    };
    if let Err(why) = &committed {
        conn.roll_back(why.outage()).await;
    }
    for (reply, result) in done {
        let result = result.and_then(|value| committed.clone().map(|()| value));
        failures += u64::from(result.is_err());
        send_reply(reply, result);
    }
    for job in waiting {
        // Jobs are left only if a transaction failed.
        failures += 1;
        send_reply(job.reply, Err(committed.clone().expect_err("a commit has run every job")));
    }
    Ok(failures)
}

/// Runs `jobs` one after the other in the transaction that has begun, collects their results in
/// `done`, and commits. After an `Err`, the caller rolls back.
async fn run_transaction(
    conn: &mut DbConnection<'static>,
    jobs: &mut std::vec::IntoIter<Job>,
    done: &mut Vec<(WriterReply, Result<Value, StoreError>)>,
) -> Result<(), StoreError> {
    while let Some(Job { work, reply }) = jobs.next() {
        let ended = catch_panic(async { work(conn).await }).await;
        let result = ended.and_then(|done| done.map_err(StoreError::from));
        let failed = result.as_ref().err().cloned();
        done.push((reply, result));
        if let Some(error) = failed {
            // A full or broken disk makes SQLite roll back the whole transaction. Further
            // statements would be committed one by one.
            run_script(conn, "ROLLBACK TO command".into()).await.map_err(|_| error)?;
        } else if jobs.len() > 0 {
            run_script(conn, "RELEASE command; SAVEPOINT command".into()).await?;
        }
    }
    Ok(run_script(conn, "COMMIT".into()).await?)
}

/// Awaits `work`. Its panic is an error. What it leaves half done must not be used after that: a
/// command's changes are rolled back.
pub(super) async fn catch_panic<T>(work: impl Future<Output = T>) -> Result<T, StoreError> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| StoreError::panicked())
}

/// Answers a caller. If the caller no longer waits, a failure is logged.
fn send_reply(reply: WriterReply, result: Result<Value, StoreError>) {
    if let Err(Err(why)) = reply.send(result) {
        tracing::error!(
            event = "store_failed",
            "a write to the store failed after its caller had ended: {why}"
        );
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use futures_util::future::join3;

    use super::super::Store;
    use super::super::fixture::{Bench, Home, compare_here};
    use super::*;
    use crate::store::RunRole;
    use crate::store::db;

    const KEEP: &str = "INSERT INTO rule_file (name, text, stored_at) VALUES ('a', '', 0)";
    const KEEP_ANOTHER: &str = "INSERT INTO rule_file (name, text, stored_at) VALUES ('b', '', 0)";
    const FAIL: &str = "INSERT INTO rule_file (name, text, stored_at) VALUES ('c', NULL, 0)";

    /// One command of these statements.
    async fn run_sql(store: &Store, statements: &'static [&'static str]) -> Result<(), StoreError> {
        store.writer.write(move |conn| Box::pin(run_all(conn, statements))).await
    }

    async fn run_all(
        conn: &mut DbConnection<'_>,
        statements: &[&'static str],
    ) -> Result<(), sqlx::Error> {
        for sql in statements {
            db::query(*sql).execute(&mut *conn).await?;
        }
        Ok(())
    }

    /// Queues three commands before the writer starts, so that they are one batch.
    async fn one_batch(
        home: Home,
        commands: [&'static [&'static str]; 3],
        then: &'static [&'static str],
    ) -> ([Result<(), StoreError>; 3], Result<(), StoreError>, Vec<String>) {
        let (store, writer) =
            Store::open(&home.place(), RunRole::Alone, compare_here()).await.unwrap();
        let [a, b, c] = commands.map(|statements| run_sql(&store, statements));
        let mut batch = Box::pin(join3(a, b, c));
        assert!(batch.as_mut().now_or_never().is_none());
        tokio::spawn(writer);
        let (a, b, c) = batch.await;
        let after = run_sql(&store, then).await;
        let kept = db::query_scalar("SELECT name FROM rule_file ORDER BY name")
            .fetch_all(&store.readers)
            .await;
        ([a, b, c], after, kept.unwrap())
    }

    #[tokio::test]
    async fn a_command_that_fails_takes_back_all_of_itself_and_nothing_of_its_batch() {
        let ([a, b, c], after, kept) =
            one_batch(Home::new().await, [&[KEEP], &[KEEP_ANOTHER, FAIL], &[KEEP_ANOTHER]], &[])
                .await;
        assert!(a.is_ok() && c.is_ok() && after.is_ok());
        let why = b.unwrap_err().to_string().to_lowercase().replace('-', " ");
        assert!(why.contains("not null"), "{why}");
        assert_eq!(kept, ["a", "b"]);
    }

    #[tokio::test]
    async fn a_commit_that_fails_fails_every_command_of_its_batch_and_the_writer_lives_on() {
        // An orphan, which SQLite finds only at the commit.
        const ORPHAN: &str = "INSERT INTO message_alert (message, alert) VALUES (7, 7)";
        let ([a, b, c], after, kept) = one_batch(
            Home::folder(),
            [&[KEEP], &["PRAGMA defer_foreign_keys = on", ORPHAN], &[]],
            &[KEEP_ANOTHER],
        )
        .await;
        for failed in [a, b, c] {
            assert!(failed.unwrap_err().to_string().contains("FOREIGN KEY"));
        }
        assert!(after.is_ok());
        assert_eq!(kept, ["b"]);
    }

    #[tokio::test]
    async fn a_full_disk_fails_what_it_takes_back_and_the_writer_lives_on() {
        const GROW: &str = "INSERT INTO rule_file (name, text, stored_at) VALUES ('big', hex(zeroblob(1000000)), 0)";
        // The limit is at least the used size, so no room is left.
        let ([a, b, c], after, kept) = one_batch(
            Home::folder(),
            [&[KEEP], &["PRAGMA max_page_count = 1", GROW], &[KEEP_ANOTHER]],
            &["PRAGMA max_page_count = 1000000", GROW],
        )
        .await;
        for failed in [&a, &b, &c] {
            assert!(failed.as_ref().unwrap_err().to_string().contains("full"), "{failed:?}");
        }
        assert!(after.is_ok());
        assert_eq!(kept, ["big"]);
    }

    #[tokio::test]
    async fn a_caller_that_leaves_cancels_nothing() {
        let bench = Bench::new().await;
        assert!(run_sql(&bench.store, &[KEEP, KEEP_ANOTHER]).now_or_never().is_none());
        run_sql(&bench.store, &[]).await.unwrap();
        assert_eq!(bench.query_text("SELECT count(*) || '' FROM rule_file").await.unwrap(), "2");
    }

    #[tokio::test]
    async fn the_writer_does_all_that_was_asked_before_it_ends() {
        let home = Home::new().await;
        let (store, writer) =
            Store::open(&home.place(), RunRole::Alone, compare_here()).await.unwrap();
        assert!(run_sql(&store, &[KEEP]).now_or_never().is_none());
        drop(store);
        writer.await.unwrap();
        let (store, _writer) =
            Store::open(&home.place(), RunRole::Alone, compare_here()).await.unwrap();
        let kept: i64 = db::query_scalar("SELECT count(*) FROM rule_file")
            .fetch_one(&store.readers)
            .await
            .unwrap();
        assert_eq!(kept, 1);
    }

    #[tokio::test]
    async fn a_call_after_the_writer_has_stopped_is_an_error() {
        let home = Home::new().await;
        let (store, writer) =
            Store::open(&home.place(), RunRole::Alone, compare_here()).await.unwrap();
        drop(writer);
        assert!(run_sql(&store, &[KEEP]).await.unwrap_err().to_string().contains("stopped"));
    }

    #[tokio::test]
    async fn a_command_that_panics_writes_nothing_and_the_writer_goes_on() {
        let home = Home::new().await;
        let (store, writer) =
            Store::open(&home.place(), RunRole::Alone, compare_here()).await.unwrap();
        let panic = store.writer.write::<(), _>(|conn| {
            Box::pin(async move {
                run_all(conn, &[KEEP]).await?;
                panic!("a bug");
            })
        });
        // The panic is between two commands of one batch.
        let first = run_sql(&store, &[KEEP_ANOTHER]);
        let last = run_sql(&store, &["DELETE FROM gap"]);
        let mut batch = Box::pin(join3(first, panic, last));
        assert!(batch.as_mut().now_or_never().is_none());
        tokio::spawn(writer);
        let (first, panicked, last) = batch.await;
        assert!(first.is_ok() && last.is_ok());
        assert!(panicked.unwrap_err().to_string().contains("a bug of Tidings"));
        let kept: Vec<String> =
            db::query_scalar("SELECT name FROM rule_file").fetch_all(&store.readers).await.unwrap();
        assert_eq!(kept, ["b"]);
        run_sql(&store, &[KEEP]).await.unwrap();
    }
}
