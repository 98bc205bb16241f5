//! Reports a damaged store: in the log, and to the default notifiers.

use tracing::error;

use crate::alerts::notice::{About, StoreNotice};
use crate::alerts::{Content, Notification};
use crate::clock::now;
use crate::config::Config;
use crate::daemon::feed_health;
use crate::notify::{self, Outcome, SendContext};
use crate::store::Store;

/// Checks the whole store, and reports damage.
pub(crate) async fn check_store(store: &Store, config: &Config) {
    let Some(why) = store.find_damage().await else { return };
    error!(
        event = "store_damaged",
        "the store {} is damaged: {why}; stop Tidings and recover it as docs/operations.md says",
        config.store
    );
    let notice = StoreNotice::damaged(config.store.to_string(), why, now());
    if let Err(why) =
        store.notify_of_store(notice.clone(), feed_health::default_receivers(config), now()).await
    {
        error!(
            event = "store_failed",
            "the notice of the damage cannot be stored: {why}; it is sent once"
        );
        send_past_store(&notice, config).await;
    }
}

/// Sends the notice without the store, which cannot keep it.
async fn send_past_store(notice: &StoreNotice, config: &Config) {
    let send_context =
        match SendContext::new(config.network.clone(), config.hosts.clone(), config.zone.clone()) {
            Ok(send_context) => send_context,
            Err(why) => {
                return error!(
                    event = "notice_failed",
                    "the notice of the damage cannot be sent: {why}"
                );
            }
        };
    let content = Content::Notice(About::Store(notice.clone()));
    let notification = Notification {
        id: format!("{}once", notice.key()),
        created: notice.since,
        sent: notice.since,
        desk: None,
        content,
    };
    for receiver in feed_health::default_receivers(config) {
        let Some(notifier) = config.notifiers.get(&receiver.notifier) else { continue };
        let sent = match notify::render(notifier, &receiver, &notification, &config.zone) {
            Ok(payload) => {
                notify::send(notifier, &send_context, &receiver, &notification.id, &payload, now())
                    .await
            }
            Err(why) => Outcome::Refused(why),
        };
        match sent {
            Outcome::Delivered(_) => {}
            Outcome::Retry(retry) => error!(
                event = "notice_failed",
                notifier = %receiver.notifier,
                recipient = receiver.address(),
                "{receiver} could not be notified: {}", retry.why
            ),
            Outcome::Refused(why) | Outcome::TooLarge(why) | Outcome::Gone(why) => {
                error!(
                    event = "notice_failed",
                    notifier = %receiver.notifier,
                    recipient = receiver.address(),
                    "{receiver} could not be notified: {why}"
                );
            }
        }
    }
}
