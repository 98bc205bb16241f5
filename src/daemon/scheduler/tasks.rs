//! A set of tasks that each have a key. The key of a task is known even if the task panics.

use std::collections::HashMap;
use std::pin::Pin;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Sleep;

use crate::store::StoreError;

/// A set of running tasks. All are aborted when it is dropped.
#[derive(Debug)]
pub(crate) struct Tasks<K, T> {
    running: JoinSet<Result<T, StoreError>>,
    keys: HashMap<Id, K>,
}

/// Why a task has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobFailure {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The task panicked.
    #[error("a bug in Tidings, please report it ({0})")]
    Bug(String),
}

impl<K, T: Send + 'static> Tasks<K, T> {
    /// No tasks.
    pub(crate) fn new() -> Self {
        Self { running: JoinSet::new(), keys: HashMap::new() }
    }

    /// Starts a task with this key.
    pub(crate) fn spawn(
        &mut self,
        key: K,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) {
        let id = self.running.spawn(work).id();
        self.keys.insert(id, key);
    }

    /// Waits for the next task to end, and returns its key and result. `None` if there is no task.
    ///
    /// No result is lost if the wait is cancelled.
    pub(crate) async fn next(&mut self) -> Option<(K, Result<T, JobFailure>)> {
        let joined = self.running.join_next_with_id().await?;
        self.with_key(joined)
    }

    /// Like [`next`](Self::next), but also `None` at `deadline`. A task that has ended comes first.
    pub(crate) async fn next_before(
        &mut self,
        deadline: Pin<&mut Sleep>,
    ) -> Option<(K, Result<T, JobFailure>)> {
        tokio::select! {
            biased;
            ended = self.next() => ended,
            () = deadline => None,
        }
    }

    /// Like [`next`](Self::next), but without waiting. `None` if no task has ended.
    pub(crate) fn try_next(&mut self) -> Option<(K, Result<T, JobFailure>)> {
        let joined = self.running.try_join_next_with_id()?;
        self.with_key(joined)
    }

    fn with_key(
        &mut self,
        joined: Result<(Id, Result<T, StoreError>), JoinError>,
    ) -> Option<(K, Result<T, JobFailure>)> {
        let (id, result) = match joined {
            Ok((id, result)) => (id, result.map_err(JobFailure::Store)),
            Err(why) => (why.id(), Err(JobFailure::Bug(why.to_string()))),
        };
        Some((self.keys.remove(&id)?, result))
    }

    /// Aborts all tasks, and waits until they have ended.
    pub(crate) async fn abort_all(&mut self) {
        self.running.shutdown().await;
    }

    /// The keys of the running tasks.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.keys.values()
    }

    /// The number of running tasks.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_returned_with_its_key() {
        let mut tasks = Tasks::new();
        tasks.spawn("sound", async { Ok(7) });
        tasks.spawn("broken", async { panic!("oh") });
        let mut ended = Vec::new();
        while let Some((key, outcome)) = tasks.next().await {
            ended.push((key, outcome.ok()));
        }
        ended.sort_unstable();
        assert_eq!(ended, [("broken", None), ("sound", Some(7))]);
        assert_eq!((tasks.len(), tasks.keys().count()), (0, 0));
    }
}
