//! `SQLite` plans every statement of the store. No statement reads a whole table that grows, except
//! those with a stated reason. No statement has a form that `PostgreSQL` does not take.

mod long_texts;

use std::path::Path;

use regex::{Captures, Regex};
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{AssertSqlSafe, Row};

use super::db::DbPool;
use super::dialect::sql;
use super::fixture::Bench;

/// Tables and lists that stay small: tables of the configuration, and rows that a statement is
/// given.
const SMALL: [&str; 26] = [
    "absence",
    "backfill",
    "backup",
    "ended",
    "expired",
    "claim",
    "conditional_rule",
    "counted_group",
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
    "rule_set",
    "sqlite_master",
    "step",
    "waiting",
    "wanted",
];

/// Statements that may read a whole table, by a part of their text, with the reason.
const WHOLE: [(&str, &str); 3] = [
    (
        "min(due) AS due FROM message",
        "the index holds only messages that are not sent, and the status counts them",
    ),
    ("SELECT (SELECT count(*) FROM story)", "a start counts what the store holds, once"),
    (
        "INSERT INTO run (started, seen, reloaded)",
        "attempts are searched only where the transaction has left orphans",
    ),
];

/// The files about the file of an `SQLite` store.
const OF_FILE: [&str; 3] = ["damage.rs", "open.rs", "open_mark.rs"];

/// The database whose texts of statements are looked at.
#[derive(Clone, Copy, PartialEq)]
enum DatabaseKind {
    Sqlite,
    Postgres,
}

/// Code in which every `sql!` and `concat!` is one literal, with the parts for one database. `list`
/// gives the part that a macro of `dialect.rs` stands for: of its kind, placeholder and columns.
fn join_literals(
    code: &str,
    side: DatabaseKind,
    list: impl Fn(&str, &str, &str) -> String,
) -> String {
    let text = r#""(?:[^"\\]|\\.)*""#;
    let literal = r#""((?:[^"\\]|\\.)*)"\s*,?\s*"#;
    let regex = |pattern: &str| Regex::new(&format!("(?s){pattern}")).unwrap();
    let a_list = regex(r#"(id|text|row)_list!\(\s*"([^"]*)"((?:,\s*\d+ \w+ \w+)*),?\s*\)"#);
    let concat = regex(&format!(r"(?:concat|sql)!\(\s*((?:{literal})+)\)"));
    let either = regex(&format!(r"either!\(\s*({text}),\s*({text})\s*,?\s*\)"));
    let literal = regex(literal);
    let (one, other) =
        if side == DatabaseKind::Sqlite { ("$1", "postgres") } else { ("$2", "sqlite") };
    let code = either.replace_all(code, one);
    let code = regex(&format!("{other}: {text}")).replace_all(&code, "").into_owned();
    let code = a_list.replace_all(&code, |part: &Captures<'_>| {
        format!("\"{}\"", list(&part[1], &part[2], &part[3]))
    });
    let joined = concat.replace_all(&code, |part: &Captures<'_>| {
        let texts = literal.captures_iter(&part[1]).map(|text| text[1].to_owned());
        format!("\"{}\"", texts.collect::<String>())
    });
    joined.into_owned()
}

/// What `SQLite` takes for a macro of `dialect.rs` with this placeholder and these columns.
fn list_of_sqlite(_: &str, placeholder: &str, columns: &str) -> String {
    let columns = columns.split_terminator(',').filter_map(|column| {
        let mut words = column.split_whitespace();
        Some(format!("value ->> {} AS {}", words.next()?, words.next()?))
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    let columns = if columns.is_empty() { "value" } else { &columns };
    format!("(SELECT {columns} FROM json_each({placeholder}))")
}

/// What `PostgreSQL` takes for it.
fn list_of_postgres(kind: &str, placeholder: &str, columns: &str) -> String {
    let columns = columns.split_terminator(',').filter_map(|column| {
        let mut words = column.split_whitespace();
        let (place, name, kind) = (words.next()?, words.next()?, words.next()?);
        Some(format!("CAST(value ->> {place} AS {kind}) AS {name}"))
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    let (columns, texts) = match kind {
        "id" => ("CAST(value AS BIGINT) AS value", "_text"),
        "text" => ("value", "_text"),
        _ => (columns.as_str(), ""),
    };
    format!(
        "(SELECT {columns} FROM jsonb_array_elements{texts}(CAST({placeholder} AS JSONB)) AS listed (value))"
    )
}

#[test]
fn the_lists_are_those_of_the_dialect() {
    let columns = ", 0 message BIGINT, 1 name TEXT";
    for (kind, columns, list) in [
        ("id", "", sql!(id_list!("$1"))),
        ("text", "", sql!(text_list!("$1"))),
        ("row", columns, sql!(row_list!("$1", 0 message BIGINT, 1 name TEXT))),
    ] {
        assert_eq!(list_of_sqlite(kind, "$1", columns), list.sqlite);
        assert_eq!(list_of_postgres(kind, "$1", columns), list.postgres);
    }
    let either = sql!("SELECT ", either!("1", "2"));
    assert_eq!((either.sqlite, either.postgres), ("SELECT 1", "SELECT 2"));
}

/// The statements in Rust code without tests: literals that begin with an SQL keyword, and the
/// texts for a builder, joined.
fn statements(code: &str) -> Vec<String> {
    let part = Regex::new(
        r#"(?s)(?<new>StatementBuilder::new\()|(?<values>push_values\(.*?\}\);)|(?<bind>\.push_bind\()|(?<build>\.build)|"(?<text>(?:[^"\\]|\\.)*)""#,
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
                (None, None) => built.push('?'),
            }
        } else if let Some(sql) = text.filter(|text| verb.is_match(text)) {
            found.push(sql.to_owned());
        }
    }
    found
}

/// The code without tests of every file of the store for both databases, with the file's name.
fn code_of_store() -> Vec<(String, String)> {
    // The last two make statements for any table.
    let others = [
        "tests.rs",
        "fixture.rs",
        "server.rs",
        "run_lease.rs",
        "share_owners.rs",
        "host_loans.rs",
        "store_copy.rs",
        "dialect.rs",
    ];
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_code = path.extension().is_some_and(|extension| extension == "rs");
            if path.is_dir() {
                folders.push(path);
            } else if is_code && !others.iter().any(|name| path.ends_with(name)) {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
                found.push((path.file_name().unwrap().to_str().unwrap().to_owned(), code));
            }
        }
    }
    found
}

/// The parts of a statement's plan that read a whole table that grows.
async fn scans(bench: &Bench, sql: &str) -> Vec<String> {
    let DbPool::Sqlite(readers) = &bench.store.readers else { panic!("the plan of another") };
    let plan =
        sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(readers).await;
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
    let bench = Bench::of_file().await;
    let files = code_of_store().into_iter();
    let statements: Vec<String> = files
        .flat_map(|(_, code)| {
            statements(&join_literals(&code, DatabaseKind::Sqlite, list_of_sqlite))
        })
        .collect();
    assert!(statements.len() > 100, "only {} statements were found", statements.len());
    let mut wrong = Vec::new();
    for sql in &statements {
        let scans = scans(&bench, sql).await;
        let may = WHOLE.iter().any(|(part, _)| sql.contains(part));
        if may == scans.is_empty() {
            wrong.push(format!("{scans:?} in {sql}"));
        }
    }
    if let DbPool::Postgres(readers) = &Bench::new().await.store.readers {
        wrong.extend(wrong_on_server(readers).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    for (part, why) in WHOLE {
        assert!(
            statements.iter().any(|sql| sql.contains(part)),
            "`{part}` ({why}) is no statement any more"
        );
    }
}

/// What of a statement's plan reads a whole table that grows, although an index is preferred at any
/// cost.
async fn scans_of_server(conn: &mut PgConnection, sql: &str) -> Vec<String> {
    let mut numbers = 1..;
    let sql = Regex::new(r"\?").unwrap().replace_all(sql, |_: &Captures<'_>| {
        numbers.next().map(|number| format!("${number}")).unwrap_or_default()
    });
    let most = (1..40).rev().find(|number| sql.contains(&format!("${number}"))).unwrap_or(0);
    let nulls = match vec!["NULL"; most].join(", ") {
        nulls if nulls.is_empty() => nulls,
        nulls => format!("({nulls})"),
    };
    let explain = format!("PREPARE it AS {sql}; EXPLAIN EXECUTE it{nulls}; DEALLOCATE it");
    let plan = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(conn).await;
    let plan = plan.unwrap_or_else(|why| panic!("{why}: {sql}"));
    let steps = plan.iter().map(|row| row.get::<String, _>(0));
    let whole = Regex::new(r"Seq Scan on (\w+)").unwrap();
    let is_scan =
        |step: &String| whole.captures(step).is_some_and(|found| !SMALL.contains(&&found[1]));
    steps.filter(is_scan).collect()
}

/// The statements that read a whole table on a server.
async fn wrong_on_server(readers: &PgPool) -> Vec<String> {
    let mut conn = readers.acquire().await.unwrap();
    let prefer = "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan";
    sqlx::raw_sql(prefer).execute(&mut *conn).await.unwrap();
    let found = scans_of_server(&mut conn, "SELECT 1 FROM story WHERE title = $1").await;
    assert_eq!(found.len(), 1);
    let mut wrong = Vec::new();
    for (_, code) in code_of_store().iter().filter(|(file, _)| !OF_FILE.contains(&file.as_str())) {
        let statements = statements(&join_literals(code, DatabaseKind::Postgres, list_of_postgres));
        // The values of this one have types only when they are bound.
        for sql in statements.into_iter().filter(|sql| !sql.starts_with("WITH leased ")) {
            let scans = scans_of_server(&mut conn, &sql).await;
            if !scans.is_empty() && !WHOLE.iter().any(|(part, _)| sql.contains(part)) {
                wrong.push(format!("{scans:?} in {sql}"));
            }
        }
    }
    wrong
}

#[tokio::test]
async fn a_statement_that_reads_a_whole_table_is_found() {
    let bench = Bench::of_file().await;
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

/// What `PostgreSQL` does not take, or reads in another way.
const ONLY_SQLITE: [&str; 12] = [
    r"\b(INSERT|UPDATE) OR |\bREPLACE INTO|\bINDEXED\b|\bGLOB\b|\bNOCASE\b|\bAS BLOB\b|sqlite_|pragma_",
    r"\b_?rowid_?\b|\boid\b",
    // A list has a macro of dialect.rs.
    r"\bjsonb?_\w+\(|->",
    // PostgreSQL compares values by `IS NOT DISTINCT FROM`.
    r"\bIS (NOT )?([$?'\d]|(?-i:[a-z]))",
    r"\b(ifnull|iif|group_concat|total|typeof|hex|instr|printf|char|unicode|likely|unlikely)\(",
    r"\b(date|time|datetime|julianday|unixepoch|strftime|changes|last_insert_rowid|random)\(",
    // Of two values; PostgreSQL has `least` and `greatest`.
    r"\b(min|max)\([^()]*,",
    // PostgreSQL takes an INTEGER there, and a bound number is a BIGINT.
    r"\bsubstr\([^()]*(\([^()]*\)[^()]*)*, ?[$?]",
    r"\bCROSS JOIN \w+( AS \w+)? ON\b|\bLIMIT [$?\w]+,|\bLIMIT -|==|\x22|`",
    // PostgreSQL deletes and updates no first few rows.
    r"^(DELETE|UPDATE) [^()]*(\([^()]*\)[^()]*)* LIMIT",
    // A subquery without a name.
    r"\bFROM \((SELECT|VALUES)[^()]*(\([^()]*\)[^()]*)*\)( [^A]|$|\))",
    // A truth value is FALSE or TRUE.
    r"\b(unreached|feed_joined|may_have_arrived|announced|is_open) ?(=|<>) ?[01]\b",
];

/// What of a statement only `SQLite` takes.
fn only_sqlite(sql: &str) -> Vec<String> {
    let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let forms = ONLY_SQLITE.iter().map(|form| Regex::new(&format!("(?i){form}")).unwrap());
    forms.filter_map(|form| form.find(&sql).map(|found| found.as_str().to_owned())).collect()
}

#[test]
fn no_statement_has_a_form_that_only_sqlite_takes() {
    let mut wrong = Vec::new();
    for (file, code) in code_of_store() {
        // The index of alerts has the column `rowid` on a server, too.
        if OF_FILE.contains(&file.as_str()) || file == "fts.rs" {
            continue;
        }
        let list = |_: &str, _: &str, _: &str| "(list)".to_owned();
        for sql in statements(&join_literals(&code, DatabaseKind::Postgres, list)) {
            wrong
                .extend(only_sqlite(&sql).into_iter().map(|form| format!("{file}: {form}: {sql}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_form_that_only_sqlite_takes_is_found() {
    for sql in [
        "INSERT OR IGNORE INTO run (id) VALUES (1)",
        "SELECT rowid FROM run",
        "SELECT 1 FROM run WHERE id IN (SELECT value FROM json_each($1))",
        "SELECT target ->> 'rule' FROM silence",
        "SELECT 1 FROM message WHERE lease IS $1",
        "SELECT 1 FROM message WHERE lease IS NOT due",
        "SELECT ifnull(due, 0) FROM message",
        "SELECT group_concat(rule, ', ') FROM alert",
        "SELECT datetime(created) FROM alert",
        "SELECT 1 FROM rule_file WHERE name GLOB 'a*'",
        "UPDATE message SET due = max(due, $1)",
        "UPDATE message INDEXED BY message_due SET due = 1",
        "SELECT 1 FROM run CROSS JOIN attempt AS one ON one.run = run.id",
        "SELECT max(id) FROM (SELECT id FROM run ORDER BY id LIMIT 9)",
        "SELECT max(id) FROM (SELECT id FROM run ORDER BY id LIMIT 9) WHERE id > 1",
        "UPDATE health SET announced = 1",
        "SELECT id FROM run WHERE id = 1 LIMIT 1, 2",
        "SELECT substr(title, 1, $1) FROM story",
        "DELETE FROM run WHERE id > $1 LIMIT 9",
    ] {
        assert!(!only_sqlite(sql).is_empty(), "{sql}");
    }
    for sql in [
        "SELECT max(id), min(at) FROM (SELECT id, started AS at FROM run LIMIT 9) AS step",
        "SELECT 1 FROM message WHERE lease IS NOT NULL AND payload IS NULL AND (digest IS NULL)",
        "UPDATE health SET announced = TRUE WHERE failures = 1 AND CAST(since AS BIGINT) > $1",
        "INSERT INTO run (id) VALUES (1) ON CONFLICT (id) DO NOTHING RETURNING id",
    ] {
        assert_eq!(only_sqlite(sql), Vec::<String>::new(), "{sql}");
    }
}

#[test]
fn literals_and_what_builders_are_given_are_found() {
    let code = r#"
        db::query(sql!("SELECT 1 FROM story WHERE id IN ", id_list!("$1"), " AND due = $2"));
        for sql in [sql!(
            "UPDATE run SET id = 1 FROM ",
            row_list!("$2", 0 id BIGINT, 1 name TEXT),
            " AS given"
        )] {}
        db::query(concat!("SELECT 1 ", "FROM story")).bind("no statement");
        let mut insert = StatementBuilder::new("INSERT INTO run (id, started) ");
        insert.push_values(rows, |mut values, row| {
            values.push_bind(row).push_bind("text");
        });
        insert.push(" RETURNING id, ").push_bind(7);
        insert.build_query_as();
        "DELETE FROM run"
    "#;
    let expected = [
        "SELECT 1 FROM story WHERE id IN (SELECT value FROM json_each($1)) AND due = $2",
        "UPDATE run SET id = 1 FROM (SELECT value ->> 0 AS id, value ->> 1 AS name FROM json_each($2)) AS given",
        "SELECT 1 FROM story",
        "INSERT INTO run (id, started) VALUES (?, ?) RETURNING id, ?",
        "DELETE FROM run",
    ];
    assert_eq!(statements(&join_literals(code, DatabaseKind::Sqlite, list_of_sqlite)), expected);
}
