//! The loops of a run, each with what it needs. This is the one place that builds them.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::daemon::articles::WaitingStories;
use crate::daemon::backfill::Backfills;
use crate::daemon::blocking::BlockingThreads;
use crate::daemon::dispatcher::{Deliveries, DeliveryParts};
use crate::daemon::fetcher::Fetcher;
use crate::daemon::hosts::HostPermits;
use crate::daemon::housekeeping::Sweeps;
use crate::daemon::indexing::AlertIndexing;
use crate::daemon::matching::StoryMatcher;
use crate::daemon::page::ArticleReader;
use crate::daemon::poller::{DOCUMENTS, LastRead, PollParts};
use crate::daemon::recheck::{DueRechecks, RecheckAges};
use crate::daemon::reload::Reloads;
use crate::daemon::robots::RobotsCache;
use crate::daemon::story_parts::StoryParts;
use crate::daemon::wakeups::{PollsInProgress, Wakeups};
use crate::daemon::{Mode, known_names};
use crate::http::{HttpClients, Limits, NoClient};
use crate::notify::SendContext;
use crate::store::Store;
use tidings_rules::Rules;

/// The loops of a run.
#[derive(Debug)]
pub(super) struct Loops {
    pub(super) polls: Arc<PollParts>,
    pub(super) stories: WaitingStories,
    pub(super) rechecks: DueRechecks,
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
        stop: &CancellationToken,
    ) -> Result<Self, NoClient> {
        let send_context =
            SendContext::new(config.network.clone(), config.hosts.clone(), config.zone.clone())?;
        let wakeups = Arc::new(Wakeups::default());
        let matcher = Arc::new(StoryMatcher::new(config, rules));
        let recheck_ages = Arc::new(RecheckAges::new(config));
        let clients = send_context.http.clone();
        let fetcher = Arc::new(new_fetcher(config, clients, store, &recheck_ages));
        let pages = ArticleReader { fetcher, threads: threads.clone() };
        let parts = StoryParts {
            store: store.clone(),
            pages,
            matcher: Arc::clone(&matcher),
            recheck_ages,
            polls: Arc::new(PollsInProgress::new(mode)),
            wakeups: Arc::clone(&wakeups),
        };
        let deliveries = DeliveryParts {
            config: Arc::clone(config),
            store: store.clone(),
            run,
            send_context,
            wakeups: Arc::clone(&wakeups),
        };
        let polls = Arc::new(new_polls(config, &parts));
        Ok(Self {
            stories: WaitingStories { parts: parts.clone(), stop: stop.clone() },
            rechecks: DueRechecks { parts },
            deliveries: Deliveries::new(deliveries),
            reloads: Reloads {
                folder: config.rules.clone(),
                known_names: known_names(config),
                store: store.clone(),
                matcher: Arc::clone(&matcher),
                wakeups: Arc::clone(&wakeups),
            },
            backfills: Backfills { store: store.clone(), matcher, threads, wakeups, mode },
            indexing: AlertIndexing(store.clone()),
            sweeps: Sweeps { store: store.clone(), retain: config.retain, mode },
            polls,
        })
    }
}

fn new_polls(config: &Arc<Config>, parts: &StoryParts) -> PollParts {
    let StoryParts { store, pages, matcher, polls, wakeups, .. } = parts.clone();
    PollParts {
        config: Arc::clone(config),
        store,
        fetcher: pages.fetcher,
        matcher,
        threads: pages.threads,
        document_permits: Arc::new(Semaphore::new(DOCUMENTS)),
        last_read: LastRead::default(),
        polls,
        wakeups,
    }
}

fn new_fetcher(
    config: &Config,
    clients: HttpClients,
    store: &Store,
    recheck_ages: &RecheckAges,
) -> Fetcher {
    Fetcher {
        clients,
        hosts: HostPermits::new(&config.poll, config.network.clone()),
        robots: RobotsCache::default(),
        limits: Limits::default(),
        store: store.clone(),
        longest_recheck: recheck_ages.longest(),
    }
}
