//! The running program: wires the rooms together. The only spawner of tasks and reader of clocks;
//! decides nothing about alerts.

mod announce;
mod articles;
mod backfill;
mod damage;
mod dispatcher;
pub(crate) mod hosts;
mod housekeeping;
mod matching;
mod news;
pub(crate) mod page;
mod poller;
mod recheck;
pub mod reload;
mod retry;
mod robots;
pub mod signals;
mod tasks;
mod watch;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use url::Url;

use crate::alerts::volume::DeliveryPolicies;
use crate::alerts::{Receiver, draft};
use crate::clock::{later, now};
use crate::config::{Config, Notifier};
use crate::daemon::hosts::{HostPermits, Permit};
use crate::daemon::poller::LastRead;
use crate::daemon::reload::StartError;
use crate::http;
use crate::http::{
    FetchError, HostKey, HttpAnswer, HttpRequest, Limits, NoClient, RetryAfter, Validators, Want,
};
use crate::notify::SendContext;
use crate::store::{self, FeedState, Holdings, OpenError, RunStart, Store, StoreError};
use tidings_rules::story::{FeedName, NotifierName, Severity};
use tidings_rules::{Carrier, KnownNames, Rules};

/// Documents that are read and not recorded at once.
const DOCUMENTS: usize = 64;

/// What every part of a running daemon shares.
#[derive(Debug)]
pub(crate) struct World {
    config: Config,
    store: Store,
    /// This run's number in the store: the fence of its leases.
    run: i64,
    /// What is in force; swapped whole.
    rules: ArcSwap<Rules>,
    /// What rules may name.
    known: KnownNames,
    tags: HashMap<FeedName, BTreeSet<String>>,
    /// When pages are looked at again, for the feeds that say so.
    recheck: HashMap<FeedName, Vec<Duration>>,
    /// How often receivers want to be told.
    policy: Arc<DeliveryPolicies>,
    hosts: HostPermits,
    /// What hosts ask of robots.
    robots: robots::RobotsCache,
    /// Of every fetch: they share the room for bodies.
    limits: Limits,
    /// What fetching and sending need.
    means: SendContext,
    /// Permits for documents that were read and are not recorded yet: the store is not outrun by
    /// more than it takes at once.
    documents: Arc<Semaphore>,
    /// Permits for steps that keep a core busy: as many as there are cores.
    heavy: Semaphore,
    mode: Mode,
    /// When any feed was read last, and what failed since.
    last_read: LastRead,
    /// Polls under way.
    polls: AtomicUsize,
    /// Messages that became dead in this run.
    refused: AtomicUsize,
    /// Notified when a story begins to wait.
    pages: Notify,
    /// Notified when other rules have come into force.
    new_rules: Notify,
    /// Notified when rules are read again: what fails is tried again, too.
    try_failing: Notify,
    /// Notified when a message may have become due.
    outbox: Notify,
    /// Receivers whose last attempt failed: said once, until one succeeds.
    down: Mutex<BTreeSet<Receiver>>,
}

/// How long a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Until it is told to stop.
    Forever,
    /// Until every feed was polled, every story settled and everything due delivered.
    Once,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunEnd {
    /// Messages that are still to be sent, those included that nobody in the configuration can
    /// receive.
    pub undelivered: i64,
    /// When the first of them is due, if a single round ended.
    pub next_delivery: Option<Timestamp>,
    /// Messages that were refused in this run, and are kept as dead.
    pub refused: usize,
}

/// Why a run could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store is held by another run, or cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed at the start.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The task that writes the store has ended, by a fault of Tidings: nothing more can be
    /// recorded.
    #[error(
        "the store's writer has ended by a fault of Tidings; start it again, and report the log above"
    )]
    WriterEnded,
    /// The rules cannot be used.
    #[error(transparent)]
    Rules(#[from] StartError),
    /// HTTPS cannot be set up.
    #[error(transparent)]
    Client(#[from] NoClient),
}

/// Runs until `stop`, or, with [`Mode::Once`], until the work is done. `reload` asks for the rules
/// to be read again.
pub async fn run(
    config: Config,
    mode: Mode,
    reload: Arc<Notify>,
    stop: CancellationToken,
) -> Result<RunEnd, RunError> {
    let _lock = store::acquire_lock(&config.store)?;
    let (store, writer) = Store::open(&config.store).await?;
    let mut writer = tokio::spawn(writer);
    let ended = tokio::select! {
        ended = run_on(store, config, mode, reload, stop) => ended,
        _ = &mut writer => return Err(RunError::WriterEnded),
    };
    // Every handle is dropped by now: the writer ends when all that was asked of it is written.
    writer.await.ok();
    ended
}

async fn run_on(
    store: Store,
    config: Config,
    mode: Mode,
    reload: Arc<Notify>,
    stop: CancellationToken,
) -> Result<RunEnd, RunError> {
    let is_large = store.is_large().await?;
    if !is_large {
        damage::check(&store, &config).await;
    }
    let known = known(&config);
    let (rules, files) = reload::first_load(&config.rules, &known, &store).await?;
    let begun = store.start_run(&receivers(&config), now()).await?;
    store.retry_at_once(consoles(&config), now()).await?;
    greet(&config, &rules, store.count_holdings().await?, &begun);
    let world = Arc::new(world(config, mode, store.clone(), begun.run, rules, known)?);
    world.cut_waits(now()).await;
    world.restart_page_waits(now()).await;
    for (host, until) in store.resting_hosts(now()).await? {
        world.hosts.rest(&HostKey(host), until);
    }
    let feeds = poller::states(&world).await?;
    let work = async {
        match mode {
            Mode::Forever => {
                forever(&world, feeds, files, reload, stop.clone()).await;
                None
            }
            Mode::Once => once(&world, feeds, stop.clone()).await,
        }
    };
    let check = async {
        if is_large {
            stop.run_until_cancelled(Box::pin(damage::check(&world.store, &world.config))).await;
        }
    };
    let (next_delivery, ()) = tokio::join!(work, check);
    Ok(RunEnd {
        next_delivery,
        undelivered: store.count_undelivered(now()).await?,
        refused: world.refused.load(Ordering::Relaxed),
    })
}

async fn forever(
    world: &Arc<World>,
    feeds: Vec<FeedState>,
    files: reload::Files,
    asked: Arc<Notify>,
    stop: CancellationToken,
) {
    tokio::join!(
        poller::keep_polling(Arc::clone(world), feeds, stop.clone()),
        articles::settle_waiting(Arc::clone(world), stop.clone()),
        recheck::look_again(Arc::clone(world), stop.clone()),
        dispatcher::deliver(Arc::clone(world), stop.clone()),
        reload::keep_rules_fresh(Arc::clone(world), files, asked, stop.clone()),
        backfill::look_back(world, stop.clone()),
        housekeeping::keep_house(world, stop),
    );
}

/// Returns when the next message is due.
async fn once(
    world: &Arc<World>,
    feeds: Vec<FeedState>,
    stop: CancellationToken,
) -> Option<Timestamp> {
    backfill::look_back(world, stop.clone()).await;
    poller::poll_once(world, feeds, &stop).await;
    articles::settle_waiting(Arc::clone(world), stop.clone()).await;
    recheck::look_again(Arc::clone(world), stop.clone()).await;
    let next = dispatcher::deliver(Arc::clone(world), stop.clone()).await;
    housekeeping::keep_house(world, stop).await;
    next
}

fn world(
    config: Config,
    mode: Mode,
    store: Store,
    run: i64,
    rules: Rules,
    known: KnownNames,
) -> Result<World, RunError> {
    let means =
        SendContext::new(config.network.clone(), config.hosts.clone(), config.zone.clone())?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let tags =
        known.feeds.iter().map(|carrier| (carrier.name.clone(), carrier.tags.clone())).collect();
    let rechecked = config.feeds.iter().filter(|feed| !feed.recheck.is_empty());
    let recheck = rechecked.map(|feed| (feed.name.clone(), feed.recheck.clone())).collect();
    let policy =
        Arc::new(DeliveryPolicies { manners: config.manners.clone(), zone: config.zone.clone() });
    Ok(World {
        hosts: HostPermits::new(&config.poll, config.network.clone()),
        robots: robots::RobotsCache::default(),
        limits: Limits::default(),
        store,
        run,
        rules: ArcSwap::from_pointee(rules),
        known,
        tags,
        recheck,
        policy,
        means,
        documents: Arc::new(Semaphore::new(DOCUMENTS)),
        heavy: Semaphore::new(cores),
        mode,
        last_read: LastRead::default(),
        polls: AtomicUsize::new(0),
        refused: AtomicUsize::new(0),
        pages: Notify::new(),
        new_rules: Notify::new(),
        try_failing: Notify::new(),
        outbox: Notify::new(),
        down: Mutex::default(),
        config,
    })
}

/// What rules may name in this configuration.
#[must_use]
pub fn known(config: &Config) -> KnownNames {
    let carrier = |feed: &crate::config::FeedConfig| Carrier {
        name: feed.name.clone(),
        tags: feed.tags.clone(),
    };
    KnownNames {
        notifiers: config.notifiers.keys().cloned().collect(),
        feeds: config.feeds.iter().map(carrier).collect(),
        unrouted: Severity::ALL
            .into_iter()
            .filter(|severity| config.notify.of(*severity).is_empty())
            .collect(),
    }
}

/// Everybody whom the configuration can tell.
#[must_use]
pub fn receivers(config: &Config) -> Vec<Receiver> {
    config.notifiers.iter().flat_map(|(name, notifier)| draft::receivers(name, notifier)).collect()
}

/// The notifiers whose receiver is another pipe or terminal in each run.
fn consoles(config: &Config) -> Vec<NotifierName> {
    let consoles =
        config.notifiers.iter().filter(|(_, notifier)| matches!(notifier, Notifier::Console(_)));
    consoles.map(|(name, _)| name.clone()).collect()
}

fn greet(config: &Config, rules: &Rules, holdings: Holdings, begun: &RunStart) {
    let Holdings { stories, alerts, waiting, dead } = holdings;
    info!(
        "the store {} knows {stories} stories and {alerts} alerts; {} feeds are watched by {} rules",
        config.store.display(),
        config.feeds.len(),
        rules.count()
    );
    if waiting + dead > 0 {
        info!("{waiting} messages wait to be sent, {dead} were given up and are kept");
    }
    if begun.reclaimed > 0 {
        info!(
            "{} messages were being sent when the last run ended, and are sent again",
            begun.reclaimed
        );
    }
    for (receiver, messages) in &begun.held {
        warn!("{messages} messages for {receiver} are held until it is in the configuration again");
    }
}

impl World {
    /// Polls whose copies of a story a message should wait for. A single round waits for all of
    /// them anyway before it delivers.
    fn polls_under_way(&self) -> usize {
        match self.mode {
            Mode::Forever => self.polls.load(Ordering::Relaxed),
            Mode::Once => 0,
        }
    }

    /// Fetches an `http`, `https` or `file` address with the manners and limits of the
    /// configuration.
    async fn fetch(
        &self,
        url: &Url,
        want: Want,
        validators: Validators,
    ) -> Result<HttpAnswer, FetchError> {
        self.fetch_once_admitted(url, want, validators, &Notify::new()).await
    }

    /// As [`fetch`](Self::fetch); `admitted` is notified when a request begins.
    async fn fetch_once_admitted(
        &self,
        url: &Url,
        want: Want,
        validators: Validators,
        admitted: &Notify,
    ) -> Result<HttpAnswer, FetchError> {
        if url.scheme() == "file" {
            return http::read_file(url, &validators).await;
        }
        let request = HttpRequest { url: url.clone(), validators, want };
        let admit = |url| async {
            let permit = self.admit(url, want).await?;
            admitted.notify_one();
            Ok(permit)
        };
        http::fetch(&self.means.reach, &request, &self.limits, now(), admit, self.rest()).await
    }

    /// Waits for the right to ask the host of `url` once. Robots are not welcome everywhere: the
    /// host of a page has its say before.
    async fn admit(&self, url: Url, want: Want) -> Result<Permit<'_>, FetchError> {
        if want == Want::Page {
            robots::check(self, &url).await?;
        }
        self.hosts.admit(HostKey::of(&url)).await
    }

    /// Leaves a host alone that asks for it, over a restart too.
    fn rest(&self) -> impl Fn(&HostKey, RetryAfter) {
        |host, asked| {
            let at = now();
            self.store.record_host_rest(host.0.clone(), self.hosts.rest(host, asked.end(at)), at);
        }
    }

    /// Has no host rest, no page wait and no look at a page be put off for longer than its schedule
    /// allows, where the clock was ahead and was set back.
    async fn cut_waits(&self, now: Timestamp) {
        self.hosts.cut_waits(now);
        let longest = self.recheck.values().flatten().max();
        if let Err(why) =
            self.store.cut_fetch_waits(longest.map(|longest| later(now, *longest)), now).await
        {
            error!("waits cannot be held against the clock: {why}; that is tried again");
        }
        self.pages.notify_one();
    }
}

impl World {
    /// Has every story that waits for its page wait from `now` on.
    async fn restart_page_waits(&self, now: Timestamp) {
        if let Err(why) = self.store.restart_page_waits(now).await {
            error!("waits for pages cannot be begun anew: {why}");
        }
    }
}

/// Runs a step that keeps a core busy off the async threads, at most as many at once as there are
/// cores.
///
/// # Panics
/// If the step panics.
async fn heavy<T: Send + 'static>(world: &World, step: impl FnOnce() -> T + Send + 'static) -> T {
    let _permit = world.heavy.acquire().await.expect("the semaphore is never closed");
    tokio::task::spawn_blocking(step).await.expect("the step does not panic")
}
