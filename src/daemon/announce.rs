//! Notices about a receiver that takes no messages for an hour or refuses them, sent to the other
//! receivers.

use tracing::warn;

use crate::alerts::notice::{Notice, NoticeKind};
use crate::alerts::receiver_health::ReceiverHealth;
use crate::clock::now;
use crate::config::Config;
use crate::queries::names::receivers;
use crate::store::{Store, StoreError};

/// Queues a notice for every receiver that has been down for long, and for every refusal without a
/// notice.
pub(super) async fn queue_receiver_notices(
    store: &Store,
    config: &Config,
    receiver_health: &ReceiverHealth,
) -> Result<(), StoreError> {
    let away = receiver_health.away.iter().filter(|(_, health)| health.needs_notice(now()));
    let down = away.map(|(receiver, health)| {
        Notice::new(NoticeKind::Down, receiver, health.since, health.why.clone())
    });
    for notice in down.chain(receiver_health.unannounced_refusals()) {
        queue_notice(store, config, notice).await?;
    }
    Ok(())
}

async fn queue_notice(store: &Store, config: &Config, notice: Notice) -> Result<(), StoreError> {
    let audience = notice.audience(&receivers(config));
    if audience.is_empty() {
        let (subject, since, why) = (notice.subject(), notice.since, &notice.why);
        match notice.kind {
            NoticeKind::Refused => warn!(
                event = "notice_without_receiver",
                notifier = %notice.notifier,
                recipient = notice.recipient,
                "{subject} has refused messages since {since}, and there is no other receiver to notify: {why}"
            ),
            NoticeKind::Down | NoticeKind::Back => {
                warn!(
                    event = "notice_without_receiver",
                    notifier = %notice.notifier,
                    recipient = notice.recipient,
                    "{subject} has taken no messages since {since}, and there is no other receiver to notify: {why}"
                );
            }
        }
    }
    store.announce(notice, audience, now()).await
}
