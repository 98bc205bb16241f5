//! Adds alerts to messages: one about their event, or a digest, as `alerts::plan` says.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::column::{self, from_millis, read_time, to_json, to_millis};
use super::dialect::sql;
use super::digest::DigestKey;
use super::status::read_message_status;
use super::{MatchResult, digest, silences};
use crate::alerts::digest::DigestReason;
use crate::alerts::plan;
use crate::alerts::plan::{Destination, ReceiverState, RoutedAlert};
use crate::alerts::silence;
use crate::alerts::silence::Silence;
use crate::alerts::volume;
use crate::alerts::{NewAlert, Receiver};
use crate::lifecycle::message;
use crate::store::db::{self, DbConnection, SqlList};
use tidings_rules::story::delivery::DeliveryPolicy;

/// An alert that was just recorded.
pub(super) struct RecordedAlert<'v> {
    pub(super) alert: i64,
    pub(super) new_alert: &'v NewAlert,
    /// Its rule has alerted for the event before, and its story is an update.
    pub(super) is_update: bool,
    /// What it sets free, if it meets a condition that held others.
    pub(super) firing: Option<FiredWindow>,
}

/// The matches that one match sets free.
pub(super) struct FiredWindow {
    /// Why they are told in one message.
    pub(super) reason: DigestReason,
    /// The alerts that were held.
    pub(super) released: Vec<i64>,
}

/// Adds the recorded alerts of `event` to messages, as silences, rules and receivers require.
pub(super) async fn route_alerts(
    conn: &mut DbConnection<'_>,
    event: &str,
    alerts: &[RecordedAlert<'_>],
    match_result: &MatchResult,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if alerts.is_empty() {
        return Ok(());
    }
    let silences = silences::read_active_silences(conn, now).await?;
    let earlier = read_earlier_alerts(conn, alerts).await?;
    let routed: Vec<RoutedAlert<'_>> = alerts
        .iter()
        .map(|recorded| {
            let NewAlert { rule_match, throttle, .. } = recorded.new_alert;
            let earlier = earlier.get(&recorded.alert).map(Vec::as_slice).unwrap_or_default();
            let zone = &match_result.policy.zone;
            RoutedAlert {
                severity: rule_match.severity,
                is_update: recorded.is_update,
                routing: volume::throttle_rule(rule_match, throttle, earlier, now, zone),
                // Each match of a firing is muted for itself.
                silence: silence::longest(&silences, rule_match.into(), &match_result.feeds, event)
                    .filter(|_| recorded.firing.is_none()),
                firing: recorded.firing.as_ref().map(|firing| &firing.reason),
            }
        })
        .collect();
    let newest = read_newest_messages(conn, event).await?;
    let receivers: BTreeSet<&Receiver> =
        alerts.iter().flat_map(|one| &one.new_alert.receivers).collect();
    let default = DeliveryPolicy::default();
    let policies = &match_result.policy.policies;
    let policy_of = |to: &Receiver| policies.get(&to.notifier).unwrap_or(&default);
    let limits = receivers.iter().filter_map(|to| Some((*to, policy_of(to).limit.as_ref()?.most)));
    let sent = read_recent_messages(conn, limits.collect()).await?;
    let mut planned = Vec::new();
    for receiver in receivers {
        let of_receiver = alerts.iter().zip(&routed);
        let (ids, routed): (Vec<i64>, Vec<RoutedAlert<'_>>) = of_receiver
            .filter(|(one, _)| one.new_alert.receivers.contains(receiver))
            .map(|(one, routed)| (one.alert, routed.clone()))
            .unzip();
        let state = ReceiverState {
            policy: policy_of(receiver),
            has_open_message: newest.get(receiver).is_some_and(|newest| newest.open.is_some()),
            sent: sent.get(receiver).map(Vec::as_slice).unwrap_or_default(),
        };
        let plan = plan::plan(&routed, state, now, &match_result.policy.zone);
        planned.extend(ids.into_iter().zip(plan).map(|(alert, to)| (receiver, alert, to)));
    }
    let muted = silences::find_muted(conn, &silences, &matches_of_firings(alerts)).await?;
    let planned = with_released(alerts, planned, &muted);
    add_to_messages(conn, event, planned, &newest, match_result.due, now).await
}

/// Where alerts go: each with its receiver.
type PlannedAlerts<'v> = Vec<(&'v Receiver, i64, Destination)>;

/// The alerts that meet conditions, and those that they set free.
fn matches_of_firings(alerts: &[RecordedAlert<'_>]) -> Vec<i64> {
    let firings = alerts.iter().filter_map(|one| Some((one.alert, one.firing.as_ref()?)));
    firings.flat_map(|(alert, firing)| firing.released.iter().copied().chain([alert])).collect()
}

/// Sends the alerts that a match sets free where that match goes. What a silence mutes of them
/// waits for its end.
fn with_released<'v>(
    alerts: &[RecordedAlert<'_>],
    planned: PlannedAlerts<'v>,
    muted: &HashMap<i64, &Silence>,
) -> PlannedAlerts<'v> {
    let firings = alerts.iter().filter_map(|one| Some((one.alert, one.firing.as_ref()?)));
    let released: HashMap<i64, &[i64]> =
        firings.map(|(alert, firing)| (alert, firing.released.as_slice())).collect();
    let with_others = planned.into_iter().flat_map(|(receiver, alert, to)| {
        let others = released.get(&alert).copied().unwrap_or_default();
        let all: Vec<i64> = others.iter().copied().chain([alert]).collect();
        all.into_iter().map(move |alert| {
            let to = muted.get(&alert).map_or_else(|| to.clone(), |one| Destination::muted(one));
            (receiver, alert, to)
        })
    });
    with_others.collect()
}

/// Adds the alerts to messages. Those that are not there are created.
async fn add_to_messages(
    conn: &mut DbConnection<'_>,
    event: &str,
    planned: PlannedAlerts<'_>,
    newest: &HashMap<Receiver, NewestMessage>,
    due: Timestamp,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let mut digests: BTreeMap<DigestKey, Timestamp> = BTreeMap::new();
    let mut next: BTreeMap<&Receiver, i64> = BTreeMap::new();
    for (receiver, _, destination) in &planned {
        match destination {
            Destination::Digest(reason, due) => {
                digests.entry(((*receiver).clone(), to_json(reason)?)).or_insert(*due);
            }
            Destination::OpenMessage => {}
            Destination::NextMessage => {
                next.insert(*receiver, newest.get(*receiver).map_or(0, |one| one.sequence) + 1);
            }
        }
    }
    let digests = digest::open_digests(conn, &digests, now).await?;
    let next = insert_event_messages(conn, event, next, due, now).await?;
    let (mut pairs, mut joined) = (Vec::with_capacity(planned.len()), BTreeSet::new());
    for (receiver, alert, destination) in planned {
        let open = match destination {
            Destination::Digest(reason, _) => {
                digests.get(&(receiver.clone(), to_json(&reason)?)).copied()
            }
            Destination::OpenMessage => newest.get(receiver).and_then(|newest| newest.open),
            Destination::NextMessage => None,
        };
        joined.extend(open);
        let message = open.or_else(|| next.get(receiver).copied());
        pairs.push((message.ok_or(sqlx::Error::RowNotFound)?, alert));
    }
    let insert = sql!(
        "INSERT INTO message_alert (message, alert) SELECT message, alert FROM ",
        row_list!("$1", 0 message BIGINT, 1 alert BIGINT),
        " AS given"
    );
    column::execute_list(conn, insert, &pairs).await?;
    digest::raise_revisions(conn, joined).await
}

/// When the rules of these alerts alerted before with the same dedup keys, newest first, as often
/// as their throttles count or more; by alert. Held alerts are left out, and copies of events that
/// a condition counts. So are alerts that another set free: they were told with it, and count as
/// one.
async fn read_earlier_alerts(
    conn: &mut DbConnection<'_>,
    alerts: &[RecordedAlert<'_>],
) -> Result<HashMap<i64, Vec<Timestamp>>, sqlx::Error> {
    let wanted = alerts.iter().filter_map(|RecordedAlert { alert, new_alert, .. }| {
        let burst = new_alert.throttle.burst.as_ref()?;
        let is_conditional = new_alert.condition.is_some();
        let (rule, dedup_key) = (&new_alert.rule_match.rule, &new_alert.dedup_key);
        Some((alert, rule, dedup_key, is_conditional, burst.first))
    });
    let wanted: Vec<_> = wanted.collect();
    let Some(most) = wanted.iter().map(|(.., first)| *first).max() else {
        return Ok(HashMap::new());
    };
    let rows: Vec<(i64, i64)> = db::query_as(sql!(
        "SELECT wanted.alert, alert.created FROM ",
        row_list!("$1", 0 alert BIGINT, 1 rule TEXT, 2 dedup_key TEXT, 3 is_conditional BOOLEAN),
        " AS wanted ",
        either!("JOIN alert ON alert.id IN (SELECT id", "CROSS JOIN LATERAL (SELECT *"),
        " FROM alert AS earlier
              WHERE earlier.rule = wanted.rule AND earlier.dedup_key = wanted.dedup_key AND earlier.id < wanted.alert
                AND NOT earlier.held AND earlier.released_by IS NULL
                AND (NOT wanted.is_conditional OR earlier.counted_at IS NOT NULL)
              ORDER BY earlier.id DESC LIMIT $2 + 0)",
        either!("", " AS alert"),
        " ORDER BY alert.id DESC"
    ))
    .bind(SqlList::new(&wanted)?)
    .bind(i64::from(most))
    .fetch_all(conn)
    .await?;
    let mut earlier: HashMap<i64, Vec<Timestamp>> = HashMap::new();
    for (alert, created) in rows {
        earlier.entry(alert).or_default().push(from_millis(created)?);
    }
    Ok(earlier)
}

/// When the last messages to these receivers were created, newest first, without notices; as many
/// as their limits count or more.
async fn read_recent_messages(
    conn: &mut DbConnection<'_>,
    limits: BTreeMap<&Receiver, u32>,
) -> Result<HashMap<Receiver, Vec<Timestamp>>, sqlx::Error> {
    let Some(most) = limits.values().copied().max() else { return Ok(HashMap::new()) };
    let rows = db::query(sql!(
        "SELECT message.notifier, message.recipient, message.created FROM ",
        row_list!("$1", 0 notifier TEXT, 1 recipient TEXT),
        " AS wanted ",
        either!("JOIN message ON message.id IN (SELECT id", "CROSS JOIN LATERAL (SELECT *"),
        " FROM message AS recent
              WHERE recent.notifier = wanted.notifier AND recent.recipient = wanted.recipient AND recent.notification IS NULL
              ORDER BY recent.id DESC LIMIT $2 + 0)",
        either!("", " AS message"),
        " ORDER BY message.id DESC"
    ))
    .bind(SqlList::new(&column::receiver_rows(limits.into_keys()))?)
    .bind(i64::from(most))
    .fetch_all(conn)
    .await?;
    let mut recent: HashMap<Receiver, Vec<Timestamp>> = HashMap::new();
    for row in &rows {
        let times = recent.entry(column::receiver_from_row(row)?).or_default();
        times.push(read_time(row, "created")?);
    }
    Ok(recent)
}

/// The newest message of an event to a receiver.
struct NewestMessage {
    sequence: i64,
    /// Its row, if it was never leased.
    open: Option<i64>,
}

/// The newest message of an event to each of its receivers.
async fn read_newest_messages(
    conn: &mut DbConnection<'_>,
    event: &str,
) -> Result<HashMap<Receiver, NewestMessage>, sqlx::Error> {
    let rows = db::query(
        "SELECT id, status, payload IS NOT NULL AS is_frozen, notifier, recipient, sequence FROM message
         WHERE event = $1 ORDER BY sequence",
    )
    .bind(event)
    .fetch_all(conn)
    .await?;
    let newest = rows.iter().map(|row| {
        let takes = message::takes_alerts(read_message_status(row)?, row.try_get("is_frozen")?);
        let open = if takes { Some(row.try_get("id")?) } else { None };
        let sequence = row.try_get("sequence")?;
        Ok((column::receiver_from_row(row)?, NewestMessage { sequence, open }))
    });
    newest.collect()
}

/// Inserts the next messages of an event: each receiver has the number of its own.
async fn insert_event_messages(
    conn: &mut DbConnection<'_>,
    event: &str,
    receivers: BTreeMap<&Receiver, i64>,
    due: Timestamp,
    now: Timestamp,
) -> Result<HashMap<Receiver, i64>, sqlx::Error> {
    if receivers.is_empty() {
        return Ok(HashMap::new());
    }
    let messages = receivers.into_iter().map(|(Receiver { notifier, recipient }, sequence)| {
        let (key, uid) =
            (format!("event:{event}:{notifier}/{recipient}:{sequence}"), uuid::Uuid::new_v4());
        (key, uid.to_string(), sequence, &notifier.0, recipient)
    });
    let rows = db::query(sql!(
        "INSERT INTO message (key, uid, sequence, notifier, recipient, event, created, status, due)
         SELECT given.*, $2, $3, 'pending', $4 FROM ",
        row_list!("$1", 0 key TEXT, 1 uid TEXT, 2 sequence BIGINT, 3 notifier TEXT, 4 recipient TEXT),
        " AS given RETURNING id, notifier, recipient"
    ))
    .bind(SqlList::new(&messages.collect::<Vec<_>>())?)
    .bind(event)
    .bind(to_millis(now))
    .bind(to_millis(due))
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((column::receiver_from_row(row)?, row.try_get("id")?))).collect()
}

#[cfg(test)]
mod tests;
