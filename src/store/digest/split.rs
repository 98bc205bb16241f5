//! Splits digests that are too large for one message: before the first attempt, or when the
//! receiver refuses the size.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Sqlite};

use super::{raise_revisions, read_stories};
use crate::alerts::digest::DigestPart;
use crate::store::column::{self, to_json, to_millis};
use crate::store::dialect::message_alert_list;

/// Splits a digest into parts of these alerts. The message keeps the first part. New messages, due
/// at the same time, have the others.
pub(in crate::store) async fn split_digest(
    conn: &mut SqliteConnection,
    message: i64,
    parts: &[Vec<i64>],
) -> Result<(), sqlx::Error> {
    let numbered = parts.iter().enumerate();
    let numbered: Vec<(DigestPart, &[i64])> = numbered
        .map(|(number, alerts)| (DigestPart::new(number + 1, parts.len()), alerts.as_slice()))
        .collect();
    move_to_parts(conn, message, &numbered).await
}

/// Halves a digest of several alerts that its receiver refused as too large, and whose lease is
/// released. Both halves are due at `now` and have new ids.
pub(in crate::store) async fn halve_digest(
    conn: &mut SqliteConnection,
    message: i64,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let stories = read_stories(conn, &[message]).await?.remove(&message).unwrap_or_default();
    let alerts = stories.alerts();
    let row = sqlx::query(
        "UPDATE message SET counted_attempts = 0, due = $3,
                uid = $2, key = 'digest:' || notifier || '/' || recipient || ':' || $2
         WHERE id = $1 RETURNING part",
    )
    .bind(message)
    .bind(uuid::Uuid::new_v4().to_string())
    .bind(to_millis(now))
    .fetch_one(&mut *conn)
    .await?;
    let part = column::read_optional_json(&row, "part")?;
    let [first, second] = DigestPart::halves(part.as_ref());
    let (first_alerts, second_alerts) = alerts.split_at(alerts.len().div_ceil(2));
    move_to_parts(conn, message, &[(first, first_alerts), (second, second_alerts)]).await
}

/// Makes `message` the first of these parts, and moves the alerts of the others to new messages.
async fn move_to_parts(
    conn: &mut SqliteConnection,
    message: i64,
    parts: &[(DigestPart, &[i64])],
) -> Result<(), sqlx::Error> {
    let Some(((first, _), others)) = parts.split_first() else { return Ok(()) };
    sqlx::query("UPDATE message SET part = $2 WHERE id = $1")
        .bind(message)
        .bind(to_json(first)?)
        .execute(&mut *conn)
        .await?;
    let new_messages = insert_parts(conn, message, others).await?;
    let moved: Vec<(i64, i64)> = new_messages
        .iter()
        .zip(others)
        .flat_map(|(new_message, (_, alerts))| alerts.iter().map(|alert| (*new_message, *alert)))
        .collect();
    sqlx::query(concat!(
        "UPDATE message_alert SET message = given.message FROM ",
        message_alert_list!("$2"),
        " AS given
         WHERE message_alert.message = $1 AND message_alert.alert = given.alert"
    ))
    .bind(message)
    .bind(to_json(&moved)?)
    .execute(&mut *conn)
    .await?;
    raise_revisions(conn, &[message]).await
}

/// Inserts a message for each of these parts of the digest `message`, and returns their rows in
/// this order.
async fn insert_parts(
    conn: &mut SqliteConnection,
    message: i64,
    parts: &[(DigestPart, &[i64])],
) -> Result<Vec<i64>, sqlx::Error> {
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let mut numbered = Vec::with_capacity(parts.len());
    for (number, (part, _)) in (0_i64..).zip(parts) {
        numbered.push((number, uuid::Uuid::new_v4().to_string(), to_json(part)?));
    }
    let mut insert = QueryBuilder::<Sqlite>::new("WITH given (number, uid, part) AS (");
    insert.push_values(&numbered, |mut values, (number, uid, part)| {
        values.push_bind(*number).push_bind(uid).push_bind(part);
    });
    insert.push(
        ") INSERT INTO message (key, uid, notifier, recipient, created, status, due, digest, part)
         SELECT 'digest:' || notifier || '/' || recipient || ':' || given.uid, given.uid, notifier,
                recipient, created, status, due, digest, given.part
         FROM given CROSS JOIN message WHERE message.id = ",
    );
    insert.push_bind(message).push(" ORDER BY given.number RETURNING id, uid");
    let inserted: Vec<(i64, String)> = insert.build_query_as().fetch_all(conn).await?;
    let row_of = |uid: &str| inserted.iter().find(|(_, other)| other == uid).map(|(id, _)| *id);
    numbered.iter().map(|(_, uid, _)| row_of(uid).ok_or(sqlx::Error::RowNotFound)).collect()
}

#[cfg(test)]
mod tests;
