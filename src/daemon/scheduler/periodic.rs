//! One job that is done at the start, and then every so often or when something changes.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Due, JobFailure, Mode, Run, Running, Work, run_work};
use crate::clock::{Jump, later, now};
use crate::daemon::shares::{NodeShares, ShareUse};
use crate::shares::Share;
use crate::store::StoreError;

/// The pause between two questions whether the chores are this node's.
const OTHER_NODE: Duration = Duration::from_secs(1);

/// A job that is done again and again. A stop aborts it.
pub(crate) trait Chore: Clone + Send + 'static {
    /// What the log says if it fails.
    const FAILED: &'static str;
    /// The wait after it, even if it failed or panicked. `None`: until a change.
    const EVERY: Option<Duration>;

    /// Does it once.
    fn run(self) -> impl Future<Output = Result<(), StoreError>> + Send + 'static;

    /// Waits for a change that makes it necessary. Returns the wait from then on. It can be dropped
    /// at any time.
    async fn wait_for_change(&self) -> Duration {
        std::future::pending().await
    }
}

/// Does `chore` at once, and then again and again until `stop`. In a single round it is done once.
/// While the chores are another node's, it waits.
pub(crate) async fn repeat<C: Chore>(
    chore: C,
    shares: Arc<NodeShares>,
    mode: Mode,
    stop: &CancellationToken,
) {
    run_work(&mut Periodic::new(chore, shares, now()), mode, stop).await;
}

/// A chore, and the wait for it.
struct Periodic<C> {
    chore: C,
    shares: Arc<NodeShares>,
    /// The length of the wait.
    wait: Duration,
    /// `None`: it waits for a change.
    due: Option<Timestamp>,
}

impl<C: Chore> Periodic<C> {
    /// The chore is due at `now`.
    fn new(chore: C, shares: Arc<NodeShares>, now: Timestamp) -> Self {
        Self { chore, shares, wait: Duration::ZERO, due: Some(now) }
    }

    fn wait(&mut self, wait: Option<Duration>, now: Timestamp) {
        self.wait = wait.unwrap_or_default();
        self.due = wait.map(|wait| later(now, wait));
    }

    /// Shortens a wait that began while the clock was ahead.
    fn cut_wait(&mut self, now: Timestamp) {
        self.due = self.due.map(|due| due.min(later(now, self.wait)));
    }
}

impl<C: Chore> Work for Periodic<C> {
    type Key = ();
    type Job = ShareUse;
    type Output = ();

    const AT_ONCE: usize = 1;
    const LOOKUP_FAILED: &'static str = C::FAILED;
    const JOB_FAILED: &'static str = C::FAILED;

    async fn find_due(&mut self, _running: &Running<(), ()>) -> Result<Due<ShareUse>, StoreError> {
        let now = now();
        let next = self.due;
        if next.is_none_or(|due| due > now) {
            return Ok(Due { next, ..Due::NONE });
        }
        let Some(share) = self.shares.begin(Share::CHORES) else {
            return Ok(Due { next: Some(later(now, OTHER_NODE)), ..Due::NONE });
        };
        // A change during the job makes it due again.
        self.due = None;
        Ok(Due { jobs: vec![share], next: None })
    }

    fn begin(&self, share: ShareUse) -> ((), Run<()>) {
        ((), Box::pin(share.hold_during(self.chore.clone().run())))
    }

    fn end(&mut self, (): (), _result: Result<(), JobFailure>) {
        if self.due.is_none() {
            self.wait(C::EVERY, now());
        }
    }

    async fn wait_for_change(&mut self) {
        let wait = self.chore.wait_for_change().await;
        self.wait(Some(wait), now());
    }

    async fn check_clock(&mut self, _jump: Option<Jump>) {
        self.cut_wait(now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::scheduler::tasks::Tasks;
    use crate::shares::OwnShares;

    const MINUTE: Duration = Duration::from_mins(1);

    /// How a chore ends.
    #[derive(Clone, Copy)]
    enum ChoreEnd {
        Well,
        StoreFails,
        Panics,
    }

    impl Chore for ChoreEnd {
        const FAILED: &'static str = "the chore failed";
        const EVERY: Option<Duration> = Some(MINUTE);

        async fn run(self) -> Result<(), StoreError> {
            match self {
                Self::Well => Ok(()),
                Self::StoreFails => Err(StoreError::Failed("closed".to_owned())),
                Self::Panics => panic!("as the test says"),
            }
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
    }

    fn alone() -> Arc<NodeShares> {
        NodeShares::new(OwnShares::All)
    }

    #[tokio::test(start_paused = true)]
    async fn a_chore_is_due_again_after_its_interval_however_it_ended() {
        for end in [ChoreEnd::Well, ChoreEnd::StoreFails, ChoreEnd::Panics] {
            let before = now();
            let mut chore = Periodic::new(end, alone(), before);
            run_work(&mut chore, Mode::Once, &CancellationToken::new()).await;
            let due = chore.due.expect("it has an interval");
            assert!(later(before, MINUTE) <= due && due <= later(now(), MINUTE), "{due}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_chore_waits_while_the_chores_are_another_nodes() {
        let shares = NodeShares::new(OwnShares::Some(Arc::default()));
        let mut chore = Periodic::new(ChoreEnd::Well, Arc::clone(&shares), now());
        let none = Running { tasks: Tasks::new(), left_out: Tasks::new(), at_once: 1 };
        let due = chore.find_due(&none).await.expect("no store");
        assert!(due.jobs.is_empty() && due.next.is_some_and(|next| next > now()));
        shares.replace([Share::CHORES].into());
        let due = chore.find_due(&none).await.expect("no store");
        assert_eq!(due.jobs.len(), 1);
        assert_eq!(shares.idle(&[Share::CHORES].into()).len(), 0);
        let ((), run) = chore.begin(due.jobs.into_iter().next().expect("one"));
        run.await.expect("it ends well");
        assert_eq!(shares.idle(&[Share::CHORES].into()).len(), 1);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_wait_longer() {
        let mut chore = Periodic::new(ChoreEnd::Well, alone(), at(0));
        chore.wait(Some(MINUTE), at(3600));
        for (now, due) in [(at(3610), at(3660)), (at(0), at(60)), (at(30), at(60))] {
            chore.cut_wait(now);
            assert_eq!(chore.due, Some(due));
        }
    }

    #[test]
    fn a_chore_without_an_interval_waits_for_a_change() {
        let mut chore = Periodic::new(ChoreEnd::Well, alone(), at(0));
        chore.wait(None, at(5));
        chore.cut_wait(at(0));
        assert_eq!(chore.due, None);
    }
}
