//! Opens a store that is a database of a `PostgreSQL` server, and takes it for a run.

use std::fmt::Display;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection, Postgres, Transaction};
use tokio::time::timeout;

use super::migrations::{SchemaAge, compare_schema, list_migrations_of_server};
use super::open_error::OpenError;
use super::run_lease::{self, RunLease, RunRole, StoreNodes};
use super::server_fault::{self, no_answer};
use crate::config::{ServerAddress, ServerEncryption};

/// The most queries that run at once.
const MOST_READERS: u32 = 4;

/// How the name of a session begins that belongs to a node that waits. The name of the node
/// follows; the server keeps 63 bytes of both.
const WAITS: &str = "tidings waits: ";

/// The oldest server that is used: `PostgreSQL` 15.
const OLDEST: u32 = 150_000;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a step of the opening of a store may take. The change of a schema may take longer.
const OPEN_TIMEOUT: Duration = Duration::from_secs(20);

/// What a session of the server asks it for. The server ends what holds up others, and notices in
/// 25 seconds that a machine is gone. A process that stops within a transaction holds the latch for
/// five seconds at most.
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

/// Opens a store for a run. Creates its tables, or adds what they lack. A pool of readers is with
/// it.
///
/// # Errors
/// [`OpenError::Locked`] if a run has it that forbids this one.
pub(super) async fn open(
    server: &ServerAddress,
    role: RunRole,
) -> Result<(PgConnection, RunLease, PgPool), OpenError> {
    let mut conn = in_time(server, connect_checked(server)).await?;
    // Before the lease, which lasts for some seconds if this fails.
    let readers = open_readers(server).await?;
    let lease = take_store(&mut conn, server, role).await?;
    Ok((conn, lease, readers))
}

/// The pool of the readers.
async fn open_readers(server: &ServerAddress) -> Result<PgPool, OpenError> {
    let readers = reader_options().connect_with(read_only(server)).await;
    readers.map_err(|why| failed(server, &why))
}

/// A connection that can write, to a server of a version that is used. The table of the migrations
/// is there.
async fn connect_checked(server: &ServerAddress) -> Result<PgConnection, OpenError> {
    let mut conn = connect(options(server)).await.map_err(|why| failed(server, &why))?;
    check_version(&mut conn, server).await?;
    let table = list_migrations_of_server().table_name;
    let mut ready = conn.ensure_migrations_table(&table).await;
    if ready.is_err() {
        // Of two nodes that make it at once, one fails.
        ready = conn.ensure_migrations_table(&table).await;
    }
    ready.map_err(|why| not_migrated(server, why))?;
    Ok(conn)
}

/// Begins a transaction that no other node opens the store beside. Refuses a schema that cannot
/// become that of this build, and returns it otherwise.
async fn begin<'c>(
    conn: &'c mut PgConnection,
    server: &ServerAddress,
    migrations: &Migrator,
) -> Result<(Transaction<'c, Postgres>, SchemaAge), OpenError> {
    let failed = |why: sqlx::Error| failed(server, &why);
    let mut begun = conn.begin().await.map_err(failed)?;
    // A new database has no latch yet.
    let lock = "LOCK TABLE _sqlx_migrations IN SHARE UPDATE EXCLUSIVE MODE";
    set(&mut begun, lock).await.map_err(failed)?;
    let schema = check_schema(&mut begun, server, migrations).await?;
    Ok((begun, schema))
}

/// Takes a lease of the store for a new run, and makes the tables of this build. This is one
/// transaction: no other node sees the store in between. Runs of an earlier build may have leases,
/// so the tables are changed only if there are none.
async fn take_store(
    conn: &mut PgConnection,
    server: &ServerAddress,
    role: RunRole,
) -> Result<RunLease, OpenError> {
    let failed = |why: sqlx::Error| failed(server, &why);
    let migrations = list_migrations_of_server();
    let (mut taking, schema) = in_time(server, begin(conn, server, &migrations)).await?;
    if schema == SchemaAge::Older(0) {
        migrate(&mut taking, server, &migrations).await?;
    }
    let lock = async {
        set(&mut taking, "SELECT 1 FROM latch FOR UPDATE").await.map_err(failed)?;
        run_lease::end_leases(&mut taking).await.map_err(failed)
    };
    let is_older = matches!(schema, SchemaAge::Older(1..));
    let mut running = in_time(server, lock).await?.into_iter();
    let needs_all = is_older || role == RunRole::Alone;
    if let Some(other) = running.find(|node| needs_all || node.role == RunRole::Alone) {
        return Err(OpenError::Locked(other.node));
    }
    if is_older {
        migrate(&mut taking, server, &migrations).await?;
    }
    let take = async {
        let lease = run_lease::take_lease(&mut taking, server, role).await.map_err(failed)?;
        taking.commit().await.map_err(failed)?;
        Ok(lease)
    };
    in_time(server, take).await
}

/// What opens a store, unless the server does not answer in time.
async fn in_time<T>(
    server: &ServerAddress,
    work: impl Future<Output = Result<T, OpenError>>,
) -> Result<T, OpenError> {
    let done = timeout(OPEN_TIMEOUT, Box::pin(work)).await;
    done.unwrap_or_else(|_| Err(failed(server, &no_answer())))
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

/// Makes the tables of this build, however long that takes, in the transaction that has begun.
async fn migrate(
    conn: &mut PgConnection,
    server: &ServerAddress,
    migrations: &Migrator,
) -> Result<(), OpenError> {
    set(conn, "SET LOCAL statement_timeout = 0").await.map_err(|why| failed(server, &why))?;
    migrations.run_direct(None, conn, false).await.map_err(|why| not_migrated(server, why))
}

async fn set(conn: &mut PgConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(sql).execute(conn).await.map(drop)
}

/// The size of the database in bytes, who runs on it, and the nodes that wait.
pub(super) async fn read_facts(conn: &mut PgConnection) -> Result<(u64, StoreNodes), sqlx::Error> {
    let size: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())")
        .fetch_one(&mut *conn)
        .await?;
    let running = run_lease::read_leases(conn).await?;
    let waiting = sqlx::query_scalar(
        "SELECT substr(application_name, length($1) + 1) FROM pg_stat_activity
         WHERE datname = current_database() AND starts_with(application_name, $1) ORDER BY 1",
    );
    let waiting = waiting.bind(WAITS).fetch_all(conn).await?;
    Ok((u64::try_from(size).unwrap_or(0), StoreNodes { running, waiting }))
}

/// A connection of a run, in the place of the writer's or to renew its lease.
pub(super) async fn connect_to_write(server: &ServerAddress) -> Result<PgConnection, sqlx::Error> {
    connect(options(server)).await
}

/// The connection of a node that waits. The server knows by its name that the node does.
pub(super) async fn connect_to_wait(server: &ServerAddress) -> Result<PgConnection, sqlx::Error> {
    let name = format!("{WAITS}{}", run_lease::name_node());
    connect(read_only(server).application_name(&name)).await
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

/// Whether the tables of the store are of another build. Its runs forbid others then.
pub(super) async fn needs_migration(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let schema = compare_schema(conn, &list_migrations_of_server()).await;
    let schema = schema.map_err(|why| sqlx::Error::Protocol(why.to_string()))?;
    Ok(schema != SchemaAge::Same)
}

/// Refuses a schema that cannot become that of this build.
async fn check_schema(
    conn: &mut PgConnection,
    server: &ServerAddress,
    migrations: &Migrator,
) -> Result<SchemaAge, OpenError> {
    match compare_schema(conn, migrations).await.map_err(|why| not_migrated(server, why))? {
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
    let (path, explained) = (server.to_string(), server_fault::explain(why));
    if server_fault::passes(why) {
        return OpenError::Unreachable { path, why: explained };
    }
    OpenError::Failed { path, why: explained }
}

fn not_migrated(server: &ServerAddress, why: MigrateError) -> OpenError {
    match why {
        MigrateError::Execute(why) => failed(server, &why),
        why => cannot_open(server, &why),
    }
}

fn cannot_open(server: &ServerAddress, why: &dyn Display) -> OpenError {
    OpenError::Failed { path: server.to_string(), why: why.to_string() }
}

/// A connection to a database that is to be filled, with the tables of a store.
pub(super) async fn open_to_fill(server: &ServerAddress) -> Result<PgConnection, OpenError> {
    let mut conn = in_time(server, connect_checked(server)).await?;
    let migrations = list_migrations_of_server();
    let (mut filling, schema) = in_time(server, begin(&mut conn, server, &migrations)).await?;
    if schema != SchemaAge::Same {
        migrate(&mut filling, server, &migrations).await?;
    }
    filling.commit().await.map_err(|why| failed(server, &why))?;
    Ok(conn)
}

/// Opens a store beside a run, without a lease. Creates its tables.
#[cfg(test)]
pub(super) async fn open_beside(
    server: &ServerAddress,
) -> Result<(PgConnection, PgPool), OpenError> {
    Ok((open_to_fill(server).await?, open_readers(server).await?))
}
