//! Which message tells an alert: one about its event, or a digest.

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
pub(super) struct Fresh<'v> {
    pub(super) alert: i64,
    pub(super) draft: &'v NewAlert,
    /// Its rule has told of the event before, and its story says something anew.
    pub(super) is_update: bool,
}

/// An alert, and what its rule makes of it.
struct Weighed<'v> {
    fresh: &'v Fresh<'v>,
    way: Routing,
    /// The silence that mutes it.
    silence: Option<&'v Silence>,
}

/// Has messages tell `fresh`, alerts of `event`, as silences, rules and receivers want it.
pub(super) async fn tell(
    conn: &mut SqliteConnection,
    event: &str,
    fresh: &[Fresh<'_>],
    verdict: &MatchResult,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if fresh.is_empty() {
        return Ok(());
    }
    let silences = silences::in_force(conn, now).await?;
    let mut weighed = Vec::with_capacity(fresh.len());
    for fresh in fresh {
        let silence = silence::longest(&silences, &fresh.draft.told, &verdict.feeds, event);
        let before = before(conn, fresh).await?;
        let NewAlert { told, throttle: pace, .. } = fresh.draft;
        let way = volume::throttle_rule(told, pace, &before, now, &verdict.policy.zone);
        weighed.push(Weighed { fresh, way, silence });
    }
    let receivers: BTreeSet<&Receiver> =
        fresh.iter().flat_map(|fresh| &fresh.draft.receivers).collect();
    for receiver in receivers {
        let mine = weighed.iter().filter(|one| one.fresh.draft.receivers.contains(receiver));
        let (muted, loud): (Vec<_>, Vec<_>) = mine.partition(|one| one.silence.is_some());
        for one in muted {
            if let Some(silence) = one.silence {
                let message =
                    digest::open(conn, receiver, &silence.reason(), silence.until, now).await?;
                join(conn, message, one.fresh).await?;
            }
        }
        tell_one(conn, event, receiver, &loud, verdict, now).await?;
    }
    Ok(())
}

/// Tells a receiver what is not muted: all of it at once, if any of the rules wants that and the
/// receiver takes it.
async fn tell_one(
    conn: &mut SqliteConnection,
    event: &str,
    receiver: &Receiver,
    loud: &[&Weighed<'_>],
    verdict: &MatchResult,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let Some(gravest) = loud.iter().map(|one| one.fresh.draft.told.severity).max() else {
        return Ok(());
    };
    let quiet = DeliveryPolicy::default();
    let manners = verdict.policy.policies.get(&receiver.notifier).unwrap_or(&quiet);
    // What has been told stays as it was: an update is a message of its own.
    let is_update = loud.iter().any(|one| one.fresh.is_update);
    let open = if is_update { None } else { find_open(conn, event, receiver).await? };
    let together = match open {
        Some(open) => Some(open),
        None if loud.iter().any(|one| one.way == Routing::Now) => {
            Some(message(conn, event, receiver, gravest, manners, verdict, now).await?)
        }
        None => None,
    };
    for one in loud {
        let message = match (together, &one.way) {
            (Some(message), _) => message,
            (None, Routing::Gathered(reason, due)) => {
                let severity = one.fresh.draft.told.severity;
                let due = volume::digest_due(manners, severity, *due, &verdict.policy.zone);
                digest::open(conn, receiver, reason, due, now).await?
            }
            (None, Routing::Now) => continue,
        };
        join(conn, message, one.fresh).await?;
    }
    Ok(())
}

/// The message that tells a receiver of `event` now: the event's next, or the digest that the
/// receiver's manners gather it in.
async fn message(
    conn: &mut SqliteConnection,
    event: &str,
    receiver: &Receiver,
    gravest: Severity,
    manners: &DeliveryPolicy,
    verdict: &MatchResult,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    let sent = match manners.limit {
        Some(limit) => written(conn, receiver, limit.most).await?,
        None => Vec::new(),
    };
    match volume::throttle_receiver(manners, gravest, &sent, now, &verdict.policy.zone) {
        Routing::Now => next_message(conn, event, receiver, verdict.due, now).await,
        Routing::Gathered(reason, due) => digest::open(conn, receiver, &reason, due, now).await,
    }
}

async fn join(
    conn: &mut SqliteConnection,
    message: i64,
    fresh: &Fresh<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO message_alert (message, alert) VALUES ($1, $2)")
        .bind(message)
        .bind(fresh.alert)
        .execute(conn)
        .await?;
    Ok(())
}

/// When the rule alerted before for the same row, if it has rows, newest first: as often as its
/// burst wants to know.
async fn before(
    conn: &mut SqliteConnection,
    fresh: &Fresh<'_>,
) -> Result<Vec<Timestamp>, sqlx::Error> {
    let Some(burst) = fresh.draft.throttle.burst else { return Ok(Vec::new()) };
    let times: Vec<i64> = sqlx::query_scalar(
        "SELECT created FROM alert WHERE rule = $1 AND occasion = $2 AND id < $3 ORDER BY id DESC LIMIT $4",
    )
    .bind(&fresh.draft.told.rule)
    .bind(&fresh.draft.dedup_key)
    .bind(fresh.alert)
    .bind(burst.first)
    .fetch_all(conn)
    .await?;
    times.into_iter().map(from_millis).collect()
}

/// When the last messages to a receiver were written, newest first; notices do not count.
async fn written(
    conn: &mut SqliteConnection,
    receiver: &Receiver,
    most: u32,
) -> Result<Vec<Timestamp>, sqlx::Error> {
    let times: Vec<i64> = sqlx::query_scalar(
        "SELECT created FROM message WHERE notifier = $1 AND recipient = $2 AND said IS NULL ORDER BY id DESC LIMIT $3",
    )
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .bind(most)
    .fetch_all(conn)
    .await?;
    times.into_iter().map(from_millis).collect()
}

/// The newest message of an event to a receiver, if nobody can have seen it.
async fn find_open(
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

/// The next message of an event to a receiver.
async fn next_message(
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
