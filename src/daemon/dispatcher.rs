//! The outbox: leases what is due, sends it, records what came of it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::daemon::clock::{after, now, sleep_until, until};
use crate::daemon::{World, news, retry};
use crate::notify;
use crate::store::{Finish, Lease, Render, StoreError};
use crate::story::NotifierName;

/// Messages that one notifier sends at once.
const AT_ONCE: usize = 8;

/// When the store is asked again after it failed.
const STORE_FAILED: Duration = Duration::from_secs(5);

/// How far to go on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Until told to stop.
    Stopped,
    /// Until nothing is due any more.
    NothingIsDue,
}

/// Sends messages as they become due. What is being sent when `stop` comes is finished.
pub(crate) async fn deliver(world: Arc<World>, until: Until, stop: CancellationToken) {
    let mut busy: HashMap<Id, NotifierName> = HashMap::new();
    let mut tasks: JoinSet<()> = JoinSet::new();
    while !stop.is_cancelled() {
        let next = match lease_due(&world, &busy).await {
            Ok((leases, next)) => {
                for lease in leases {
                    let (world, name) = (Arc::clone(&world), lease.receiver.notifier.clone());
                    busy.insert(tasks.spawn(async move { deliver_one(&world, lease).await }).id(), name);
                }
                next
            }
            Err(why) => {
                error!("the outbox cannot be read: {why}; it is tried again");
                Some(after(now(), STORE_FAILED))
            }
        };
        if until == Until::NothingIsDue && busy.is_empty() && next.is_none_or(|at| at > now()) {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = world.outbox.notified() => {}
            Some(ended) = tasks.join_next_with_id() => {
                let id = match ended {
                    Ok((id, ())) => id,
                    Err(why) => {
                        error!("a delivery failed by a fault of Tidings: {why}");
                        why.id()
                    }
                };
                busy.remove(&id);
            }
            () = sleep_until(next) => {}
        }
    }
    while tasks.join_next().await.is_some() {}
}

/// Leases what is due for every notifier that has room, and says when the next message of those is due.
async fn lease_due(
    world: &Arc<World>,
    busy: &HashMap<Id, NotifierName>,
) -> Result<(Vec<Lease>, Option<Timestamp>), StoreError> {
    let mut leases = Vec::new();
    let mut next: Option<Timestamp> = None;
    for (name, due) in world.store.next_due().await? {
        let room = AT_ONCE.saturating_sub(busy.values().filter(|other| **other == name).count());
        if room == 0 {
            continue;
        }
        if due > now() {
            next = Some(next.map_or(due, |earlier| earlier.min(due)));
            continue;
        }
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        let taken = world.store.lease(world.run, &name, room, now(), render(world)).await?;
        if taken.is_empty() {
            // What was due could not be rendered and is dead now: look again for what comes after it.
            next = Some(now());
        }
        leases.extend(taken);
    }
    Ok((leases, next))
}

fn render(world: &Arc<World>) -> Render {
    let world = Arc::clone(world);
    Arc::new(move |receiver, letter| match world.config.notifiers.get(&receiver.notifier) {
        Some(notifier) => notify::render(notifier, receiver, letter, &world.config.zone),
        None => Err(format!("the notifier {} is not in the configuration", receiver.notifier)),
    })
}

async fn deliver_one(world: &World, lease: Lease) {
    let Some(notifier) = world.config.notifiers.get(&lease.receiver.notifier) else { return };
    let outcome = notify::send(notifier, &world.means, &lease.receiver, &lease.id, &lease.payload, now()).await;
    let ended = now();
    let seed = news::seed(&lease.id, ended);
    let finish = retry::decide(outcome, lease.counted, until(ended, lease.created), ended, seed);
    tell(world, &lease, &finish);
    while let Err(why) = world.store.finish(world.run, &lease, finish.clone(), now()).await {
        error!("what came of a delivery cannot be recorded: {why}; it is tried again");
        tokio::time::sleep(STORE_FAILED).await;
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
                warn!("{receiver} did not take a message: {why}; it is kept, and tried again until it goes through");
            } else {
                debug!("{receiver} still takes no message: {why}; next try at {at}");
            }
        }
        Finish::Dead(why) => error!("{receiver} refused a message, which is kept as dead: {why}"),
    }
}
