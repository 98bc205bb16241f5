//! Leases: chooses the messages that a notifier is sent next, and freezes their payloads.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};

use super::{OpenNotifier, WaitingRecipient};
use crate::alerts::Receiver;
use crate::alerts::breaker::NotifierHealth;
use crate::lifecycle::message::{MessageEvent, MessageStatus};
use crate::store::column::{self, read_optional_time, to_json, to_millis};
use crate::store::health::whole_notifier;
use crate::store::status::next_message_status;
use crate::store::{Lease, Render, digest, health, notifications};
use tidings_rules::story::NotifierName;

/// Leases due messages of a notifier, as many as it and each of its recipients have room for, as
/// [`outbox_turn`](crate::store::Store::outbox_turn) says.
pub(in crate::store) async fn lease_due(
    conn: &mut SqliteConnection,
    run: i64,
    open: &OpenNotifier,
    away: &BTreeMap<Receiver, NotifierHealth>,
    now: Timestamp,
    render: &Render,
) -> Result<Vec<Lease>, sqlx::Error> {
    let OpenNotifier { notifier, free, waiting } = open;
    let mut due: Vec<&WaitingRecipient> = waiting.iter().filter(|one| one.due <= now).collect();
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let is_away = away.get(&whole_notifier(notifier)).filter(|health| health.is_open());
    for one in waiting {
        let receiver = Receiver { notifier: notifier.clone(), recipient: one.recipient.clone() };
        let own = away.get(&receiver).filter(|health| health.is_open());
        if let Some(health) = is_away.or(own) {
            digest::gather_late_messages(conn, &receiver, health, now).await?;
        }
    }
    if is_away.is_some() && due.len() > 1 {
        let probed = choose_probe_recipient(conn, notifier, &due).await?;
        due.retain(|one| Some(&one.recipient) == probed.as_ref());
    }
    let chosen = choose_messages(conn, notifier, &due, *free, now).await?;
    let rows = read_messages(conn, &chosen).await?;
    let payloads = render_payloads(conn, notifier, &rows, now, render).await?;
    if payloads.is_empty() {
        return Ok(Vec::new());
    }
    let attempts = insert_attempts(conn, run, payloads.keys().copied(), now).await?;
    write_leases(conn, &attempts, &payloads).await?;
    build_leases(notifier, &rows, &attempts, payloads, now)
}

/// The recipient in `due` whose last attempt is oldest. Probes take turns, so that a recipient who
/// takes nothing does not block the others.
async fn choose_probe_recipient(
    conn: &mut SqliteConnection,
    notifier: &NotifierName,
    due: &[&WaitingRecipient],
) -> Result<Option<String>, sqlx::Error> {
    let order: Vec<String> = sqlx::query_scalar(
        "SELECT recipient FROM message LEFT JOIN attempt ON attempt.message = message.id
         WHERE status = 'pending' AND notifier = $1 GROUP BY recipient ORDER BY max(attempt.id)",
    )
    .bind(&notifier.0)
    .fetch_all(conn)
    .await?;
    Ok(order.into_iter().find(|recipient| due.iter().any(|one| one.recipient == *recipient)))
}

/// Which messages for the recipients in `due` are sent now, at most `free`: those that were due
/// first.
async fn choose_messages(
    conn: &mut SqliteConnection,
    notifier: &NotifierName,
    due: &[&WaitingRecipient],
    free: u32,
    now: Timestamp,
) -> Result<Vec<i64>, sqlx::Error> {
    let mut chosen: Vec<(i64, i64)> = Vec::new();
    for one in due {
        let first: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT due, id FROM message
             WHERE status = 'pending' AND notifier = $1 AND recipient = $2 AND due <= $3 ORDER BY due, id LIMIT $4",
        )
        .bind(&notifier.0)
        .bind(&one.recipient)
        .bind(to_millis(now))
        .bind(one.free)
        .fetch_all(&mut *conn)
        .await?;
        chosen.extend(first);
    }
    chosen.sort_unstable();
    chosen.truncate(free as usize);
    Ok(chosen.into_iter().map(|(_, id)| id).collect())
}

/// The rows of these messages, in their order.
async fn read_messages(
    conn: &mut SqliteConnection,
    chosen: &[i64],
) -> Result<Vec<SqliteRow>, sqlx::Error> {
    sqlx::query(
        "SELECT message.id, uid, event, digest, notification, recipient, created, counted_attempts, may_have_arrived, payload,
                (SELECT started FROM attempt WHERE attempt.message = message.id ORDER BY attempt.id LIMIT 1) AS tried_since
         FROM json_each($1) AS wanted CROSS JOIN message ON message.id = wanted.value ORDER BY wanted.key",
    )
    .bind(to_json(&chosen)?)
    .fetch_all(conn)
    .await
}

/// The payload of each message: the frozen one, or, at its first lease, a new one. A message that
/// cannot be rendered becomes dead.
async fn render_payloads(
    conn: &mut SqliteConnection,
    notifier: &NotifierName,
    due: &[SqliteRow],
    now: Timestamp,
    render: &Render,
) -> Result<BTreeMap<i64, Vec<u8>>, sqlx::Error> {
    let mut payloads = BTreeMap::new();
    let mut open = Vec::new();
    for row in due {
        match row.try_get("payload")? {
            Some(frozen) => drop(payloads.insert(row.try_get("id")?, frozen)),
            None => open.push(row),
        }
    }
    for row in &open {
        digest::split_if_large(conn, row).await?;
    }
    for (row, notification) in
        open.iter().zip(notifications::read_notifications(conn, &open, now).await?)
    {
        let (message, receiver) = (row.try_get("id")?, receiver_from_row(notifier, row)?);
        match render(&receiver, &notification) {
            Ok(payload) => drop(payloads.insert(message, payload)),
            Err(why) => dead_letter(conn, message, &receiver, &why, now).await?,
        }
    }
    Ok(payloads)
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

/// Writes the leases and the payloads.
async fn write_leases(
    conn: &mut SqliteConnection,
    attempts: &BTreeMap<i64, i64>,
    payloads: &BTreeMap<i64, Vec<u8>>,
) -> Result<(), sqlx::Error> {
    let mut update = QueryBuilder::<Sqlite>::new("WITH leased (message, attempt, payload) AS (");
    update.push_values(attempts, |mut values, (message, attempt)| {
        values.push_bind(message).push_bind(attempt).push_bind(payloads[message].as_slice());
    });
    let next = next_message_status(MessageStatus::Pending, MessageEvent::Leased)?;
    update.push(") UPDATE message SET status = ");
    update.push_bind(next.status.as_str());
    update.push(
        ", lease = leased.attempt, payload = leased.payload FROM leased WHERE message.id = leased.message",
    );
    update.build().execute(conn).await?;
    Ok(())
}

/// The leases of those messages that have a payload, in the order of `due`.
fn build_leases(
    notifier: &NotifierName,
    due: &[SqliteRow],
    attempts: &BTreeMap<i64, i64>,
    mut payloads: BTreeMap<i64, Vec<u8>>,
    now: Timestamp,
) -> Result<Vec<Lease>, sqlx::Error> {
    let mut leases = Vec::with_capacity(due.len());
    for row in due {
        let message = row.try_get("id")?;
        let Some((&attempt, payload)) = attempts.get(&message).zip(payloads.remove(&message))
        else {
            continue;
        };
        leases.push(Lease {
            message,
            attempt,
            receiver: receiver_from_row(notifier, row)?,
            id: row.try_get("uid")?,
            counted_attempts: row.try_get("counted_attempts")?,
            may_have_arrived: row.try_get("may_have_arrived")?,
            tried_since: read_optional_time(row, "tried_since")?.unwrap_or(now),
            is_digest: !column::is_null(row, "digest")?,
            payload,
        });
    }
    Ok(leases)
}
