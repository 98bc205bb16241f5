//! Connections for commands beside a running Tidings. They take no lock and create and migrate
//! nothing.

use std::path::Path;

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::migrations::{SchemaAge, list_migrations};
use super::open::{check_schema, connect_options};
use super::{OpenError, StoreError, files, server};
use crate::config::StorePlace;
use crate::store::db::{DbConnection, run_script};
use crate::store::writer::BEGIN;

/// A connection that can only read.
pub(super) async fn open_to_read(place: &StorePlace) -> Result<DbConnection<'static>, OpenError> {
    match place {
        StorePlace::File(path) => {
            let options = connect_options(path).read_only(true).pragma("query_only", "on");
            open_checked(path, options).await.map(DbConnection::Sqlite)
        }
        StorePlace::Server(server) => {
            server::open_to_read(server).await.map(DbConnection::Postgres)
        }
    }
}

/// A connection from which a copy is made. It changes nothing in the store.
pub(super) async fn open_to_copy(path: &Path) -> Result<SqliteConnection, OpenError> {
    // `query_only` would forbid the copy, too.
    open_checked(path, connect_options(path).read_only(true)).await
}

/// Runs `work` in one transaction that writes to the store at `place`, beside a running Tidings.
/// Each of the two waits up to five seconds for the other. The store is one file afterwards if no
/// other process has it open.
pub(super) async fn write<T>(
    place: &StorePlace,
    work: impl AsyncFnOnce(&mut DbConnection<'_>) -> Result<T, sqlx::Error>,
) -> Result<T, StoreCommandError> {
    let mut conn = match place {
        StorePlace::File(path) => {
            DbConnection::Sqlite(open_checked(path, connect_options(path)).await?)
        }
        StorePlace::Server(server) => DbConnection::Postgres(server::open_to_write(server).await?),
    };
    // What is not committed is rolled back when the connection closes.
    run_script(&mut conn, BEGIN).await?;
    let done = work(&mut conn).await?;
    run_script(&mut conn, "COMMIT".into()).await?;
    conn.close().await?;
    Ok(done)
}

/// The reason why a command failed that opened the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreCommandError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A statement failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for StoreCommandError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Opens the store at `path`, which must exist and have the schema of this build.
async fn open_checked(
    path: &Path,
    options: SqliteConnectOptions,
) -> Result<SqliteConnection, OpenError> {
    files::refuse_special(path)?;
    let failed = |error: &dyn std::fmt::Display| OpenError::failed(path, &error);
    let opened = options.connect().await;
    let mut conn = opened.map_err(|error| {
        if path.exists() { failed(&error) } else { failed(&"there is no such file") }
    })?;
    match check_schema(&mut conn, path, &list_migrations()).await? {
        SchemaAge::Older(_) => {
            Err(failed(&"it is of an older schema; `tidings run --once` brings it up to date"))
        }
        _ => Ok(conn),
    }
}
