//! The loops of a run, each with what it needs. This is the one place that builds them.

use std::sync::Arc;

use crate::config::Config;
use crate::daemon::backfill::Backfills;
use crate::daemon::blocking::BlockingThreads;
use crate::daemon::dispatcher::{Deliveries, DeliveryParts};
use crate::daemon::fetcher::Fetcher;
use crate::daemon::hosts::HostPermits;
use crate::daemon::housekeeping::Sweeps;
use crate::daemon::indexing::AlertIndexing;
use crate::daemon::matching::StoryMatcher;
use crate::daemon::poller::PollParts;
use crate::daemon::recheck_ages::RecheckAges;
use crate::daemon::reload::Reloads;
use crate::daemon::robots::RobotsCache;
use crate::daemon::story_parts::StoryParts;
use crate::daemon::wakeups::{PollsInProgress, Wakeups};
use crate::daemon::{Mode, known_names};
use crate::http::{Limits, NoClient};
use crate::notify::SendContext;
use crate::store::Store;
use tidings_rules::Rules;

/// What each loop of a run needs.
#[derive(Debug)]
pub(super) struct Loops {
    pub(super) polls: Arc<PollParts>,
    /// For pages and rechecks.
    pub(super) stories: Arc<StoryParts>,
    pub(super) deliveries: Deliveries,
    pub(super) reloads: Reloads,
    pub(super) backfills: Backfills,
    pub(super) sweeps: Sweeps,
    pub(super) indexing: AlertIndexing,
}

impl Loops {
    /// The loops of the run with the number `run`, on these threads.
    pub(super) fn new(
        config: &Arc<Config>,
        mode: Mode,
        store: &Store,
        run: i64,
        rules: Rules,
        threads: BlockingThreads,
    ) -> Result<Self, NoClient> {
        let send_context =
            SendContext::new(config.network.clone(), config.hosts.clone(), config.zone.clone())?;
        let wakeups = Arc::new(Wakeups::default());
        let matcher = Arc::new(StoryMatcher::new(config, rules));
        let stories = Arc::new(StoryParts {
            store: store.clone(),
            fetcher: Fetcher {
                clients: send_context.http.clone(),
                hosts: HostPermits::new(&config.poll, config.network.clone()),
                robots: RobotsCache::default(),
                limits: Limits::default(),
                store: store.clone(),
            },
            threads,
            matcher: Arc::clone(&matcher),
            recheck_ages: RecheckAges::new(config),
            polls: PollsInProgress::new(mode),
            wakeups: Arc::clone(&wakeups),
        });
        Ok(Self {
            polls: Arc::new(PollParts::new(Arc::clone(config), Arc::clone(&stories))),
            deliveries: Deliveries::new(DeliveryParts {
                config: Arc::clone(config),
                store: store.clone(),
                run,
                send_context,
                wakeups: Arc::clone(&wakeups),
            }),
            reloads: Reloads {
                folder: config.rules.clone(),
                known_names: known_names(config),
                store: store.clone(),
                matcher,
                wakeups,
            },
            backfills: Backfills { parts: Arc::clone(&stories), mode },
            sweeps: Sweeps { store: store.clone(), retain: config.retain, mode },
            indexing: AlertIndexing(store.clone()),
            stories,
        })
    }
}
