//! Notices about a receiver that takes no messages for an hour or refuses them, sent to the other
//! receivers.

use tracing::warn;

use crate::alerts::Receiver;
use crate::alerts::breaker::NotifierHealth;
use crate::alerts::notice::{Notice, NoticeKind};
use crate::clock::now;
use crate::daemon::context::RunContext;
use crate::daemon::receivers;
use crate::store::{ReceiverHealth, StoreError};

/// Queues a notice for every receiver that has been down for long, and for every refusal without a
/// notice.
pub(super) async fn queue_receiver_notices(
    context: &RunContext,
    receiver_health: &ReceiverHealth,
) -> Result<(), StoreError> {
    let away = receiver_health.away.iter().filter(|(_, health)| health.needs_notice(now()));
    let down = away.map(|(receiver, health)| down_notice(receiver, health));
    for notice in down.chain(receiver_health.unannounced_refusals().cloned()) {
        queue_notice(context, notice).await?;
    }
    Ok(())
}

fn down_notice(receiver: &Receiver, health: &NotifierHealth) -> Notice {
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

async fn queue_notice(context: &RunContext, notice: Notice) -> Result<(), StoreError> {
    let audience = notice.audience(&receivers(&context.config));
    if audience.is_empty() {
        let (subject, since, why) = (notice.subject(), notice.since, &notice.why);
        match notice.kind {
            NoticeKind::Refused => warn!(
                "{subject} has refused messages since {since}, and there is no other receiver to notify: {why}"
            ),
            NoticeKind::Down | NoticeKind::Back => {
                warn!(
                    "{subject} has taken no messages since {since}, and there is no other receiver to notify: {why}"
                );
            }
        }
    }
    context.store.announce(notice, audience, now()).await
}
