//! Splits digests that are too large for one message: before the first attempt, or when the
//! receiver refuses the size.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::read_groups;
use crate::alerts::digest;
use crate::alerts::digest::DigestPart;
use crate::store::column::{self, to_json, to_millis};

/// Splits the digest of this row if it is too large for one message. The row keeps the first part.
/// New messages, due at the same time, have the others.
pub(in crate::store) async fn split_if_large(
    conn: &mut SqliteConnection,
    row: &SqliteRow,
) -> Result<(), sqlx::Error> {
    let message = row.try_get("id")?;
    if column::is_null(row, "digest")? || read_part(conn, message).await?.is_some() {
        return Ok(());
    }
    let (alerts, sizes) = read_alert_sizes(conn, message).await?;
    let shares = digest::part_sizes(&sizes);
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

/// Halves a digest of several alerts that its receiver refused as too large, and whose lease is
/// released. Both halves are due at `now` and have new ids.
pub(in crate::store) async fn halve_digest(
    conn: &mut SqliteConnection,
    message: i64,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let (alerts, _) = read_alert_sizes(conn, message).await?;
    let [first, second] = DigestPart::halves(read_part(conn, message).await?.as_ref());
    sqlx::query(
        "UPDATE message SET counted_attempts = 0, due = $3,
                uid = $2, key = 'digest:' || notifier || '/' || recipient || ':' || $2 WHERE id = $1",
    )
    .bind(message)
    .bind(uuid::Uuid::new_v4().to_string())
    .bind(to_millis(now))
    .execute(&mut *conn)
    .await?;
    write_part(conn, message, &first).await?;
    move_to_new_part(conn, message, &second, &alerts[alerts.len().div_ceil(2)..]).await
}

/// The alerts of a digest in its order, and the size of each in bytes.
async fn read_alert_sizes(
    conn: &mut SqliteConnection,
    message: i64,
) -> Result<(Vec<i64>, Vec<usize>), sqlx::Error> {
    let (mut ids, mut sizes) = (Vec::new(), Vec::new());
    for (group, alerts) in read_groups(conn, message).await? {
        for (entry, alert) in group.stories.iter().zip(alerts) {
            ids.push(alert);
            sizes.push(to_json(entry)?.len());
        }
    }
    Ok((ids, sizes))
}

/// Which part of a digest a message is. `None`: the digest is not split.
pub(super) async fn read_part(
    conn: &mut SqliteConnection,
    message: i64,
) -> Result<Option<DigestPart>, sqlx::Error> {
    let row =
        sqlx::query("SELECT part FROM message WHERE id = $1").bind(message).fetch_one(conn).await?;
    column::read_optional_json(&row, "part")
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
    let new_message: i64 = sqlx::query_scalar(
        "INSERT INTO message (key, uid, notifier, recipient, created, status, due, digest, part)
         SELECT 'digest:' || notifier || '/' || recipient || ':' || $2, $2, notifier, recipient, created, 'pending', due, digest, $3
         FROM message WHERE id = $1 RETURNING id",
    )
    .bind(message)
    .bind(uuid::Uuid::new_v4().to_string())
    .bind(to_json(part)?)
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query(
        "UPDATE message_alert SET message = $1
         WHERE message = $2 AND alert IN (SELECT value FROM json_each($3))",
    )
    .bind(new_message)
    .bind(message)
    .bind(to_json(&alerts)?)
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
