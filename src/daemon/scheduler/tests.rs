//! Tests of the loop with a script of jobs. The time is tokio's, and passes at once.

use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::*;

/// What a job of the script does.
#[derive(Clone, Copy, Debug)]
enum JobAction {
    /// It ends after this number of seconds.
    Take(u64),
    /// The store fails it.
    Fail,
    Panic,
}

/// Jobs that become due at these seconds. A job that ended, or whose key is left out, is not due
/// again.
struct JobScript<const AT_ONCE: usize, const GRACE: u64, const GATHER: u64 = 0> {
    begun: Instant,
    jobs: Vec<(u64, &'static str, JobAction)>,
    failing_lookups: usize,
    changed: Arc<Notify>,
    log: Arc<Mutex<Vec<String>>>,
}

fn tokio_now() -> Instant {
    tokio::time::sleep(Duration::ZERO).deadline()
}

fn script<const AT_ONCE: usize, const GRACE: u64>(
    jobs: &[(u64, &'static str, JobAction)],
) -> JobScript<AT_ONCE, GRACE> {
    gathering_script(jobs)
}

fn gathering_script<const AT_ONCE: usize, const GRACE: u64, const GATHER: u64>(
    jobs: &[(u64, &'static str, JobAction)],
) -> JobScript<AT_ONCE, GRACE, GATHER> {
    JobScript {
        begun: tokio_now(),
        jobs: jobs.to_vec(),
        failing_lookups: 0,
        changed: Arc::default(),
        log: Arc::default(),
    }
}

/// Adds a line to the log, with the seconds that passed.
fn log(lines: &Mutex<Vec<String>>, begun: Instant, event: &str) {
    let seconds = tokio_now().duration_since(begun).as_secs_f64().round();
    lines.lock().unwrap().push(format!("{seconds} {event}"));
}

impl<const AT_ONCE: usize, const GRACE: u64, const GATHER: u64> JobScript<AT_ONCE, GRACE, GATHER> {
    fn log(&self, event: &str) {
        log(&self.log, self.begun, event);
    }

    fn lines(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Runs the script in a single round.
    async fn run_once(&mut self) -> Vec<String> {
        let stop = CancellationToken::new();
        run_work(self, Mode::Once, &stop).await;
        self.lines()
    }

    /// Runs the script, and stops after this number of seconds.
    async fn run_for(&mut self, seconds: u64, clock: JumpWatch) -> Vec<String> {
        let stop = CancellationToken::new();
        let stopping = async {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            stop.cancel();
        };
        tokio::join!(run_with_clock(self, Mode::Forever, &stop, clock), stopping);
        self.log("stopped");
        self.lines()
    }
}

impl<const AT_ONCE: usize, const GRACE: u64, const GATHER: u64> Work
    for JobScript<AT_ONCE, GRACE, GATHER>
{
    type Key = &'static str;
    type Job = (&'static str, JobAction);
    type Output = ();

    const AT_ONCE: usize = AT_ONCE;
    const GATHER: Duration = Duration::from_secs(GATHER);
    const STOP_GRACE: Duration = Duration::from_secs(GRACE);
    const LOOKUP_FAILED: &'static str = "the script cannot be read";
    const JOB_FAILED: &'static str = "a job of the script failed";

    async fn find_due(
        &mut self,
        running: &Running<&'static str, ()>,
    ) -> Result<Due<Self::Job>, StoreError> {
        if self.failing_lookups > 0 {
            self.failing_lookups -= 1;
            self.log("lookup failed");
            return Err(StoreError::Failed("closed".to_owned()));
        }
        let (passed, taken) = (tokio_now().duration_since(self.begun), running.taken());
        let open = self.jobs.iter().filter(|(_, key, _)| !taken.contains(key));
        let (due, later_jobs): (Vec<_>, Vec<_>) =
            open.partition(|(at, ..)| Duration::from_secs(*at) <= passed);
        let jobs: Vec<_> = due.iter().map(|(_, key, action)| (*key, *action)).collect();
        let left =
            later_jobs.iter().map(|(at, ..)| Duration::from_secs(*at).saturating_sub(passed)).min();
        let free = usize::try_from(running.free()).unwrap();
        let jobs = jobs.into_iter().take(free).collect();
        Ok(Due { jobs, next: left.map(|left| later(now(), left)) })
    }

    fn begin(&self, (key, action): Self::Job) -> (&'static str, Run<()>) {
        self.log(&format!("{key} begins"));
        let run = async move {
            match action {
                JobAction::Take(seconds) => {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    Ok(())
                }
                JobAction::Fail => Err(StoreError::Failed("closed".to_owned())),
                JobAction::Panic => panic!("as the script says"),
            }
        };
        (key, Box::pin(run))
    }

    fn end(&mut self, key: &'static str, result: Result<(), JobFailure>) {
        let job = self.jobs.iter().position(|(_, other, _)| *other == key).unwrap();
        match result {
            Ok(()) => {
                self.log(&format!("{key} ends"));
                self.jobs.remove(job);
                return;
            }
            Err(JobFailure::Store(_)) => self.log(&format!("{key} failed")),
            Err(JobFailure::Bug(why)) => {
                assert!(why.contains("as the script says"), "{why}");
                self.log(&format!("{key} panicked"));
            }
        }
        self.jobs[job].2 = JobAction::Take(1);
    }

    async fn wait_for_change(&mut self) {
        self.changed.notified().await;
        self.jobs[0].0 = 0;
    }

    async fn check_clock(&mut self, jump: Option<Jump>) {
        self.log(&format!("checks {jump:?}"));
    }

    async fn record_ended(&mut self) {
        self.log("records");
    }

    fn log_aborted(&self, jobs: usize) {
        self.log(&format!("aborts {jobs}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_starts_when_it_is_due_and_a_round_ends_when_none_is_due() {
    use JobAction::Take;
    let jobs = [(0, "a", Take(1)), (0, "b", Take(5)), (3, "c", Take(1)), (900, "d", Take(1))];
    assert_eq!(
        script::<9, 0>(&jobs).run_once().await,
        ["0 a begins", "0 b begins", "1 a ends", "3 c begins", "4 c ends", "5 b ends"]
    );
}

#[tokio::test(start_paused = true)]
async fn no_more_jobs_run_at_once_than_may() {
    use JobAction::Take;
    let jobs = [(0, "a", Take(2)), (0, "b", Take(3)), (0, "c", Take(2)), (0, "d", Take(2))];
    assert_eq!(
        script::<2, 0>(&jobs).run_once().await,
        [
            "0 a begins",
            "0 b begins",
            "2 a ends",
            "2 c begins",
            "3 b ends",
            "3 d begins",
            "4 c ends",
            "5 d ends"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn jobs_that_end_shortly_after_one_another_are_followed_by_one_lookup() {
    use JobAction::Take;
    let jobs = [(0, "a", Take(1)), (0, "b", Take(3)), (0, "c", Take(9)), (2, "d", Take(1))];
    assert_eq!(
        gathering_script::<9, 0, 4>(&jobs).run_once().await,
        [
            "0 a begins",
            "0 b begins",
            "0 c begins",
            "1 a ends",
            "3 b ends",
            "5 d begins",
            "6 d ends",
            "9 c ends"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_job_panicked_is_left_out_and_the_others_go_on() {
    let jobs = [(0, "a", JobAction::Panic), (0, "b", JobAction::Take(2))];
    let lines = script::<9, 0>(&jobs).run_once().await;
    assert_eq!(lines, ["0 a begins", "0 b begins", "0 a panicked", "2 b ends"]);
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_job_panicked_is_due_again_after_ten_minutes() {
    let mut script = script::<9, 0>(&[(0, "a", JobAction::Panic)]);
    let lines = script.run_for(700, JumpWatch::start()).await;
    let of_jobs: Vec<_> = lines.iter().filter(|line| line.contains(" a ")).collect();
    assert_eq!(of_jobs, ["0 a begins", "0 a panicked", "600 a begins", "601 a ends"]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_the_store_causes_one_pause() {
    let mut script = script::<9, 0>(&[(0, "a", JobAction::Fail), (0, "b", JobAction::Take(1))]);
    script.failing_lookups = 2;
    assert_eq!(
        script.run_for(30, JumpWatch::start()).await,
        [
            "0 lookup failed",
            "5 lookup failed",
            "10 a begins",
            "10 b begins",
            "11 b ends",
            "15 a failed",
            "15 a begins",
            "16 a ends",
            "30 records",
            "30 stopped"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_change_starts_a_job_before_its_time() {
    let mut script = script::<9, 0>(&[(50, "a", JobAction::Take(1))]);
    let changed = Arc::clone(&script.changed);
    let change = async move {
        tokio::time::sleep(Duration::from_secs(7)).await;
        changed.notify_one();
    };
    let (lines, ()) = tokio::join!(script.run_for(20, JumpWatch::start()), change);
    assert_eq!(lines, ["7 a begins", "8 a ends", "20 records", "20 stopped"]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_running_jobs_and_starts_none() {
    use JobAction::Take;
    let jobs = [(0, "a", Take(15)), (0, "b", Take(100)), (12, "c", Take(1))];
    assert_eq!(
        script::<9, 30>(&jobs).run_for(10, JumpWatch::start()).await,
        [
            "0 a begins",
            "0 b begins",
            "10 records",
            "15 a ends",
            "15 records",
            "40 aborts 1",
            "40 stopped"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_pause_after_a_failed_job() {
    let lines = script::<9, 30>(&[(0, "a", JobAction::Fail)]).run_for(2, JumpWatch::start()).await;
    assert_eq!(lines, ["0 a begins", "2 records", "2 a failed", "2 records", "2 stopped"]);
}

#[tokio::test(start_paused = true)]
async fn the_clock_is_checked_every_minute_and_a_jump_at_once() {
    let mut script = script::<9, 0>(&[(600, "a", JobAction::Take(1))]);
    let hour = Duration::from_hours(1);
    let lines = script.run_for(150, JumpWatch::start_behind(hour)).await;
    let [jump, rest @ ..] = lines.as_slice() else { panic!("no lines") };
    assert!(jump.starts_with("0 checks Some(Forward("), "{jump}");
    assert_eq!(rest, ["60 checks None", "120 checks None", "150 records", "150 stopped"]);
}
