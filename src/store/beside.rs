//! Connections for commands beside whatever runs on a store: no lock is taken, nothing is created
//! or migrated.

use std::path::Path;

use sqlx::migrate::Migrate;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use super::open::{MIGRATIONS, OpenError, WITHOUT_TABLES, has_tables, options};
use super::{StoreError, files};

/// A connection that can only read.
pub(super) async fn to_read(path: &Path) -> Result<SqliteConnection, OpenError> {
    open(path, options(path).read_only(true).pragma("query_only", "on")).await
}

/// A connection that can write, as whoever runs can: each waits for the other, some seconds at
/// most.
pub(super) async fn to_write(path: &Path) -> Result<SqliteConnection, OpenError> {
    open(path, options(path)).await
}

/// Closes a connection that wrote: where nobody else has the store open, it is one file then.
pub(super) async fn close(conn: SqliteConnection) -> Result<(), StoreError> {
    Ok(conn.close().await?)
}

/// Opens the store at `path`, which must be there and of the schema that this build knows.
async fn open(path: &Path, options: SqliteConnectOptions) -> Result<SqliteConnection, OpenError> {
    let failed = |error: &dyn std::fmt::Display| OpenError::failed(path, &error);
    files::refuse_special(path)?;
    let opened = options.connect().await;
    let mut conn = opened.map_err(|error| {
        if path.exists() { failed(&error) } else { failed(&"there is no such file") }
    })?;
    if !has_tables(&mut conn).await.map_err(|error| failed(&error))? {
        return Err(files::lost(path, WITHOUT_TABLES));
    }
    let applied = conn
        .list_applied_migrations(&MIGRATIONS.table_name)
        .await
        .map_err(|error| failed(&error))?;
    let found = applied.iter().map(|step| step.version).max().unwrap_or(0);
    let known = MIGRATIONS.iter().map(|step| step.version).max().unwrap_or(0);
    match found {
        newer if newer > known => Err(OpenError::Newer { found, known }),
        older if older < known => {
            Err(failed(&"it is of an older schema; `tidings run --once` brings it up to date"))
        }
        _ => Ok(conn),
    }
}
