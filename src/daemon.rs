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
mod names;
mod news;
pub(crate) mod page;
mod poller;
mod recheck;
pub mod reload;
mod robots;
pub mod signals;
mod tasks;
mod watch;
mod world;

pub use names::{known, receivers};
pub use world::Mode;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::clock::now;
use crate::config::{Config, Notifier};
use crate::daemon::reload::StartError;
use crate::http::{HostKey, NoClient};
use crate::store::{self, FeedState, Holdings, OpenError, RunStart, Store, StoreError};
use tidings_rules::Rules;
use tidings_rules::story::NotifierName;
use world::{World, world};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunEnd {
    /// Messages that are not sent yet, held ones included: their receiver is not in the
    /// configuration.
    pub undelivered: i64,
    /// When the first of them is due, if a single round ended.
    pub next_delivery: Option<Timestamp>,
    /// Messages that were refused and dead-lettered in this run.
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
        "the store's writer has ended by a fault of Tidings; start Tidings again, and report the log above"
    )]
    WriterEnded,
    /// The rules cannot be used.
    #[error(transparent)]
    Rules(#[from] StartError),
    /// HTTPS cannot be set up.
    #[error(transparent)]
    Client(#[from] NoClient),
}

/// Runs until `stop`, or with [`Mode::Once`] until the work is done. `reload` requests a reload of
/// the rules.
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
    // Every handle is dropped by now, so the writer ends after its last write.
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
        recheck::keep_rechecking(Arc::clone(world), stop.clone()),
        dispatcher::deliver(Arc::clone(world), stop.clone()),
        reload::keep_rules_fresh(Arc::clone(world), files, asked, stop.clone()),
        backfill::match_past_stories(world, stop.clone()),
        housekeeping::keep_house(world, stop),
    );
}

/// Returns when the next message is due.
async fn once(
    world: &Arc<World>,
    feeds: Vec<FeedState>,
    stop: CancellationToken,
) -> Option<Timestamp> {
    backfill::match_past_stories(world, stop.clone()).await;
    poller::poll_once(world, feeds, &stop).await;
    articles::settle_waiting(Arc::clone(world), stop.clone()).await;
    recheck::keep_rechecking(Arc::clone(world), stop.clone()).await;
    let next = dispatcher::deliver(Arc::clone(world), stop.clone()).await;
    housekeeping::keep_house(world, stop).await;
    next
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
        info!("{waiting} messages wait to be sent, {dead} are dead-lettered");
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
