//! `SQLite` plans every statement of the store. No statement reads a whole table that grows, except
//! those with a stated reason.

use std::path::Path;

use regex::Regex;
use sqlx::{AssertSqlSafe, Row};

use super::fixture::Bench;

/// Tables and lists that stay small: tables of the configuration, and rows that a statement is
/// given.
const SMALL: [&str; 19] = [
    "backfill",
    "ended",
    "claim",
    "feed",
    "store_file",
    "found",
    "given",
    "health",
    "host",
    "json_each",
    "leased",
    "likely",
    "pragma_page_count",
    "pragma_page_size",
    "refusal",
    "rule_file",
    "sqlite_master",
    "waiting",
    "wanted",
];

/// Statements that may read a whole table, by a part of their text, with the reason.
const WHOLE: [(&str, &str); 4] = [
    ("SELECT (SELECT count(*) FROM story)", "a start counts what the store holds, once"),
    (
        "WHERE status IN ('awaits_page', 'awaits_match') AND due <= $1 ORDER BY waiting_since",
        "the index holds only stories that wait",
    ),
    (
        "WHERE status IN ('awaits_page', 'awaits_match') ORDER BY due",
        "the index holds only stories that wait, and the first few are read",
    ),
    (
        "INSERT INTO run (started)",
        "attempts are searched only where the transaction has left orphans",
    ),
];

/// The statements in Rust code without tests: literals that begin with an SQL keyword, and the
/// texts for a builder, joined.
fn statements(code: &str) -> Vec<String> {
    let part = Regex::new(
        r#"(?s)(?<new>QueryBuilder::<Sqlite>::new\()|(?<values>push_values\(.*?\}\);)|(?<tuples>push_tuples\(.*?\}\);)|(?<bind>\.push_bind\()|(?<build>\.build)|"(?<text>(?:[^"\\]|\\.)*)""#,
    )
    .unwrap();
    let verb = Regex::new(r"^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b").unwrap();
    let (mut found, mut built) = (Vec::new(), None::<String>);
    for part in part.captures_iter(code) {
        let text = part.name("text").map(|text| text.as_str());
        if part.name("new").is_some() {
            built = Some(String::new());
        } else if part.name("build").is_some() {
            found.extend(built.take());
        } else if let Some(built) = &mut built {
            let values =
                part.name("values").map(|part| part.as_str().matches(".push_bind(").count());
            let tuple = |columns: usize| format!("({})", vec!["?"; columns].join(", "));
            match (text, values) {
                (Some(text), _) => built.push_str(text),
                (None, Some(columns)) => built.extend(["VALUES ", &tuple(columns)]),
                (None, None) if part.name("tuples").is_some() => built.push_str("((?), (?))"),
                (None, None) => built.push('?'),
            }
        } else if let Some(sql) = text.filter(|text| verb.is_match(text)) {
            found.push(sql.to_owned());
        }
    }
    found
}

/// The statements of every file below `folder`.
fn all_statements(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_code = path.extension().is_some_and(|extension| extension == "rs");
        if path.is_dir() {
            found.extend(all_statements(&path));
        } else if is_code && !path.ends_with("tests.rs") && !path.ends_with("fixture.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.extend(statements(text.split("#[cfg(test)]\nmod tests {").next().unwrap()));
        }
    }
    found
}

/// The parts of a statement's plan that read a whole table that grows.
async fn scans(bench: &Bench, sql: &str) -> Vec<String> {
    let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
        .fetch_all(&bench.store.readers)
        .await;
    let plan = plan.unwrap_or_else(|why| panic!("{why}: {sql}"));
    let steps = plan.iter().map(|row| row.get::<String, _>("detail"));
    let is_scan = |step: &String| {
        let table = step
            .strip_prefix("SCAN ")
            .filter(|rest| !rest.contains("CONSTANT ROW") && !searches_index(rest));
        let table = table.and_then(|rest| rest.split(' ').next());
        table.is_some_and(|table| !table.starts_with('(') && !SMALL.contains(&table))
    };
    steps.filter(is_scan).collect()
}

/// Whether this step asks FTS5 for terms (`M`) or for a row (`=`). `SQLite` calls that a scan.
fn searches_index(step: &str) -> bool {
    let plan = step.split_once("alert_index VIRTUAL TABLE INDEX ");
    plan.is_some_and(|(_, plan)| plan.contains(['M', '=']))
}

#[tokio::test]
async fn no_statement_reads_a_whole_table_that_grows() {
    let bench = Bench::new().await;
    let statements = all_statements(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store"));
    assert!(statements.len() > 100, "only {} statements were found", statements.len());
    let mut wrong = Vec::new();
    for sql in &statements {
        let scans = scans(&bench, sql).await;
        let may = WHOLE.iter().any(|(part, _)| sql.contains(part));
        if may == scans.is_empty() {
            wrong.push(format!("{scans:?} in {sql}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    for (part, why) in WHOLE {
        assert!(
            statements.iter().any(|sql| sql.contains(part)),
            "`{part}` ({why}) is no statement any more"
        );
    }
}

#[tokio::test]
async fn a_statement_that_reads_a_whole_table_is_found() {
    let bench = Bench::new().await;
    for sql in [
        "SELECT 1 FROM message WHERE substr(key, 1, 3) = $1",
        "SELECT 1 FROM story AS copy WHERE url = $1",
        "UPDATE feed_entry SET url = $1 WHERE url = $2",
        "DELETE FROM attempt WHERE why = $1",
        "SELECT rowid FROM alert_index WHERE rowid < $1",
    ] {
        assert_eq!(scans(&bench, sql).await.len(), 1, "{sql}");
    }
    assert!(scans(&bench, "SELECT 1 FROM story WHERE id = $1").await.is_empty());
}

#[test]
fn literals_and_what_builders_are_given_are_found() {
    let code = r#"
        sqlx::query("SELECT 1 FROM story").bind("no statement");
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO run (id, started) ");
        insert.push_values(rows, |mut values, row| {
            values.push_bind(row).push_bind("text");
        });
        insert.push(" RETURNING id, ").push_bind(7).build_query_scalar();
        let mut select = QueryBuilder::<Sqlite>::new("SELECT id FROM run WHERE id IN ");
        select.push_tuples(ids, |mut tuple, id| {
            tuple.push_bind(id);
        });
        select.build();
        "DELETE FROM run"
    "#;
    let expected = [
        "SELECT 1 FROM story",
        "INSERT INTO run (id, started) VALUES (?, ?) RETURNING id, ?",
        "SELECT id FROM run WHERE id IN ((?), (?))",
        "DELETE FROM run",
    ];
    assert_eq!(statements(code), expected);
}
