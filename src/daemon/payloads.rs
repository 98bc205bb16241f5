//! Makes the payloads of messages before the turn of the outbox that freezes them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::alerts::Notification;
use crate::alerts::desk_links::DeskLinks;
use crate::alerts::receiver_health::ReceiverHealth;
use crate::clock::{later, now};
use crate::daemon::blocking::run_without_permit;
use crate::daemon::in_force::InForce;
use crate::notify;
use crate::store::{
    OpenContent, OpenMessage, OutboxTurn, Preparation, PreparedMessage, PreparedMessages, Store,
    StoreError,
};
use tidings_rules::story::NotifierName;

/// How many of the next messages of a notifier are prepared: those of the turn in progress, and of
/// the two after it.
const AHEAD: u32 = 24;

/// How long a payload can be used. It shows the time at which it was made, and the copies of that
/// time.
const FRESH: Duration = Duration::from_secs(1);

/// The payloads of messages that are not leased yet.
#[derive(Debug, Default)]
pub(crate) struct Payloads {
    prepared: Arc<PreparedMessages>,
}

impl Payloads {
    /// The payloads that can be used at `now`. The others are dropped.
    pub(crate) fn fresh(&mut self, now: Timestamp) -> Arc<PreparedMessages> {
        let is_fresh = |made: Timestamp| made <= now && now < later(made, FRESH);
        Arc::make_mut(&mut self.prepared).retain(|_, one| is_fresh(one.made));
        Arc::clone(&self.prepared)
    }

    /// Adds prepared messages.
    pub(crate) fn add(&mut self, prepared: PreparedMessages) {
        Arc::make_mut(&mut self.prepared).extend(prepared);
    }

    /// Drops the payloads of messages that this turn has leased or asks for anew.
    pub(crate) fn drop_used(&mut self, turn: &OutboxTurn) {
        let prepared = Arc::make_mut(&mut self.prepared);
        let leased = turn.leases.iter().map(|lease| lease.message);
        for message in leased.chain(turn.unprepared.iter().copied()) {
            prepared.remove(&message);
        }
    }

    /// Those of these messages that are not prepared.
    pub(crate) fn missing(&self, messages: &[i64]) -> Vec<i64> {
        messages.iter().filter(|message| !self.prepared.contains_key(message)).copied().collect()
    }
}

/// Prepares the next messages of these notifiers, without those that are prepared already. If a
/// receiver is away, the messages of its notifier are prepared one turn before they are sent.
pub(crate) async fn prepare_next(
    store: &Store,
    in_force: &Arc<InForce>,
    notifiers: &[&NotifierName],
    payloads: &Payloads,
    receiver_health: &ReceiverHealth,
) -> Result<PreparedMessages, StoreError> {
    let is_well =
        |name: &&NotifierName| !receiver_health.away.keys().any(|away| away.notifier == **name);
    let notifiers: Vec<_> = notifiers.iter().copied().filter(is_well).collect();
    let open = store.read_next_open_messages(&notifiers, AHEAD, &payloads.prepared, now()).await?;
    Ok(prepare_all(in_force, open).await)
}

/// Prepares these messages.
pub(crate) async fn prepare(
    store: &Store,
    in_force: &Arc<InForce>,
    messages: &[i64],
) -> Result<PreparedMessages, StoreError> {
    if messages.is_empty() {
        return Ok(PreparedMessages::new());
    }
    let open = store.read_open_messages(messages, now()).await?;
    Ok(prepare_all(in_force, open).await)
}

/// Prepares messages on a thread of their own, because a template may take long. It takes no
/// permit: a delivery does not wait for pages and rules.
async fn prepare_all(in_force: &Arc<InForce>, open: Vec<OpenMessage>) -> PreparedMessages {
    if open.is_empty() {
        return PreparedMessages::new();
    }
    let in_force = Arc::clone(in_force);
    let prepare = move || {
        open.into_iter().map(|open| (open.message, prepare_message(&in_force, open))).collect()
    };
    run_without_permit(prepare).await
}

fn prepare_message(in_force: &InForce, open: OpenMessage) -> PreparedMessage {
    let revision = open.revision;
    let preparation = render(in_force, open).unwrap_or_else(Preparation::Unrenderable);
    PreparedMessage { revision, preparation, made: now() }
}

/// Renders an open message. A panic must not end the loop that sends all messages.
fn render(in_force: &InForce, open: OpenMessage) -> Result<Preparation, String> {
    let OpenMessage { receiver, content, .. } = open;
    let notification = match content {
        OpenContent::Parts(halves) => return Ok(Preparation::Split(halves)),
        OpenContent::Whole(notification) => notification,
    };
    let desk = in_force.config.web.as_ref().and_then(|web| web.public.as_ref());
    let desk = desk.and_then(|desk| DeskLinks::of(desk, &notification.content));
    let notification = Notification { desk, ..*notification };
    let Some(notifier) = in_force.config.notifiers.get(&receiver.notifier) else {
        return Err(format!("the notifier {} is not in the configuration", receiver.notifier));
    };
    let rendered = catch_unwind(AssertUnwindSafe(|| {
        notify::render(notifier, &receiver, &notification, &in_force.config.zone)
    }));
    rendered
        .unwrap_or_else(|_| Err("this is a bug in Tidings, please report it".to_owned()))
        .map(Preparation::Payload)
}
