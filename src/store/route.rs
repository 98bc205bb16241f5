//! Adds alerts to messages: one about their event, or a digest, as `alerts::plan` says.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::column::{from_millis, to_millis};
use super::status::read_message_status;
use super::{MatchResult, digest, silences};
use crate::alerts::plan;
use crate::alerts::plan::{Destination, ReceiverState, RoutedAlert};
use crate::alerts::silence;
use crate::alerts::volume;
use crate::alerts::{NewAlert, Receiver};
use crate::lifecycle::message;
use tidings_rules::story::delivery::DeliveryPolicy;

/// An alert that was just recorded.
pub(super) struct RecordedAlert<'v> {
    pub(super) alert: i64,
    pub(super) new_alert: &'v NewAlert,
    /// Its rule has alerted for the event before, and its story is an update.
    pub(super) is_update: bool,
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
    // LOCK: a second writer needs the latch before this: it guards the number of an event's next
    // message, open digests, bursts and limits.
    let silences = silences::read_active_silences(conn, now).await?;
    let mut routed = Vec::with_capacity(alerts.len());
    for recorded in alerts {
        let NewAlert { rule_match, throttle, .. } = recorded.new_alert;
        let earlier = read_earlier_alerts(conn, recorded).await?;
        routed.push(RoutedAlert {
            severity: rule_match.severity,
            is_update: recorded.is_update,
            routing: volume::throttle_rule(
                rule_match,
                throttle,
                &earlier,
                now,
                &match_result.policy.zone,
            ),
            silence: silence::longest(&silences, rule_match, &match_result.feeds, event),
        });
    }
    let mut additions = Additions::default();
    let receivers: BTreeSet<&Receiver> =
        alerts.iter().flat_map(|one| &one.new_alert.receivers).collect();
    for receiver in receivers {
        let of_receiver = alerts.iter().zip(&routed);
        let (ids, routed): (Vec<i64>, Vec<RoutedAlert<'_>>) = of_receiver
            .filter(|(one, _)| one.new_alert.receivers.contains(receiver))
            .map(|(one, routed)| (one.alert, routed.clone()))
            .unzip();
        let to = EventReceiver { event, receiver, match_result, now };
        to.add_alerts(conn, &ids, &routed, &mut additions).await?;
    }
    additions.write(conn).await
}

/// A receiver of alerts of an event.
struct EventReceiver<'r> {
    event: &'r str,
    receiver: &'r Receiver,
    match_result: &'r MatchResult,
    now: Timestamp,
}

impl EventReceiver<'_> {
    /// Adds these alerts to messages, as [`plan::plan`] says.
    async fn add_alerts(
        &self,
        conn: &mut SqliteConnection,
        alerts: &[i64],
        routed: &[RoutedAlert<'_>],
        additions: &mut Additions,
    ) -> Result<(), sqlx::Error> {
        let Self { event, receiver, match_result, now } = *self;
        let default = DeliveryPolicy::default();
        let policy = match_result.policy.policies.get(&receiver.notifier).unwrap_or(&default);
        let is_muted = routed.iter().all(|one| one.silence.is_some());
        let open = if is_muted { None } else { find_open_message(conn, event, receiver).await? };
        let sent = match policy.limit {
            Some(limit) if !is_muted => read_recent_messages(conn, receiver, limit.most).await?,
            _ => Vec::new(),
        };
        let state = ReceiverState { policy, has_open_message: open.is_some(), sent: &sent };
        let plan = plan::plan(routed, state, now, &match_result.policy.zone);
        let (mut next_message, mut digests) = (None, Vec::new());
        for (alert, destination) in alerts.iter().zip(plan) {
            match (destination, open) {
                (Destination::Digest(reason, due), _) => {
                    let known = digests.iter().find(|(other, _)| *other == reason);
                    let digest = match known {
                        Some((_, digest)) => *digest,
                        None => digest::open_digest(conn, receiver, &reason, due, now).await?,
                    };
                    digests.push((reason, digest));
                    additions.join(digest, *alert);
                }
                (Destination::OpenMessage, Some(open)) => additions.join(open, *alert),
                (Destination::OpenMessage, None) | (Destination::NextMessage, _) => {
                    let message = match next_message {
                        Some(message) => message,
                        None => {
                            insert_event_message(conn, event, receiver, match_result.due, now)
                                .await?
                        }
                    };
                    next_message = Some(message);
                    additions.pairs.push((message, *alert));
                }
            }
        }
        Ok(())
    }
}

/// The most pairs of one statement, whose parameters are limited.
const PAIRS: usize = 1000;

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
    fn join(&mut self, message: i64, alert: i64) {
        self.joined.insert(message);
        self.pairs.push((message, alert));
    }

    async fn write(self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        for pairs in self.pairs.chunks(PAIRS) {
            let mut insert =
                QueryBuilder::<Sqlite>::new("INSERT INTO message_alert (message, alert) ");
            insert.push_values(pairs, |mut values, (message, alert)| {
                values.push_bind(*message).push_bind(*alert);
            });
            insert.build().execute(&mut *conn).await?;
        }
        if self.joined.is_empty() {
            return Ok(());
        }
        digest::raise_revisions(conn, &self.joined.into_iter().collect::<Vec<_>>()).await
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
    .bind(i64::from(burst.first))
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
    .bind(i64::from(most))
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
