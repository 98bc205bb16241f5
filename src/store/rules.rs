//! Stored rules: every version that was in force, the last good text of each file, and the rules in
//! force that have a condition.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::column::{read_json, to_json, to_millis};
use super::dialect::sql;
use super::{Store, StoreError};
use crate::store::db::{self, DbConnection, Sql, SqlList};

/// The groups of a rule in force that has a condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionalGroups {
    /// The condition in words.
    pub condition: String,
    /// Whether it is an `absent`.
    pub is_absent: bool,
    /// The ids of its rows; `None`: it has no `each`.
    pub rows: Option<BTreeSet<String>>,
    /// The time from which on it matches nothing; `None`: it does not expire.
    pub until: Option<Timestamp>,
}

impl ConditionalGroups {
    /// Whether the rule has a group with that row, or none, and may match at `now`.
    pub(super) fn has(&self, dedup_key: &str, now: Timestamp) -> bool {
        let has_row = match &self.rows {
            Some(rows) => rows.contains(dedup_key),
            None => dedup_key.is_empty(),
        };
        has_row && self.until.is_none_or(|until| until > now)
    }
}

impl Store {
    /// Stores the texts of rule versions, given as hash and text. A known hash keeps its text.
    pub async fn record_rule_versions(
        &self,
        versions: Vec<(String, String)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let insert = sql!(
            "INSERT INTO rule_version (hash, text, stored_at) SELECT hash, text, $2 FROM ",
            row_list!("$1", 0 hash TEXT, 1 text TEXT),
            " AS given WHERE TRUE ON CONFLICT (hash) DO NOTHING"
        );
        self.writer.write(move |conn| Box::pin(insert_texts(conn, insert, versions, now))).await
    }

    /// The last good text of every rule file: name and text, in the order of the names.
    pub async fn last_good_rule_files(&self) -> Result<Vec<(String, String)>, StoreError> {
        Ok(db::query_as("SELECT name, text FROM rule_file ORDER BY name")
            .fetch_all(&self.readers)
            .await?)
    }

    /// Replaces the last good texts by `files`, name and text; no name twice. `conditional` are
    /// their rules that have a condition, by name.
    pub async fn replace_rule_files(
        &self,
        files: Vec<(String, String)>,
        conditional: BTreeMap<String, ConditionalGroups>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let insert = sql!(
            "INSERT INTO rule_file (name, text, stored_at) SELECT name, text, $2 FROM ",
            row_list!("$1", 0 name TEXT, 1 text TEXT),
            " AS given"
        );
        let insert_groups = sql!(
            "INSERT INTO conditional_rule (rule, state) SELECT rule, state FROM ",
            row_list!("$1", 0 rule TEXT, 1 state TEXT),
            " AS given"
        );
        let groups = conditional.into_iter().map(|(rule, groups)| Ok((rule, to_json(&groups)?)));
        let groups = SqlList::new(&groups.collect::<Result<Vec<_>, sqlx::Error>>()?)?;
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    // LOCK: a second writer needs the number of the rule set here, raised by
                    // compare-and-set.
                    db::query("DELETE FROM rule_file").execute(&mut *conn).await?;
                    db::query("DELETE FROM conditional_rule").execute(&mut *conn).await?;
                    db::query(insert_groups).bind(groups).execute(&mut *conn).await?;
                    insert_texts(conn, insert, files, now).await
                })
            })
            .await
    }
}

/// What is in force of these rules, by name: those that have a condition.
pub(super) async fn read_conditional_rules(
    conn: &mut DbConnection<'_>,
    rules: &BTreeSet<&str>,
) -> Result<BTreeMap<String, ConditionalGroups>, sqlx::Error> {
    if rules.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = sql!("SELECT rule, state FROM conditional_rule WHERE rule IN ", text_list!("$1"));
    let rows = db::query(wanted).bind(SqlList::new(&rules)?).fetch_all(conn).await?;
    rows.iter().map(|row| Ok((row.try_get("rule")?, read_json(row, "state")?))).collect()
}

/// Inserts texts, each with its hash or name.
async fn insert_texts(
    conn: &mut DbConnection<'_>,
    sql: impl Into<Sql>,
    texts: Vec<(String, String)>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    db::query(sql).bind(SqlList::new(&texts)?).bind(to_millis(now)).execute(conn).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::fixture::{Bench, at_second};

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[tokio::test]
    async fn the_last_good_files_are_replaced_as_a_whole() {
        let bench = Bench::new().await;
        bench
            .store
            .replace_rule_files(
                pairs(&[("korea.yaml", "one"), ("gone.yaml", "two")]),
                BTreeMap::new(),
                at_second(0),
            )
            .await
            .unwrap();
        let now = pairs(&[("arms.yaml", "three"), ("korea.yaml", "four")]);
        bench.store.replace_rule_files(now.clone(), BTreeMap::new(), at_second(1)).await.unwrap();
        let bench = bench.crash_and_reopen().await;
        assert_eq!(bench.store.last_good_rule_files().await.unwrap(), now);
    }

    #[tokio::test]
    async fn a_rule_version_is_kept_once() {
        let bench = Bench::new().await;
        bench
            .store
            .record_rule_versions(pairs(&[("a1", "when: arms"), ("b2", "when: oil")]), at_second(0))
            .await
            .unwrap();
        bench
            .store
            .record_rule_versions(pairs(&[("a1", "something else")]), at_second(1))
            .await
            .unwrap();
        assert_eq!(
            bench.query_text("SELECT text FROM rule_version WHERE hash = 'a1'").await.unwrap(),
            "when: arms"
        );
        assert_eq!(bench.query_text("SELECT count(*) || '' FROM rule_version").await.unwrap(), "2");
    }
}
