//! Notices about receivers, sent to the other receivers: one takes nothing for an hour, or refuses
//! messages.

use tracing::warn;

use crate::alerts::Receiver;
use crate::alerts::breaker::NotifierHealth;
use crate::alerts::notice::{Notice, NoticeKind};
use crate::clock::now;
use crate::daemon::receivers;
use crate::daemon::world::World;
use crate::store::{ReceiverHealth, StoreError};

/// Queues a notice for every receiver that is away, and for every refusal without a notice.
pub(super) async fn announce(world: &World, standing: &ReceiverHealth) -> Result<(), StoreError> {
    let away = standing.away.iter().filter(|(_, health)| health.needs_notice(now()));
    let down = away.map(|(receiver, health)| down(receiver, health));
    for notice in down.chain(standing.unannounced_refusals().cloned()) {
        queue_notice(world, notice).await?;
    }
    Ok(())
}

fn down(receiver: &Receiver, health: &NotifierHealth) -> Notice {
    let recipient = Some(receiver.recipient.clone()).filter(|recipient| !recipient.is_empty());
    let notifier = receiver.notifier.clone();
    Notice {
        kind: NoticeKind::Down,
        notifier,
        recipient,
        since: health.since,
        why: health.why.clone(),
    }
}

async fn queue_notice(world: &World, notice: Notice) -> Result<(), StoreError> {
    let audience = notice.audience(&receivers(&world.config));
    if audience.is_empty() {
        let (subject, since, why) = (notice.subject(), notice.since, &notice.why);
        match notice.kind {
            NoticeKind::Refused => warn!(
                "{subject} refuses messages since {since}, and no other receiver can be notified: {why}"
            ),
            NoticeKind::Down | NoticeKind::Back => {
                warn!(
                    "{subject} takes no messages since {since}, and no other receiver can be notified: {why}"
                );
            }
        }
    }
    world.store.announce(notice, audience, now()).await
}
