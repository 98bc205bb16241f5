//! Stored rules: every version that was in force, the rule set of all nodes, and its rules that
//! have a condition.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::column::{read_json, to_json, to_millis};
use super::counted_groups::write_counted_groups;
use super::dialect::sql;
use super::{CountedGroup, Store, StoreError, run_lease};
use crate::store::db::{self, DbConnection, Sql, SqlList};
use tidings_rules::story::WatchlistRow;

/// The groups of a rule in force that has a condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionalGroups {
    /// The condition in words.
    pub condition: String,
    /// Whether it is an `absent`.
    pub is_absent: bool,
    /// Its rows, each by its id with its label; `None`: it has no `each`.
    pub rows: Option<BTreeMap<String, String>>,
    /// The time from which on it matches nothing; `None`: it does not expire.
    pub until: Option<Timestamp>,
}

impl ConditionalGroups {
    /// Whether the rule has a group with that row, or none, and may match at `now`.
    pub(super) fn has(&self, dedup_key: &str, now: Timestamp) -> bool {
        let has_row = match &self.rows {
            Some(rows) => rows.contains_key(dedup_key),
            None => dedup_key.is_empty(),
        };
        has_row && self.until.is_none_or(|until| until > now)
    }

    /// The row with that id, as it is in force.
    pub(super) fn row(&self, id: &str) -> Option<WatchlistRow> {
        let (id, label) = self.rows.as_ref()?.get_key_value(id)?;
        Some(WatchlistRow { id: id.clone(), label: label.clone() })
    }
}

/// The rule files of a store: those of all its nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSet {
    /// How often the files were changed.
    pub number: i64,
    /// The last good text of every rule file and table, by its name.
    pub files: BTreeMap<String, String>,
}

/// A rule set to be recorded.
#[derive(Clone, Debug, Default)]
pub struct NewRuleSet {
    /// The last good text of every rule file and table, by its name.
    pub files: BTreeMap<String, String>,
    /// Their rules that have a condition, by name.
    pub conditional: BTreeMap<String, ConditionalGroups>,
    /// The groups with a `spike` of which something else is recorded from now on.
    pub counted: Vec<CountedGroup>,
}

/// What became of a rule set that was to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleSetOutcome {
    /// It is recorded, and has this number.
    Recorded(i64),
    /// Another node was faster. Nothing was written.
    Overtaken,
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

    /// The rule set as it is stored.
    pub async fn rule_set(&self) -> Result<RuleSet, StoreError> {
        let rows: Vec<(i64, Option<String>, Option<String>)> = db::query_as(
            "SELECT number, name, text FROM rule_set LEFT JOIN rule_file ON TRUE ORDER BY name",
        )
        .fetch_all(&self.readers)
        .await?;
        let number = rows.first().map_or(0, |(number, ..)| *number);
        let files = rows.into_iter().filter_map(|(_, name, text)| Some((name?, text?)));
        Ok(RuleSet { number, files: files.collect() })
    }

    /// The number of the rule set.
    pub async fn rule_set_number(&self) -> Result<i64, StoreError> {
        Ok(db::query_scalar("SELECT number FROM rule_set").fetch_one(&self.readers).await?)
    }

    /// Replaces the rule set by `new` if its number is still `base`: what is replaced is what `new`
    /// was made from. The number is raised if the files differ.
    pub async fn replace_rule_set(
        &self,
        base: i64,
        new: NewRuleSet,
        now: Timestamp,
    ) -> Result<RuleSetOutcome, StoreError> {
        let NewRuleSet { files, conditional, counted } = new;
        let groups = conditional.into_iter().map(|(rule, groups)| Ok((rule, to_json(&groups)?)));
        let groups = SqlList::new(&groups.collect::<Result<Vec<_>, sqlx::Error>>()?)?;
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    let differs = read_rule_files(conn).await? != files;
                    let Some(number) = raise_number(conn, base, differs).await? else {
                        return Ok(RuleSetOutcome::Overtaken);
                    };
                    if differs {
                        write_rule_files(conn, files, now).await?;
                    }
                    write_conditional_rules(conn, groups).await?;
                    write_counted_groups(conn, counted).await?;
                    Ok(RuleSetOutcome::Recorded(number))
                })
            })
            .await
    }

    /// Records what the run with this number has in force. Nodes whose runs differ are warned of.
    pub async fn record_in_force(
        &self,
        run: i64,
        rule_set: i64,
        config_hash: String,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |conn| {
                Box::pin(async move {
                    db::query("UPDATE run SET rule_set = $2, config_hash = $3 WHERE id = $1")
                        .bind(run)
                        .bind(rule_set)
                        .bind(config_hash)
                        .execute(conn)
                        .await
                        .map(drop)
                })
            })
            .await
    }

    /// Whether other nodes may change the rule set: the run shares the store with them.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.joint_run().is_some()
    }

    /// Whether another run with a live lease has rules in force.
    pub async fn has_rules_of_others(&self) -> Result<bool, StoreError> {
        let Some(run) = self.joint_run() else { return Ok(false) };
        let mut conn = self.readers.acquire().await?;
        Ok(run_lease::has_rules_of_others(&mut conn, run).await?)
    }
}

/// The rule files as they are stored.
async fn read_rule_files(
    conn: &mut DbConnection<'_>,
) -> Result<BTreeMap<String, String>, sqlx::Error> {
    let read = db::query_as("SELECT name, text FROM rule_file");
    let files: Vec<(String, String)> = read.fetch_all(conn).await?;
    Ok(files.into_iter().collect())
}

/// Locks the number of the rule set, and raises it if the files differ. Returns the number; `None`:
/// it is not `base` any more.
async fn raise_number(
    conn: &mut DbConnection<'_>,
    base: i64,
    differs: bool,
) -> Result<Option<i64>, sqlx::Error> {
    let raise = "UPDATE rule_set SET number = number + $2 WHERE number = $1 RETURNING number";
    db::query_scalar(raise).bind(base).bind(i64::from(differs)).fetch_optional(conn).await
}

async fn write_rule_files(
    conn: &mut DbConnection<'_>,
    files: BTreeMap<String, String>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let insert = sql!(
        "INSERT INTO rule_file (name, text, stored_at) SELECT name, text, $2 FROM ",
        row_list!("$1", 0 name TEXT, 1 text TEXT),
        " AS given"
    );
    db::query("DELETE FROM rule_file").execute(&mut *conn).await?;
    insert_texts(conn, insert, files.into_iter().collect(), now).await
}

async fn write_conditional_rules(
    conn: &mut DbConnection<'_>,
    groups: SqlList,
) -> Result<(), sqlx::Error> {
    let insert = sql!(
        "INSERT INTO conditional_rule (rule, state) SELECT rule, state FROM ",
        row_list!("$1", 0 rule TEXT, 1 state TEXT),
        " AS given"
    );
    db::query("DELETE FROM conditional_rule").execute(&mut *conn).await?;
    db::query(insert).bind(groups).execute(conn).await.map(drop)
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
    use futures_util::future::join;

    use super::super::fixture::{Bench, at_second, open_beside};
    use super::RuleSetOutcome::{Overtaken, Recorded};
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    /// A rule set of these files, without conditions.
    fn set(files: &[(&str, &str)]) -> NewRuleSet {
        NewRuleSet { files: pairs(files).into_iter().collect(), ..NewRuleSet::default() }
    }

    /// One with a rule that has a condition and a group that is counted.
    fn counting_set(files: &[(&str, &str)], rule: &str) -> NewRuleSet {
        let groups = ConditionalGroups {
            condition: "a spike".to_owned(),
            is_absent: false,
            rows: None,
            until: None,
        };
        let counted = CountedGroup {
            rule: rule.to_owned(),
            dedup_key: String::new(),
            since: at_second(0),
            gone: None,
        };
        let conditional = BTreeMap::from([(rule.to_owned(), groups)]);
        NewRuleSet { conditional, counted: vec![counted], ..set(files) }
    }

    async fn replace(store: &Store, base: i64, new: NewRuleSet) -> RuleSetOutcome {
        store.replace_rule_set(base, new, at_second(0)).await.unwrap()
    }

    /// The rules with conditions, and the groups that are counted.
    async fn conditions(bench: &Bench) -> (Option<String>, Option<String>) {
        (
            bench.query_text("SELECT max(rule) FROM conditional_rule").await,
            bench.query_text("SELECT max(rule) FROM counted_group").await,
        )
    }

    #[tokio::test]
    async fn a_rule_set_is_replaced_as_a_whole() {
        let bench = Bench::new().await;
        assert_eq!(bench.store.rule_set().await.unwrap(), RuleSet::default());
        let first = set(&[("korea.yaml", "one"), ("gone.yaml", "two")]);
        assert_eq!(replace(&bench.store, 0, first).await, RuleSetOutcome::Recorded(1));
        let second = set(&[("arms.yaml", "three"), ("korea.yaml", "four")]);
        let files = second.files.clone();
        assert_eq!(replace(&bench.store, 1, second).await, RuleSetOutcome::Recorded(2));
        let bench = bench.crash_and_reopen().await;
        assert_eq!(bench.store.rule_set().await.unwrap(), RuleSet { number: 2, files });
        assert_eq!(bench.store.rule_set_number().await.unwrap(), 2);
        assert_eq!(replace(&bench.store, 2, set(&[])).await, RuleSetOutcome::Recorded(3));
        let empty = RuleSet { number: 3, ..RuleSet::default() };
        assert_eq!(bench.store.rule_set().await.unwrap(), empty);
    }

    #[tokio::test]
    async fn the_number_is_raised_only_if_a_file_differs() {
        let bench = Bench::new().await;
        let files = [("a.yaml", "one"), ("b.yaml", "two")];
        assert_eq!(replace(&bench.store, 0, set(&files)).await, RuleSetOutcome::Recorded(1));
        let again = counting_set(&files, "surge");
        assert_eq!(replace(&bench.store, 1, again).await, RuleSetOutcome::Recorded(1));
        let surge = Some("surge".to_owned());
        assert_eq!(conditions(&bench).await, (surge.clone(), surge));
        for (base, files) in
            [(1, &[("a.yaml", "one")][..]), (2, &[("c.yaml", "one")]), (3, &[("c.yaml", "three")])]
        {
            let outcome = replace(&bench.store, base, set(files)).await;
            assert_eq!(outcome, RuleSetOutcome::Recorded(base + 1), "{files:?}");
        }
    }

    #[tokio::test]
    async fn of_two_sets_that_were_made_from_the_same_one_only_the_first_is_written() {
        let bench = Bench::new().await;
        let first = counting_set(&[("a.yaml", "one")], "a");
        assert_eq!(replace(&bench.store, 0, first).await, RuleSetOutcome::Recorded(1));
        for base in [0, 2] {
            let late = counting_set(&[("b.yaml", "two")], "b");
            assert_eq!(replace(&bench.store, base, late).await, RuleSetOutcome::Overtaken);
        }
        let set = bench.store.rule_set().await.unwrap();
        assert_eq!((set.number, set.files), (1, pairs(&[("a.yaml", "one")]).into_iter().collect()));
        assert_eq!(conditions(&bench).await, (Some("a".to_owned()), Some("a".to_owned())));
    }

    #[tokio::test]
    async fn of_two_nodes_that_record_at_once_one_is_overtaken() {
        let bench = Bench::new().await;
        let other = open_beside(&bench.place()).await;
        for base in 0..5 {
            let one = set(&[("a.yaml", &base.to_string())]);
            let two = set(&[("b.yaml", &base.to_string())]);
            let outcomes = join(replace(&bench.store, base, one), replace(&other, base, two)).await;
            let ((Recorded(number), Overtaken) | (Overtaken, Recorded(number))) = outcomes else {
                panic!("{outcomes:?}")
            };
            assert_eq!(number, base + 1);
            assert_eq!(other.rule_set().await.unwrap().files.len(), 1);
        }
    }

    #[tokio::test]
    async fn a_run_records_what_it_has_in_force() {
        let bench = Bench::new().await;
        let run = bench.start_run(&[]).await;
        bench.store.record_in_force(run, 7, "5f".to_owned()).await.unwrap();
        let found = "SELECT rule_set || ' ' || config_hash FROM run";
        assert_eq!(bench.query_text(found).await.as_deref(), Some("7 5f"));
        assert!(!bench.store.has_rules_of_others().await.unwrap());
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
