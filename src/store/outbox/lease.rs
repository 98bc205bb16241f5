//! Leases: chooses the messages that a notifier is sent next, and freezes their payloads.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};

use super::{OutboxTurn, Preparation, PreparedMessages, read_first_messages};
use crate::alerts::Receiver;
use crate::alerts::breaker::NotifierHealth;
use crate::alerts::send_queue::SendQueue;
use crate::lifecycle::message::{MessageEvent, MessageStatus};
use crate::store::column::{self, read_optional_time, to_json, to_millis};
use crate::store::dialect::id_list;
use crate::store::status::next_message_status;
use crate::store::{Lease, digest, health};
use tidings_rules::story::NotifierName;

/// Leases due messages of a notifier, as many as it and each of its recipients have room for, and
/// adds them to `turn`.
pub(in crate::store) async fn lease_due(
    conn: &mut SqliteConnection,
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
    for row in &rows {
        let message: i64 = row.try_get("id")?;
        match find_payload(row, prepared)? {
            Some(Preparation::Payload(payload)) => {
                settled.insert(message);
                ready.push((row, message, payload));
            }
            Some(Preparation::Unrenderable(why)) => {
                let receiver = receiver_from_row(&queue.notifier, row)?;
                dead_letter(conn, message, &receiver, &why, now).await?;
                settled.insert(message);
                turn.unrenderable.push((receiver, why));
            }
            Some(Preparation::Split(parts)) => {
                digest::split_digest(conn, message, &parts).await?;
                turn.unprepared.push(message);
            }
            None => turn.unprepared.push(message),
        }
    }
    let leases = write_leases(conn, run, &queue.notifier, ready, now).await?;
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
    row: &SqliteRow,
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
    conn: &mut SqliteConnection,
    queue: &mut SendQueue,
    away: &BTreeMap<Receiver, NotifierHealth>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if queue.due_recipients(now).is_empty() {
        return Ok(());
    }
    let is_open = |health: &&NotifierHealth| health.is_open();
    let whole = away.get(&Receiver::whole_notifier(&queue.notifier)).filter(is_open);
    let mut has_gathered = false;
    for receiver in queue.receivers() {
        if let Some(health) = whole.or(away.get(&receiver).filter(is_open)) {
            has_gathered |= digest::gather_late_messages(conn, &receiver, health, now).await?;
        }
    }
    if has_gathered {
        let most = queue.pending_needed();
        queue.replace_pending(read_first_messages(conn, &queue.notifier, most).await?);
    }
    Ok(())
}

/// Which messages are sent now. While the whole notifier is away, only one recipient is probed.
async fn choose_messages(
    conn: &mut SqliteConnection,
    queue: &SendQueue,
    now: Timestamp,
) -> Result<Vec<i64>, sqlx::Error> {
    let probed = if queue.probes_one(now) {
        choose_probe_recipient(conn, &queue.notifier, &queue.due_recipients(now)).await?
    } else {
        None
    };
    Ok(queue.choose(probed.as_deref(), now))
}

/// The recipient in `due` whose last attempt is oldest. Probes take turns, so that a recipient who
/// takes nothing does not block the others.
async fn choose_probe_recipient(
    conn: &mut SqliteConnection,
    notifier: &NotifierName,
    due: &[&str],
) -> Result<Option<String>, sqlx::Error> {
    let order: Vec<String> = sqlx::query_scalar(
        "SELECT recipient FROM message LEFT JOIN attempt ON attempt.message = message.id
         WHERE status = 'pending' AND notifier = $1 GROUP BY recipient ORDER BY max(attempt.id) NULLS FIRST",
    )
    .bind(&notifier.0)
    .fetch_all(conn)
    .await?;
    Ok(order.into_iter().find(|recipient| due.contains(&recipient.as_str())))
}

/// The rows of these messages, in the order in which they are due.
async fn read_messages(
    conn: &mut SqliteConnection,
    chosen: &[i64],
) -> Result<Vec<SqliteRow>, sqlx::Error> {
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query(
        concat!("SELECT message.id, uid, digest, recipient, revision, counted_attempts, may_have_arrived, payload,
                (SELECT started FROM attempt WHERE attempt.message = message.id ORDER BY attempt.id LIMIT 1) AS tried_since
         FROM message WHERE message.id IN ", id_list!("$1"), " ORDER BY message.due, message.id"),
    )
    .bind(to_json(&chosen)?)
    .fetch_all(conn)
    .await
}

fn receiver_from_row(notifier: &NotifierName, row: &SqliteRow) -> Result<Receiver, sqlx::Error> {
    Ok(Receiver { notifier: notifier.clone(), recipient: row.try_get("recipient")? })
}

/// Makes a message dead that cannot be rendered.
async fn dead_letter(
    conn: &mut SqliteConnection,
    message: i64,
    receiver: &Receiver,
    why: &str,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let next = next_message_status(MessageStatus::Pending, MessageEvent::Unrenderable)?;
    sqlx::query("UPDATE message SET status = $3, why = $2 WHERE id = $1")
        .bind(message)
        .bind(why)
        .bind(next.status.as_str())
        .execute(&mut *conn)
        .await?;
    health::record_refusal(conn, receiver, why, now).await
}

/// Inserts an attempt for each message and returns the attempts. There is at least one message.
async fn insert_attempts(
    conn: &mut SqliteConnection,
    run: i64,
    messages: impl Iterator<Item = i64>,
    now: Timestamp,
) -> Result<BTreeMap<i64, i64>, sqlx::Error> {
    let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO attempt (message, run, started) ");
    insert.push_values(messages, |mut values, message| {
        values.push_bind(message).push_bind(run).push_bind(to_millis(now));
    });
    insert.push(" RETURNING message, id");
    let attempts: Vec<(i64, i64)> = insert.build_query_as().fetch_all(conn).await?;
    Ok(attempts.into_iter().collect())
}

/// Writes an attempt, a lease and the frozen payload for each of these messages, and returns their
/// leases.
async fn write_leases(
    conn: &mut SqliteConnection,
    run: i64,
    notifier: &NotifierName,
    ready: Vec<(&SqliteRow, i64, Vec<u8>)>,
    now: Timestamp,
) -> Result<Vec<Lease>, sqlx::Error> {
    if ready.is_empty() {
        return Ok(Vec::new());
    }
    let messages = ready.iter().map(|(_, message, _)| *message);
    let attempts = insert_attempts(conn, run, messages, now).await?;
    let mut leases = Vec::with_capacity(ready.len());
    for (row, message, payload) in ready {
        leases.push(Lease {
            message,
            attempt: *attempts.get(&message).ok_or(sqlx::Error::RowNotFound)?,
            receiver: receiver_from_row(notifier, row)?,
            id: row.try_get("uid")?,
            counted_attempts: column::read_count(row, "counted_attempts")?,
            may_have_arrived: row.try_get("may_have_arrived")?,
            tried_since: read_optional_time(row, "tried_since")?.unwrap_or(now),
            is_digest: !column::is_null(row, "digest")?,
            payload,
        });
    }
    freeze_and_lease(conn, &leases).await?;
    Ok(leases)
}

/// Writes the leases and the payloads to the rows of their messages.
async fn freeze_and_lease(
    conn: &mut SqliteConnection,
    leases: &[Lease],
) -> Result<(), sqlx::Error> {
    let next = next_message_status(MessageStatus::Pending, MessageEvent::Leased)?;
    let mut update = QueryBuilder::<Sqlite>::new("WITH leased (message, attempt, payload) AS (");
    update.push_values(leases, |mut values, lease| {
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
