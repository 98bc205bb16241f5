//! The loops of a run, each with what it needs. This is the one place that builds them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;

use crate::alerts::absence::Intake;
use crate::clock::now;
use crate::daemon::Mode;
use crate::daemon::absences::Absences;
use crate::daemon::backfill::Backfills;
use crate::daemon::blocking::BlockingThreads;
use crate::daemon::dispatcher::{Deliveries, DeliveryParts};
use crate::daemon::fetcher::Fetcher;
use crate::daemon::heartbeat::Heartbeats;
use crate::daemon::hosts::HostPermits;
use crate::daemon::housekeeping::Sweeps;
use crate::daemon::in_force::{InForce, Shared};
use crate::daemon::indexing::AlertIndexing;
use crate::daemon::loans::HostBorrower;
use crate::daemon::poller::PollParts;
use crate::daemon::pulse::Pulse;
use crate::daemon::reload::Reloads;
use crate::daemon::report::Reports;
use crate::daemon::robots::RobotsCache;
use crate::daemon::share_keeper::ShareKeeper;
use crate::daemon::shares::NodeShares;
use crate::daemon::story_parts::StoryParts;
use crate::daemon::wakeups::{PollsInProgress, Wakeups};
use crate::http::Limits;
use crate::metrics::Metrics;
use crate::store::Store;
use crate::web::health::Health;

/// What each loop of a run needs.
#[derive(Debug)]
pub(super) struct Loops {
    /// `None` for a run that is alone.
    pub(super) shares: Option<ShareKeeper>,
    pub(super) polls: Arc<PollParts>,
    /// For pages and rechecks.
    pub(super) stories: Arc<StoryParts>,
    pub(super) deliveries: Deliveries,
    pub(super) reloads: Reloads,
    pub(super) backfills: Backfills,
    pub(super) sweeps: Sweeps,
    pub(super) indexing: AlertIndexing,
    pub(super) reports: Reports,
    pub(super) absences: Absences,
    pub(super) pulse: Pulse,
    pub(super) heartbeats: Heartbeats,
}

/// What a run has besides what is in force.
pub(super) struct RunParts<'r> {
    pub(super) store: &'r Store,
    /// The number of the run in the store.
    pub(super) run: i64,
    pub(super) mode: Mode,
    pub(super) threads: BlockingThreads,
    pub(super) config_path: PathBuf,
    pub(super) shares: Arc<NodeShares>,
}

impl Loops {
    /// The loops of a run.
    pub(super) fn new(in_force: InForce, run: RunParts<'_>) -> Self {
        let RunParts { store, run, mode, threads, config_path, shares } = run;
        let wakeups = Arc::new(Wakeups::default());
        let health = Arc::new(Health::new());
        let metrics = Arc::new(Metrics::new(store.writer_metrics()));
        let config = Arc::clone(&in_force.config);
        let in_force: Shared = Arc::new(ArcSwap::from_pointee(in_force));
        let stories = Arc::new(StoryParts {
            store: store.clone(),
            fetcher: Fetcher {
                in_force: Arc::clone(&in_force),
                hosts: HostPermits::new(&config.poll, config.network.clone()),
                shares: Arc::clone(&shares),
                borrower: store.joint_run().map(|run| HostBorrower::new(store.clone(), run)),
                robots: RobotsCache::default(),
                limits: Limits::default(),
                store: store.clone(),
            },
            threads,
            in_force: Arc::clone(&in_force),
            polls: PollsInProgress::new(mode),
            wakeups: Arc::clone(&wakeups),
            metrics: Arc::clone(&metrics),
            shares: Arc::clone(&shares),
        });
        let keep = |run| ShareKeeper::new(Arc::clone(&stories), run);
        Self {
            shares: store.joint_run().map(keep),
            polls: Arc::new(PollParts::new(Arc::clone(&stories))),
            deliveries: Deliveries::new(DeliveryParts {
                in_force: Arc::clone(&in_force),
                store: store.clone(),
                run,
                wakeups,
                metrics: Arc::clone(&metrics),
                shares,
            }),
            reloads: Reloads { parts: Arc::clone(&stories), config_path, run },
            backfills: Backfills { parts: Arc::clone(&stories), mode },
            sweeps: Sweeps { store: store.clone(), in_force: Arc::clone(&in_force), mode },
            indexing: AlertIndexing(store.clone()),
            reports: Reports {
                store: store.clone(),
                in_force: Arc::clone(&in_force),
                wakeups: Arc::clone(&stories.wakeups),
            },
            absences: Absences {
                store: store.clone(),
                in_force: Arc::clone(&in_force),
                wakeups: Arc::clone(&stories.wakeups),
                intake: (mode == Mode::Forever).then(|| Arc::new(Mutex::new(Intake::begin(now())))),
            },
            heartbeats: Heartbeats { in_force: Arc::clone(&in_force), health: Arc::clone(&health) },
            pulse: Pulse { store: store.clone(), run, health, in_force: Arc::clone(&in_force) },
            stories,
        }
    }
}
