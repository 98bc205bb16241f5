//! The outbox: leases what is due, sends it, records what came of it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
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
use crate::daemon::tasks::{Panicked, Tasks};
use crate::daemon::world::World;
use crate::daemon::{Mode, announce, news};
use crate::notify;
use crate::store::{Lease, Render, Sending, StoreError};
use tidings_rules::story::NotifierName;

/// The pause after a failure of the store.
const STORE_FAILED: Duration = Duration::from_secs(5);

/// How often the outbox is queried without a notification, because other processes write to the
/// store, too.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// How long a stop waits for what is being sent: as long as a webhook may take. A mail server may
/// take ten minutes.
const GRACE: Duration = Duration::from_secs(30);

/// When a message is tried again whose delivery panicked.
const AFTER_A_PANIC: Duration = Duration::from_mins(5);

/// How often waits are held against the clock.
const CUT_WAITS: Duration = Duration::from_mins(1);

/// How many messages each notifier is sent at once.
type SendWindows = BTreeMap<NotifierName, SendWindow>;

/// What attempts came to, as long as it is not recorded.
type EndedAttempts = Vec<(Lease, Finish)>;

/// Sends messages as they become due, until `stop`, or in a single round until nothing is due any
/// more. What is being sent when `stop` comes is finished, if that does not take long.
///
/// Returns when the next message is due, if a single round ended.
pub(crate) async fn deliver(world: Arc<World>, stop: CancellationToken) -> Option<Timestamp> {
    let mut tasks = Tasks::new();
    let mut ended = EndedAttempts::new();
    let mut widths = SendWindows::new();
    let mut clock = JumpWatch::start();
    let mut cut_next = later(now(), CUT_WAITS);
    while !stop.is_cancelled() {
        if let Some(jump) = clock.observe() {
            warn!("the clock of this machine jumped {jump}");
            cut_next = now();
        }
        if cut_next <= now() {
            cut_next = later(now(), CUT_WAITS);
            cut_waits(&world).await;
        }
        let next = match turn(&world, &mut tasks, &mut ended, &widths).await {
            Ok(next) => next,
            Err(why) => {
                error!("the outbox cannot be read or written: {why}; it is tried again");
                Some(later(now(), STORE_FAILED))
            }
        };
        if world.mode == Mode::Once
            && tasks.len() == 0
            && ended.is_empty()
            && next.is_none_or(|at| at > now())
        {
            return next;
        }
        let mut fresh = EndedAttempts::new();
        tokio::select! {
            () = stop.cancelled() => {}
            () = world.outbox.notified() => {}
            Some(attempt) = tasks.next() => fresh.push(outcome(&world, attempt)),
            () = sleep_until(Some(next.unwrap_or(Timestamp::MAX).min(later(now(), LOOK_AGAIN)))) => {}
            () = world.means.close_idle_connections() => {}
        }
        while let Some(attempt) = tasks.ended() {
            fresh.push(outcome(&world, attempt));
        }
        learn(&mut widths, &fresh, tasks.things().map(|lease| lease.attempt).max());
        ended.extend(fresh);
    }
    finish(&world, &mut tasks, ended).await;
    world.means.close_all_connections().await;
    None
}

/// Waits up to [`GRACE`] for messages in flight, and records each outcome at once, because the
/// process may be killed. The next run reclaims what is not recorded, and sends the same bytes
/// under the same ids again.
async fn finish(world: &Arc<World>, tasks: &mut Tasks<Lease, Finish>, mut ended: EndedAttempts) {
    let mut grace = pin!(tokio::time::sleep(GRACE));
    loop {
        match world
            .store
            .outbox_turn(world.run, ended.clone(), BTreeMap::new(), now(), render(world))
            .await
        {
            Ok(_) => ended.clear(),
            Err(why) => {
                error!(
                    "what came of deliveries cannot be recorded: {why}; they are tried again at the next start"
                );
            }
        }
        tokio::select! {
            attempt = tasks.next() => match attempt {
                Some(attempt) => ended.push(outcome(world, attempt)),
                None => return,
            },
            () = &mut grace => {
                warn!("{} messages are still being sent, and are sent again at the next start", tasks.len());
                return;
            }
        }
    }
}

/// Records the attempts that ended, starts messages that are due for every notifier with free
/// slots, and returns when the next message is due.
async fn turn(
    world: &Arc<World>,
    tasks: &mut Tasks<Lease, Finish>,
    ended: &mut EndedAttempts,
    widths: &SendWindows,
) -> Result<Option<Timestamp>, StoreError> {
    let sending = world.config.notifiers.keys().map(|name| {
        let at_once = widths.get(name).copied().unwrap_or_default().at_once();
        (name.clone(), Sending { at_once, in_flight: BTreeMap::new() })
    });
    let mut sending: BTreeMap<_, _> = sending.collect();
    for Receiver { notifier, recipient } in tasks.things().map(|lease| &lease.receiver) {
        *sending
            .entry(notifier.clone())
            .or_default()
            .in_flight
            .entry(recipient.clone())
            .or_default() += 1;
    }
    let turn =
        world.store.outbox_turn(world.run, ended.clone(), sending, now(), render(world)).await?;
    ended.clear();
    for lease in turn.leases {
        let world = Arc::clone(world);
        tasks.spawn(lease.clone(), async move { attempt(&world, &lease).await });
    }
    announce::announce(world, &turn.receiver_health).await?;
    Ok(turn.next_due)
}

/// One attempt at a delivery, and what is to become of its message.
async fn attempt(world: &World, lease: &Lease) -> Finish {
    let notifier = world
        .config
        .notifiers
        .get(&lease.receiver.notifier)
        .expect("a turn leases only to those in `sending`");
    let outcome =
        notify::send(notifier, &world.means, &lease.receiver, &lease.id, &lease.payload, now())
            .await;
    let ended = now();
    let seed = news::seed(&lease.id, ended);
    let past = MessageHistory {
        counted: lease.counted_attempts,
        tried_for: until(ended, lease.tried_since),
    };
    retry::decide(outcome, past, ended, seed)
}

/// Logs the outcome of an attempt. One that panicked is retried later, and counts as an attempt.
fn outcome(world: &World, (lease, finish): (Lease, Result<Finish, Panicked>)) -> (Lease, Finish) {
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
    log_outcome(world, &lease, &finish);
    (lease, finish)
}

/// Widens the room of notifiers that took messages, and narrows that of those that were busy.
/// `under_way` is the newest attempt that has not ended.
fn learn(widths: &mut SendWindows, ended: &EndedAttempts, under_way: Option<i64>) {
    let newest =
        ended.iter().map(|(lease, _)| lease.attempt).chain(under_way).max().unwrap_or_default();
    for (lease, finish) in ended {
        let width = widths.entry(lease.receiver.notifier.clone()).or_default();
        match finish {
            Finish::Sent(_) => *width = width.after_success(),
            Finish::Retry(RetryRecord {
                cause: FailureCause::Busy,
                scope: FailureScope::Notifier,
                ..
            }) => {
                *width = width.after_busy(lease.attempt, newest);
            }
            Finish::Retry(_) | Finish::TooLarge(_) | Finish::Dead(_) => {}
        }
    }
}

/// Cuts waits that were set by a clock that was ahead.
async fn cut_waits(world: &World) {
    match world.store.shorten_delivery_waits(now()).await {
        Ok(0) => {}
        Ok(cut) => info!(
            "the clock of this machine was ahead; the waits of {cut} messages are cut to their length"
        ),
        Err(why) => error!("waits that a wrong clock made too long cannot be cut: {why}"),
    }
}

/// Renders on the store's writer, which must outlive any fault in here.
fn render(world: &Arc<World>) -> Render {
    let world = Arc::clone(world);
    Arc::new(move |receiver, notification| {
        let Some(notifier) = world.config.notifiers.get(&receiver.notifier) else {
            return Err(format!("the notifier {} is not in the configuration", receiver.notifier));
        };
        let rendered = catch_unwind(AssertUnwindSafe(|| {
            notify::render(notifier, receiver, notification, &world.config.zone)
        }));
        rendered
            .unwrap_or_else(|_| Err("by a fault of Tidings, please report it".to_owned()))
            .inspect_err(|why| {
                world.refused.fetch_add(1, Ordering::Relaxed);
                error!("a message for {receiver} cannot be rendered, and is dead-lettered: {why}");
            })
    })
}

/// Says it once that a receiver takes nothing, and once that it takes messages again.
fn log_outcome(world: &World, lease: &Lease, finish: &Finish) {
    let receiver = &lease.receiver;
    let mut down = world.down.lock().unwrap_or_else(PoisonError::into_inner);
    match finish {
        Finish::Sent(reply) => {
            debug!("sent {} to {receiver}: {reply}", lease.id);
            if down.remove(receiver) {
                info!("{receiver} takes messages again");
            }
        }
        Finish::TooLarge(RetryRecord { why, .. }) if lease.is_digest => {
            warn!("{receiver} refused a digest as too large, which is sent in halves: {why}");
        }
        Finish::Retry(RetryRecord { due: at, why, .. })
        | Finish::TooLarge(RetryRecord { due: at, why, .. }) => {
            if down.insert(receiver.clone()) {
                warn!("{receiver} did not take a message: {why}; it is kept and tried again");
            } else {
                debug!("{receiver} still takes no message: {why}; next try at {at}");
            }
        }
        Finish::Dead(why) => {
            world.refused.fetch_add(1, Ordering::Relaxed);
            error!("{receiver} refused a message, which is dead-lettered: {why}");
        }
    }
}
