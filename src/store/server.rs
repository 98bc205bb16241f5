//! Opens a store that is a database of a `PostgreSQL` server.

use std::fmt::Display;

use sqlx::migrate::{Migrate, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};

use super::OpenError;
use super::migrations::{SchemaAge, compare_schema, list_migrations_of_server};
use super::place::ServerPlace;

/// How long a statement waits for the lock of another.
const LOCK_TIMEOUT: &str = "5s";

/// The most queries that run at once.
const MOST_READERS: u32 = 4;

/// Opens a store to write and to read. Creates its tables, or adds what they lack.
pub(super) async fn open(server: &ServerPlace) -> Result<(PgConnection, PgPool), OpenError> {
    let failed = |why: &dyn Display| failed(server, why);
    let mut conn = options(server).connect().await.map_err(|why| failed(&why))?;
    let migrations = list_migrations_of_server();
    let ready = conn.ensure_migrations_table(&migrations.table_name).await;
    ready.map_err(|why| failed(&why))?;
    check_schema(&mut conn, server, &migrations).await?;
    migrations.run_direct(None, &mut conn, false).await.map_err(|why| failed(&why))?;
    let readers = PgPoolOptions::new().max_connections(MOST_READERS);
    let readers = readers.connect_with(read_only(server)).await.map_err(|why| failed(&why))?;
    Ok((conn, readers))
}

/// A connection that can only read.
pub(super) async fn open_to_read(server: &ServerPlace) -> Result<PgConnection, OpenError> {
    open_checked(server, read_only(server)).await
}

/// A connection of a command that writes.
pub(super) async fn open_to_write(server: &ServerPlace) -> Result<PgConnection, OpenError> {
    open_checked(server, options(server)).await
}

/// Connects to a store that must have the schema of this build.
async fn open_checked(
    server: &ServerPlace,
    options: PgConnectOptions,
) -> Result<PgConnection, OpenError> {
    let mut conn = options.connect().await.map_err(|why| failed(server, &why))?;
    if check_schema(&mut conn, server, &list_migrations_of_server()).await? == SchemaAge::Same {
        return Ok(conn);
    }
    conn.close().await.ok();
    Err(failed(server, &"it is of an older schema; `tidings run --once` brings it up to date"))
}

/// Refuses a schema that cannot become that of this build.
async fn check_schema(
    conn: &mut PgConnection,
    server: &ServerPlace,
    migrations: &Migrator,
) -> Result<SchemaAge, OpenError> {
    match compare_schema(conn, migrations).await.map_err(|why| failed(server, &why))? {
        SchemaAge::Newer { found, supported } => Err(OpenError::Newer { found, supported }),
        SchemaAge::Other => Err(OpenError::Earlier(format!("{server:?}"))),
        schema => Ok(schema),
    }
}

fn options(server: &ServerPlace) -> PgConnectOptions {
    let options = PgConnectOptions::clone(&server.0).application_name("tidings");
    options.options([("lock_timeout", LOCK_TIMEOUT)]).disable_statement_logging()
}

fn read_only(server: &ServerPlace) -> PgConnectOptions {
    options(server).options([("default_transaction_read_only", "on")])
}

fn failed(server: &ServerPlace, why: &dyn Display) -> OpenError {
    OpenError::Failed { path: format!("{server:?}"), why: why.to_string() }
}
