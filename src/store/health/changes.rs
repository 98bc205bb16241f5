//! Writes how the attempts of one turn changed the health of their receivers.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Sqlite};

use super::{bring_retries_forward, insert_recovery_notice};
use crate::alerts::receiver_health::HealthChanges;
use crate::store::column::to_millis;

/// Writes the changes. Messages to receivers that are back are tried soon. Receivers that were
/// notified that others were away get a notice that those are back.
pub(in crate::store) async fn write_changes(
    conn: &mut SqliteConnection,
    changes: &HealthChanges,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    write_health(conn, changes, now).await?;
    write_refusals(conn, changes).await?;
    for (receiver, before) in &changes.recovered {
        if before.is_open() {
            bring_retries_forward(conn, receiver, now).await?;
        }
        if before.announced {
            insert_recovery_notice(conn, receiver, before, now).await?;
        }
    }
    Ok(())
}

async fn write_health(
    conn: &mut SqliteConnection,
    changes: &HealthChanges,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if changes.changed.is_empty() {
        return Ok(());
    }
    let mut delete =
        QueryBuilder::<Sqlite>::new("DELETE FROM health WHERE (notifier, recipient) IN (");
    delete.push_values(&changes.changed, |mut values, receiver| {
        values.push_bind(&receiver.notifier.0).push_bind(&receiver.recipient);
    });
    delete.push(")");
    delete.build().execute(&mut *conn).await?;
    let away = changes.changed.iter().filter_map(|one| Some((one, changes.health.away.get(one)?)));
    let away: Vec<_> = away.collect();
    if away.is_empty() {
        return Ok(());
    }
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO health (notifier, recipient, failures, since, rests_until, rest_set_at, why, announced) ",
    );
    insert.push_values(away, |mut values, (receiver, state)| {
        values
            .push_bind(&receiver.notifier.0)
            .push_bind(&receiver.recipient)
            .push_bind(i64::from(state.failures))
            .push_bind(to_millis(state.since))
            .push_bind(to_millis(state.rests_until))
            .push_bind(to_millis(now))
            .push_bind(&state.why)
            .push_bind(state.announced);
    });
    insert.build().execute(conn).await?;
    Ok(())
}

async fn write_refusals(
    conn: &mut SqliteConnection,
    changes: &HealthChanges,
) -> Result<(), sqlx::Error> {
    if changes.refusals.is_empty() {
        return Ok(());
    }
    let mut delete =
        QueryBuilder::<Sqlite>::new("DELETE FROM refusal WHERE (notifier, recipient) IN (");
    delete.push_values(&changes.refusals, |mut values, receiver| {
        values.push_bind(&receiver.notifier.0).push_bind(&receiver.recipient);
    });
    delete.push(")");
    delete.build().execute(&mut *conn).await?;
    let refused =
        changes.refusals.iter().filter_map(|one| Some((one, changes.health.refusals.get(one)?)));
    let refused: Vec<_> = refused.collect();
    if refused.is_empty() {
        return Ok(());
    }
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO refusal (notifier, recipient, since, why, announced) ",
    );
    insert.push_values(refused, |mut values, (receiver, refusal)| {
        values
            .push_bind(&receiver.notifier.0)
            .push_bind(&receiver.recipient)
            .push_bind(to_millis(refusal.since))
            .push_bind(&refusal.why)
            .push_bind(refusal.announced);
    });
    insert.build().execute(conn).await?;
    Ok(())
}
