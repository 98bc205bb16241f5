//! The loop for work that becomes due: starts what is due, limits how much runs at once, and sleeps
//! until more is due.

mod periodic;
mod tasks;

use std::pin::{Pin, pin};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::clock::{Jump, JumpWatch, later, now, sleep_until};
use crate::store::StoreError;
pub(super) use periodic::{Chore, repeat};
pub(super) use tasks::JobFailure;
use tasks::Tasks;

/// The pause after a failure of the store.
pub(super) const STORE_FAILED: Duration = Duration::from_secs(5);

/// How long the key of a job that panicked is left out.
const AFTER_PANIC: Duration = Duration::from_mins(10);

/// How long a stop waits for jobs in progress: as long as a webhook may take. A mail server may
/// take ten minutes.
pub(super) const STOP_GRACE: Duration = Duration::from_secs(30);

/// How often waits are checked against the clock, which may have been set.
const CLOCK_CHECK: Duration = Duration::from_mins(1);

/// How long a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Until it is stopped.
    Forever,
    /// Until every feed is polled, every story is settled and everything due is delivered.
    Once,
}

/// Work that becomes due in jobs. Each job runs as a task of its own, and has a key.
pub(super) trait Work {
    /// What identifies a running job.
    type Key: Clone;
    /// A job that is due.
    type Job;
    /// The result of a job.
    type Output: Send + 'static;

    /// The most jobs at once.
    const AT_ONCE: usize = usize::MAX;
    /// The pause after a job that the store failed. The job's key runs until then.
    const JOB_FAILED_PAUSE: Duration = STORE_FAILED;
    /// How long the other running jobs may take to end after the first, so that one
    /// [`find_due`](Self::find_due) serves them together.
    const GATHER: Duration = Duration::ZERO;
    /// How long a stop waits for running jobs. They are aborted then.
    const STOP_GRACE: Duration = Duration::ZERO;
    /// What the log says if [`find_due`](Self::find_due) fails.
    const LOOKUP_FAILED: &'static str;
    /// What the log says if a job fails.
    const JOB_FAILED: &'static str = "a job failed";

    /// Finds the jobs to start now, at most as many as `running` has free places.
    async fn find_due(
        &mut self,
        running: &Running<Self::Key, Self::Output>,
    ) -> Result<Due<Self::Job>, StoreError>;

    /// Does what follows `find_due` when its jobs are started. Returns when the next job is due.
    async fn follow_up(
        &mut self,
        next: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, StoreError> {
        Ok(next)
    }

    /// The key of a job, and its run.
    fn begin(&self, job: Self::Job) -> (Self::Key, Run<Self::Output>);

    /// Takes in the result of a job. A failure is logged already. The key of a job that panicked
    /// is [`taken`](Running::taken) for ten minutes.
    fn end(&mut self, _key: Self::Key, _result: Result<Self::Output, JobFailure>) {}

    /// Returns when jobs may be due before the time that `find_due` returned. It can be dropped at
    /// any time.
    async fn wait_for_change(&mut self) {
        std::future::pending::<()>().await;
    }

    /// Corrects waits that a wrong clock made. Called once a minute, and after every `jump`.
    async fn check_clock(&mut self, _jump: Option<Jump>) {}

    /// Whether a single round is over. Called when no job runs. `next` is when the next job is due.
    fn is_round_over(&self, next: Option<Timestamp>) -> bool {
        next.is_none_or(|next| next > now())
    }

    /// Records the jobs that ended while the loop stops.
    async fn record_ended(&mut self) {}

    /// Logs that a stop aborts `jobs` jobs.
    fn log_aborted(&self, _jobs: usize) {}
}

/// The run of a job.
pub(super) type Run<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// The jobs to start now, and when the next of the others is due.
#[derive(Debug)]
pub(super) struct Due<J> {
    pub(super) jobs: Vec<J>,
    pub(super) next: Option<Timestamp>,
}

impl<J> Due<J> {
    /// No job, at no time.
    pub(super) const NONE: Self = Self { jobs: Vec::new(), next: None };
}

/// The running jobs, and the keys that are left out because their job panicked.
#[derive(Debug)]
pub(super) struct Running<K, T> {
    tasks: Tasks<K, T>,
    left_out: Tasks<K, ()>,
    at_once: usize,
}

impl<K: Clone, T: Send + 'static> Running<K, T> {
    /// The keys of the running jobs.
    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.tasks.keys()
    }

    /// The keys that no job may be started for.
    pub(super) fn taken(&self) -> Vec<K> {
        self.keys().chain(self.left_out.keys()).cloned().collect()
    }

    /// The number of jobs that may be started.
    pub(super) fn free(&self) -> u32 {
        u32::try_from(self.at_once.saturating_sub(self.tasks.len())).unwrap_or(u32::MAX)
    }

    /// The number of running jobs.
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }
}

/// Does `work` whenever it is due, until `stop`, or in a single round until the round is over.
///
/// Returns when the next job is due, if a single round ended.
pub(super) async fn run_work<W: Work>(
    work: &mut W,
    mode: Mode,
    stop: &CancellationToken,
) -> Option<Timestamp> {
    run_with_clock(work, mode, stop, JumpWatch::start()).await
}

async fn run_with_clock<W: Work>(
    work: &mut W,
    mode: Mode,
    stop: &CancellationToken,
    mut clock: JumpWatch,
) -> Option<Timestamp> {
    let (tasks, left_out) = (Tasks::new(), Tasks::new());
    let mut running = Running { tasks, left_out, at_once: W::AT_ONCE };
    let mut checks = tokio::time::interval(CLOCK_CHECK);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    checks.reset();
    let mut is_check_due = false;
    while !stop.is_cancelled() {
        let jump = clock.observe();
        if is_check_due || jump.is_some() {
            is_check_due = false;
            work.check_clock(jump).await;
        }
        let next = start_due(work, &mut running, stop).await;
        if mode == Mode::Once && running.len() == 0 && work.is_round_over(next) {
            return next;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = work.wait_for_change() => {}
            Some(ended) = running.tasks.next() => {
                end_job(work, &mut running, ended);
                gather_ended(work, &mut running).await;
            }
            Some(_) = running.left_out.next() => {}
            () = sleep_until(next) => {}
            _ = checks.tick() => is_check_due = true,
        }
        while let Some(ended) = running.tasks.try_next() {
            end_job(work, &mut running, ended);
        }
    }
    finish_jobs(work, running).await;
    None
}

/// Starts the jobs that are due. Returns when the next one is due; `None` if no more may run.
async fn start_due<W: Work>(
    work: &mut W,
    running: &mut Running<W::Key, W::Output>,
    stop: &CancellationToken,
) -> Option<Timestamp> {
    if running.free() == 0 {
        return None;
    }
    let pause_after = |why: StoreError| {
        if why.is_news() {
            error!(event = "store_failed", "{}: {why}; it is tried again", W::LOOKUP_FAILED);
        }
        Some(later(now(), STORE_FAILED))
    };
    let due = match work.find_due(running).await {
        Ok(due) => due,
        Err(why) => return pause_after(why),
    };
    for job in due.jobs {
        let (key, run) = work.begin(job);
        let stop = stop.clone();
        running.tasks.spawn(key, async move {
            let result = run.await;
            if let Err(why) = &result {
                if why.is_news() {
                    error!(event = "job_failed", "{}: {why}; it is tried again", W::JOB_FAILED);
                }
                stop.run_until_cancelled(tokio::time::sleep(W::JOB_FAILED_PAUSE)).await;
            }
            result
        });
    }
    let next = work.follow_up(due.next).await.unwrap_or_else(pause_after);
    next.filter(|_| running.free() > 0)
}

/// Takes in the jobs that end within [`Work::GATHER`].
async fn gather_ended<W: Work>(work: &mut W, running: &mut Running<W::Key, W::Output>) {
    if W::GATHER.is_zero() {
        return;
    }
    let mut deadline = pin!(tokio::time::sleep(W::GATHER));
    while let Some(ended) = running.tasks.next_before(deadline.as_mut()).await {
        end_job(work, running, ended);
    }
}

fn end_job<W: Work>(
    work: &mut W,
    running: &mut Running<W::Key, W::Output>,
    (key, result): (W::Key, Result<W::Output, JobFailure>),
) {
    if let Err(why @ JobFailure::Bug(_)) = &result {
        error!(event = "job_failed", "{}: {why}; it is tried again later", W::JOB_FAILED);
        running.left_out.spawn(key.clone(), async {
            tokio::time::sleep(AFTER_PANIC).await;
            Ok(())
        });
    }
    work.end(key, result);
}

/// Waits for the running jobs, at most [`Work::STOP_GRACE`]. Each end is recorded at once, because
/// the process may be killed.
async fn finish_jobs<W: Work>(work: &mut W, mut running: Running<W::Key, W::Output>) {
    let mut deadline = pin!(tokio::time::sleep(W::STOP_GRACE));
    work.record_ended().await;
    while let Some(ended) = running.tasks.next_before(deadline.as_mut()).await {
        end_job(work, &mut running, ended);
        work.record_ended().await;
    }
    if running.len() > 0 {
        work.log_aborted(running.len());
        running.tasks.abort_all().await;
    }
}

#[cfg(test)]
mod tests;
