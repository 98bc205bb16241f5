//! The table `alert_index`, which is known only here: of FTS5 in `SQLite`, with an index of arrays
//! in `PostgreSQL`.

use std::collections::BTreeSet;

use super::AlertSpan;
use crate::store::column::execute_list;
use crate::store::db::{self, DbConnection, Sql, StatementBuilder};
use crate::store::dialect::sql;

const FIND: Sql = Sql {
    sqlite: "SELECT alert.id FROM alert_index CROSS JOIN alert ON alert.id = alert_index.rowid
         WHERE alert_index MATCH $1 AND alert_index.rowid >= $2 AND alert_index.rowid <= $3
           AND alert.created >= $4 AND alert.created < $5 AND alert.index_lag = 0
           AND ($6 IS NULL OR alert.held = $6)
         ORDER BY alert_index.rowid DESC LIMIT $7",
    postgres: "SELECT alert.id FROM alert_index JOIN alert ON alert.id = alert_index.rowid
         WHERE string_to_array(alert_index.terms, ' ') @> string_to_array(replace($1, '\"', ''), ' ')
           AND alert_index.rowid >= $2 AND alert_index.rowid <= $3
           AND alert.created >= $4 AND alert.created < $5 AND alert.index_lag = 0
           AND (CAST($6 AS BOOLEAN) IS NULL OR alert.held = $6)
         ORDER BY alert_index.rowid DESC LIMIT $7",
};

/// The newest alerts of `span` that the index has with all of these terms, at least one, and as
/// they are now; newest first, at most `limit`.
pub(super) async fn find_newest(
    conn: &mut DbConnection<'_>,
    terms: &BTreeSet<String>,
    span: AlertSpan,
    limit: usize,
) -> Result<Vec<i64>, sqlx::Error> {
    // No term has a quote or a space.
    let quoted: Vec<String> = terms.iter().map(|term| format!("\"{term}\"")).collect();
    db::query_scalar(FIND)
        .bind(quoted.join(" "))
        .bind(span.oldest)
        .bind(span.newest)
        .bind(span.since)
        .bind(span.until)
        .bind(span.held)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(conn)
        .await
}

/// Indexes alerts with these terms instead of those of before.
pub(super) async fn replace_alerts(
    conn: &mut DbConnection<'_>,
    alerts: Vec<(i64, BTreeSet<String>)>,
) -> Result<(), sqlx::Error> {
    if alerts.is_empty() {
        return Ok(());
    }
    remove_alerts(conn, &alerts.iter().map(|(alert, _)| *alert).collect::<Vec<_>>()).await?;
    let mut insert = StatementBuilder::new("INSERT INTO alert_index (rowid, terms) ");
    insert.push_values(alerts, |values, (alert, terms)| {
        let terms: Vec<String> = terms.into_iter().collect();
        values.push_bind(alert).push_bind(terms.join(" "));
    });
    insert.build().execute(conn).await?;
    Ok(())
}

/// Removes alerts from the index.
pub(in crate::store) async fn remove_alerts(
    conn: &mut DbConnection<'_>,
    alerts: &[i64],
) -> Result<(), sqlx::Error> {
    let delete = sql!("DELETE FROM alert_index WHERE rowid IN ", id_list!("$1"));
    execute_list(conn, delete, &alerts).await
}
