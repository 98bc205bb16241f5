//! The one writer: commands queue, each runs in a savepoint, one commit a batch, and only then are their callers answered.

use std::any::Any;

use futures_util::future::BoxFuture;
use sqlx::sqlite::SqliteConnection;
use sqlx::Connection;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

use super::{Store, StoreError};

/// How many commands share a commit at most: enough to spread the cost of a sync, few enough that nobody waits long for an answer.
const BATCH: usize = 64;

/// What a command returns, of whatever type.
type Value = Box<dyn Any + Send>;

/// A command: any number of statements on the writer's connection.
type Work = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<Value, sqlx::Error>> + Send>;

/// Where a command's caller waits, if it still does.
type Reply = oneshot::Sender<Result<Value, StoreError>>;

/// A command on its way to the writer.
pub(super) struct Job {
    work: Work,
    reply: Reply,
}

impl Store {
    /// Has the writer run `work`: all of it is committed when this returns `Ok`, none of it when it returns `Err`.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, sqlx::Error>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(|conn| Box::pin(async move { Ok(Box::new(work(conn).await?) as Value) }));
        let stopped = || StoreError("its writer has stopped".to_owned());
        self.writer.send(Job { work, reply }).map_err(|_| stopped())?;
        let value = answer.await.map_err(|_| stopped())??;
        Ok(*value.downcast().expect("a reply holds what its own work returned"))
    }
}

/// Runs commands until every [`Store`] is dropped and the queue is empty.
pub(super) async fn run(mut conn: SqliteConnection, mut queue: UnboundedReceiver<Job>) {
    let mut jobs = Vec::new();
    while queue.recv_many(&mut jobs, BATCH).await > 0 {
        batch(&mut conn, std::mem::take(&mut jobs)).await;
    }
    if let Err(error) = conn.close().await {
        tracing::warn!(%error, "the store did not close cleanly; nothing is lost");
    }
}

/// Runs `jobs` in one transaction and answers their callers. The writer lives on, whatever fails.
async fn batch(conn: &mut SqliteConnection, jobs: Vec<Job>) {
    let mut waiting = jobs.into_iter();
    let mut done = Vec::with_capacity(waiting.len());
    let committed = transaction(conn, &mut waiting, &mut done).await;
    if committed.is_err() {
        // Where SQLite has rolled back by itself, this says that there is no transaction: which is all that is wanted.
        let _ = execute(conn, "ROLLBACK").await;
    }
    for (reply, result) in done {
        answer(reply, result.and_then(|value| committed.clone().map(|()| value)));
    }
    for job in waiting {
        // Only a transaction that failed leaves jobs.
        answer(job.reply, Err(committed.clone().expect_err("a commit has run every job")));
    }
}

/// Runs `jobs` one after the other, collecting in `done` what came of each, and commits. After an `Err`, none of them is to stand.
async fn transaction(
    conn: &mut SqliteConnection,
    jobs: &mut std::vec::IntoIter<Job>,
    done: &mut Vec<(Reply, Result<Value, StoreError>)>,
) -> Result<(), StoreError> {
    execute(conn, "BEGIN IMMEDIATE").await?;
    for job in jobs {
        let result = command(conn, job.work).await;
        let failed = result.as_ref().err().cloned();
        done.push((job.reply, result));
        if let Some(error) = failed {
            // A full or broken disk makes SQLite roll back all of a transaction. Going on would commit each statement by itself.
            execute(conn, "ROLLBACK TO command").await.map_err(|_| error)?;
        }
    }
    execute(conn, "COMMIT").await
}

/// Runs one command in a savepoint, which it leaves open if it fails.
async fn command(conn: &mut SqliteConnection, work: Work) -> Result<Value, StoreError> {
    execute(conn, "SAVEPOINT command").await?;
    let value = work(conn).await?;
    execute(conn, "RELEASE command").await?;
    Ok(value)
}

async fn execute(conn: &mut SqliteConnection, sql: &'static str) -> Result<(), StoreError> {
    sqlx::query(sql).execute(conn).await?;
    Ok(())
}

/// Answers a caller, who may have left.
fn answer(reply: Reply, result: Result<Value, StoreError>) {
    let _ = reply.send(result);
}
