//! The running daemon: opens the store, loads the rules and starts every task.

mod absences;
mod announce;
mod articles;
mod backfill;
mod blocking;
pub mod config_file;
mod counting;
mod damage;
mod dispatcher;
mod feed_diff;
mod feed_health;
mod fetcher;
mod heartbeat;
pub(crate) mod hosts;
mod housekeeping;
mod in_force;
mod indexing;
mod lender;
mod loans;
mod loops;
mod matches;
mod matching;
pub(crate) mod page;
mod payloads;
mod poller;
mod pulse;
mod recheck;
mod recheck_ages;
pub mod reload;
mod report;
mod robots;
mod scheduler;
mod service_manager;
mod share_keeper;
mod shares;
pub mod signals;
mod story_parts;
mod waiting;
mod wakeups;

pub use scheduler::Mode;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::clock::now;
use crate::config::{Config, LoadedConfig, Notifier};
use crate::daemon::blocking::BlockingThreads;
use crate::daemon::reload::{SeenRules, StartError};
use crate::http::NoClient;
use crate::queries::names::{receivers, rule_config};
use crate::shares::OwnShares;
use crate::store::{self, FeedState, Holdings, LeaseLost, OpenError, RunStart, Store, StoreError};
use crate::web;
use crate::web::{ListenError, ShownInForce, WebListener, WebParts};
use dispatcher::DeliveryEnd;
use in_force::InForce;
use loops::{Loops, RunParts};
use share_keeper::ShareKeeper;
use shares::NodeShares;
use tidings_rules::Rules;
use tidings_rules::story::NotifierName;
use waiting::OpenedStore;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunEnd {
    /// The number of messages that are not sent yet. Messages whose receiver is not in the
    /// configuration are included.
    pub undelivered: i64,
    /// When the first of them is due, after a single round.
    pub next_delivery: Option<Timestamp>,
    /// The number of messages that were refused and dead-lettered in this run.
    pub refused: usize,
}

/// Why a run cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store is in use by another run, or cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed at the start.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The task that writes the store has ended because of a bug in Tidings, so nothing more can be
    /// recorded.
    #[error(
        "the task that writes the store has ended: this is a bug in Tidings; start Tidings again, and report the log above"
    )]
    WriterEnded,
    /// The run must write no more.
    #[error("the lease of this run was lost: {0}")]
    LeaseLost(LeaseLost),
    /// The rules cannot be used.
    #[error(transparent)]
    Rules(StartError),
    /// HTTPS cannot be set up.
    #[error(transparent)]
    Client(#[from] NoClient),
    /// The web listener cannot listen.
    #[error(transparent)]
    Listen(#[from] ListenError),
}

impl From<StartError> for RunError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Store(error) => Self::Store(error),
            error => Self::Rules(error),
        }
    }
}

/// What a run begins with.
#[derive(Debug)]
pub struct RunSetup {
    /// The configuration.
    pub config: Config,
    /// Its file, which is read again when it changes.
    pub config_path: PathBuf,
    /// How long the run goes on.
    pub mode: Mode,
}

/// Runs until `stop`, or with [`Mode::Once`] until the work is done. The configuration and the
/// rules are reloaded when their files change, and when `reload` is notified.
///
/// A node whose store is on a server waits while another node has the store, before its work and
/// after it lost its lease.
pub async fn run(
    RunSetup { mut config, config_path, mode }: RunSetup,
    reload: Arc<Notify>,
    stop: CancellationToken,
) -> Result<RunEnd, RunError> {
    let place = config.store.clone();
    let _lock = place.file().map(store::acquire_lock).transpose()?;
    let mut lost = None;
    loop {
        let threads = BlockingThreads::new();
        let opening = waiting::open_store(&place, mode, lost.as_ref(), threads.copy_comparer());
        let Some(opened) = stop.run_until_cancelled(Box::pin(opening)).await else {
            return Ok(RunEnd { undelivered: 0, next_delivery: None, refused: 0 });
        };
        let opened = opened?;
        if opened.has_waited {
            config = read_again(config, &config_path).await;
        }
        let (config, config_path) = (config.clone(), config_path.clone());
        let setup = RunSetup { config, config_path, mode };
        let run = run_opened(opened, setup, threads, Arc::clone(&reload), &stop);
        let why = match Box::pin(run).await {
            Err(RunError::LeaseLost(why)) if mode == Mode::Forever => why,
            // The server stopped during the start.
            Err(RunError::Store(StoreError::Unreachable(why))) if mode == Mode::Forever => {
                LeaseLost::Unrenewed(why)
            }
            ended => return ended,
        };
        warn!(
            event = "run_lease_lost",
            "the work of this node stops, and it waits for the store: its lease was lost: {why}"
        );
        lost = Some(why);
    }
}

/// The configuration of a node that has waited: its file may have been edited. The loop that
/// reloads it says why an edit is refused.
async fn read_again(before: Config, path: &Path) -> Config {
    let path = path.to_owned();
    match blocking::run_without_permit(move || config_file::read(&path)).await {
        Ok(LoadedConfig { config: Some(config), .. }) => Config { store: before.store, ..config },
        _ => before,
    }
}

/// Runs with an open store. What is under way is dropped if the lease of the run is lost.
async fn run_opened(
    OpenedStore { store, writer, .. }: OpenedStore<
        impl Future<Output = Result<(), LeaseLost>> + Send + 'static,
    >,
    setup: RunSetup,
    threads: BlockingThreads,
    reload: Arc<Notify>,
    stop: &CancellationToken,
) -> Result<RunEnd, RunError> {
    let mut writer = tokio::spawn(writer);
    let ended = tokio::select! {
        ended = run_with_store(store, setup, threads, reload, stop) => ended,
        ended = &mut writer => {
            return Err(match ended {
                Ok(Err(why)) => RunError::LeaseLost(why),
                _ => RunError::WriterEnded,
            });
        }
    };
    // The writer ends after its last write, because every handle is dropped.
    match (ended, writer.await) {
        // What failed, failed because of that.
        (Err(_), Ok(Err(why))) => Err(RunError::LeaseLost(why)),
        (ended, _) => ended,
    }
}

/// A run that has started, and has not begun its work.
struct StartedRun {
    config: Arc<Config>,
    loops: Loops,
    feeds: Vec<FeedState>,
    seen: SeenRules,
    web: Option<WebListener>,
    /// Whether the store was not checked for damage yet, because that takes long.
    is_large: bool,
}

async fn start(
    store: &Store,
    RunSetup { config, config_path, mode }: RunSetup,
    threads: BlockingThreads,
) -> Result<StartedRun, RunError> {
    let is_large = store.is_large().await?;
    if !is_large {
        damage::check_store(store, &config).await;
    }
    let read_by_rules = rule_config(&config);
    let (rules, faults, seen) = reload::first_load(&config.rules, &read_by_rules, store).await?;
    let shares = NodeShares::new(match store.joint_run() {
        Some(_) => OwnShares::Some(Arc::default()),
        None => OwnShares::All,
    });
    let run_start = store.start_run(&receivers(&config), &shares.own(), now()).await?;
    reload::record_in_force(store, run_start.run, &seen, &config).await?;
    store.retry_at_once(console_notifiers(&config), now()).await?;
    log_start(&config, &rules, store.count_holdings().await?, &run_start);
    let in_force = InForce::new(config, rules, faults)?;
    let config = Arc::clone(&in_force.config);
    let run = RunParts { store, run: run_start.run, mode, threads, config_path, shares };
    let mut loops = Loops::new(in_force, run);
    loops.stories.cut_waits(now()).await;
    if let Some(keeper) = &mut loops.shares {
        keeper.take_first().await?;
    }
    if loops.stories.shares.owns_all() {
        articles::restart_page_waits(store, now()).await;
    }
    loops.stories.read_host_rests(now()).await?;
    let feeds = poller::load_states(&loops.polls).await?;
    let web = match &config.web {
        Some(web) if mode == Mode::Forever => Some(WebListener::bind(&web.listen).await?),
        _ => None,
    };
    Ok(StartedRun { config, loops, feeds, seen, web, is_large })
}

async fn run_with_store(
    store: Store,
    setup: RunSetup,
    threads: BlockingThreads,
    reload: Arc<Notify>,
    stop: &CancellationToken,
) -> Result<RunEnd, RunError> {
    let mode = setup.mode;
    // A node that has waited is known as ready.
    let starting = Box::pin(start(&store, setup, threads));
    let started = service_manager::feed_watchdog_during(starting).await?;
    let StartedRun { config, loops, feeds, seen, web, is_large } = started;
    let work = async {
        match mode {
            Mode::Forever => Box::pin(run_forever(loops, feeds, seen, reload, web, stop)).await,
            Mode::Once => run_once(loops, feeds, stop).await,
        }
    };
    let check = async {
        if is_large {
            stop.run_until_cancelled(Box::pin(damage::check_store(&store, &config))).await;
        }
    };
    let (DeliveryEnd { next_due, refused }, ()) = tokio::join!(work, check);
    let undelivered = store.count_undelivered(now()).await?;
    Ok(RunEnd { undelivered, next_delivery: next_due, refused })
}

async fn run_forever(
    loops: Loops,
    feeds: Vec<FeedState>,
    seen: SeenRules,
    reload: Arc<Notify>,
    web: Option<WebListener>,
    stop: &CancellationToken,
) -> DeliveryEnd {
    let mode = Mode::Forever;
    let web = web.map(|listener| (listener, web_parts(&loops)));
    let own = Arc::clone(&loops.stories.shares);
    let shares = || Arc::clone(&own);
    let ((), end, ..) = tokio::join!(
        keep_shares(loops.shares, stop),
        dispatcher::deliver(loops.deliveries, mode, stop),
        poller::keep_polling(loops.polls, feeds, stop),
        articles::settle_waiting(Arc::clone(&loops.stories), mode, stop),
        matches::match_waiting(Arc::clone(&loops.stories), mode, stop),
        recheck::keep_rechecking(loops.stories, mode, stop),
        reload::keep_fresh(loops.reloads, seen, reload, stop),
        scheduler::repeat(loops.backfills, shares(), mode, stop),
        scheduler::repeat(loops.sweeps, shares(), mode, stop),
        scheduler::repeat(loops.indexing, shares(), mode, stop),
        scheduler::repeat(loops.reports, shares(), mode, stop),
        scheduler::repeat(loops.absences, shares(), mode, stop),
        pulse::beat(loops.pulse, stop),
        heartbeat::keep_calling(loops.heartbeats, stop),
        serve_web(web, stop),
    );
    end
}

async fn keep_shares(keeper: Option<ShareKeeper>, stop: &CancellationToken) {
    if let Some(keeper) = keeper {
        keeper.keep(stop).await;
    }
}

/// What the web listener shows.
fn web_parts(loops: &Loops) -> WebParts {
    let in_force = Arc::clone(&loops.stories.in_force);
    WebParts {
        store: loops.stories.store.clone(),
        health: Arc::clone(&loops.pulse.health),
        metrics: Arc::clone(&loops.stories.metrics),
        in_force: Arc::new(move || {
            let in_force = in_force.load();
            ShownInForce {
                config: Arc::clone(&in_force.config),
                rules: Arc::clone(&in_force.rules),
                rule_faults: Arc::clone(&in_force.rule_faults),
            }
        }),
    }
}

async fn serve_web(web: Option<(WebListener, WebParts)>, stop: &CancellationToken) {
    if let Some((listener, parts)) = web {
        web::serve(listener, parts, stop).await;
    }
}

/// Does each task once.
async fn run_once(loops: Loops, feeds: Vec<FeedState>, stop: &CancellationToken) -> DeliveryEnd {
    let mode = Mode::Once;
    let own = Arc::clone(&loops.stories.shares);
    let shares = || Arc::clone(&own);
    scheduler::repeat(loops.backfills, shares(), mode, stop).await;
    poller::poll_once(loops.polls, feeds, stop).await;
    articles::settle_waiting(Arc::clone(&loops.stories), mode, stop).await;
    matches::match_waiting(Arc::clone(&loops.stories), mode, stop).await;
    recheck::keep_rechecking(loops.stories, mode, stop).await;
    scheduler::repeat(loops.absences, shares(), mode, stop).await;
    let end = dispatcher::deliver(loops.deliveries, mode, stop).await;
    scheduler::repeat(loops.sweeps, shares(), mode, stop).await;
    scheduler::repeat(loops.indexing, shares(), mode, stop).await;
    loops.pulse.watch().await;
    loops.pulse.record_end().await;
    end
}

/// The console notifiers. Each run may have another terminal or pipe, so an earlier failure says
/// nothing about this one.
fn console_notifiers(config: &Config) -> Vec<NotifierName> {
    let consoles =
        config.notifiers.iter().filter(|(_, notifier)| matches!(notifier, Notifier::Console(_)));
    consoles.map(|(name, _)| name.clone()).collect()
}

fn log_start(config: &Config, rules: &Rules, holdings: Holdings, run_start: &RunStart) {
    let Holdings { stories, alerts, waiting, dead } = holdings;
    info!(
        event = "run_started",
        "started with the store {} (stories: {stories}, alerts: {alerts}); rules: {}, feeds: {}",
        config.store,
        rules.count(),
        config.feed_names().count()
    );
    if waiting + dead > 0 {
        info!(event = "messages_waiting", "messages that wait: {waiting}; dead-lettered: {dead}");
    }
    if run_start.reclaimed > 0 {
        info!(
            event = "messages_reclaimed",
            "messages in flight when the last run ended: {}; they are sent again",
            run_start.reclaimed
        );
    }
    dispatcher::log_held(&run_start.held);
}
