//! Stored rules: every version that was in force, and the last good text of each file.

use jiff::Timestamp;

use super::column::to_millis;
use super::dialect::sql;
use super::{Store, StoreError};
use crate::store::db::{self, DbConnection, Sql, SqlList};

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

    /// Replaces the last good texts by `files`, name and text; no name twice.
    pub async fn replace_rule_files(
        &self,
        files: Vec<(String, String)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let insert = sql!(
            "INSERT INTO rule_file (name, text, stored_at) SELECT name, text, $2 FROM ",
            row_list!("$1", 0 name TEXT, 1 text TEXT),
            " AS given"
        );
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    // LOCK: a second writer needs the number of the rule set here, raised by
                    // compare-and-set.
                    db::query("DELETE FROM rule_file").execute(&mut *conn).await?;
                    insert_texts(conn, insert, files, now).await
                })
            })
            .await
    }
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
    use super::super::fixture::{Bench, at_second};

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[tokio::test]
    async fn the_last_good_files_are_replaced_as_a_whole() {
        let bench = Bench::new().await;
        bench
            .store
            .replace_rule_files(pairs(&[("korea.yaml", "one"), ("gone.yaml", "two")]), at_second(0))
            .await
            .unwrap();
        let now = pairs(&[("arms.yaml", "three"), ("korea.yaml", "four")]);
        bench.store.replace_rule_files(now.clone(), at_second(1)).await.unwrap();
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
