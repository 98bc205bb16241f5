//! Since when the events of groups with a `spike` are counted.

use jiff::Timestamp;

use super::column::{from_millis, to_millis};
use super::dialect::sql;
use super::{Store, StoreError};
use crate::store::db::{self, DbConnection, SqlList};

/// A group of a rule with `spike`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedGroup {
    /// The rule.
    pub rule: String,
    /// The id of the row; empty for a rule without `each`.
    pub dedup_key: String,
    /// Since when its events are counted.
    pub since: Timestamp,
    /// Since when no rule in force has it; `None`: one has.
    pub gone: Option<Timestamp>,
}

impl Store {
    /// The groups whose events are counted, or were until not long ago.
    pub async fn counted_groups(&self) -> Result<Vec<CountedGroup>, StoreError> {
        let rows: Vec<(String, String, i64, Option<i64>)> =
            db::query_as("SELECT rule, dedup_key, since, gone FROM counted_group")
                .fetch_all(&self.readers)
                .await?;
        let groups = rows.into_iter().map(|(rule, dedup_key, since, gone)| {
            let gone = gone.map(from_millis).transpose()?;
            Ok(CountedGroup { rule, dedup_key, since: from_millis(since)?, gone })
        });
        groups.collect()
    }
}

/// Records groups, each in place of what was recorded of it.
pub(super) async fn write_counted_groups(
    conn: &mut DbConnection<'_>,
    groups: Vec<CountedGroup>,
) -> Result<(), sqlx::Error> {
    let insert = sql!(
        "INSERT INTO counted_group (rule, dedup_key, since, gone) SELECT * FROM ",
        row_list!("$1", 0 rule TEXT, 1 dedup_key TEXT, 2 since BIGINT, 3 gone BIGINT),
        " AS given WHERE TRUE
         ON CONFLICT (rule, dedup_key) DO UPDATE SET since = excluded.since, gone = excluded.gone"
    );
    let row = |group: CountedGroup| {
        let CountedGroup { rule, dedup_key, since, gone } = group;
        (rule, dedup_key, to_millis(since), gone.map(to_millis))
    };
    let rows = SqlList::new(&groups.into_iter().map(row).collect::<Vec<_>>())?;
    db::query(insert).bind(rows).execute(conn).await.map(drop)
}
