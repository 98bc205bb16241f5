//! Compares copies before the transactions that record them.
//!
//! Commands that record alerts wait in a queue of their own. Those that wait together are a batch.
//! All of its stories are compared, in the order of the commands, and each command is written in a
//! transaction of its own. The next batch begins when these are committed. So only commands from
//! elsewhere change what a batch was compared with. Then the rest of it is compared again.

mod candidates;

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::future::{BoxFuture, Either};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

use super::writer::{CopyCommand, QueuedCommand, WriteStories, Writer, catch_panic};
use super::{Store, StoreError};
use crate::alerts::copies::{BatchStory, CopyBatch, CopyDecisions};
use crate::store::db::{DbConnection, DbPool};

/// The most commands of a batch.
const BATCH: usize = 32;

/// How often the commands of a batch are compared before their transactions. Those that are still
/// outdated are compared within their transactions, where nothing comes in between.
const MOST_COMPARISONS: usize = 3;

/// The version that no command has: the command before may not have recorded its stories.
const OUTDATED: i64 = -1;

/// Runs [`CopyBatch::decide`], which takes long, where it holds nothing up.
pub type CopyComparer = Arc<dyn Fn(CopyBatch) -> BoxFuture<'static, CopyDecisions> + Send + Sync>;

impl Store {
    /// Queues a command at once: it compares `stories` and runs `write` on the writer, with a
    /// decision for each of them. The future is its answer. All of it is committed if `write`
    /// returns `Ok`, and none of it if `Err`.
    ///
    /// Commands that record alerts are written in the order in which they were queued.
    pub(super) fn write_stories(
        &self,
        stories: Vec<BatchStory>,
        records_alerts: bool,
        write: WriteStories,
    ) -> impl Future<Output = Result<bool, StoreError>> + use<> {
        if stories.is_empty() && !records_alerts {
            return Either::Left(self.writer.write(|conn| write(conn, Vec::new())));
        }
        let (reply, answer) = oneshot::channel();
        // A command that cannot be sent is dropped, and so is the sender of its answer.
        let _ = self.copies.send(((stories, write), reply));
        Either::Right(async move { answer.await.map_err(|_| StoreError::Stopped)? })
    }
}

/// What compares the commands of the queue and hands them to the writer.
pub(super) struct CopyQueue {
    pub(super) readers: DbPool,
    pub(super) writer: Writer,
    pub(super) comparer: CopyComparer,
}

impl CopyQueue {
    /// Compares and writes commands until every [`Store`] is dropped and the queue is empty.
    pub(super) async fn run(self, mut queue: UnboundedReceiver<QueuedCommand>) {
        let mut batch = Vec::new();
        while queue.recv_many(&mut batch, BATCH).await > 0 {
            for _ in 0..MOST_COMPARISONS {
                if !batch.is_empty() {
                    batch = self.write_batch(mem::take(&mut batch)).await;
                }
            }
            for (command, reply) in batch.drain(..) {
                let comparer = Arc::clone(&self.comparer);
                let written = self
                    .writer
                    .write(move |conn| Box::pin(compare_and_write(conn, command, comparer)));
                drop(reply.send(written.await));
            }
        }
    }

    /// Compares the stories of these commands, and writes each command unless a command from
    /// elsewhere came in between. Returns those that were not written.
    async fn write_batch(&self, batch: Vec<QueuedCommand>) -> Vec<QueuedCommand> {
        let stories: Vec<_> = batch.iter().flat_map(|((stories, _), _)| stories).cloned().collect();
        // If they cannot be read or compared, the last comparison says why.
        let Ok((version, decisions)) = self.compare(stories).await else { return batch };
        let (version, mut decisions) = (Arc::new(AtomicI64::new(version)), decisions.into_iter());
        let mut written = Vec::with_capacity(batch.len());
        for (command, reply) in batch {
            let decisions = decisions.by_ref().take(command.0.len()).collect();
            let version = Arc::clone(&version);
            let one = self
                .writer
                .write(move |conn| Box::pin(write_if_current(conn, command, decisions, version)));
            written.push((one, reply));
        }
        let mut outdated = Vec::new();
        for (written, reply) in written {
            match written.await {
                Ok(Err(command)) => outdated.push((command, reply)),
                Ok(Ok(answer)) => drop(reply.send(Ok(answer))),
                Err(why) => drop(reply.send(Err(why))),
            }
        }
        outdated
    }

    /// The decisions for these stories, and the version of what they were compared with. No
    /// connection is held while texts are compared. A panic of the comparer is an error.
    async fn compare(&self, stories: Vec<BatchStory>) -> Result<(i64, CopyDecisions), StoreError> {
        let mut reader = self.readers.begin().await?;
        let version = candidates::read_version(&mut reader).await?;
        let batch = candidates::read_batch(&mut reader, stories).await?;
        drop(reader);
        Ok((version, catch_panic(async { (self.comparer)(batch).await }).await?))
    }
}

/// Writes a command if nothing has changed that its stories were compared with, or else returns it.
/// Every command that records an alert raises the version. One that does not, as one for an
/// outdated revision, may have recorded nothing: the rest of its batch is compared again.
async fn write_if_current(
    conn: &mut DbConnection<'static>,
    (stories, write): CopyCommand,
    decisions: CopyDecisions,
    version: Arc<AtomicI64>,
) -> Result<Result<bool, CopyCommand>, sqlx::Error> {
    let expected = version.swap(OUTDATED, Ordering::Relaxed);
    if candidates::read_version(conn).await? != expected {
        return Ok(Err((stories, write)));
    }
    let answer = write(conn, decisions).await?;
    let written = candidates::read_version(conn).await?;
    if written > expected {
        version.store(written, Ordering::Relaxed);
    }
    Ok(Ok(answer))
}

/// Compares the stories of a command within its transaction, and writes it.
async fn compare_and_write(
    conn: &mut DbConnection<'static>,
    (stories, write): CopyCommand,
    comparer: CopyComparer,
) -> Result<bool, sqlx::Error> {
    let batch = candidates::read_batch(conn, stories).await?;
    let decisions = comparer(batch).await;
    write(conn, decisions).await
}

#[cfg(test)]
mod tests;
