//! Blocking threads for steps that use a core for long.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::store::CopyComparer;

/// Permits for steps that use a core for long; as many as there are cores.
#[derive(Clone, Debug)]
pub(crate) struct BlockingThreads(Arc<Semaphore>);

impl BlockingThreads {
    /// A permit for each core.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(cores)))
    }

    /// Compares copies for the store.
    pub(crate) fn copy_comparer(&self) -> CopyComparer {
        let threads = self.clone();
        Arc::new(move |batch| {
            let threads = threads.clone();
            Box::pin(async move { threads.run(move || batch.decide()).await })
        })
    }

    /// Runs a step on a thread of its own, when it has a permit.
    ///
    /// # Panics
    /// If the step panics.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        step: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let _permit = self.0.acquire().await.expect("the semaphore is never closed");
        run_without_permit(step).await
    }
}

/// Runs a step on a thread of its own at once. For steps that a slow disk may block for long, and
/// for those that must not wait.
///
/// # Panics
/// If the step panics.
pub(crate) async fn run_without_permit<T: Send + 'static>(
    step: impl FnOnce() -> T + Send + 'static,
) -> T {
    tokio::task::spawn_blocking(step).await.expect("the step does not panic")
}
