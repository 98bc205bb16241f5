//! Splits digests that are too large for one message: before the first attempt, or when the
//! receiver refuses the size.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{move_alerts, read_stories};
use crate::alerts::digest::DigestPart;
use crate::store::column::{self, execute_list, to_json, to_millis};
use crate::store::db::{self, DbConnection, SqlList};
use crate::store::dialect::sql;

/// A digest's message, and its parts with their alerts.
type Parts = (i64, Vec<(DigestPart, Vec<i64>)>);

/// Splits digests, each into parts of these alerts. The message keeps the first part. New messages,
/// due at the same time, have the others.
pub(in crate::store) async fn split_digests(
    conn: &mut DbConnection<'_>,
    digests: Vec<(i64, Vec<Vec<i64>>)>,
) -> Result<(), sqlx::Error> {
    let digests = digests.into_iter().map(|(message, parts)| {
        let all = parts.len();
        let numbered = (1..).zip(parts);
        (message, numbered.map(|(number, alerts)| (DigestPart::new(number, all), alerts)).collect())
    });
    move_to_parts(conn, digests.collect()).await
}

/// Halves digests of several alerts that their receivers refused as too large, and whose leases are
/// released. Both halves are due at `now` and have new ids.
pub(in crate::store) async fn halve_digests(
    conn: &mut DbConnection<'_>,
    messages: &[i64],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if messages.is_empty() {
        return Ok(());
    }
    let mut stories = read_stories(conn, messages).await?;
    let uids = messages.iter().map(|message| (message, uuid::Uuid::new_v4().to_string()));
    let rows = db::query(sql!(
        "UPDATE message SET counted_attempts = 0, due = $2, uid = given.uid,
                key = 'digest:' || notifier || '/' || recipient || ':' || given.uid
         FROM ",
        row_list!("$1", 0 message BIGINT, 1 uid TEXT),
        " AS given WHERE message.id = given.message RETURNING message.id, message.part"
    ))
    .bind(SqlList::new(&uids.collect::<Vec<_>>())?)
    .bind(to_millis(now))
    .fetch_all(&mut *conn)
    .await?;
    let mut halves: Vec<Parts> = Vec::with_capacity(rows.len());
    for row in &rows {
        let message = row.try_get("id")?;
        let part = column::read_optional_json(row, "part")?;
        let mut first_alerts = stories.remove(&message).unwrap_or_default().alerts();
        let second_alerts = first_alerts.split_off(first_alerts.len().div_ceil(2));
        let [first, second] = DigestPart::halves(part.as_ref());
        halves.push((message, vec![(first, first_alerts), (second, second_alerts)]));
    }
    move_to_parts(conn, halves).await
}

/// Makes each message the first of its parts, and moves the alerts of the others to new messages.
async fn move_to_parts(
    conn: &mut DbConnection<'_>,
    digests: Vec<Parts>,
) -> Result<(), sqlx::Error> {
    if digests.is_empty() {
        return Ok(());
    }
    let (mut first, mut others, mut alerts_of) = (Vec::new(), Vec::new(), HashMap::new());
    for (message, parts) in digests {
        for (place, (part, alerts)) in parts.into_iter().enumerate() {
            let part = to_json(&part)?;
            if place == 0 {
                first.push((message, part));
            } else {
                let uid = uuid::Uuid::new_v4().to_string();
                others.push((others.len(), message, uid.clone(), part));
                alerts_of.insert(uid, (message, alerts));
            }
        }
    }
    let update = sql!(
        "UPDATE message SET part = given.part FROM ",
        row_list!("$1", 0 message BIGINT, 1 part TEXT),
        " AS given WHERE message.id = given.message"
    );
    execute_list(conn, update, &first).await?;
    let inserted: Vec<(i64, String)> = db::query_as(sql!(
        "INSERT INTO message (key, uid, notifier, recipient, created, status, due, digest, part)
         SELECT 'digest:' || notifier || '/' || recipient || ':' || given.uid, given.uid, notifier,
                recipient, created, status, due, digest, given.part
         FROM ",
        row_list!("$1", 0 number BIGINT, 1 message BIGINT, 2 uid TEXT, 3 part TEXT),
        " AS given JOIN message ON message.id = given.message ORDER BY given.number RETURNING id, uid"
    ))
    .bind(SqlList::new(&others)?)
    .fetch_all(&mut *conn)
    .await?;
    let mut moved = Vec::new();
    for (part, uid) in inserted {
        let (message, alerts) = alerts_of.remove(&uid).ok_or(sqlx::Error::RowNotFound)?;
        moved.extend(alerts.into_iter().map(|alert| (message, alert, part)));
    }
    move_alerts(conn, &moved).await
}

#[cfg(test)]
mod tests;
