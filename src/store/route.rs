//! Chooses the message of an alert: one about its event, or a digest.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::column::{from_millis, millis};
use super::{MatchResult, digest, silences};
use crate::alerts::silence;
use crate::alerts::silence::Silence;
use crate::alerts::volume;
use crate::alerts::volume::Routing;
use crate::alerts::{NewAlert, Receiver};
use tidings_rules::story::Severity;
use tidings_rules::story::delivery::DeliveryPolicy;

/// An alert that was just recorded.
pub(super) struct RecordedAlert<'v> {
    pub(super) alert: i64,
    pub(super) draft: &'v NewAlert,
    /// Its rule has notified of the event before, and its story says something anew.
    pub(super) is_update: bool,
}

/// An alert, and how its rule and silences route it.
struct RoutedAlert<'v> {
    fresh: &'v RecordedAlert<'v>,
    routing: Routing,
    /// The silence that mutes it.
    silence: Option<&'v Silence>,
}

/// Adds `fresh`, alerts of `event`, to messages, as silences, rules and receivers require.
pub(super) async fn route_alerts(
    conn: &mut SqliteConnection,
    event: &str,
    fresh: &[RecordedAlert<'_>],
    verdict: &MatchResult,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if fresh.is_empty() {
        return Ok(());
    }
    let silences = silences::read_in_force(conn, now).await?;
    let mut routed = Vec::with_capacity(fresh.len());
    for fresh in fresh {
        let silence = silence::longest(&silences, &fresh.draft.told, &verdict.feeds, event);
        let before = earlier_alerts(conn, fresh).await?;
        let NewAlert { told, throttle, .. } = fresh.draft;
        let routing = volume::throttle_rule(told, throttle, &before, now, &verdict.policy.zone);
        routed.push(RoutedAlert { fresh, routing, silence });
    }
    let receivers: BTreeSet<&Receiver> =
        fresh.iter().flat_map(|fresh| &fresh.draft.receivers).collect();
    for receiver in receivers {
        let own = routed.iter().filter(|one| one.fresh.draft.receivers.contains(receiver));
        let (muted, unmuted): (Vec<_>, Vec<_>) = own.partition(|one| one.silence.is_some());
        for one in muted {
            if let Some(silence) = one.silence {
                let message =
                    digest::open_digest(conn, receiver, &silence.reason(), silence.until, now)
                        .await?;
                add_to_message(conn, message, one.fresh).await?;
            }
        }
        route_to_receiver(conn, event, receiver, &unmuted, verdict, now).await?;
    }
    Ok(())
}

/// Adds alerts that are not muted to messages for a receiver: all to one message about the event,
/// if one of the rules wants that and the receiver's delivery policy allows it.
async fn route_to_receiver(
    conn: &mut SqliteConnection,
    event: &str,
    receiver: &Receiver,
    unmuted: &[&RoutedAlert<'_>],
    verdict: &MatchResult,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let Some(gravest) = unmuted.iter().map(|one| one.fresh.draft.told.severity).max() else {
        return Ok(());
    };
    let default = DeliveryPolicy::default();
    let policy = verdict.policy.policies.get(&receiver.notifier).unwrap_or(&default);
    // An update is a message of its own.
    let is_update = unmuted.iter().any(|one| one.fresh.is_update);
    let open = if is_update { None } else { find_open_message(conn, event, receiver).await? };
    let together = match open {
        Some(open) => Some(open),
        None if unmuted.iter().any(|one| one.routing == Routing::Now) => {
            Some(choose_message(conn, event, receiver, gravest, policy, verdict, now).await?)
        }
        None => None,
    };
    for one in unmuted {
        let message = match (together, &one.routing) {
            (Some(message), _) => message,
            (None, Routing::Gathered(reason, due)) => {
                let severity = one.fresh.draft.told.severity;
                let due = volume::digest_due(policy, severity, *due, &verdict.policy.zone);
                digest::open_digest(conn, receiver, reason, due, now).await?
            }
            (None, Routing::Now) => continue,
        };
        add_to_message(conn, message, one.fresh).await?;
    }
    Ok(())
}

/// The message to a receiver about `event`: the event's next, or the digest that the receiver's
/// delivery policy gathers it in.
async fn choose_message(
    conn: &mut SqliteConnection,
    event: &str,
    receiver: &Receiver,
    gravest: Severity,
    policy: &DeliveryPolicy,
    verdict: &MatchResult,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    let sent = match policy.limit {
        Some(limit) => recent_messages(conn, receiver, limit.most).await?,
        None => Vec::new(),
    };
    match volume::throttle_receiver(policy, gravest, &sent, now, &verdict.policy.zone) {
        Routing::Now => insert_event_message(conn, event, receiver, verdict.due, now).await,
        Routing::Gathered(reason, due) => {
            digest::open_digest(conn, receiver, &reason, due, now).await
        }
    }
}

async fn add_to_message(
    conn: &mut SqliteConnection,
    message: i64,
    fresh: &RecordedAlert<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO message_alert (message, alert) VALUES ($1, $2)")
        .bind(message)
        .bind(fresh.alert)
        .execute(conn)
        .await?;
    Ok(())
}

/// When the rule alerted before with the same dedup key, newest first: as many times as its
/// throttle counts.
async fn earlier_alerts(
    conn: &mut SqliteConnection,
    fresh: &RecordedAlert<'_>,
) -> Result<Vec<Timestamp>, sqlx::Error> {
    let Some(burst) = fresh.draft.throttle.burst else { return Ok(Vec::new()) };
    let times: Vec<i64> = sqlx::query_scalar(
        "SELECT created FROM alert WHERE rule = $1 AND dedup_key = $2 AND id < $3 ORDER BY id DESC LIMIT $4",
    )
    .bind(&fresh.draft.told.rule)
    .bind(&fresh.draft.dedup_key)
    .bind(fresh.alert)
    .bind(burst.first)
    .fetch_all(conn)
    .await?;
    times.into_iter().map(from_millis).collect()
}

/// When the last messages to a receiver were created, newest first, without notices.
async fn recent_messages(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
    most: u32,
) -> Result<Vec<Timestamp>, sqlx::Error> {
    let times: Vec<i64> = sqlx::query_scalar(
        "SELECT created FROM message WHERE notifier = $1 AND recipient = $2 AND notification IS NULL ORDER BY id DESC LIMIT $3",
    )
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .bind(most)
    .fetch_all(conn)
    .await?;
    times.into_iter().map(from_millis).collect()
}

/// The newest message of an event to a receiver, if it was never leased.
async fn find_open_message(
    conn: &mut SqliteConnection,
    event: &str,
    receiver: &Receiver,
) -> Result<Option<i64>, sqlx::Error> {
    let newest: Option<(i64, bool)> = sqlx::query_as(
        "SELECT id, state = 'pending' AND payload IS NULL FROM message
         WHERE event = $1 AND notifier = $2 AND recipient = $3 ORDER BY n DESC LIMIT 1",
    )
    .bind(event)
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .fetch_optional(conn)
    .await?;
    Ok(newest.filter(|(_, is_open)| *is_open).map(|(message, _)| message))
}

/// Inserts the next message of an event to a receiver.
async fn insert_event_message(
    conn: &mut SqliteConnection,
    event: &str,
    receiver: &Receiver,
    due: Timestamp,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    let n: i64 = sqlx::query_scalar(
        "SELECT coalesce(max(n), 0) + 1 FROM message WHERE event = $1 AND notifier = $2 AND recipient = $3",
    )
    .bind(event)
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query_scalar(
        "INSERT INTO message (key, uid, event, n, notifier, recipient, created, state, due)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8) RETURNING id",
    )
    .bind(format!("event:{event}:{}/{}:{n}", receiver.notifier, receiver.recipient))
    .bind(uuid::Uuid::new_v4().to_string())
    .bind(event)
    .bind(n)
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .bind(millis(now))
    .bind(millis(due))
    .fetch_one(conn)
    .await
}

#[cfg(test)]
mod tests;
