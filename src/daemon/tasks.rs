//! A set of tasks that each have a key. The key of a task is known even if the task panics.

use std::collections::HashMap;
use std::fmt;

use tokio::task::{Id, JoinError, JoinSet};

/// A set of running tasks. All are aborted when it is dropped.
#[derive(Debug)]
pub(crate) struct Tasks<K, T> {
    running: JoinSet<T>,
    keys: HashMap<Id, K>,
}

/// A task panicked, because of a bug in Tidings.
#[derive(Debug)]
pub(crate) struct Panicked(String);

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a bug in Tidings, please report it ({})", self.0)
    }
}

impl<K, T: Send + 'static> Tasks<K, T> {
    /// No tasks.
    pub(crate) fn new() -> Self {
        Self { running: JoinSet::new(), keys: HashMap::new() }
    }

    /// Starts a task with this key.
    pub(crate) fn spawn(&mut self, key: K, work: impl Future<Output = T> + Send + 'static) {
        let id = self.running.spawn(work).id();
        self.keys.insert(id, key);
    }

    /// Waits for the next task to end, and returns its key and result. `None` if there is no task.
    ///
    /// No result is lost if the wait is cancelled.
    pub(crate) async fn next(&mut self) -> Option<(K, Result<T, Panicked>)> {
        let joined = self.running.join_next_with_id().await?;
        self.with_key(joined)
    }

    /// Like [`next`](Self::next), but without waiting. `None` if no task has ended.
    pub(crate) fn try_next(&mut self) -> Option<(K, Result<T, Panicked>)> {
        let joined = self.running.try_join_next_with_id()?;
        self.with_key(joined)
    }

    fn with_key(&mut self, joined: Result<(Id, T), JoinError>) -> Option<(K, Result<T, Panicked>)> {
        let (id, ended) = match joined {
            Ok((id, ended)) => (id, Ok(ended)),
            Err(why) => (why.id(), Err(Panicked(why.to_string()))),
        };
        Some((self.keys.remove(&id)?, ended))
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
        tasks.spawn("sound", async { 7 });
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
