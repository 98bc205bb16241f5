//! The state that all tasks of a running daemon share.

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

/// The most documents that are read and not yet recorded.
const DOCUMENTS: usize = 64;

/// What every task of a running daemon shares.
#[derive(Debug)]
pub(crate) struct RunContext {
    pub(super) config: Config,
    pub(super) store: Store,
    /// The number of this run in the store. Leases of another number belong to an earlier run.
    pub(super) run: i64,
    /// The rules in force. A reload replaces all of them at once.
    pub(super) rules: ArcSwap<Rules>,
    /// The names that rules may use.
    pub(super) known_names: KnownNames,
    pub(super) feed_tags: HashMap<FeedName, BTreeSet<String>>,
    /// The ages at which pages are rechecked, for the feeds with `recheck`.
    pub(super) recheck_ages: HashMap<FeedName, Vec<Duration>>,
    pub(super) policies: Arc<DeliveryPolicies>,
    pub(super) hosts: HostPermits,
    pub(super) robots: robots::RobotsCache,
    /// The limits of every fetch. Fetches share the memory for bodies.
    pub(super) limits: Limits,
    /// What fetching and sending need.
    pub(super) send_context: SendContext,
    /// One permit for each document that is read and not yet recorded. They limit how far reading
    /// is ahead of the store.
    pub(super) document_permits: Arc<Semaphore>,
    /// One permit for each step that uses a core for long; as many as there are cores.
    pub(super) blocking_permits: Semaphore,
    pub(super) mode: Mode,
    /// When any feed was read last, and which hosts have failed since.
    pub(super) last_read: LastRead,
    /// The number of polls in progress.
    pub(super) polls_in_progress: AtomicUsize,
    /// The number of messages that were dead-lettered in this run.
    pub(super) refused_messages: AtomicUsize,
    /// Notified when a story begins to wait for its page.
    pub(super) story_waits: Notify,
    /// Notified when other rules are in force.
    pub(super) rules_changed: Notify,
    /// Notified when rules are reloaded: feeds that fail are polled soon.
    pub(super) retry_failing: Notify,
    /// Notified when a message may be due.
    pub(super) message_due: Notify,
    /// The receivers whose last attempt failed. Each is logged once, until an attempt succeeds.
    pub(super) failing_receivers: Mutex<BTreeSet<Receiver>>,
}

/// How long a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Until it is stopped.
    Forever,
    /// Until every feed is polled, every story is settled and everything due is delivered.
    Once,
}

impl RunContext {
    /// The shared state of the run with the number `run`.
    pub(super) fn new(
        config: Config,
        mode: Mode,
        store: Store,
        run: i64,
        rules: Rules,
        known_names: KnownNames,
    ) -> Result<Self, NoClient> {
        let send_context =
            SendContext::new(config.network.clone(), config.hosts.clone(), config.zone.clone())?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let feeds = known_names.feeds.iter();
        let feed_tags = feeds.map(|feed| (feed.name.clone(), feed.tags.clone())).collect();
        let rechecked = config.feeds.iter().filter(|feed| !feed.recheck.is_empty());
        let recheck_ages =
            rechecked.map(|feed| (feed.name.clone(), feed.recheck.clone())).collect();
        let policies = Arc::new(DeliveryPolicies {
            policies: config.delivery_policies.clone(),
            zone: config.zone.clone(),
        });
        Ok(Self {
            hosts: HostPermits::new(&config.poll, config.network.clone()),
            robots: robots::RobotsCache::default(),
            limits: Limits::default(),
            store,
            run,
            rules: ArcSwap::from_pointee(rules),
            known_names,
            feed_tags,
            recheck_ages,
            policies,
            send_context,
            document_permits: Arc::new(Semaphore::new(DOCUMENTS)),
            blocking_permits: Semaphore::new(cores),
            mode,
            last_read: LastRead::default(),
            polls_in_progress: AtomicUsize::new(0),
            refused_messages: AtomicUsize::new(0),
            story_waits: Notify::new(),
            rules_changed: Notify::new(),
            retry_failing: Notify::new(),
            message_due: Notify::new(),
            failing_receivers: Mutex::default(),
            config,
        })
    }

    /// The number of polls in progress that may bring a copy of a story. A message waits for them.
    /// A single round delivers after all polls, so no message has to wait.
    pub(super) fn other_polls(&self) -> usize {
        match self.mode {
            Mode::Forever => self.polls_in_progress.load(Ordering::Relaxed),
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

    /// Like [`fetch`](Self::fetch), and notifies `admitted` when a request begins.
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
        http::fetch(
            &self.send_context.http,
            &request,
            &self.limits,
            now(),
            admit,
            self.rest_recorder(),
        )
        .await
    }

    /// Waits for a permit for one request to the host of `url`. For a page, `robots.txt` of the
    /// host is checked first.
    pub(super) async fn admit(&self, url: Url, want: Want) -> Result<Permit<'_>, FetchError> {
        if want == Want::Page {
            robots::check_robots(self, &url).await?;
        }
        self.hosts.admit(HostKey::from_url(&url)).await
    }

    /// The function that records the pause that a host asks for, in the store too.
    pub(super) fn rest_recorder(&self) -> impl Fn(&HostKey, RetryAfter) {
        |host, asked| {
            let at = now();
            self.store.record_host_rest(
                host.0.clone(),
                self.hosts.extend_rest(host, asked.end(at)),
                at,
            );
        }
    }

    /// Limits the pauses of hosts and the waits of pages to their schedule. They may be too long if
    /// the clock was ahead.
    pub(super) async fn cut_waits(&self, now: Timestamp) {
        self.hosts.cut_waits(now);
        let longest = self.recheck_ages.values().flatten().max();
        if let Err(why) =
            self.store.shorten_fetch_waits(longest.map(|longest| later(now, *longest)), now).await
        {
            error!("waits cannot be checked against the clock: {why}; the check is repeated");
        }
        self.story_waits.notify_one();
    }

    /// Restarts the wait of every story that waits for its page, from `now` on.
    pub(super) async fn restart_page_waits(&self, now: Timestamp) {
        if let Err(why) = self.store.restart_page_waits(now).await {
            error!("the waits for pages cannot be restarted: {why}");
        }
    }
}

/// Runs a step that uses a core for long on a thread of its own. At most one step per core runs at
/// once.
///
/// # Panics
/// If the step panics.
pub(super) async fn run_blocking_limited<T: Send + 'static>(
    context: &RunContext,
    step: impl FnOnce() -> T + Send + 'static,
) -> T {
    let _permit = context.blocking_permits.acquire().await.expect("the semaphore is never closed");
    tokio::task::spawn_blocking(step).await.expect("the step does not panic")
}
