//! The outbox: leases what is due, sends it, records what came of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::alert::breaker::{self, Room};
use crate::daemon::clock::{after, now, sleep_until, until};
use crate::daemon::tasks::{Panicked, Tasks};
use crate::daemon::{Mode, World, announce, news, retry};
use crate::notify;
use crate::store::{Finish, Lease, Render, StoreError};

/// Messages that one notifier sends at once.
const AT_ONCE: usize = 8;

/// When the store is asked again after it failed.
const STORE_FAILED: Duration = Duration::from_secs(5);

/// How often the outbox is looked at, though nobody says that anything changed: others write to the store, too.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// When a message is tried again whose delivery panicked.
const AFTER_A_PANIC: Duration = Duration::from_mins(5);

/// Sends messages as they become due, until `stop`, or in a single round until nothing is due any more. What is being sent when `stop` comes is finished.
pub(crate) async fn deliver(world: Arc<World>, stop: CancellationToken) {
    let mut tasks = Tasks::new();
    while !stop.is_cancelled() {
        let next = match begin_due(&world, &mut tasks, &stop).await {
            Ok(next) => next,
            Err(why) => {
                error!("the outbox cannot be read: {why}; it is tried again");
                Some(after(now(), STORE_FAILED))
            }
        };
        if world.mode == Mode::Once && tasks.len() == 0 && next.is_none_or(|at| at > now()) {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = world.outbox.notified() => {}
            Some((lease, ended)) = tasks.next() => {
                if let Err(why) = ended {
                    give_back(&world, &lease, &why).await;
                }
            }
            () = sleep_until(Some(next.unwrap_or(Timestamp::MAX).min(after(now(), LOOK_AGAIN)))) => {}
        }
    }
    while tasks.next().await.is_some() {}
}

/// Begins with what is due for every notifier that has room, and says when the next message of those is due.
async fn begin_due(
    world: &Arc<World>,
    tasks: &mut Tasks<Lease, ()>,
    stop: &CancellationToken,
) -> Result<Option<Timestamp>, StoreError> {
    let mut next: Option<Timestamp> = None;
    let away = world.store.health().await?;
    announce::announce(world, &away).await?;
    for (name, due) in world.store.next_due().await? {
        if !world.config.notifiers.contains_key(&name) {
            continue;
        }
        let busy = tasks.things().filter(|lease| lease.receiver.notifier == name).count();
        let (most, due) = match breaker::room(away.get(&name), now()) {
            Room::All => (AT_ONCE, due),
            Room::Probe => (1, due),
            Room::NotBefore(at) => (1, due.max(at)),
        };
        let room = u32::try_from(most.saturating_sub(busy)).unwrap_or_default();
        if room == 0 {
            continue;
        }
        if due > now() {
            next = Some(next.map_or(due, |earlier| earlier.min(due)));
            continue;
        }
        let leases = world.store.lease(world.run, &name, room, now(), render(world)).await?;
        if leases.is_empty() {
            // What was due could not be rendered and is dead now: look again for what comes after it.
            next = Some(now());
        }
        for lease in leases {
            let (world, stop) = (Arc::clone(world), stop.clone());
            tasks.spawn(lease.clone(), async move { deliver_one(&world, lease, &stop).await });
        }
    }
    Ok(next)
}

/// Renders on the store's writer, which must outlive any fault in here.
fn render(world: &Arc<World>) -> Render {
    let world = Arc::clone(world);
    Arc::new(move |receiver, letter| {
        let Some(notifier) = world.config.notifiers.get(&receiver.notifier) else {
            return Err(format!("the notifier {} is not in the configuration", receiver.notifier));
        };
        let rendered =
            catch_unwind(AssertUnwindSafe(|| notify::render(notifier, receiver, letter, &world.config.zone)));
        rendered.unwrap_or_else(|_| Err("by a fault of Tidings, please report it".to_owned())).inspect_err(|why| {
            world.refused.fetch_add(1, Ordering::Relaxed);
            error!("a message for {receiver} cannot be written, and is kept as dead: {why}");
        })
    })
}

/// What a panic left: the message is tried again later, and counts as tried.
async fn give_back(world: &World, lease: &Lease, why: &Panicked) {
    let finish = Finish::Again { at: after(now(), AFTER_A_PANIC), counts: true, rest: None, why: why.to_string() };
    tell(world, lease, &finish);
    if let Err(why) = world.store.finish(world.run, lease, finish, now()).await {
        error!("what came of a delivery cannot be recorded: {why}; it is tried again at the next start");
    }
}

async fn deliver_one(world: &World, lease: Lease, stop: &CancellationToken) {
    let Some(notifier) = world.config.notifiers.get(&lease.receiver.notifier) else { return };
    let outcome = notify::send(notifier, &world.means, &lease.receiver, &lease.id, &lease.payload, now()).await;
    let ended = now();
    let seed = news::seed(&lease.id, ended);
    let finish = retry::decide(outcome, lease.counted, until(ended, lease.created), ended, seed);
    tell(world, &lease, &finish);
    while let Err(why) = world.store.finish(world.run, &lease, finish.clone(), now()).await {
        error!("what came of a delivery cannot be recorded: {why}; it is tried again");
        tokio::select! {
            // The next run takes the lease back, and sends the same bytes under the same id again.
            () = stop.cancelled() => return,
            () = tokio::time::sleep(STORE_FAILED) => {}
        }
    }
    world.outbox.notify_one();
}

/// Says it once that a receiver takes nothing, and once that it takes messages again.
fn tell(world: &World, lease: &Lease, finish: &Finish) {
    let receiver = &lease.receiver;
    let mut down = world.down.lock().unwrap_or_else(PoisonError::into_inner);
    match finish {
        Finish::Sent(reply) => {
            debug!("sent {} to {receiver}: {reply}", lease.id);
            if down.remove(receiver) {
                info!("{receiver} takes messages again");
            }
        }
        Finish::Again { at, why, .. } => {
            if down.insert(receiver.clone()) {
                warn!("{receiver} did not take a message: {why}; it is kept and tried again");
            } else {
                debug!("{receiver} still takes no message: {why}; next try at {at}");
            }
        }
        Finish::Dead(why) => {
            world.refused.fetch_add(1, Ordering::Relaxed);
            error!("{receiver} refused a message, which is kept as dead: {why}");
        }
    }
}
