//! Delivers the outbox: leases due messages, sends them, and records the outcome.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::alerts::Receiver;
use crate::alerts::breaker::{FailureCause, FailureScope};
use crate::alerts::retry;
use crate::alerts::retry::{Finish, MessageHistory, RetryRecord};
use crate::alerts::width::SendWindow;
use crate::clock::{JumpWatch, later, now, sleep_until, until};
use crate::daemon::context::RunContext;
use crate::daemon::payloads::Payloads;
use crate::daemon::tasks::{Panicked, Tasks};
use crate::daemon::{Mode, announce, feed_diff, payloads};
use crate::notify;
use crate::store::{Lease, PreparedMessages, Sending, StoreError};
use tidings_rules::story::NotifierName;

/// The pause after a failure of the store.
const STORE_FAILED: Duration = Duration::from_secs(5);

/// How often the outbox is queried without a notification. Other processes write to the store, too.
const QUERY_INTERVAL: Duration = Duration::from_secs(5);

/// How long a stop waits for messages in flight: as long as a webhook may take. A mail server may
/// take ten minutes.
const STOP_GRACE: Duration = Duration::from_secs(30);

/// The pause before the next attempt at a message whose attempt panicked.
const AFTER_A_PANIC: Duration = Duration::from_mins(5);

/// How often waits are checked against the clock, which may have been set back.
const CLOCK_CHECK: Duration = Duration::from_mins(1);

/// The number of messages that each notifier is sent at once.
type SendWindows = BTreeMap<NotifierName, SendWindow>;

/// Attempts that have ended and are not recorded yet.
type EndedAttempts = Vec<(Lease, Finish)>;

/// Sends messages as they become due, until `stop`, or in a single round until nothing is due any
/// more. After `stop`, messages in flight get [`STOP_GRACE`] to end.
///
/// Returns when the next message is due, if a single round ended.
pub(crate) async fn deliver(
    context: Arc<RunContext>,
    stop: CancellationToken,
) -> Option<Timestamp> {
    let mut tasks = Tasks::new();
    let mut ended = EndedAttempts::new();
    let mut windows = SendWindows::new();
    let mut payloads = Payloads::default();
    let mut clock = JumpWatch::start();
    let mut next_check = later(now(), CLOCK_CHECK);
    while !stop.is_cancelled() {
        if let Some(jump) = clock.observe() {
            warn!("the clock of this machine jumped {jump}");
            next_check = now();
        }
        if next_check <= now() {
            next_check = later(now(), CLOCK_CHECK);
            cut_waits(&context).await;
        }
        let next = match run_turn(&context, &mut tasks, &mut ended, &windows, &mut payloads).await {
            Ok(next) => next,
            Err(why) => {
                error!("the outbox cannot be read or written: {why}; it is tried again");
                Some(later(now(), STORE_FAILED))
            }
        };
        if context.mode == Mode::Once
            && tasks.len() == 0
            && ended.is_empty()
            && next.is_none_or(|at| at > now())
        {
            return next;
        }
        let mut newly_ended = EndedAttempts::new();
        tokio::select! {
            () = stop.cancelled() => {}
            () = context.message_due.notified() => {}
            Some(attempt) = tasks.next() => newly_ended.push(finish_attempt(&context, attempt)),
            () = sleep_until(Some(next.unwrap_or(Timestamp::MAX).min(later(now(), QUERY_INTERVAL)))) => {}
            () = context.send_context.close_idle_connections() => {}
        }
        while let Some(attempt) = tasks.try_next() {
            newly_ended.push(finish_attempt(&context, attempt));
        }
        adapt_windows(&mut windows, &newly_ended, tasks.keys().map(|lease| lease.attempt).max());
        ended.extend(newly_ended);
    }
    finish_in_flight(&context, &mut tasks, ended).await;
    context.send_context.close_all_connections().await;
    None
}

/// Waits up to [`STOP_GRACE`] for messages in flight. Each outcome is recorded at once, because the
/// process may be killed. The next run reclaims the other messages, and sends the same bytes under
/// the same ids again.
async fn finish_in_flight(
    context: &Arc<RunContext>,
    tasks: &mut Tasks<Lease, Finish>,
    mut ended: EndedAttempts,
) {
    let mut deadline = pin!(tokio::time::sleep(STOP_GRACE));
    loop {
        match context
            .store
            .outbox_turn(
                context.run,
                ended.clone(),
                BTreeMap::new(),
                now(),
                Arc::new(PreparedMessages::new()),
            )
            .await
        {
            Ok(_) => ended.clear(),
            Err(why) => {
                error!(
                    "outcomes of deliveries cannot be recorded: {why}; these messages are sent again at the next start"
                );
            }
        }
        tokio::select! {
            attempt = tasks.next() => match attempt {
                Some(attempt) => ended.push(finish_attempt(context, attempt)),
                None => return,
            },
            () = &mut deadline => {
                warn!("messages still in flight: {}; they are sent again at the next start", tasks.len());
                return;
            }
        }
    }
}

/// Records the attempts that ended, and starts due messages for every notifier with free slots.
/// Meanwhile it makes the payloads of the next messages. Returns when the next message is due.
async fn run_turn(
    context: &Arc<RunContext>,
    tasks: &mut Tasks<Lease, Finish>,
    ended: &mut EndedAttempts,
    windows: &SendWindows,
    payloads: &mut Payloads,
) -> Result<Option<Timestamp>, StoreError> {
    let sending = context.config.notifiers.keys().map(|name| {
        let at_once = windows.get(name).copied().unwrap_or_default().at_once();
        (name.clone(), Sending { at_once, in_flight: BTreeMap::new() })
    });
    let mut sending: BTreeMap<_, _> = sending.collect();
    for Receiver { notifier, recipient } in tasks.keys().map(|lease| &lease.receiver) {
        *sending
            .entry(notifier.clone())
            .or_default()
            .in_flight
            .entry(recipient.clone())
            .or_default() += 1;
    }
    let prepared = payloads.fresh(now());
    let turn =
        context.store.outbox_turn(context.run, ended.clone(), sending, now(), prepared.clone());
    let next = payloads::prepare_next(context, payloads);
    let (turn, next) = tokio::join!(turn, next);
    let turn = turn?;
    ended.clear();
    drop(prepared);
    payloads.note_turn(&turn);
    for lease in turn.leases {
        let context = Arc::clone(context);
        tasks.spawn(lease.clone(), async move { send_message(&context, &lease).await });
    }
    announce::queue_receiver_notices(context, &turn.receiver_health).await?;
    payloads.add(next?);
    let missing = payloads.missing(&turn.unprepared);
    payloads.add(payloads::prepare(context, &missing).await?);
    Ok(if turn.unprepared.is_empty() { turn.next_due } else { Some(now()) })
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

/// Logs the outcome of an attempt. A message whose attempt panicked is retried later, and the
/// attempt counts.
fn finish_attempt(
    context: &RunContext,
    (lease, finish): (Lease, Result<Finish, Panicked>),
) -> (Lease, Finish) {
    let finish = finish.unwrap_or_else(|why| {
        let (cause, scope) = (FailureCause::Failed, FailureScope::Message);
        Finish::Retry(RetryRecord {
            due: later(now(), AFTER_A_PANIC),
            cause,
            scope,
            counts: true,
            rest_until: None,
            why: why.to_string(),
        })
    });
    log_outcome(context, &lease, &finish);
    (lease, finish)
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

/// Shortens waits that were set while the clock was ahead.
async fn cut_waits(context: &RunContext) {
    match context.store.shorten_delivery_waits(now()).await {
        Ok(0) => {}
        Ok(cut) => {
            info!("the clock of this machine was ahead; messages whose wait is shortened: {cut}");
        }
        Err(why) => error!("waits that a wrong clock made too long cannot be shortened: {why}"),
    }
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
                warn!(
                    "{receiver} did not take a message: {why}; the message is kept and tried again"
                );
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
