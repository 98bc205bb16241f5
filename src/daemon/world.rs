//! What every part of a running daemon shares.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore};
use tracing::error;
use url::Url;

use crate::alerts::Receiver;
use crate::alerts::volume::DeliveryPolicies;
use crate::clock::{later, now};
use crate::config::Config;
use crate::daemon::hosts::{HostPermits, Permit};
use crate::daemon::poller::LastRead;
use crate::daemon::robots;
use crate::http;
use crate::http::{
    FetchError, HostKey, HttpAnswer, HttpRequest, Limits, NoClient, RetryAfter, Validators, Want,
};
use crate::notify::SendContext;
use crate::store::Store;
use tidings_rules::story::FeedName;
use tidings_rules::{KnownNames, Rules};

/// Documents that are read and not recorded at once.
const DOCUMENTS: usize = 64;

/// What every part of a running daemon shares.
#[derive(Debug)]
pub(crate) struct World {
    pub(super) config: Config,
    pub(super) store: Store,
    /// This run's number in the store: the fence of its leases.
    pub(super) run: i64,
    /// What is in force; swapped whole.
    pub(super) rules: ArcSwap<Rules>,
    /// What rules may name.
    pub(super) known: KnownNames,
    pub(super) tags: HashMap<FeedName, BTreeSet<String>>,
    /// The ages at which pages are rechecked, for the feeds with `recheck`.
    pub(super) recheck: HashMap<FeedName, Vec<Duration>>,
    /// The delivery policies.
    pub(super) policy: Arc<DeliveryPolicies>,
    pub(super) hosts: HostPermits,
    /// `robots.txt` of hosts.
    pub(super) robots: robots::RobotsCache,
    /// Of every fetch: they share the room for bodies.
    pub(super) limits: Limits,
    /// What fetching and sending need.
    pub(super) means: SendContext,
    /// Permits for documents that were read and are not recorded yet: the store is not outrun by
    /// more than it takes at once.
    pub(super) documents: Arc<Semaphore>,
    /// Permits for steps that use a core for long: as many as there are cores.
    pub(super) busy_steps: Semaphore,
    pub(super) mode: Mode,
    /// When any feed was read last, and what failed since.
    pub(super) last_read: LastRead,
    /// Polls under way.
    pub(super) polls: AtomicUsize,
    /// Messages that became dead in this run.
    pub(super) refused: AtomicUsize,
    /// Notified when a story begins to wait.
    pub(super) pages: Notify,
    /// Notified when other rules have come into force.
    pub(super) new_rules: Notify,
    /// Notified when rules are reloaded: failed work is retried, too.
    pub(super) try_failing: Notify,
    /// Notified when a message may have become due.
    pub(super) outbox: Notify,
    /// Receivers whose last attempt failed: said once, until one succeeds.
    pub(super) down: Mutex<BTreeSet<Receiver>>,
}

/// How long a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Until it is stopped.
    Forever,
    /// Until every feed was polled, every story settled and everything due delivered.
    Once,
}

pub(super) fn world(
    config: Config,
    mode: Mode,
    store: Store,
    run: i64,
    rules: Rules,
    known: KnownNames,
) -> Result<World, NoClient> {
    let means =
        SendContext::new(config.network.clone(), config.hosts.clone(), config.zone.clone())?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let tags =
        known.feeds.iter().map(|carrier| (carrier.name.clone(), carrier.tags.clone())).collect();
    let rechecked = config.feeds.iter().filter(|feed| !feed.recheck.is_empty());
    let recheck = rechecked.map(|feed| (feed.name.clone(), feed.recheck.clone())).collect();
    let policy = Arc::new(DeliveryPolicies {
        policies: config.delivery_policies.clone(),
        zone: config.zone.clone(),
    });
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
        busy_steps: Semaphore::new(cores),
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

impl World {
    /// Polls whose copies of a story a message should wait for. A single round waits for all of
    /// them anyway before it delivers.
    pub(super) fn polls_under_way(&self) -> usize {
        match self.mode {
            Mode::Forever => self.polls.load(Ordering::Relaxed),
            Mode::Once => 0,
        }
    }

    /// Fetches an `http`, `https` or `file` address within the limits of the configuration.
    pub(super) async fn fetch(
        &self,
        url: &Url,
        want: Want,
        validators: Validators,
    ) -> Result<HttpAnswer, FetchError> {
        self.fetch_once_admitted(url, want, validators, &Notify::new()).await
    }

    /// As [`fetch`](Self::fetch); `admitted` is notified when a request begins.
    pub(super) async fn fetch_once_admitted(
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
        http::fetch(&self.means.http, &request, &self.limits, now(), admit, self.rest()).await
    }

    /// Waits for a permit for one request to the host of `url`. For a page, `robots.txt` of the
    /// host is checked first.
    pub(super) async fn admit(&self, url: Url, want: Want) -> Result<Permit<'_>, FetchError> {
        if want == Want::Page {
            robots::check(self, &url).await?;
        }
        self.hosts.admit(HostKey::of(&url)).await
    }

    /// Records the pause that a host asks for, in the store too.
    pub(super) fn rest(&self) -> impl Fn(&HostKey, RetryAfter) {
        |host, asked| {
            let at = now();
            self.store.record_host_rest(host.0.clone(), self.hosts.rest(host, asked.end(at)), at);
        }
    }

    /// Limits the pauses of hosts and the waits of pages to their schedule, after a clock that was
    /// ahead is set back.
    pub(super) async fn cut_waits(&self, now: Timestamp) {
        self.hosts.cut_waits(now);
        let longest = self.recheck.values().flatten().max();
        if let Err(why) =
            self.store.shorten_fetch_waits(longest.map(|longest| later(now, *longest)), now).await
        {
            error!("waits cannot be held against the clock: {why}; that is tried again");
        }
        self.pages.notify_one();
    }

    /// Restarts the wait of every story that waits for its page, from `now` on.
    pub(super) async fn restart_page_waits(&self, now: Timestamp) {
        if let Err(why) = self.store.restart_page_waits(now).await {
            error!("the waits for pages cannot be restarted: {why}");
        }
    }
}

/// Runs a step that uses a core for long off the async threads. As many run at once as there are
/// cores.
///
/// # Panics
/// If the step panics.
pub(super) async fn run_blocking_limited<T: Send + 'static>(
    world: &World,
    step: impl FnOnce() -> T + Send + 'static,
) -> T {
    let _permit = world.busy_steps.acquire().await.expect("the semaphore is never closed");
    tokio::task::spawn_blocking(step).await.expect("the step does not panic")
}
