//! Opens a store that is a database of a `PostgreSQL` server, and guards it against a second run.
//!
//! A run has the advisory lock in the session of its writer. The server releases it when the
//! session ends. The column `holder` of `latch` says who had it last.

use std::fmt::Display;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::migrate::{Migrate, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection};
use tokio::time::timeout;

use super::db::in_time;
use super::migrations::{SchemaAge, compare_schema, list_migrations_of_server};
use super::open_error::OpenError;
use super::server_fault::{self, no_answer};
use crate::config::{ServerAddress, ServerEncryption};

/// The most queries that run at once.
const MOST_READERS: u32 = 4;

/// The number of the advisory lock of a run: `tidings` in ASCII.
const RUN_LOCK: i64 = 0x74_6964_696e_6773;

/// How often the lock is tried. The session of a run that was killed may last for a moment.
const TRIES: usize = 20;

/// The pause between two tries.
const TRY_PAUSE: Duration = Duration::from_millis(50);

/// The oldest server that is used: `PostgreSQL` 15.
const OLDEST: u32 = 150_000;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What a session of the server asks it for. The server ends what holds up others, and notices in
/// 25 seconds that a machine is gone which holds the lock.
///
/// A notice would cost a line of the log: sqlx asks whether its level is logged, and tracing leaves
/// out the next event of the thread after a no.
const SESSION: [(&str, &str); 8] = [
    ("client_min_messages", "warning"),
    ("lock_timeout", "5s"),
    ("statement_timeout", "15s"),
    ("idle_in_transaction_session_timeout", "5s"),
    ("tcp_user_timeout", "10s"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
];

/// The session that writes. One that was lost can be made again.
#[derive(Clone, Debug)]
pub(super) struct WritingSession {
    server: ServerAddress,
    /// What this run wrote into `holder`.
    holder: String,
    /// The server's process of the session.
    process: i32,
}

/// Why a session cannot be made again.
#[derive(Debug)]
pub(super) enum Retake {
    /// It may be possible later.
    Later(String),
    /// Another run took the store.
    Taken(OpenError),
}

/// Opens a store to write and to read. Creates its tables, or adds what they lack.
///
/// # Errors
/// [`OpenError::Locked`] if another run has it.
pub(super) async fn open(
    server: &ServerAddress,
) -> Result<(PgConnection, WritingSession, PgPool), OpenError> {
    let mut conn = connect(options(server)).await.map_err(|why| failed(server, &why))?;
    wait_for_lock(&mut conn, server).await?;
    prepare(conn, server).await
}

/// The same with a session that has the lock.
async fn prepare(
    mut conn: PgConnection,
    server: &ServerAddress,
) -> Result<(PgConnection, WritingSession, PgPool), OpenError> {
    let failed = |why: sqlx::Error| failed(server, &why);
    check_version(&mut conn, server).await?;
    migrate(&mut conn, server).await?;
    let holder = uuid::Uuid::new_v4().to_string();
    let update = sqlx::query("UPDATE latch SET holder = $1").bind(&holder);
    update.execute(&mut conn).await.map_err(failed)?;
    let readers = reader_options().connect_with(read_only(server)).await.map_err(failed)?;
    let process = own_process(&mut conn).await.map_err(failed)?;
    Ok((conn, WritingSession { server: server.clone(), holder, process }, readers))
}

/// The pool of the readers. A connection that does not answer is not kept.
fn reader_options() -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(MOST_READERS)
        .acquire_timeout(CONNECT_TIMEOUT)
        // sqlx would warn of a shorter wait: the writer tells of a server that is away.
        .acquire_slow_threshold(CONNECT_TIMEOUT)
        .after_release(|conn, _| {
            Box::pin(async {
                Ok(timeout(CONNECT_TIMEOUT, conn.ping()).await.is_ok_and(|it| it.is_ok()))
            })
        })
}

/// Refuses a server that is too old.
async fn check_version(conn: &mut PgConnection, server: &ServerAddress) -> Result<(), OpenError> {
    let version = sqlx::query_scalar("SELECT current_setting('server_version_num')");
    let version: String = version.fetch_one(conn).await.map_err(|why| failed(server, &why))?;
    if version.parse().is_ok_and(|version: u32| version < OLDEST) {
        let why = format!("its server is PostgreSQL {version}; Tidings needs 15 or later");
        return Err(OpenError::Failed { path: server.to_string(), why });
    }
    Ok(())
}

/// Makes the tables of this build, however long that takes.
async fn migrate(conn: &mut PgConnection, server: &ServerAddress) -> Result<(), OpenError> {
    let broken = |why: &dyn Display| cannot_open(server, why);
    let migrations = list_migrations_of_server();
    let ready = conn.ensure_migrations_table(&migrations.table_name).await;
    ready.map_err(|why| broken(&why))?;
    check_schema(conn, server, &migrations).await?;
    set(conn, "SET statement_timeout = 0").await.map_err(|why| broken(&why))?;
    migrations.run_direct(None, conn, false).await.map_err(|why| broken(&why))?;
    set(conn, "RESET statement_timeout").await.map_err(|why| broken(&why))
}

async fn set(conn: &mut PgConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(sql).execute(conn).await.map(drop)
}

impl WritingSession {
    /// A new session in the place of this one, which was lost.
    pub(super) async fn retake(&self) -> Result<(PgConnection, Self), Retake> {
        let later = |why| Retake::Later(server_fault::message(&why));
        let mut conn = connect(options(&self.server)).await.map_err(later)?;
        let mut is_locked = in_time(try_lock(&mut conn)).await.map_err(later)?;
        let holder = sqlx::query_scalar("SELECT holder FROM latch");
        let holder: Option<String> = in_time(holder.fetch_one(&mut conn)).await.map_err(later)?;
        if holder.as_ref() != Some(&self.holder) {
            return Err(Retake::Taken(OpenError::Locked(format!("it took {}", self.server))));
        }
        if !is_locked {
            in_time(self.end(&mut conn)).await.map_err(later)?;
            is_locked = in_time(try_lock(&mut conn)).await.map_err(later)?;
        }
        if !is_locked {
            let why = "the server has not noticed yet that the last session was lost";
            return Err(Retake::Later(why.to_owned()));
        }
        let process = in_time(own_process(&mut conn)).await.map_err(later)?;
        Ok((conn, Self { process, ..self.clone() }))
    }

    /// Ends the session if the server still has it.
    async fn end(&self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        let end = sqlx::query(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_locks WHERE locktype = 'advisory'
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND pid = $1",
        );
        end.bind(self.process).execute(conn).await.map(drop)
    }
}

/// Takes the lock of a run, for as long as the session lasts.
async fn wait_for_lock(conn: &mut PgConnection, server: &ServerAddress) -> Result<(), OpenError> {
    for _ in 0..TRIES {
        if try_lock(conn).await.map_err(|why| failed(server, &why))? {
            return Ok(());
        }
        tokio::time::sleep(TRY_PAUSE).await;
    }
    let holder = find_holder(conn).await.ok().flatten();
    Err(OpenError::Locked(holder.unwrap_or_else(|| server.to_string())))
}

/// Releases the lock of a run, which ends.
pub(super) async fn release_lock(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    set(conn, "SELECT pg_advisory_unlock_all()").await
}

/// The server's process of this session.
async fn own_process(conn: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(conn).await
}

async fn try_lock(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(RUN_LOCK).fetch_one(conn).await
}

/// The size of the database in bytes, and whether a run has it.
pub(super) async fn read_facts(
    conn: &mut PgConnection,
) -> Result<(u64, Option<bool>), sqlx::Error> {
    let size: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())")
        .fetch_one(&mut *conn)
        .await?;
    let is_locked = find_holder(conn).await?.is_some();
    Ok((u64::try_from(size).unwrap_or(0), Some(is_locked)))
}

/// The session that has the lock, in words.
async fn find_holder(conn: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    // The number of an advisory lock is in two columns.
    let found = sqlx::query_as(
        "SELECT pg_locks.pid, coalesce(host(client_addr), 'this machine')
         FROM pg_locks JOIN pg_stat_activity ON pg_stat_activity.pid = pg_locks.pid
         WHERE locktype = 'advisory' AND granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND objsubid = 1 AND (CAST(classid AS BIGINT) << 32) | CAST(objid AS BIGINT) = $1",
    );
    let found: Option<(i32, String)> = found.bind(RUN_LOCK).fetch_optional(conn).await?;
    Ok(found.map(|(process, from)| format!("process {process} of the server, from {from}")))
}

/// A connection that can only read.
pub(super) async fn open_to_read(server: &ServerAddress) -> Result<PgConnection, OpenError> {
    open_checked(server, read_only(server)).await
}

/// A connection of a command that writes.
pub(super) async fn open_to_write(server: &ServerAddress) -> Result<PgConnection, OpenError> {
    open_checked(server, options(server)).await
}

/// Connects to a store that must have the schema of this build.
async fn open_checked(
    server: &ServerAddress,
    options: PgConnectOptions,
) -> Result<PgConnection, OpenError> {
    let mut conn = connect(options).await.map_err(|why| failed(server, &why))?;
    // The table in which sqlx records the migrations of a store.
    let has_tables = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL");
    let has_tables: bool =
        has_tables.fetch_one(&mut conn).await.map_err(|why| failed(server, &why))?;
    if !has_tables {
        return Err(OpenError::Empty(server.to_string()));
    }
    if check_schema(&mut conn, server, &list_migrations_of_server()).await? == SchemaAge::Same {
        return Ok(conn);
    }
    conn.close().await.ok();
    Err(cannot_open(server, &"it is of an older schema; `tidings run --once` brings it up to date"))
}

/// Refuses a schema that cannot become that of this build.
async fn check_schema(
    conn: &mut PgConnection,
    server: &ServerAddress,
    migrations: &Migrator,
) -> Result<SchemaAge, OpenError> {
    match compare_schema(conn, migrations).await.map_err(|why| cannot_open(server, &why))? {
        SchemaAge::Newer { found, supported } => Err(OpenError::Newer { found, supported }),
        SchemaAge::Other => Err(OpenError::Earlier(format!("{server}"))),
        schema => Ok(schema),
    }
}

/// Connects, or says why not.
async fn connect(options: PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    timeout(CONNECT_TIMEOUT, options.connect()).await.unwrap_or_else(|_| Err(no_answer()))
}

fn options(server: &ServerAddress) -> PgConnectOptions {
    let options = PgConnectOptions::new_without_pgpass()
        .port(server.port)
        .username(&server.user)
        .database(&server.database)
        .ssl_mode(ssl_mode(server.encryption))
        .application_name("tidings")
        .options(SESSION)
        .disable_statement_logging();
    let options = if server.host.starts_with('/') {
        options.socket(&server.host)
    } else {
        options.host(&server.host)
    };
    let options = match &server.password {
        Some(password) => options.password(password.0.expose_secret()),
        None => options,
    };
    match &server.authorities {
        Some(file) => options.ssl_root_cert(file),
        None => options,
    }
}

fn ssl_mode(encryption: ServerEncryption) -> PgSslMode {
    match encryption {
        ServerEncryption::Disable => PgSslMode::Disable,
        ServerEncryption::Prefer => PgSslMode::Prefer,
        ServerEncryption::Require => PgSslMode::Require,
        ServerEncryption::VerifyFull => PgSslMode::VerifyFull,
    }
}

fn read_only(server: &ServerAddress) -> PgConnectOptions {
    options(server).options([("default_transaction_read_only", "on")])
}

fn failed(server: &ServerAddress, why: &sqlx::Error) -> OpenError {
    if let Some(file) = &server.authorities
        && let Err(why) = std::fs::metadata(file)
    {
        return cannot_open(
            server,
            &format!("the file {}: {why}; correct sslrootcert", file.display()),
        );
    }
    cannot_open(server, &server_fault::explain(why))
}

fn cannot_open(server: &ServerAddress, why: &dyn Display) -> OpenError {
    OpenError::Failed { path: server.to_string(), why: why.to_string() }
}

/// A connection to a database that is to be filled, with the tables of a store.
pub(super) async fn open_to_fill(server: &ServerAddress) -> Result<PgConnection, OpenError> {
    let mut conn = connect(options(server)).await.map_err(|why| failed(server, &why))?;
    check_version(&mut conn, server).await?;
    migrate(&mut conn, server).await?;
    Ok(conn)
}

/// Opens a store beside a run, without its lock.
#[cfg(test)]
pub(super) async fn open_beside(
    server: &ServerAddress,
) -> Result<(PgConnection, WritingSession, PgPool), OpenError> {
    prepare(connect(options(server)).await.map_err(|why| failed(server, &why))?, server).await
}

#[cfg(test)]
mod tests {
    use sqlx::Executor;

    use super::super::fixture::{Bench, Home, at_second, compare_here, item, settle_plan};
    use super::super::{Archive, Store};
    use super::*;
    use crate::config::StorePlace;

    /// A store on a server; `None` if the tests are about files.
    async fn bench() -> Option<(Bench, ServerAddress)> {
        let home = Home::new().await;
        let StorePlace::Server(server) = home.place() else { return None };
        Some((Bench::open(home, compare_here()).await, *server))
    }

    /// Ends the session that has the lock.
    async fn end_writer(server: &ServerAddress) {
        let mut conn = connect(options(server)).await.unwrap();
        let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        conn.execute(end).await.unwrap();
    }

    #[tokio::test]
    async fn a_second_run_is_refused_and_the_first_is_named() {
        let Some((bench, _)) = bench().await else { return };
        let refused = Store::open(&bench.place(), compare_here()).await.err().unwrap().to_string();
        assert!(refused.contains("another tidings is running on this store"), "{refused}");
        assert!(refused.contains("of the server, from this machine"), "{refused}");
        let mut archive = Archive::open(&bench.place()).await.unwrap();
        let facts = archive.store_facts(&bench.place()).await.unwrap();
        assert_eq!(facts.is_locked, Some(true));
        assert!(facts.bytes > 1 << 20, "{}", facts.bytes);
        let home = bench.stop_cleanly().await;
        let facts = archive.store_facts(&home.place()).await.unwrap();
        assert_eq!(facts.is_locked, Some(false));
        drop(Store::open(&home.place(), compare_here()).await.unwrap());
    }

    #[tokio::test]
    async fn a_session_that_was_lost_is_made_again_and_nothing_is_done_twice() {
        let Some((bench, server)) = bench().await else { return };
        bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
        end_writer(&server).await;
        bench.store.record_seen(1, at_second(1)).await.unwrap_err();
        bench.poll("wire", 2, vec![item("b", settle_plan(&["arms"]))]).await;
        assert_eq!(bench.store.count_holdings().await.unwrap().alerts, 2);
        let refused = Store::open(&bench.place(), compare_here()).await.err().unwrap();
        assert!(matches!(refused, OpenError::Locked(_)), "{refused}");
    }

    #[tokio::test]
    async fn a_run_whose_store_another_run_took_writes_no_more() {
        let Some((bench, server)) = bench().await else { return };
        end_writer(&server).await;
        let (other, _writer) = Store::open(&bench.place(), compare_here()).await.unwrap();
        bench.store.record_seen(1, at_second(1)).await.unwrap_err();
        let taken = bench.store.record_seen(1, at_second(1)).await.unwrap_err().to_string();
        assert!(taken.contains("stopped"), "{taken}");
        let ended = bench.writer.await.unwrap();
        assert!(matches!(ended, Err(OpenError::Locked(_))), "{ended:?}");
        drop(other);
    }
}
