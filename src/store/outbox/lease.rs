//! Leases: chooses the messages that a notifier is sent next, and freezes their payloads.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{OutboxTurn, Preparation, PreparedMessages, read_first_messages};
use crate::alerts::Receiver;
use crate::alerts::breaker::NotifierHealth;
use crate::alerts::send_queue::SendQueue;
use crate::lifecycle::message::{MessageEvent, MessageStatus};
use crate::store::column::{self, read_optional_time, to_millis};
use crate::store::db::{self, DbConnection, DbRow, SqlList, StatementBuilder};
use crate::store::dialect::sql;
use crate::store::status::next_message_status;
use crate::store::{Lease, digest};

/// Leases due messages of a notifier, as many as it and each of its recipients have room for, and
/// adds them to `turn`.
pub(in crate::store) async fn lease_due(
    conn: &mut DbConnection<'_>,
    run: i64,
    mut queue: SendQueue,
    prepared: &PreparedMessages,
    now: Timestamp,
    turn: &mut OutboxTurn,
) -> Result<(), sqlx::Error> {
    gather_late(conn, &mut queue, &turn.receiver_health.away, now).await?;
    let chosen = choose_messages(conn, &queue, now).await?;
    let rows = read_messages(conn, &chosen).await?;
    let (mut ready, mut settled) = (Vec::new(), BTreeSet::new());
    let (mut dead, mut split) = (Vec::new(), Vec::new());
    for row in &rows {
        let message: i64 = row.try_get("id")?;
        match find_payload(row, prepared)? {
            Some(Preparation::Payload(payload)) => {
                settled.insert(message);
                ready.push((row, message, payload));
            }
            Some(Preparation::Unrenderable(why)) => {
                let receiver = column::receiver_from_row(row)?;
                dead.push((message, receiver.clone(), why.clone()));
                settled.insert(message);
                turn.unrenderable.push((receiver, why));
            }
            Some(Preparation::Split(parts)) => {
                split.push((message, parts));
                turn.unprepared.push(message);
            }
            None => turn.unprepared.push(message),
        }
    }
    digest::split_digests(conn, split).await?;
    dead_letter(conn, &dead, now).await?;
    let leases = write_leases(conn, run, ready, now).await?;
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for lease in &leases {
        *counts.entry(&lease.receiver.recipient).or_default() += 1;
    }
    let next_due = queue.next_due(&counts, &settled);
    turn.next_due = [turn.next_due, next_due].into_iter().flatten().min();
    turn.leases.extend(leases);
    Ok(())
}

/// What becomes of the message in this row: its frozen payload, or what was prepared of it at its
/// revision.
fn find_payload(
    row: &DbRow,
    prepared: &PreparedMessages,
) -> Result<Option<Preparation>, sqlx::Error> {
    if let Some(frozen) = row.try_get("payload")? {
        return Ok(Some(Preparation::Payload(frozen)));
    }
    let (message, revision): (i64, i64) = (row.try_get("id")?, row.try_get("revision")?);
    let prepared = prepared.get(&message).filter(|prepared| prepared.revision == revision);
    Ok(prepared.map(|prepared| prepared.preparation.clone()))
}

/// If a message is due, moves late messages of receivers that are away into digests.
async fn gather_late(
    conn: &mut DbConnection<'_>,
    queue: &mut SendQueue,
    away: &BTreeMap<Receiver, NotifierHealth>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if queue.due_recipients(now).is_empty() {
        return Ok(());
    }
    let is_open = |health: &&NotifierHealth| health.is_open();
    let whole = away.get(&Receiver::whole_notifier(&queue.notifier)).filter(is_open);
    let away = queue.receivers().filter_map(|receiver| {
        let health = whole.or(away.get(&receiver).filter(is_open))?;
        Some((receiver, health))
    });
    if digest::gather_late_messages(conn, away, now).await? {
        let most = queue.pending_needed();
        queue.replace_pending(read_first_messages(conn, &queue.notifier, most).await?);
    }
    Ok(())
}

/// Which messages are sent now. While the whole notifier is away, only one recipient is probed: the
/// one whose last attempt is oldest. Probes take turns, so that a recipient who takes nothing does
/// not block the others.
async fn choose_messages(
    conn: &mut DbConnection<'_>,
    queue: &SendQueue,
    now: Timestamp,
) -> Result<Vec<i64>, sqlx::Error> {
    if !queue.probes_one(now) {
        return Ok(queue.choose(None, now));
    }
    let order: Vec<String> = db::query_scalar(
        "SELECT recipient FROM message LEFT JOIN attempt ON attempt.message = message.id
         WHERE status = 'pending' AND notifier = $1 GROUP BY recipient ORDER BY max(attempt.id) NULLS FIRST",
    )
    .bind(&queue.notifier.0)
    .fetch_all(conn)
    .await?;
    let due = queue.due_recipients(now);
    let probed = order.iter().find(|recipient| due.contains(&recipient.as_str()));
    Ok(queue.choose(probed.map(String::as_str), now))
}

/// The rows of these messages, in the order in which they are due.
async fn read_messages(
    conn: &mut DbConnection<'_>,
    chosen: &[i64],
) -> Result<Vec<DbRow>, sqlx::Error> {
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    db::query(
        sql!("SELECT message.id, uid, digest, notifier, recipient, revision, counted_attempts, may_have_arrived, payload,
                (SELECT started FROM attempt WHERE attempt.message = message.id ORDER BY attempt.id LIMIT 1) AS tried_since,
                (SELECT min(first_seen) FROM message_alert JOIN alert ON alert.id = message_alert.alert
                 JOIN story ON story.id = alert.story WHERE message_alert.message = message.id) AS first_seen,
                (SELECT string_agg(rule, ', ') FROM
                    (SELECT DISTINCT rule FROM message_alert JOIN alert ON alert.id = message_alert.alert
                     WHERE message_alert.message = message.id ORDER BY rule LIMIT 20) AS found) AS rules
         FROM message WHERE message.id IN ", id_list!("$1"), " ORDER BY message.due, message.id"),
    )
    .bind(SqlList::new(&chosen)?)
    .fetch_all(conn)
    .await
}

/// Makes messages dead that cannot be rendered: each with its receiver, and why.
async fn dead_letter(
    conn: &mut DbConnection<'_>,
    dead: &[(i64, Receiver, String)],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if dead.is_empty() {
        return Ok(());
    }
    let next = next_message_status(MessageStatus::Pending, MessageEvent::Unrenderable)?;
    let dead = dead.iter().map(|(message, Receiver { notifier, recipient }, why)| {
        (message, &notifier.0, recipient, why)
    });
    let dead = SqlList::new(&dead.collect::<Vec<_>>())?;
    db::query(sql!(
        "UPDATE message SET status = $2, why = given.why FROM ",
        row_list!("$1", 0 message BIGINT, 3 why TEXT),
        " AS given WHERE message.id = given.message"
    ))
    .bind(&dead)
    .bind(next.status.as_str())
    .execute(&mut *conn)
    .await?;
    db::query(sql!(
        "INSERT INTO refusal (notifier, recipient, since, why, announced) SELECT notifier, recipient, $2, why, FALSE FROM ",
        row_list!("$1", 0 message BIGINT, 1 notifier TEXT, 2 recipient TEXT, 3 why TEXT),
        " AS given WHERE TRUE ON CONFLICT (notifier, recipient) DO NOTHING"
    ))
    .bind(dead)
    .bind(to_millis(now))
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes an attempt, a lease and the frozen payload for each of these messages, and returns their
/// leases.
async fn write_leases(
    conn: &mut DbConnection<'_>,
    run: i64,
    ready: Vec<(&DbRow, i64, Vec<u8>)>,
    now: Timestamp,
) -> Result<Vec<Lease>, sqlx::Error> {
    if ready.is_empty() {
        return Ok(Vec::new());
    }
    let messages: Vec<i64> = ready.iter().map(|(_, message, _)| *message).collect();
    let attempts: Vec<(i64, i64)> = db::query_as(sql!(
        "INSERT INTO attempt (message, run, started) SELECT value, $2, $3 FROM ",
        id_list!("$1"),
        " AS given RETURNING message, id"
    ))
    .bind(SqlList::new(&messages)?)
    .bind(run)
    .bind(to_millis(now))
    .fetch_all(&mut *conn)
    .await?;
    let attempts: BTreeMap<i64, i64> = attempts.into_iter().collect();
    let mut leases = Vec::with_capacity(ready.len());
    for (row, message, payload) in ready {
        leases.push(Lease {
            message,
            attempt: *attempts.get(&message).ok_or(sqlx::Error::RowNotFound)?,
            receiver: column::receiver_from_row(row)?,
            id: row.try_get("uid")?,
            counted_attempts: column::read_count(row, "counted_attempts")?,
            may_have_arrived: row.try_get("may_have_arrived")?,
            tried_since: read_optional_time(row, "tried_since")?.unwrap_or(now),
            is_digest: !column::is_null(row, "digest")?,
            first_seen: read_optional_time(row, "first_seen")?,
            rules: row.try_get("rules")?,
            payload,
        });
    }
    freeze_and_lease(conn, &leases).await?;
    Ok(leases)
}

/// Writes the leases and the payloads to the rows of their messages.
async fn freeze_and_lease(
    conn: &mut DbConnection<'_>,
    leases: &[Lease],
) -> Result<(), sqlx::Error> {
    let next = next_message_status(MessageStatus::Pending, MessageEvent::Leased)?;
    let mut update = StatementBuilder::new("WITH leased (message, attempt, payload) AS (");
    update.push_values(leases, |values, lease| {
        values.push_bind(lease.message).push_bind(lease.attempt).push_bind(&lease.payload);
    });
    update.push(") UPDATE message SET status = ");
    update.push_bind(next.status.as_str());
    update.push(
        ", lease = leased.attempt, payload = leased.payload FROM leased WHERE message.id = leased.message",
    );
    update.build().execute(conn).await?;
    Ok(())
}
