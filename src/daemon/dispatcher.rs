//! Delivers the outbox: leases due messages, sends them, and records the outcome.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::alerts::Receiver;
use crate::alerts::breaker::{FailureCause, FailureScope};
use crate::alerts::receiver_health::ReceiverHealth;
use crate::alerts::retry;
use crate::alerts::retry::{Finish, MessageHistory, RetryRecord};
use crate::alerts::send_queue::Sending;
use crate::alerts::width::SendWindow;
use crate::clock::{Jump, later, now, until};
use crate::config::Notifier;
use crate::daemon::in_force::{InForce, Shared};
use crate::daemon::payloads::Payloads;
use crate::daemon::scheduler::{Due, JobFailure, Run, Running, Work};
use crate::daemon::shares::{NodeShares, ShareUse};
use crate::daemon::wakeups::Wakeups;
use crate::daemon::{Mode, announce, counting, feed_diff, payloads, scheduler};
use crate::metrics::Metrics;
use crate::notify;
use crate::queries::names::receivers;
use crate::shares::{OwnShares, Share};
use crate::store::{Lease, OutboxTurn, Store, StoreError};
use tidings_rules::story::NotifierName;

/// How often the outbox is queried without a notification. Other processes write to the store, too.
const QUERY_INTERVAL: Duration = Duration::from_secs(5);

/// The pause before the next attempt at a message whose attempt panicked.
const AFTER_A_PANIC: Duration = Duration::from_mins(5);

/// Sends messages as they become due, until `stop`, or in a single round until nothing is due any
/// more. After `stop`, messages in flight get [`scheduler::STOP_GRACE`] to end.
///
/// Also counts the messages that were dead-lettered.
pub(crate) async fn deliver(
    mut deliveries: Deliveries,
    mode: Mode,
    stop: &CancellationToken,
) -> DeliveryEnd {
    let next_due = scheduler::run_work(&mut deliveries, mode, stop).await;
    if stop.is_cancelled() {
        deliveries.in_force.send_context.close_all_connections().await;
    }
    DeliveryEnd { next_due, refused: deliveries.refused }
}

/// How the deliveries of a run ended.
#[derive(Debug)]
pub(crate) struct DeliveryEnd {
    /// When the next message is due, if a single round ended.
    pub(crate) next_due: Option<Timestamp>,
    /// The number of messages that were dead-lettered.
    pub(crate) refused: usize,
}

/// The messages of the outbox, and the attempts at them.
#[derive(Debug)]
pub(crate) struct Deliveries {
    parts: Arc<DeliveryParts>,
    /// What was in force at the last turn.
    in_force: Arc<InForce>,
    /// Whether the configuration has changed during this run.
    has_changed_config: bool,
    /// The shares of this node at the last turn.
    own: OwnShares,
    /// The use of the share of each attempt that is not recorded yet.
    uses: HashMap<i64, Arc<ShareUse>>,
    /// Attempts that have ended and are not recorded yet.
    ended: Vec<(Lease, Finish)>,
    /// Whether the last turn failed. What it leased is not known then.
    is_unsure: bool,
    /// The number of messages that each notifier is sent at once.
    windows: BTreeMap<NotifierName, SendWindow>,
    /// The newest attempt that has begun.
    newest_attempt: i64,
    payloads: Payloads,
    /// The due messages that had no payload at the last turn.
    unprepared: Vec<i64>,
    /// The health of the receivers at the last turn.
    receiver_health: ReceiverHealth,
    /// The receivers whose last attempt failed. Each is logged once, until an attempt succeeds.
    failing_receivers: BTreeSet<Receiver>,
    /// The number of messages that were dead-lettered.
    refused: usize,
}

/// What attempts at messages need.
#[derive(Debug)]
pub(crate) struct DeliveryParts {
    pub(super) in_force: Shared,
    pub(super) store: Store,
    /// The number of this run in the store. Leases of another number belong to an earlier run.
    pub(super) run: i64,
    pub(super) wakeups: Arc<Wakeups>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) shares: Arc<NodeShares>,
}

/// The notifiers that this node sends to, each with the use of its share.
type OwnNotifiers = BTreeMap<NotifierName, Arc<ShareUse>>;

impl Deliveries {
    /// No attempt has begun.
    pub(super) fn new(parts: DeliveryParts) -> Self {
        Self {
            in_force: parts.in_force.load_full(),
            // The start of a run that is alone has held messages.
            own: match parts.shares.own() {
                OwnShares::All => OwnShares::All,
                OwnShares::Some(_) => OwnShares::Some(Arc::default()),
            },
            parts: Arc::new(parts),
            uses: HashMap::new(),
            has_changed_config: false,
            ended: Vec::new(),
            is_unsure: false,
            windows: BTreeMap::new(),
            newest_attempt: 0,
            payloads: Payloads::default(),
            unprepared: Vec::new(),
            receiver_health: ReceiverHealth::default(),
            failing_receivers: BTreeSet::new(),
            refused: 0,
        }
    }

    /// Holds the messages of receivers that left the configuration, and releases those of receivers
    /// that are back.
    async fn hold_messages(&self) -> Result<Vec<(Receiver, u64)>, StoreError> {
        let receivers = receivers(&self.in_force.config);
        self.parts.store.hold_messages(&receivers, &self.own).await
    }

    /// Takes what changed since the last turn. Returns whether messages are to be held or released.
    fn refresh(&mut self) -> bool {
        let (in_force, own) = (self.parts.in_force.load_full(), self.parts.shares.own());
        let is_other_config = !Arc::ptr_eq(&in_force.config, &self.in_force.config);
        let is_other = is_other_config || own != self.own;
        self.has_changed_config |= is_other_config;
        (self.in_force, self.own) = (in_force, own);
        is_other
    }

    /// The notifiers that this node sends to now.
    fn begin_notifiers(&self) -> OwnNotifiers {
        let begin = |name: &NotifierName| {
            let share = self.parts.shares.begin(Share::of_notifier(name))?;
            Some((name.clone(), Arc::new(share)))
        };
        self.in_force.config.notifiers.keys().filter_map(begin).collect()
    }

    /// Takes in a turn that is committed: what had ended is recorded, and new attempts begin.
    fn take_turn(&mut self, turn: &OutboxTurn, own: &OwnNotifiers) {
        for (lease, _) in self.ended.drain(..) {
            self.uses.remove(&lease.attempt);
        }
        for lease in &turn.leases {
            let share = own.get(&lease.receiver.notifier).map(Arc::clone);
            self.uses.extend(share.map(|share| (lease.attempt, share)));
        }
        self.payloads.drop_used(turn);
        let newest = turn.leases.iter().map(|lease| lease.attempt).max();
        self.newest_attempt = newest.unwrap_or(self.newest_attempt);
        self.refused += turn.unrenderable.len();
        for (receiver, why) in &turn.unrenderable {
            error!(
                event = "message_dead",
                notifier = %receiver.notifier,
                recipient = receiver.address(),
                "a message for {receiver} cannot be rendered; it is dead-lettered: {why}"
            );
        }
    }

    /// What each of these notifiers is sent now, and how much it may be sent at once.
    fn sending(
        &self,
        own: &OwnNotifiers,
        running: &Running<Lease, Finish>,
    ) -> BTreeMap<NotifierName, Sending> {
        let sending = own.keys().map(|name| {
            let at_once = self.windows.get(name).copied().unwrap_or_default().at_once();
            (name.clone(), Sending { at_once, in_flight: BTreeMap::new() })
        });
        let mut sending: BTreeMap<_, Sending> = sending.collect();
        for Receiver { notifier, recipient } in running.keys().map(|lease| &lease.receiver) {
            let notifier = sending.entry(notifier.clone()).or_default();
            *notifier.in_flight.entry(recipient.clone()).or_default() += 1;
        }
        sending
    }

    /// Logs the outcome. That a receiver takes no messages is logged once, and that it takes them
    /// again.
    fn log_outcome(&mut self, lease: &Lease, finish: &Finish) {
        let (receiver, message_id) = (&lease.receiver, &lease.id);
        let (notifier, recipient) = (&receiver.notifier, receiver.address());
        let rule = lease.rules.as_deref();
        match finish {
            Finish::Sent(reply) => {
                self.log_sent(lease, reply);
                if self.failing_receivers.remove(receiver) {
                    info!(
                        event = "receiver_back", %notifier, recipient,
                        "{receiver} takes messages again"
                    );
                }
            }
            Finish::TooLarge(RetryRecord { why, .. }) if lease.is_digest => warn!(
                event = "digest_split", %notifier, recipient, rule, message_id,
                "{receiver} refused a digest as too large; it is sent in halves: {why}"
            ),
            Finish::Retry(RetryRecord { due: at, why, .. })
            | Finish::TooLarge(RetryRecord { due: at, why, .. }) => {
                if self.failing_receivers.insert(receiver.clone()) {
                    warn!(
                        event = "message_postponed", %notifier, recipient, rule, message_id,
                        "{receiver} did not take a message: {why}; the message is kept and tried again"
                    );
                } else {
                    debug!(
                        event = "message_postponed", %notifier, recipient, rule, message_id,
                        "{receiver} still takes no message: {why}; next try at {at}"
                    );
                }
            }
            Finish::Dead(why) => {
                self.refused += 1;
                error!(
                    event = "message_dead", %notifier, recipient, rule, message_id,
                    "{receiver} refused a message; it is dead-lettered: {why}"
                );
            }
        }
    }

    /// Logs a delivery. The reader of a console has seen the message itself.
    fn log_sent(&self, lease: &Lease, reply: &str) {
        let (receiver, message_id) = (&lease.receiver, &lease.id);
        let (notifier, recipient) = (&receiver.notifier, receiver.address());
        let rule = lease.rules.as_deref();
        let seconds = lease.first_seen.map(|seen| until(now(), seen).as_secs_f64());
        if let Some(Notifier::Console(_)) = self.in_force.config.notifiers.get(notifier) {
            debug!(
                event = "message_sent", %notifier, recipient, rule, message_id, seconds,
                "sent {message_id} to {receiver}: {reply}"
            );
        } else {
            info!(
                event = "message_sent", %notifier, recipient, rule, message_id, seconds,
                "sent {message_id} to {receiver}: {reply}"
            );
        }
    }
}

impl Work for Deliveries {
    type Key = Lease;
    type Job = Lease;
    type Output = Finish;

    /// A turn of the outbox costs nearly as much for one message as for eight.
    const GATHER: Duration = Duration::from_millis(1);
    const STOP_GRACE: Duration = scheduler::STOP_GRACE;
    const LOOKUP_FAILED: &'static str = "the outbox cannot be read or written";

    /// Records the attempts that ended, and leases due messages for every notifier with free slots.
    /// Meanwhile it makes the payloads of the next messages.
    async fn find_due(
        &mut self,
        running: &Running<Lease, Finish>,
    ) -> Result<Due<Lease>, StoreError> {
        let had_no_share = self.own == OwnShares::Some(Arc::default());
        if self.refresh() {
            let held = self.hold_messages().await?;
            if had_no_share {
                log_held(&held);
            }
        }
        let own = self.begin_notifiers();
        if self.is_unsure {
            let ended = self.ended.iter().map(|(lease, _)| lease);
            let in_flight = running.keys().chain(ended).map(|lease| lease.attempt).collect();
            self.parts.store.reopen_leases(in_flight, now()).await?;
        }
        let (parts, sending) = (&self.parts, self.sending(&own, running));
        let (ended, prepared) = (self.ended.clone(), self.payloads.fresh(now()));
        let turn = parts.store.outbox_turn(parts.run, ended, sending, now(), prepared);
        let notifiers: Vec<&NotifierName> = own.keys().collect();
        let next = payloads::prepare_next(
            &parts.store,
            &self.in_force,
            &notifiers,
            &self.payloads,
            &self.receiver_health,
        );
        let (turn, next) = tokio::join!(turn, next);
        self.is_unsure = turn.is_err();
        let turn = turn?;
        self.take_turn(&turn, &own);
        match next {
            Ok(next) => self.payloads.add(next),
            Err(why) if !why.is_news() => {}
            Err(why) => error!(
                event = "store_failed",
                "the next messages cannot be read: {why}; it is tried again"
            ),
        }
        let is_own = |notifier: &NotifierName| self.own.contains(Share::of_notifier(notifier));
        self.receiver_health = turn.receiver_health.of_notifiers(is_own);
        self.unprepared = turn.unprepared;
        Ok(Due { jobs: turn.leases, next: turn.next_due })
    }

    async fn follow_up(
        &mut self,
        next: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, StoreError> {
        let (store, config) = (&self.parts.store, &self.in_force.config);
        announce::queue_receiver_notices(store, config, &self.receiver_health).await?;
        let missing = self.payloads.missing(&self.unprepared);
        self.payloads.add(payloads::prepare(store, &self.in_force, &missing).await?);
        Ok(if self.unprepared.is_empty() { next } else { Some(now()) })
    }

    fn begin(&self, lease: Lease) -> (Lease, Run<Finish>) {
        let in_force = Arc::clone(&self.in_force);
        (lease.clone(), Box::pin(async move { Ok(send_message(&in_force, &lease).await) }))
    }

    fn end(&mut self, lease: Lease, result: Result<Finish, JobFailure>) {
        let finish = result.unwrap_or_else(|why| Finish::Retry(after_panic(&why)));
        self.log_outcome(&lease, &finish);
        counting::count_attempt(&self.parts.metrics, &lease, &finish, now());
        let window = self.windows.entry(lease.receiver.notifier.clone()).or_default();
        *window = adapt_window(*window, lease.attempt, &finish, self.newest_attempt);
        self.ended.push((lease, finish));
    }

    async fn wait_for_change(&mut self) {
        tokio::select! {
            () = self.parts.wakeups.message_due.notified() => {}
            () = self.in_force.send_context.close_idle_connections() => {}
            () = tokio::time::sleep(QUERY_INTERVAL) => {}
        }
    }

    /// Shortens waits that were set while the clock was ahead.
    async fn check_clock(&mut self, jump: Option<Jump>) {
        if let Some(jump) = jump {
            warn!(event = "clock_jumped", "the clock of this machine jumped {jump}");
        }
        // Attempts and matches that were under way made some pending since.
        if self.has_changed_config
            && let Err(why) = self.hold_messages().await
        {
            error!(
                event = "store_failed",
                "messages of receivers that left cannot be held: {why}; it is tried again"
            );
        }
        match self.parts.store.shorten_delivery_waits(now()).await {
            Ok(0) => {}
            Ok(cut) => info!(
                event = "waits_shortened",
                "the clock of this machine was ahead; messages whose wait is shortened: {cut}"
            ),
            Err(why) => error!(
                event = "store_failed",
                "waits that a wrong clock made too long cannot be shortened: {why}"
            ),
        }
    }

    fn is_round_over(&self, next: Option<Timestamp>) -> bool {
        self.ended.is_empty() && next.is_none_or(|at| at > now())
    }

    /// The next run reclaims the messages that are not recorded, and sends the same bytes under the
    /// same ids again.
    async fn record_ended(&mut self) {
        let (parts, ended, none) = (&self.parts, self.ended.clone(), Arc::default());
        match parts.store.outbox_turn(parts.run, ended, BTreeMap::new(), now(), none).await {
            Ok(turn) => self.take_turn(&turn, &OwnNotifiers::new()),
            Err(why) => error!(
                event = "store_failed",
                "outcomes of deliveries cannot be recorded: {why}; these messages are sent again at the next start"
            ),
        }
    }

    fn log_aborted(&self, messages: usize) {
        warn!(
            event = "messages_aborted",
            "messages still in flight: {messages}; they are sent again at the next start"
        );
    }
}

/// Logs whose messages are held at the start of a run.
pub(super) fn log_held(held: &[(Receiver, u64)]) {
    for (receiver, messages) in held {
        warn!(
            event = "messages_held", notifier = %receiver.notifier, recipient = receiver.address(),
            "{receiver} is not in the configuration; messages held until it is back: {messages}"
        );
    }
}

/// Makes one attempt at a message. Returns what follows for the message.
async fn send_message(in_force: &InForce, lease: &Lease) -> Finish {
    let notifier = in_force
        .config
        .notifiers
        .get(&lease.receiver.notifier)
        .expect("a turn leases only to those in `sending`");
    let outcome = notify::send(
        notifier,
        &in_force.send_context,
        &lease.receiver,
        &lease.id,
        &lease.payload,
        now(),
    )
    .await;
    let ended = now();
    let seed = feed_diff::jitter_seed(&lease.id, ended);
    let history = MessageHistory {
        counted: lease.counted_attempts,
        tried_for: until(ended, lease.tried_since),
    };
    retry::decide_next_step(outcome, history, ended, seed)
}

/// The window of a notifier after an attempt: wider if it took the message, narrower if it was
/// busy. `newest` is the newest attempt that has begun.
fn adapt_window(window: SendWindow, attempt: i64, finish: &Finish, newest: i64) -> SendWindow {
    match finish {
        Finish::Sent(_) => window.after_success(),
        Finish::Retry(RetryRecord {
            cause: FailureCause::Busy,
            scope: FailureScope::Notifier,
            ..
        }) => window.after_busy(attempt, newest),
        Finish::Retry(_) | Finish::TooLarge(_) | Finish::Dead(_) => window,
    }
}

/// The retry of a message whose attempt panicked. The attempt counts.
fn after_panic(why: &JobFailure) -> RetryRecord {
    RetryRecord {
        due: later(now(), AFTER_A_PANIC),
        cause: FailureCause::Failed,
        scope: FailureScope::Message,
        counts: true,
        rest_until: None,
        why: why.to_string(),
    }
}
