//! Digests that are too large for one message: split before they are first sent, or when their
//! receiver says so.

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};

use super::read_groups;
use crate::alerts::digest;
use crate::alerts::digest::DigestPart;
use crate::store::column::{self, to_json, to_millis};

/// Splits the digest of this row if it is too large for one message. The row keeps the first part;
/// messages of their own, due as it is, have the others.
pub(in crate::store) async fn split_if_large(
    conn: &mut SqliteConnection,
    row: &SqliteRow,
) -> Result<(), sqlx::Error> {
    let message = row.try_get("id")?;
    if row.try_get::<Option<&str>, _>("digest")?.is_none()
        || read_part(conn, message).await?.is_some()
    {
        return Ok(());
    }
    let (alerts, sizes) = read_alert_sizes(conn, message).await?;
    let shares = digest::shares(&sizes);
    if shares.len() < 2 {
        return Ok(());
    }
    write_part(conn, message, &DigestPart::new(1, shares.len())).await?;
    let mut rest = alerts.into_iter().skip(shares[0]);
    for (number, share) in shares.iter().enumerate().skip(1) {
        let part = DigestPart::new(number + 1, shares.len());
        move_to_new_part(conn, message, &part, &rest.by_ref().take(*share).collect::<Vec<_>>())
            .await?;
    }
    Ok(())
}

/// Halves a digest that its receiver refused as too large: both halves are due at `now`, under ids
/// that the receiver does not know. `false`: there is nothing to halve, and the message stays as it
/// is.
pub(in crate::store) async fn halve_digest(
    conn: &mut SqliteConnection,
    message: i64,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let is_digest: bool =
        sqlx::query_scalar("SELECT digest IS NOT NULL FROM message WHERE id = $1")
            .bind(message)
            .fetch_one(&mut *conn)
            .await?;
    let (alerts, _) =
        if is_digest { read_alert_sizes(conn, message).await? } else { Default::default() };
    if alerts.len() < 2 {
        return Ok(false);
    }
    let [first, second] = DigestPart::halves(read_part(conn, message).await?.as_ref());
    sqlx::query(
        "UPDATE message SET status = 'pending', lease = NULL, payload = NULL, counted_attempts = 0, unreached = 0, due = $3,
                uid = $2, key = 'digest:' || notifier || '/' || recipient || ':' || $2 WHERE id = $1",
    )
    .bind(message)
    .bind(uuid::Uuid::new_v4().to_string())
    .bind(to_millis(now))
    .execute(&mut *conn)
    .await?;
    write_part(conn, message, &first).await?;
    move_to_new_part(conn, message, &second, &alerts[alerts.len().div_ceil(2)..]).await?;
    Ok(true)
}

/// The alerts of a digest in its order, and how many bytes of its payload each takes.
async fn read_alert_sizes(
    conn: &mut SqliteConnection,
    message: i64,
) -> Result<(Vec<i64>, Vec<usize>), sqlx::Error> {
    let mut all = (Vec::new(), Vec::new());
    for (group, alerts) in read_groups(conn, message).await? {
        for (entry, alert) in group.stories.iter().zip(alerts) {
            all.0.push(alert);
            all.1.push(to_json(entry)?.len());
        }
    }
    Ok(all)
}

/// Which part of a digest a message is.
pub(super) async fn read_part(
    conn: &mut SqliteConnection,
    message: i64,
) -> Result<Option<DigestPart>, sqlx::Error> {
    let row =
        sqlx::query("SELECT part FROM message WHERE id = $1").bind(message).fetch_one(conn).await?;
    match row.try_get::<Option<&str>, _>("part")? {
        Some(_) => column::read_json(&row, "part").map(Some),
        None => Ok(None),
    }
}

async fn write_part(
    conn: &mut SqliteConnection,
    message: i64,
    part: &DigestPart,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE message SET part = $2 WHERE id = $1")
        .bind(message)
        .bind(to_json(part)?)
        .execute(conn)
        .await?;
    Ok(())
}

/// Moves these alerts of the digest `message` to a new message.
async fn move_to_new_part(
    conn: &mut SqliteConnection,
    message: i64,
    part: &DigestPart,
    alerts: &[i64],
) -> Result<(), sqlx::Error> {
    let other: i64 = sqlx::query_scalar(
        "INSERT INTO message (key, uid, notifier, recipient, created, status, due, digest, part)
         SELECT 'digest:' || notifier || '/' || recipient || ':' || $2, $2, notifier, recipient, created, 'pending', due, digest, $3
         FROM message WHERE id = $1 RETURNING id",
    )
    .bind(message)
    .bind(uuid::Uuid::new_v4().to_string())
    .bind(to_json(part)?)
    .fetch_one(&mut *conn)
    .await?;
    let mut update = QueryBuilder::<Sqlite>::new("UPDATE message_alert SET message = ");
    update.push_bind(other).push(" WHERE message = ").push_bind(message).push(" AND alert IN ");
    update.push_tuples(alerts, |mut tuple, alert| {
        tuple.push_bind(alert);
    });
    update.build().execute(conn).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
