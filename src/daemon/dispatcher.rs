//! Delivers the outbox: leases due messages, sends them, and records the outcome.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::alerts::Receiver;
use crate::alerts::breaker::{FailureCause, FailureScope};
use crate::alerts::width::SendWindow;
use crate::clock::{Jump, later, now, until};
use crate::daemon::context::RunContext;
use crate::daemon::retry::MessageHistory;
use crate::daemon::scheduler::{AfterPanic, Due, Panicked, Running, Work};
use crate::daemon::{announce, feed_diff, retry, scheduler};
use crate::notify;
use crate::store::{Finish, Lease, OutboxTurn, Render, RetryRecord, Sending, StoreError};
use tidings_rules::story::NotifierName;

/// How often the outbox is queried without a notification. Other processes write to the store, too.
const QUERY_INTERVAL: Duration = Duration::from_secs(5);

/// The pause before the next attempt at a message whose attempt panicked.
const AFTER_A_PANIC: Duration = Duration::from_mins(5);

/// The number of messages that each notifier is sent at once.
type SendWindows = BTreeMap<NotifierName, SendWindow>;

/// Attempts that have ended and are not recorded yet.
type EndedAttempts = Vec<(Lease, Finish)>;

/// Sends messages as they become due, until `stop`, or in a single round until nothing is due any
/// more. After `stop`, messages in flight get [`scheduler::STOP_GRACE`] to end.
///
/// Returns when the next message is due, if a single round ended.
pub(crate) async fn deliver(
    context: &Arc<RunContext>,
    stop: CancellationToken,
) -> Option<Timestamp> {
    let mut deliveries = Deliveries {
        context: Arc::clone(context),
        newly_ended: EndedAttempts::new(),
        ended: EndedAttempts::new(),
        windows: SendWindows::new(),
    };
    let next = scheduler::run_work(&mut deliveries, context.mode, &stop).await;
    if stop.is_cancelled() {
        context.send_context.close_all_connections().await;
    }
    next
}

/// The messages of the outbox, and the attempts at them.
struct Deliveries {
    context: Arc<RunContext>,
    /// Attempts that have not changed the windows yet.
    newly_ended: EndedAttempts,
    /// Attempts that are not recorded yet.
    ended: EndedAttempts,
    windows: SendWindows,
}

impl Deliveries {
    /// What each notifier is sent now, and how much it may be sent at once.
    fn sending(&self, running: &Running<Lease, Finish>) -> BTreeMap<NotifierName, Sending> {
        let sending = self.context.config.notifiers.keys().map(|name| {
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

    /// Records the attempts that ended, and leases due messages for every notifier of `sending`.
    async fn run_turn(
        &mut self,
        sending: BTreeMap<NotifierName, Sending>,
    ) -> Result<OutboxTurn, StoreError> {
        let (context, ended) = (&self.context, self.ended.clone());
        let render = message_renderer(context);
        let turn = context.store.outbox_turn(context.run, ended, sending, now(), render).await?;
        self.ended.clear();
        Ok(turn)
    }
}

impl Work for Deliveries {
    type Key = Lease;
    type Job = Lease;
    type Output = Finish;

    const STOP_GRACE: Duration = scheduler::STOP_GRACE;
    const LOOKUP_FAILED: &'static str = "the outbox cannot be read or written";

    async fn find_due(
        &mut self,
        running: &Running<Lease, Finish>,
    ) -> Result<Due<Lease>, StoreError> {
        let newest = running.keys().map(|lease| lease.attempt).max();
        adapt_windows(&mut self.windows, &self.newly_ended, newest);
        self.ended.append(&mut self.newly_ended);
        let turn = self.run_turn(self.sending(running)).await?;
        let announced = announce::queue_receiver_notices(&self.context, &turn.receiver_health);
        // The leases count, even if the notices fail.
        let next = announced.await.map_or_else(
            |why| {
                error!("notices about receivers cannot be stored: {why}; they are tried again");
                Some(later(now(), scheduler::STORE_FAILED))
            },
            |()| turn.next_due,
        );
        Ok(Due { jobs: turn.leases, next })
    }

    fn begin(
        &self,
        lease: Lease,
    ) -> (Lease, impl Future<Output = Result<Finish, StoreError>> + Send + 'static) {
        let context = Arc::clone(&self.context);
        (lease.clone(), async move { Ok(send_message(&context, &lease).await) })
    }

    fn end(&mut self, lease: Lease, finish: Option<Finish>) {
        if let Some(finish) = finish {
            log_outcome(&self.context, &lease, &finish);
            self.newly_ended.push((lease, finish));
        }
    }

    /// The message is retried later, and the attempt counts.
    fn end_after_panic(&mut self, lease: Lease, why: &Panicked) -> AfterPanic<Lease> {
        let (cause, scope) = (FailureCause::Failed, FailureScope::Message);
        let retry = RetryRecord {
            due: later(now(), AFTER_A_PANIC),
            cause,
            scope,
            counts: true,
            rest_until: None,
            why: why.to_string(),
        };
        self.end(lease, Some(Finish::Retry(retry)));
        AfterPanic::Reschedule
    }

    async fn wait_for_change(&mut self) {
        tokio::select! {
            () = self.context.message_due.notified() => {}
            () = self.context.send_context.close_idle_connections() => {}
            () = tokio::time::sleep(QUERY_INTERVAL) => {}
        }
    }

    /// Shortens waits that were set while the clock was ahead.
    async fn check_clock(&mut self, jump: Option<Jump>) {
        if let Some(jump) = jump {
            warn!("the clock of this machine jumped {jump}");
        }
        match self.context.store.shorten_delivery_waits(now()).await {
            Ok(0) => {}
            Ok(cut) => info!(
                "the clock of this machine was ahead; the waits of {cut} messages are shortened"
            ),
            Err(why) => error!("waits that a wrong clock made too long cannot be shortened: {why}"),
        }
    }

    fn is_round_over(&self, next: Option<Timestamp>) -> bool {
        self.ended.is_empty() && next.is_none_or(|at| at > now())
    }

    /// The next run reclaims the messages that are not recorded, and sends the same bytes under the
    /// same ids again.
    async fn record_ended(&mut self) {
        self.ended.append(&mut self.newly_ended);
        if let Err(why) = self.run_turn(BTreeMap::new()).await {
            error!(
                "outcomes of deliveries cannot be recorded: {why}; these messages are sent again at the next start"
            );
        }
    }

    fn log_aborted(&self, messages: usize) {
        warn!("{messages} messages are still in flight, and are sent again at the next start");
    }
}

/// Makes one attempt at a message. Returns what follows for the message.
async fn send_message(context: &RunContext, lease: &Lease) -> Finish {
    let notifier = context
        .config
        .notifiers
        .get(&lease.receiver.notifier)
        .expect("a turn leases only to those in `sending`");
    let outcome = notify::send(
        notifier,
        &context.send_context,
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

/// Widens the windows of notifiers that took messages, and narrows those of notifiers that were
/// busy. `in_flight` is the newest attempt that has not ended.
fn adapt_windows(windows: &mut SendWindows, ended: &EndedAttempts, in_flight: Option<i64>) {
    let newest =
        ended.iter().map(|(lease, _)| lease.attempt).chain(in_flight).max().unwrap_or_default();
    for (lease, finish) in ended {
        let window = windows.entry(lease.receiver.notifier.clone()).or_default();
        match finish {
            Finish::Sent(_) => *window = window.after_success(),
            Finish::Retry(RetryRecord {
                cause: FailureCause::Busy,
                scope: FailureScope::Notifier,
                ..
            }) => {
                *window = window.after_busy(lease.attempt, newest);
            }
            Finish::Retry(_) | Finish::TooLarge(_) | Finish::Dead(_) => {}
        }
    }
}

/// Renders messages on the store's writer. A panic here must not end the writer.
fn message_renderer(context: &Arc<RunContext>) -> Render {
    let context = Arc::clone(context);
    Arc::new(move |receiver, notification| {
        let Some(notifier) = context.config.notifiers.get(&receiver.notifier) else {
            return Err(format!("the notifier {} is not in the configuration", receiver.notifier));
        };
        let rendered = catch_unwind(AssertUnwindSafe(|| {
            notify::render(notifier, receiver, notification, &context.config.zone)
        }));
        rendered
            .unwrap_or_else(|_| Err("this is a bug in Tidings, please report it".to_owned()))
            .inspect_err(|why| {
                context.refused_messages.fetch_add(1, Ordering::Relaxed);
                error!("a message for {receiver} cannot be rendered; it is dead-lettered: {why}");
            })
    })
}

/// Logs the outcome: once that a receiver takes no messages, and once that it takes them again.
fn log_outcome(context: &RunContext, lease: &Lease, finish: &Finish) {
    let receiver = &lease.receiver;
    let mut failing = context.failing_receivers.lock().unwrap_or_else(PoisonError::into_inner);
    match finish {
        Finish::Sent(reply) => {
            debug!("sent {} to {receiver}: {reply}", lease.id);
            if failing.remove(receiver) {
                info!("{receiver} takes messages again");
            }
        }
        Finish::TooLarge(RetryRecord { why, .. }) if lease.is_digest => {
            warn!("{receiver} refused a digest as too large; it is sent in halves: {why}");
        }
        Finish::Retry(RetryRecord { due: at, why, .. })
        | Finish::TooLarge(RetryRecord { due: at, why, .. }) => {
            if failing.insert(receiver.clone()) {
                warn!("{receiver} did not take a message: {why}; it is kept and tried again");
            } else {
                debug!("{receiver} still takes no message: {why}; next try at {at}");
            }
        }
        Finish::Dead(why) => {
            context.refused_messages.fetch_add(1, Ordering::Relaxed);
            error!("{receiver} refused a message; it is dead-lettered: {why}");
        }
    }
}
