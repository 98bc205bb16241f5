//! Copies a whole store into an empty one, of the same database or of the other.
//!
//! Rows go from one to the other as JSON arrays, of which both databases make rows. The search
//! index is left out: the next run makes it anew.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::{fs, io, mem};

use super::dialect::{ColumnType, select_rows};
use super::outbox::read_holdings;
use super::part_file::PartFile;
use super::{Archive, Holdings, OpenError, StoreError, command_connection, lock, open, server};
use crate::config::{ServerAddress, StorePlace};
use crate::store::db::{self, DbConnection, Sql, SqlList, StatementBuilder, run_script};
use crate::store::writer::BEGIN;

/// The tables, each after those that its rows refer to. Those that say which file or session a
/// store is are left out, and so are the number of the rule set and the search index.
const TABLES: &[&str] = &[
    "feed",
    "feed_day",
    "rule_day",
    "host",
    "gap",
    "story",
    "story_revision",
    "feed_entry",
    "signature",
    "signature_band",
    "rule_version",
    "rule_file",
    "backfill",
    "alert",
    "conditional_rule",
    "counted_group",
    "group_key",
    "group_tally",
    "absence",
    "watched",
    "silence",
    "run",
    "message",
    "message_alert",
    "attempt",
    "health",
    "refusal",
    "backup",
];

/// The most rows that are inserted at once, and the length of their texts, in bytes, from which on
/// they are.
const MOST_ROWS: usize = 500;
const MOST_BYTES: usize = 4 << 20;

/// The reason why a store was not copied. Nothing is left of the copy.
#[derive(Debug, thiserror::Error)]
pub enum StoreCopyError {
    /// The store cannot be opened, or a run has it.
    #[error(transparent)]
    From(OpenError),
    /// The place of the copy cannot be opened, or a run has it.
    #[error(transparent)]
    To(OpenError),
    /// There is something in the place of the copy.
    #[error("{0} is not empty, and no store is replaced")]
    NotEmpty(StorePlace),
    /// The copy cannot be written.
    #[error("{0} cannot be written: {1}")]
    Unwritable(PathBuf, io::Error),
    /// A statement failed.
    #[error("the store cannot be copied: {0}")]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for StoreCopyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Copies the store at `from`, which no run may use, to the empty place `to`: a file that is not
/// there, or a database without rows. All of it is copied, or nothing. Ids stay the same, so that
/// nothing is sent again. Returns what the copy holds.
pub async fn copy_store(from: &StorePlace, to: &StorePlace) -> Result<Holdings, StoreCopyError> {
    let _lock = from.file().map(lock::acquire_lock).transpose().map_err(StoreCopyError::From)?;
    refuse_run_of_server(from).await?;
    let mut source = command_connection::open_to_read(from).await.map_err(StoreCopyError::From)?;
    match to {
        StorePlace::File(path) => copy_to_file(&mut source, path).await,
        StorePlace::Server(server) => copy_to_server(&mut source, server).await,
    }
}

/// Refuses a store on a server that a run uses.
async fn refuse_run_of_server(place: &StorePlace) -> Result<(), StoreCopyError> {
    if let StorePlace::Server(server) = place {
        let mut archive = Archive::open(place.clone()).await.map_err(StoreCopyError::From)?;
        if archive.store_facts(place).await?.is_locked == Some(true) {
            return Err(StoreCopyError::From(OpenError::Locked(server.to_string())));
        }
    }
    Ok(())
}

async fn copy_to_file(
    source: &mut DbConnection<'_>,
    path: &Path,
) -> Result<Holdings, StoreCopyError> {
    let unwritable = |why| StoreCopyError::Unwritable(path.to_owned(), why);
    let _lock = lock::acquire_lock_to_restore(path).map_err(StoreCopyError::To)?;
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file() || found.len() > 0) {
        return Err(StoreCopyError::NotEmpty(path.into()));
    }
    let part = PartFile::create(path).map_err(unwritable)?;
    let copy = open::open_to_fill(part.path()).await.map_err(StoreCopyError::To)?;
    let mut copy = DbConnection::Sqlite(copy);
    let holdings = fill(source, &mut copy).await?;
    copy.close().await?;
    part.move_to(path).and_then(|()| lock::record_store(path)).map_err(unwritable)?;
    Ok(holdings)
}

async fn copy_to_server(
    source: &mut DbConnection<'_>,
    server: &ServerAddress,
) -> Result<Holdings, StoreCopyError> {
    let copy = server::open_to_fill(server).await.map_err(StoreCopyError::To)?;
    let mut copy = DbConnection::Postgres(copy);
    if has_rows(&mut copy).await? {
        return Err(StoreCopyError::NotEmpty(StorePlace::Server(Box::new(server.clone()))));
    }
    let holdings = fill(source, &mut copy).await?;
    copy.close().await?;
    Ok(holdings)
}

async fn has_rows(conn: &mut DbConnection<'_>) -> Result<bool, sqlx::Error> {
    for table in TABLES {
        let first = format!("SELECT EXISTS (SELECT 1 FROM {table})");
        let row = StatementBuilder::new(&first).build().fetch_one(&mut *conn).await?;
        if row.try_get(0)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// However long a store takes: a statement reads a whole table.
const WITHOUT_LIMITS: Sql = Sql {
    sqlite: "SELECT 1",
    postgres: "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0",
};

/// Copies all rows, as they are at one moment, in one transaction.
async fn fill(
    source: &mut DbConnection<'_>,
    copy: &mut DbConnection<'_>,
) -> Result<Holdings, sqlx::Error> {
    let mut source = source.begin().await?;
    run_script(&mut source, WITHOUT_LIMITS).await?;
    run_script(copy, BEGIN).await?;
    run_script(copy, WITHOUT_LIMITS).await?;
    for table in TABLES {
        copy_table(&mut source, copy, table).await?;
    }
    copy_last_ids(&mut source, copy).await?;
    let holdings = read_holdings(&mut *copy).await?;
    run_script(copy, "COMMIT".into()).await?;
    Ok(holdings)
}

/// Copies the columns of a table that both stores have.
async fn copy_table(
    source: &mut DbConnection<'_>,
    copy: &mut DbConnection<'_>,
    table: &str,
) -> Result<(), sqlx::Error> {
    let (given, taken) = (read_columns(source, table).await?, read_columns(copy, table).await?);
    let both: Vec<&str> =
        taken.keys().filter(|name| given.contains_key(*name)).map(String::as_str).collect();
    let is_server = source.is_server();
    let values = both.iter().map(|name| value_as_json(table, name, given[*name], is_server));
    let array = if is_server { "json_build_array" } else { "json_array" };
    let values = values.collect::<Vec<_>>().join(", ");
    let read = format!("SELECT CAST({array}({values}) AS TEXT) FROM {table}");
    let (rows, after) = select_rows(both.iter().map(|name| taken[*name]), copy.is_server());
    let names = both.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let before = format!("INSERT INTO {table} ({names}) {rows}");
    let mut batch = RowBatch::default();
    let write = async |rows: SqlList, copy: &mut DbConnection<'_>| {
        let mut statement = StatementBuilder::new(&before);
        statement.push_bind(rows).push(after);
        statement.build().execute(copy).await.map(drop)
    };
    let read = StatementBuilder::new(&read).build();
    read.for_each_row(source, async |row| match batch.add(row.try_get(0)?) {
        Some(rows) => write(rows, copy).await,
        None => Ok(()),
    })
    .await?;
    match batch.take() {
        Some(rows) => write(rows, copy).await,
        None => Ok(()),
    }
}

/// Rows that are inserted at once, each as JSON.
#[derive(Default)]
struct RowBatch {
    rows: Vec<String>,
    bytes: usize,
}

impl RowBatch {
    /// Adds a row. Returns the rows if they are to be inserted now.
    fn add(&mut self, row: String) -> Option<SqlList> {
        self.bytes += row.len();
        self.rows.push(row);
        let is_full = self.rows.len() >= MOST_ROWS || self.bytes >= MOST_BYTES;
        if is_full { self.take() } else { None }
    }

    /// Its rows, if it has any.
    fn take(&mut self) -> Option<SqlList> {
        let Self { rows, .. } = mem::take(self);
        (!rows.is_empty()).then(|| SqlList::of_json(&rows))
    }
}

/// The columns of a table, without those that the database computes.
async fn read_columns(
    conn: &mut DbConnection<'_>,
    table: &str,
) -> Result<BTreeMap<String, ColumnType>, sqlx::Error> {
    const COLUMNS: Sql = Sql {
        sqlite: "SELECT name, type FROM pragma_table_xinfo($1) WHERE hidden = 0",
        postgres: "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT) FROM information_schema.columns
             WHERE table_schema = current_schema() AND table_name = $1 AND is_generated = 'NEVER'",
    };
    let columns: Vec<(String, String)> = db::query_as(COLUMNS).bind(table).fetch_all(conn).await?;
    let typed = columns.into_iter().map(|(name, kind)| {
        let kind = match kind.to_ascii_lowercase().as_str() {
            "integer" | "bigint" => ColumnType::Number,
            "boolean" => ColumnType::Truth,
            "text" => ColumnType::Text,
            "blob" | "bytea" => ColumnType::Bytes,
            other => {
                return Err(sqlx::Error::Protocol(format!("{table}.{name} is of type {other}")));
            }
        };
        Ok((name, kind))
    });
    typed.collect()
}

/// The value of a column for a JSON array. The index of the copy has no alert yet.
fn value_as_json(table: &str, name: &str, kind: ColumnType, is_server: bool) -> String {
    match (table, name, kind) {
        ("alert", "index_lag", _) => "CASE WHEN purged IS NULL THEN 1 ELSE 0 END".to_owned(),
        (.., ColumnType::Bytes) if is_server => format!("encode(\"{name}\", 'hex')"),
        // The hex of a null is empty.
        (.., ColumnType::Bytes) => {
            format!("CASE WHEN \"{name}\" IS NOT NULL THEN hex(\"{name}\") END")
        }
        _ => format!("\"{name}\""),
    }
}

/// Makes new ids of the copy begin after those that the store ever gave.
async fn copy_last_ids(
    source: &mut DbConnection<'_>,
    copy: &mut DbConnection<'_>,
) -> Result<(), sqlx::Error> {
    const LAST: Sql = Sql {
        sqlite: "SELECT name, seq FROM sqlite_sequence",
        postgres:
            "SELECT replace(CAST(sequencename AS TEXT), '_id_seq', ''), last_value FROM pg_sequences
             WHERE schemaname = current_schema() AND last_value IS NOT NULL",
    };
    let last: Vec<(String, i64)> = db::query_as(LAST).fetch_all(source).await?;
    let last: HashMap<String, i64> = last.into_iter().collect();
    for table in TABLES {
        let last = last.get(*table).copied();
        if copy.is_server() {
            set_sequence(copy, table, last.unwrap_or_default()).await?;
        } else if let Some(last) = last {
            let delete = db::query("DELETE FROM sqlite_sequence WHERE name = $1").bind(*table);
            delete.execute(&mut *copy).await?;
            let insert = "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)";
            db::query(insert).bind(*table).bind(last).execute(&mut *copy).await?;
        }
    }
    Ok(())
}

/// Makes the ids of a table of a server begin after `last`, and after those that it has. In a file,
/// some tables take the next id after those that they have.
async fn set_sequence(
    conn: &mut DbConnection<'_>,
    table: &str,
    last: i64,
) -> Result<(), sqlx::Error> {
    let sequence = "SELECT pg_get_serial_sequence(CAST(table_name AS TEXT), 'id') FROM information_schema.columns
         WHERE table_schema = current_schema() AND table_name = $1 AND column_name = 'id'";
    let sequence = db::query_scalar(sequence).bind(table).fetch_optional(&mut *conn).await?;
    let Some(Some(sequence)) = sequence else { return Ok(()) };
    let sequence: String = sequence;
    let newest = format!("SELECT coalesce(max(id), 0) FROM {table}");
    let newest = StatementBuilder::new(&newest).build().fetch_one(&mut *conn).await?;
    let last = last.max(newest.try_get(0)?);
    if last > 0 {
        let set = db::query("SELECT setval(CAST($1 AS regclass), $2)").bind(sequence).bind(last);
        set.fetch_one(conn).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::alerts::retry::Finish;
    use crate::shares::OwnShares;
    use crate::store::StoryPlan;
    use crate::store::fixture::{
        Bench, Home, at_second, compare_here, desk_receiver, item, settle_plan,
    };

    /// All rows of a store, sorted.
    async fn rows_of(place: &StorePlace) -> BTreeMap<&'static str, Vec<Value>> {
        let mut conn = command_connection::open_to_read(place).await.unwrap();
        let is_server = conn.is_server();
        let mut all = BTreeMap::new();
        for table in TABLES {
            let columns = read_columns(&mut conn, table).await.unwrap();
            let values = columns.iter().map(|(name, kind)| {
                let value = value_as_json(table, name, *kind, is_server);
                if *kind == ColumnType::Bytes { format!("upper({value})") } else { value }
            });
            let array = if is_server { "json_build_array" } else { "json_array" };
            let values = values.collect::<Vec<_>>().join(", ");
            let read = format!("SELECT CAST({array}({values}) AS TEXT) FROM {table}");
            let mut rows = Vec::new();
            let read = StatementBuilder::new(&read).build();
            read.for_each_row(&mut conn, async |row| {
                rows.push(without_truths(&row.try_get::<String, _>(0)?));
                Ok(())
            })
            .await
            .unwrap();
            rows.sort_by_key(ToString::to_string);
            all.insert(*table, rows);
        }
        all
    }

    /// The row with the numbers of a file for truths.
    fn without_truths(row: &str) -> Value {
        let Ok(Value::Array(values)) = serde_json::from_str(row) else { panic!("{row}") };
        let number = |value| match value {
            Value::Bool(truth) => Value::from(u8::from(truth)),
            value => value,
        };
        values.into_iter().map(number).collect()
    }

    /// A store with a message that was sent, one that waits and one whose attempt was cut off, and
    /// many stories. Its silences were deleted.
    async fn full_store() -> Home {
        let bench = Bench::new().await;
        let run = bench.start_run(&[desk_receiver()]).await;
        for (now, key) in [(0, "sent"), (1, "cut off")] {
            bench.poll("wire", now, vec![item(key, settle_plan(&["arms"]))]).await;
        }
        let leases = bench.lease(run, "desk", 5).await;
        bench.finish_attempt(run, &leases[0], Finish::Sent(String::new()), 6).await;
        bench
            .poll("paper", 7, vec![item("waits", settle_plan(&["arms", "oil \u{0}\\ \"Ö\""]))])
            .await;
        bench.poll("paper", 8, vec![item("page", StoryPlan::ReadPage)]).await;
        let many = (0..1200).map(|one| item(&one.to_string(), settle_plan(&[])));
        bench.poll("wire", 9, many.collect()).await;
        let home = bench.stop_cleanly().await;
        let delete = async |conn: &mut DbConnection<'_>| {
            let one = "('{}', 0, 0, '')";
            let insert =
                format!("INSERT INTO silence (target, since, until, why) VALUES {one}, {one}");
            StatementBuilder::new(&insert).build().execute(&mut *conn).await?;
            db::query("DELETE FROM silence").execute(conn).await
        };
        command_connection::write(&home.place(), delete).await.unwrap();
        home
    }

    #[tokio::test]
    async fn every_row_and_every_id_goes_to_a_file_and_back() {
        let home = full_store().await;
        let before = rows_of(&home.place()).await;
        let folder = tempfile::tempdir().unwrap();
        let file = StorePlace::File(folder.path().join("copy.db"));
        let held = copy_store(&home.place(), &file).await.unwrap();
        assert_eq!((held.stories, held.alerts, held.waiting), (1204, 4, 2));
        let back = Home::new().await;
        copy_store(&file, &back.place()).await.unwrap();
        for place in [file, back.place()] {
            assert_eq!(rows_of(&place).await, before, "{place}");
        }

        let bench = Bench::open(back, compare_here()).await;
        let run = bench
            .store
            .start_run(&[desk_receiver()], &OwnShares::All, at_second(10))
            .await
            .unwrap();
        assert_eq!(run.reclaimed, 1);
        assert_eq!(
            bench.lease(run.run, "desk", 10).await.len(),
            2,
            "what was sent is not sent again"
        );
        bench.poll("wire", 11, vec![item("new", settle_plan(&["arms"]))]).await;
        assert_eq!(bench.store.count_holdings().await.unwrap().stories, 1205);
        let silence: i64 = command_connection::write(&bench.place(), async |conn| {
            let insert = "INSERT INTO silence (target, since, until, why) VALUES ('{}', 0, 0, '') RETURNING id";
            db::query_scalar(insert).fetch_one(conn).await
        })
        .await
        .unwrap();
        assert_eq!(silence, 3, "an id that was given is not given again");
    }

    #[tokio::test]
    async fn no_store_is_replaced_and_none_that_a_run_uses_is_copied() {
        let bench = Bench::new().await;
        let folder = tempfile::tempdir().unwrap();
        let file = StorePlace::File(folder.path().join("copy.db"));
        if let StorePlace::Server(_) = bench.place() {
            let refused = copy_store(&bench.place(), &file).await.unwrap_err();
            assert!(matches!(refused, StoreCopyError::From(OpenError::Locked(_))), "{refused}");
        }
        bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
        let home = bench.stop_cleanly().await;
        copy_store(&home.place(), &file).await.unwrap();
        for to in [&home.place(), &file] {
            let refused = copy_store(&file, to).await.unwrap_err();
            let is_refused = matches!(refused, StoreCopyError::NotEmpty(_))
                || matches!(refused, StoreCopyError::To(OpenError::Locked(_)));
            assert!(is_refused, "{refused}");
        }
        let missing = StorePlace::File(folder.path().join("missing.db"));
        let refused = copy_store(&missing, &Home::new().await.place()).await.unwrap_err();
        assert!(matches!(refused, StoreCopyError::From(_)), "{refused}");
    }

    #[tokio::test]
    async fn every_table_is_copied_but_those_that_belong_to_one_store() {
        let home = full_store().await;
        let names: Vec<String> = command_connection::write(&home.place(), async |conn| {
            db::query_scalar(Sql {
                sqlite: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
                postgres: "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema()",
            })
            .fetch_all(conn)
            .await
        })
        .await
        .unwrap();
        let own = [
            "_sqlx_migrations",
            "store_file",
            "latch",
            "run_lease",
            "rule_set",
            "share",
            "host_loan",
        ];
        let names = names.iter().map(String::as_str);
        let left: BTreeSet<&str> = names
            .filter(|name| {
                !TABLES.contains(name) && !own.contains(name) && !name.starts_with("alert_index")
            })
            .collect();
        assert_eq!(left, BTreeSet::new());
    }
}
