//! The two databases of a store, behind the names of sqlx. Which one it is, is known when it runs.
//!
//! A statement is written once. Where the databases differ, `dialect` makes two texts of it.

mod builder;
mod nul;
mod statement;

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool, PgRow};
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{ColumnIndex, Connection as _, Decode, Postgres, Row as _, Sqlite, Transaction, Type};
use tokio::time::timeout;

use super::server_fault::no_answer;

pub(super) use builder::StatementBuilder;
pub(super) use statement::{
    Argument, Sql, SqlList, Statement, query, query_as, query_scalar, run_script,
};

/// A transaction that reads one moment of a store on `PostgreSQL`. One on `SQLite` always does.
const READ_ONE_MOMENT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// How long a server may take to answer. It gives up a statement before.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// How long the end of a session may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// The answer of a server, unless it takes too long. The connection must not be used after that.
pub(super) async fn in_time<T>(
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    // A box, so that the futures of a file do not grow.
    match timeout(ANSWER_TIMEOUT, Box::pin(answer)).await {
        // A connection cannot be had from the pool.
        Ok(Err(sqlx::Error::PoolTimedOut)) | Err(_) => Err(no_answer()),
        Ok(answer) => answer,
    }
}

/// A connection to the database of a store.
#[derive(Debug)]
pub(super) enum DbConnection<'c> {
    /// To a file.
    Sqlite(SqliteConnection),
    /// One of the readers of a file.
    SqliteReader(PoolConnection<Sqlite>),
    /// One that reads one moment of a file.
    SqliteSnapshot(Transaction<'c, Sqlite>),
    /// To a server.
    Postgres(PgConnection),
    /// One of the readers of a server.
    PostgresReader(PoolConnection<Postgres>),
    /// One that reads one moment of a server.
    PostgresSnapshot(Transaction<'c, Postgres>),
}

impl DbConnection<'_> {
    /// The connection to a server; `None` for a file.
    pub(super) fn server_mut(&mut self) -> Option<&mut PgConnection> {
        match self.lend() {
            Lent::Postgres(conn) => Some(conn),
            Lent::Sqlite(_) => None,
        }
    }

    /// The connection as that of its database.
    fn lend(&mut self) -> Lent<'_> {
        match self {
            Self::Sqlite(conn) => Lent::Sqlite(conn),
            Self::SqliteReader(conn) => Lent::Sqlite(conn),
            Self::SqliteSnapshot(conn) => Lent::Sqlite(conn),
            Self::Postgres(conn) => Lent::Postgres(conn),
            Self::PostgresReader(conn) => Lent::Postgres(conn),
            Self::PostgresSnapshot(conn) => Lent::Postgres(conn),
        }
    }

    /// Whether it is to a server.
    pub(super) fn is_server(&self) -> bool {
        matches!(self, Self::Postgres(_) | Self::PostgresReader(_) | Self::PostgresSnapshot(_))
    }

    /// The connection, reading one moment of the store until it is dropped.
    pub(super) async fn begin(&mut self) -> Result<DbConnection<'_>, sqlx::Error> {
        Ok(match self.lend() {
            Lent::Sqlite(conn) => DbConnection::SqliteSnapshot(conn.begin().await?),
            Lent::Postgres(conn) => {
                DbConnection::PostgresSnapshot(in_time(conn.begin_with(READ_ONE_MOMENT)).await?)
            }
        })
    }

    /// Closes it. A reader goes back to the others.
    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(conn) => conn.close().await,
            Self::Postgres(conn) => match timeout(CLOSE_TIMEOUT, conn.close()).await {
                Ok(closed) => closed,
                Err(_) => Err(no_answer()),
            },
            _ => Ok(()),
        }
    }
}

/// Connections that only read.
#[derive(Clone, Debug)]
pub(super) enum DbPool {
    /// To a file.
    Sqlite(SqlitePool),
    /// To a server.
    Postgres(PgPool),
}

impl DbPool {
    /// One of the connections, until it is dropped.
    pub(super) async fn acquire(&self) -> Result<DbConnection<'static>, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(pool) => DbConnection::SqliteReader(pool.acquire().await?),
            Self::Postgres(pool) => DbConnection::PostgresReader(in_time(pool.acquire()).await?),
        })
    }

    /// One of the connections, reading one moment of the store until it is dropped.
    pub(super) async fn begin(&self) -> Result<DbConnection<'static>, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(pool) => DbConnection::SqliteSnapshot(pool.begin().await?),
            Self::Postgres(pool) => {
                DbConnection::PostgresSnapshot(in_time(pool.begin_with(READ_ONE_MOMENT)).await?)
            }
        })
    }

    /// Closes all connections, as soon as they are unused. A server that does not answer is left.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => _ = timeout(CLOSE_TIMEOUT, pool.close()).await,
        }
    }
}

/// A connection of one of the databases, for one statement.
pub(super) enum Lent<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

/// Where a statement runs.
pub(super) enum StatementPlace<'c> {
    Lent(Lent<'c>),
    Pool(&'c DbPool),
}

impl<'c> From<&'c mut DbConnection<'_>> for StatementPlace<'c> {
    fn from(conn: &'c mut DbConnection<'_>) -> Self {
        Self::Lent(conn.lend())
    }
}

impl<'c> From<&'c DbPool> for StatementPlace<'c> {
    fn from(pool: &'c DbPool) -> Self {
        Self::Pool(pool)
    }
}

impl<'c> From<&'c mut SqliteConnection> for StatementPlace<'c> {
    fn from(conn: &'c mut SqliteConnection) -> Self {
        Self::Lent(Lent::Sqlite(conn))
    }
}

/// A row of a result.
pub(super) enum DbRow {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A value that both databases give.
pub(super) trait ColumnValue<'r>:
    Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>
{
}

impl<'r, T> ColumnValue<'r> for T where
    T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>
{
}

impl DbRow {
    /// The value of a column, by its name or its place.
    pub(super) fn try_get<'r, T, I>(&'r self, column: I) -> Result<T, sqlx::Error>
    where
        T: ColumnValue<'r>,
        I: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>,
    {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }
}
