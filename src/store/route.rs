//! Chooses the message of an alert: one about its event, or a digest.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::column::{from_millis, to_millis};
use super::status::read_message_status;
use super::{MatchResult, digest, silences};
use crate::alerts::silence;
use crate::alerts::silence::Silence;
use crate::alerts::volume;
use crate::alerts::volume::Routing;
use crate::alerts::{NewAlert, Receiver};
use crate::lifecycle::message;
use tidings_rules::story::Severity;
use tidings_rules::story::delivery::DeliveryPolicy;

/// An alert that was just recorded.
pub(super) struct RecordedAlert<'v> {
    pub(super) alert: i64,
    pub(super) new_alert: &'v NewAlert,
    /// Its rule has alerted for the event before, and its story is an update.
    pub(super) is_update: bool,
}

/// An alert, and how its rule and silences route it.
struct RoutedAlert<'v> {
    recorded: &'v RecordedAlert<'v>,
    routing: Routing,
    /// The silence that mutes it.
    silence: Option<&'v Silence>,
}

/// Adds the recorded alerts of `event` to messages, as silences, rules and receivers require.
pub(super) async fn route_alerts(
    conn: &mut SqliteConnection,
    event: &str,
    alerts: &[RecordedAlert<'_>],
    match_result: &MatchResult,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if alerts.is_empty() {
        return Ok(());
    }
    let silences = silences::read_active_silences(conn, now).await?;
    let mut routed = Vec::with_capacity(alerts.len());
    for recorded in alerts {
        let NewAlert { rule_match, throttle, .. } = recorded.new_alert;
        let silence = silence::longest(&silences, rule_match, &match_result.feeds, event);
        let earlier = read_earlier_alerts(conn, recorded).await?;
        let routing =
            volume::throttle_rule(rule_match, throttle, &earlier, now, &match_result.policy.zone);
        routed.push(RoutedAlert { recorded, routing, silence });
    }
    let mut additions = Additions::default();
    let receivers: BTreeSet<&Receiver> =
        alerts.iter().flat_map(|one| &one.new_alert.receivers).collect();
    for receiver in receivers {
        let of_receiver =
            routed.iter().filter(|one| one.recorded.new_alert.receivers.contains(receiver));
        let (muted, unmuted): (Vec<_>, Vec<_>) = of_receiver.partition(|one| one.silence.is_some());
        for one in muted {
            if let Some(silence) = one.silence {
                let message =
                    digest::open_digest(conn, receiver, &silence.reason(), silence.until, now)
                        .await?;
                additions.join(message, one.recorded);
            }
        }
        route_to_receiver(conn, event, receiver, &unmuted, match_result, now, &mut additions)
            .await?;
    }
    additions.write(conn).await
}

/// Alerts that are added to messages.
#[derive(Default)]
struct Additions {
    /// Pairs of a message and an alert.
    pairs: Vec<(i64, i64)>,
    /// Messages that may have had alerts before.
    joined: BTreeSet<i64>,
}

impl Additions {
    /// Adds an alert to a message that may have others.
    fn join(&mut self, message: i64, recorded: &RecordedAlert<'_>) {
        self.joined.insert(message);
        self.pairs.push((message, recorded.alert));
    }

    async fn write(self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let mut insert =
            QueryBuilder::<Sqlite>::new("INSERT INTO message_alert (message, alert) ");
        if self.pairs.is_empty() {
            return Ok(());
        }
        insert.push_values(self.pairs, |mut values, (message, alert)| {
            values.push_bind(message).push_bind(alert);
        });
        insert.build().execute(&mut *conn).await?;
        if self.joined.is_empty() {
            return Ok(());
        }
        digest::raise_revisions(conn, &self.joined.into_iter().collect::<Vec<_>>()).await
    }
}

/// Adds alerts that are not muted to messages for a receiver. All go into one message about the
/// event if a rule wants that and the receiver's delivery policy allows it.
async fn route_to_receiver(
    conn: &mut SqliteConnection,
    event: &str,
    receiver: &Receiver,
    unmuted: &[&RoutedAlert<'_>],
    match_result: &MatchResult,
    now: Timestamp,
    additions: &mut Additions,
) -> Result<(), sqlx::Error> {
    let Some(highest_severity) =
        unmuted.iter().map(|one| one.recorded.new_alert.rule_match.severity).max()
    else {
        return Ok(());
    };
    let default = DeliveryPolicy::default();
    let policy = match_result.policy.policies.get(&receiver.notifier).unwrap_or(&default);
    // An update is a message of its own.
    let is_update = unmuted.iter().any(|one| one.recorded.is_update);
    let open = if is_update { None } else { find_open_message(conn, event, receiver).await? };
    let shared_message = match open {
        Some(open) => Some(open),
        None if unmuted.iter().any(|one| one.routing == Routing::Now) => Some(
            choose_message(conn, event, receiver, highest_severity, policy, match_result, now)
                .await?,
        ),
        None => None,
    };
    for one in unmuted {
        let message = match (shared_message, &one.routing) {
            (Some(message), _) => message,
            (None, Routing::Gathered(reason, due)) => {
                let severity = one.recorded.new_alert.rule_match.severity;
                let due = volume::digest_due(policy, severity, *due, &match_result.policy.zone);
                digest::open_digest(conn, receiver, reason, due, now).await?
            }
            (None, Routing::Now) => continue,
        };
        additions.join(message, one.recorded);
    }
    Ok(())
}

/// The message to a receiver about `event`: the event's next message, or a digest if the
/// receiver's delivery policy gathers the alert.
async fn choose_message(
    conn: &mut SqliteConnection,
    event: &str,
    receiver: &Receiver,
    highest_severity: Severity,
    policy: &DeliveryPolicy,
    match_result: &MatchResult,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    let sent = match policy.limit {
        Some(limit) => read_recent_messages(conn, receiver, limit.most).await?,
        None => Vec::new(),
    };
    match volume::throttle_receiver(policy, highest_severity, &sent, now, &match_result.policy.zone)
    {
        Routing::Now => insert_event_message(conn, event, receiver, match_result.due, now).await,
        Routing::Gathered(reason, due) => {
            digest::open_digest(conn, receiver, &reason, due, now).await
        }
    }
}

/// When the rule alerted before with the same dedup key, newest first, at most as often as its
/// throttle counts.
async fn read_earlier_alerts(
    conn: &mut SqliteConnection,
    recorded: &RecordedAlert<'_>,
) -> Result<Vec<Timestamp>, sqlx::Error> {
    let Some(burst) = recorded.new_alert.throttle.burst else { return Ok(Vec::new()) };
    let times: Vec<i64> = sqlx::query_scalar(
        "SELECT created FROM alert WHERE rule = $1 AND dedup_key = $2 AND id < $3 ORDER BY id DESC LIMIT $4",
    )
    .bind(&recorded.new_alert.rule_match.rule)
    .bind(&recorded.new_alert.dedup_key)
    .bind(recorded.alert)
    .bind(burst.first)
    .fetch_all(conn)
    .await?;
    times.into_iter().map(from_millis).collect()
}

/// When the last messages to a receiver were created, newest first, without notices.
async fn read_recent_messages(
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
    // LOCK: a second writer needs FOR UPDATE here, or the alert joins a message that is being
    // frozen.
    let newest = sqlx::query(
        "SELECT id, status, payload IS NOT NULL AS is_frozen FROM message
         WHERE event = $1 AND notifier = $2 AND recipient = $3 ORDER BY sequence DESC LIMIT 1",
    )
    .bind(event)
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .fetch_optional(conn)
    .await?;
    let Some(newest) = newest else { return Ok(None) };
    let is_open =
        message::takes_alerts(read_message_status(&newest)?, newest.try_get("is_frozen")?);
    if is_open { newest.try_get("id").map(Some) } else { Ok(None) }
}

/// Inserts the next message of an event to a receiver.
async fn insert_event_message(
    conn: &mut SqliteConnection,
    event: &str,
    receiver: &Receiver,
    due: Timestamp,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    let sequence: i64 = sqlx::query_scalar(
        "SELECT coalesce(max(sequence), 0) + 1 FROM message WHERE event = $1 AND notifier = $2 AND recipient = $3",
    )
    .bind(event)
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query_scalar(
        "INSERT INTO message (key, uid, event, sequence, notifier, recipient, created, status, due)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8) RETURNING id",
    )
    .bind(format!("event:{event}:{}/{}:{sequence}", receiver.notifier, receiver.recipient))
    .bind(uuid::Uuid::new_v4().to_string())
    .bind(event)
    .bind(sequence)
    .bind(&receiver.notifier.0)
    .bind(&receiver.recipient)
    .bind(to_millis(now))
    .bind(to_millis(due))
    .fetch_one(conn)
    .await
}

#[cfg(test)]
mod tests;
