//! Opens the store. Creates it, migrates one of an older schema after a copy, or refuses one of
//! another schema.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use futures_util::{FutureExt, future};
use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, SqlitePool};
use tokio::sync::{mpsc, watch};
use tracing::warn;

use super::copies::{CopyComparer, CopyQueue};
use super::files::{self, StoreFile};
use super::migrations::{SchemaAge, compare_schema, list_migrations};
use super::run_lease::{LeaseLost, RunLease, RunRole};
use super::writer::Writer;
use super::writer_connection::{WriterConnection, WritingSession};
use super::{OpenError, Store, lock, open_mark, server, writer};
use crate::config::StorePlace;
use crate::metrics::WriterMetrics;
use crate::store::db::{DbConnection, DbPool};

/// How long a statement waits for another connection's write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The code of `SQLite` for a store that another process has locked. A closed store is locked while
/// a command reads it, because it begins its log with the start of a run.
const BUSY: &str = "5";

/// The page cache of the writer: 16 MiB. `SQLite` takes a negative number of KiB. A batch of polls
/// changes more than fits into the default of 2 MB.
const CACHE_SIZE: &str = "-16384";

/// The pages in the log (16 MB) from which on they are written into the file. Of several versions
/// of a page, only the last is written.
const CHECKPOINT_PAGES: &str = "4000";

/// The most queries that run at once.
const MOST_READERS: u32 = 4;

impl Store {
    /// Opens the store, creating it, or migrating it. A file is copied before to
    /// `<store>.before-<schema>`. Waits while a command reads or writes it: the caller may drop
    /// this to give up. On a server, it takes a lease of the store for a new run, as `role` says.
    ///
    /// The future is its writer, and what compares copies by `comparer`, and renews the lease: the
    /// caller spawns it. It runs until every handle is dropped and every command is done, then
    /// leaves the store in one file, or gives the lease back. It ends before, with an error, if the
    /// lease is lost. Nothing is written then.
    pub async fn open(
        place: impl Into<StorePlace>,
        role: RunRole,
        comparer: CopyComparer,
    ) -> Result<(Self, impl Future<Output = Result<(), LeaseLost>> + Send + 'static), OpenError>
    {
        let (conn, readers, lease) = match place.into() {
            StorePlace::File(path) => {
                let (conn, readers) = open_file(&path).await?;
                let conn = WriterConnection::File(DbConnection::Sqlite(conn));
                (conn, DbPool::Sqlite(readers), None)
            }
            StorePlace::Server(server) => {
                let (conn, lease, readers) = server::open(&server, role).await?;
                let session = WritingSession { server: *server, fence: Some(lease.fence()) };
                let conn = WriterConnection::Server(DbConnection::Postgres(conn), session);
                (conn, DbPool::Postgres(readers), Some(lease))
            }
        };
        Ok(Self::start(conn, readers, lease, comparer))
    }

    /// The store of these connections, and its writer.
    pub(super) fn start(
        mut conn: WriterConnection,
        readers: DbPool,
        lease: Option<RunLease>,
        comparer: CopyComparer,
    ) -> (Self, impl Future<Output = Result<(), LeaseLost>> + Send + 'static) {
        let ((writer, queue), (copies, copy_queue)) =
            (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let metrics = WriterMetrics::default();
        let writer = Writer { queue: writer, metrics: metrics.clone() };
        let comparing = CopyQueue { readers: readers.clone(), writer: writer.clone(), comparer };
        let (committed, commits) = watch::channel(());
        let leased_run = lease.as_ref().map(RunLease::run);
        let is_joint = lease.as_ref().is_some_and(RunLease::is_joint);
        let deadline = lease.as_ref().map(RunLease::deadline);
        let store = Self {
            readers: readers.clone(),
            writer,
            copies,
            metrics: metrics.clone(),
            commits,
            leased_run,
            is_joint,
            deadline,
        };
        let work = async move {
            let writing = writer::run_writer(&mut conn, queue, metrics, committed);
            let work = future::try_join(comparing.run(copy_queue).map(Ok), writing);
            match lease {
                None => drop(work.await?),
                Some(lease) => tokio::select! {
                    done = work => drop(done?),
                    lost = lease.keep() => return Err(lost),
                },
            }
            writer::close_writer(conn, readers).await;
            Ok(())
        };
        (store, work)
    }
}

/// Opens a file to write and to read.
async fn open_file(path: &Path) -> Result<(SqliteConnection, SqlitePool), OpenError> {
    let migrations = list_migrations();
    match files::find_store_file(path)? {
        StoreFile::Missing => create_store(path, &migrations).await?,
        StoreFile::Empty => {}
        StoreFile::Content => check_store_file(path, &migrations).await?,
    }
    files::make_private(path);
    let failed = |error: sqlx::Error| OpenError::failed(path, &error);
    let mut conn = open_unused(path).await.map_err(failed)?;
    apply_migrations(&mut conn, path, &migrations).await?;
    lock::record_store(path).map_err(|error| OpenError::failed(path, &error))?;
    open_mark::mark_open(&mut conn, path).await.map_err(failed)?;
    Ok((conn, open_readers(path).await.map_err(failed)?))
}

/// Creates a new store beside its path, and moves it there when it is complete. So a store always
/// has its tables.
async fn create_store(path: &Path, migrations: &Migrator) -> Result<(), OpenError> {
    let failed = |why: &dyn Display| OpenError::failed(path, why);
    let part = path.with_added_extension("new");
    for stale in [&part, &files::log_path(&part), &files::shared_memory_path(&part)] {
        files::remove_if_exists(stale).map_err(|error| failed(&error))?;
    }
    files::create_private(&part).map_err(|error| failed(&error))?;
    let mut conn = open_writer(&part).await.map_err(|error| failed(&error))?;
    migrations.run_direct(None, &mut conn, false).await.map_err(|error| failed(&error))?;
    conn.close().await.map_err(|error| failed(&error))?;
    std::fs::rename(&part, path)
        .and_then(|()| files::sync_folder_of(path))
        .map_err(|error| failed(&error))
}

/// A connection to the empty file at `path`, with the tables of a store. It keeps no log.
pub(super) async fn open_to_fill(path: &Path) -> Result<SqliteConnection, OpenError> {
    let failed = |why: &dyn Display| OpenError::failed(path, why);
    let mut conn = connect_options(path).connect().await.map_err(|error| failed(&error))?;
    list_migrations().run_direct(None, &mut conn, false).await.map_err(|error| failed(&error))?;
    Ok(conn)
}

/// Refuses a file that is not a whole store of this schema. Nothing in it is changed before.
async fn check_store_file(path: &Path, migrations: &Migrator) -> Result<(), OpenError> {
    let needs_log = open_mark::needs_log(path).map_err(|error| OpenError::failed(path, &error))?;
    let failed = |error: sqlx::Error| OpenError::failed(path, &error);
    let mut conn = connect_options(path).connect().await.map_err(failed)?;
    let checked = async {
        check_schema(&mut conn, path, migrations).await?;
        if needs_log && open_mark::lacks_log(&mut conn, path).await.map_err(failed)? {
            return Err(files::not_whole(path, open_mark::WITHOUT_LOG));
        }
        Ok(())
    };
    let checked = checked.await;
    conn.close().await.map_err(failed)?;
    checked
}

/// Refuses a file without the tables of a store, and one of a schema that cannot become that of
/// this build. Returns the schema.
pub(super) async fn check_schema(
    conn: &mut SqliteConnection,
    path: &Path,
    migrations: &Migrator,
) -> Result<SchemaAge, OpenError> {
    // The table in which sqlx records the migrations of a store.
    let has_tables = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations')",
    );
    let has_tables = has_tables.fetch_one(&mut *conn).await;
    if !has_tables.map_err(|error| OpenError::failed(path, &error))? {
        return Err(files::not_whole(path, "the file has no tables of a store"));
    }
    let schema = compare_schema(conn, migrations).await;
    match schema.map_err(|error| OpenError::failed(path, &error))? {
        SchemaAge::Newer { found, supported } => Err(OpenError::Newer { found, supported }),
        SchemaAge::Other => Err(OpenError::Earlier(path.display().to_string())),
        schema => Ok(schema),
    }
}

/// A table or an index that a store of this schema has and this one lacks, such as one that
/// `.recover` could not make.
pub(super) async fn find_missing(
    conn: &mut SqliteConnection,
) -> Result<Option<String>, sqlx::Error> {
    let mut whole = SqliteConnectOptions::new().in_memory(true).connect().await?;
    list_migrations().run_direct(None, &mut whole, false).await?;
    let found = read_names(conn).await?;
    Ok(read_names(&mut whole).await?.into_iter().find(|name| !found.contains(name)))
}

async fn read_names(conn: &mut SqliteConnection) -> Result<BTreeSet<String>, sqlx::Error> {
    let names = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'");
    Ok(names.fetch_all(conn).await?.into_iter().collect())
}

pub(super) fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .disable_statement_logging()
}

/// Opens the store as its writer, as soon as no command reads or writes it.
async fn open_unused(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let mut is_told = false;
    loop {
        match open_writer(path).await {
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(BUSY) => {
                if !is_told {
                    warn!(
                        event = "store_busy",
                        "a command uses the store {}; the run begins when it has ended",
                        path.display()
                    );
                }
                is_told = true;
            }
            opened => return opened,
        }
    }
}

async fn open_writer(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    connect_options(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", CACHE_SIZE)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("temp_store", "memory")
        .connect()
        .await
}

async fn open_readers(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    SqlitePoolOptions::new()
        .max_connections(MOST_READERS)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(connect_options(path).read_only(true).pragma("query_only", "on"))
        .await
}

/// Applies the `migrations` that a store lacks. A store with some of them is copied first.
async fn apply_migrations(
    conn: &mut SqliteConnection,
    path: &Path,
    migrations: &Migrator,
) -> Result<(), OpenError> {
    let failed = |error: MigrateError| OpenError::failed(path, &error);
    conn.ensure_migrations_table(&migrations.table_name).await.map_err(failed)?;
    if let SchemaAge::Older(1..) = check_schema(conn, path, migrations).await? {
        let newest = migrations.iter().map(|step| step.version).max().unwrap_or(0);
        copy_before_migration(conn, path, newest)
            .await
            .map_err(|why| OpenError::failed(path, &why))?;
    }
    migrations.run_direct(None, conn, false).await.map_err(failed)
}

/// Copies the store to `<store>.before-<schema>`. The name appears only when the copy is whole.
async fn copy_before_migration(
    conn: &mut SqliteConnection,
    path: &Path,
    schema: i64,
) -> Result<(), String> {
    let whole = path.with_added_extension(format!("before-{schema}"));
    let part = whole.with_added_extension("part");
    let name = part
        .to_str()
        .ok_or("its path is not UTF-8, so no copy can be made before its schema is changed")?;
    let failed = |error: &dyn Display| {
        format!("no copy could be made before its schema is changed: {error}")
    };
    files::remove_if_exists(&part)
        .and_then(|()| files::create_private(&part))
        .map_err(|error| failed(&error))?;
    sqlx::query("VACUUM INTO $1").bind(name).execute(conn).await.map_err(|error| failed(&error))?;
    tokio::fs::rename(&part, &whole).await.map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::super::Archive;
    use super::super::fixture::{Bench, compare_here};
    use super::super::migrations::make_migration;
    use super::*;
    use crate::store::db;

    /// The schema, and a migration that this build does not have.
    fn newer() -> Migrator {
        let later = make_migration(9999, "later", "CREATE TABLE later (id INTEGER)");
        Migrator::with_migrations(list_migrations().iter().cloned().chain([later]).collect())
    }

    fn latest() -> i64 {
        list_migrations().iter().map(|step| step.version).max().unwrap()
    }

    #[tokio::test]
    async fn the_bundled_sqlite_is_one_that_does_not_corrupt_a_wal() {
        let version = Bench::of_file().await.query_text("SELECT sqlite_version()").await.unwrap();
        let parts: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
        assert!(parts >= vec![3, 51, 3], "{version}");
    }

    #[tokio::test]
    async fn the_writer_syncs_every_commit_and_holds_references_to_their_word() {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = open_writer(&folder.path().join("tidings.db")).await.unwrap();
        for (pragma, expected) in
            [("PRAGMA synchronous", 2), ("PRAGMA foreign_keys", 1), ("PRAGMA busy_timeout", 5000)]
        {
            let found: i64 = sqlx::query_scalar(pragma).fetch_one(&mut conn).await.unwrap();
            assert_eq!(found, expected, "{pragma}");
        }
        let mode: String =
            sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut conn).await.unwrap();
        assert_eq!(mode, "wal");
    }

    #[tokio::test]
    async fn readers_cannot_write() {
        let bench = Bench::of_file().await;
        let refused =
            db::query("INSERT INTO run (started) VALUES (0)").execute(&bench.store.readers).await;
        assert!(refused.unwrap_err().to_string().contains("readonly"));
    }

    #[tokio::test]
    async fn a_store_of_a_newer_schema_is_refused_and_left_alone() {
        let bench = Bench::of_file().await;
        let mut conn = open_writer(&bench.path()).await.unwrap();
        newer().run_direct(None, &mut conn, false).await.unwrap();
        let refused =
            Store::open(&bench.path(), RunRole::Alone, compare_here()).await.err().unwrap();
        assert!(
            matches!(refused, OpenError::Newer { found: 9999, supported } if supported == latest()),
            "{refused}"
        );
    }

    #[tokio::test]
    async fn a_store_of_an_earlier_build_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidings.db");
        let steps =
            [(1, "CREATE TABLE sighting (id INTEGER)"), (21, "CREATE TABLE file (id INTEGER)")];
        let steps = steps.map(|(version, sql)| make_migration(version, "earlier", sql));
        let mut conn = open_writer(&path).await.unwrap();
        Migrator::with_migrations(steps.to_vec()).run_direct(None, &mut conn, false).await.unwrap();
        conn.close().await.unwrap();
        let before = std::fs::read(&path).unwrap();
        let refused = Store::open(&path, RunRole::Alone, compare_here()).await.err().unwrap();
        assert!(matches!(refused, OpenError::Earlier(_)), "{refused}");
        let refused = Archive::open(&path).await.unwrap_err();
        assert!(refused.to_string().contains("made by an earlier build"), "{refused}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[tokio::test]
    async fn a_store_of_an_older_schema_is_copied_and_then_migrated() {
        let bench = Bench::of_file().await;
        bench.start_run(&[]).await;
        // The rest of an attempt that was interrupted.
        let stale = bench.path().with_added_extension("before-9999.part");
        std::fs::write(&stale, "half a copy").unwrap();

        let mut conn = open_writer(&bench.path()).await.unwrap();
        apply_migrations(&mut conn, &bench.path(), &newer()).await.unwrap();

        let schema = compare_schema(&mut conn, &list_migrations()).await.unwrap();
        assert_eq!(schema, SchemaAge::Newer { found: 9999, supported: latest() });
        assert!(!stale.exists());
        let mut copy =
            open_writer(&bench.path().with_added_extension("before-9999")).await.unwrap();
        assert_eq!(compare_schema(&mut copy, &list_migrations()).await.unwrap(), SchemaAge::Same);
        let runs: i64 =
            sqlx::query_scalar("SELECT count(*) FROM run").fetch_one(&mut copy).await.unwrap();
        assert_eq!(runs, 1);
    }

    #[tokio::test]
    async fn opening_a_store_that_is_up_to_date_makes_no_copy() {
        let bench = Bench::of_file().await.crash_and_reopen().await;
        let names = std::fs::read_dir(bench.path().parent().unwrap()).unwrap();
        let names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert!(names.iter().all(|name| !name.contains("before")), "{names:?}");
    }

    #[tokio::test]
    async fn a_file_that_is_no_store_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        std::fs::write(
            &path,
            "Not a database, though it is long enough to be taken for the head of one. ".repeat(20),
        )
        .unwrap();
        let refused =
            Store::open(&path, RunRole::Alone, compare_here()).await.err().unwrap().to_string();
        assert!(refused.contains("notes.txt") && refused.contains("not a database"), "{refused}");
    }
}
