//! Statements with their arguments.

use std::borrow::Cow;
use std::marker::PhantomData;

use futures_util::TryStreamExt;
use serde::Serialize;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, FromRow, SqlSafeStr, SqlStr};

use super::nul::{list_without_nul, without_nul};
use super::{ColumnValue, DbConnection, DbRow, Lent, StatementPlace, in_time};

/// The text of a statement for each database.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Sql {
    pub(in crate::store) sqlite: &'static str,
    pub(in crate::store) postgres: &'static str,
}

impl From<&'static str> for Sql {
    fn from(both: &'static str) -> Self {
        Self { sqlite: both, postgres: both }
    }
}

/// A list that a statement is given, as JSON.
#[derive(Clone, Debug)]
pub(in crate::store) struct SqlList(String);

impl SqlList {
    /// The list of these values or rows.
    pub(in crate::store) fn new<T: Serialize>(rows: &T) -> Result<Self, sqlx::Error> {
        let json = serde_json::to_string(rows);
        json.map(Self).map_err(|error| sqlx::Error::Encode(error.into()))
    }

    /// The list of these values or rows, each of which is JSON.
    pub(in crate::store) fn of_json(rows: &[String]) -> Self {
        Self(format!("[{}]", rows.join(",")))
    }

    /// Whether it has no rows.
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.0 == "[]"
    }
}

/// The value of a placeholder. A null has a type, too.
#[derive(Debug)]
pub(in crate::store) enum Argument<'q> {
    Number(Option<i64>),
    Truth(Option<bool>),
    Text(Option<Cow<'q, str>>),
    List(Cow<'q, str>),
    Bytes(Cow<'q, [u8]>),
}

impl From<i64> for Argument<'_> {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Argument<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Argument<'_> {
    fn from(truth: bool) -> Self {
        Self::Truth(Some(truth))
    }
}

impl From<Option<bool>> for Argument<'_> {
    fn from(truth: Option<bool>) -> Self {
        Self::Truth(truth)
    }
}

impl<'q> From<&'q str> for Argument<'q> {
    fn from(text: &'q str) -> Self {
        Self::Text(Some(Cow::Borrowed(text)))
    }
}

impl<'q> From<Option<&'q str>> for Argument<'q> {
    fn from(text: Option<&'q str>) -> Self {
        Self::Text(text.map(Cow::Borrowed))
    }
}

impl<'q> From<&'q String> for Argument<'q> {
    fn from(text: &'q String) -> Self {
        text.as_str().into()
    }
}

impl<'q> From<Option<&'q String>> for Argument<'q> {
    fn from(text: Option<&'q String>) -> Self {
        text.map(String::as_str).into()
    }
}

impl<'q> From<&'q Option<String>> for Argument<'q> {
    fn from(text: &'q Option<String>) -> Self {
        text.as_deref().into()
    }
}

impl From<String> for Argument<'_> {
    fn from(text: String) -> Self {
        Self::Text(Some(Cow::Owned(text)))
    }
}

impl From<Option<String>> for Argument<'_> {
    fn from(text: Option<String>) -> Self {
        Self::Text(text.map(Cow::Owned))
    }
}

impl From<SqlList> for Argument<'_> {
    fn from(list: SqlList) -> Self {
        Self::List(Cow::Owned(list.0))
    }
}

impl From<Option<SqlList>> for Argument<'_> {
    fn from(list: Option<SqlList>) -> Self {
        Self::Text(list.map(|list| Cow::Owned(list.0)))
    }
}

impl<'q> From<&'q SqlList> for Argument<'q> {
    fn from(list: &'q SqlList) -> Self {
        Self::List(Cow::Borrowed(&list.0))
    }
}

impl From<Vec<u8>> for Argument<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Cow::Owned(bytes))
    }
}

impl<'q> From<&'q Vec<u8>> for Argument<'q> {
    fn from(bytes: &'q Vec<u8>) -> Self {
        Self::Bytes(Cow::Borrowed(bytes))
    }
}

/// A statement with the values of its placeholders.
#[must_use]
pub(in crate::store) struct Statement<'q> {
    text: StatementText,
    arguments: Vec<Argument<'q>>,
}

enum StatementText {
    Fixed(Sql),
    /// Its placeholders are question marks.
    Built(String),
}

/// A statement.
pub(in crate::store) fn query<'q>(sql: impl Into<Sql>) -> Statement<'q> {
    Statement { text: StatementText::Fixed(sql.into()), arguments: Vec::new() }
}

/// A statement whose rows are tuples.
pub(in crate::store) fn query_as<'q, T>(sql: impl Into<Sql>) -> StatementAs<'q, T> {
    StatementAs(query(sql), PhantomData)
}

/// A statement whose rows are one value.
pub(in crate::store) fn query_scalar<'q, T>(sql: impl Into<Sql>) -> StatementScalar<'q, T> {
    StatementScalar(query(sql), PhantomData)
}

/// A statement of this text, whose placeholders are question marks, with their values.
pub(super) fn built(text: String, arguments: Vec<Argument<'_>>) -> Statement<'_> {
    Statement { text: StatementText::Built(text), arguments }
}

/// Runs statements without placeholders, one after the other.
pub(in crate::store) async fn run_script(
    conn: &mut DbConnection<'_>,
    sql: Sql,
) -> Result<(), sqlx::Error> {
    match conn.lend() {
        // SQLite keeps the statements prepared.
        Lent::Sqlite(conn) => sqlx::query(sql.sqlite).execute(conn).await.map(drop),
        Lent::Postgres(conn) => in_time(sqlx::raw_sql(sql.postgres).execute(conn)).await.map(drop),
    }
}

/// What a statement without rows did.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Done(u64);

impl Done {
    /// How many rows it changed.
    pub(in crate::store) fn rows_affected(self) -> u64 {
        self.0
    }
}

impl<'q> Statement<'q> {
    /// With this value of the next placeholder.
    pub(in crate::store) fn bind(mut self, argument: impl Into<Argument<'q>>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Runs it.
    pub(in crate::store) async fn execute<'c>(
        self,
        place: impl Into<StatementPlace<'c>>,
    ) -> Result<Done, sqlx::Error> {
        let mut pooled = None;
        match borrow(place.into(), &mut pooled).await? {
            Lent::Sqlite(conn) => {
                let (sql, arguments) = self.for_sqlite()?;
                let done = sqlx::query_with(sql, arguments).execute(conn).await?;
                Ok(Done(done.rows_affected()))
            }
            Lent::Postgres(conn) => {
                let (sql, arguments) = self.for_postgres()?;
                let done = in_time(sqlx::query_with(sql, arguments).execute(conn)).await?;
                Ok(Done(done.rows_affected()))
            }
        }
    }

    /// Its rows.
    pub(in crate::store) async fn fetch_all<'c>(
        self,
        place: impl Into<StatementPlace<'c>>,
    ) -> Result<Vec<DbRow>, sqlx::Error> {
        let mut pooled = None;
        match borrow(place.into(), &mut pooled).await? {
            Lent::Sqlite(conn) => {
                let (sql, arguments) = self.for_sqlite()?;
                sqlx::query_with(sql, arguments)
                    .fetch(conn)
                    .map_ok(DbRow::Sqlite)
                    .try_collect()
                    .await
            }
            Lent::Postgres(conn) => {
                let (sql, arguments) = self.for_postgres()?;
                let rows = sqlx::query_with(sql, arguments).fetch(conn);
                in_time(rows.map_ok(DbRow::Postgres).try_collect()).await
            }
        }
    }

    /// Its first row, if there is one.
    pub(in crate::store) async fn fetch_optional<'c>(
        self,
        place: impl Into<StatementPlace<'c>>,
    ) -> Result<Option<DbRow>, sqlx::Error> {
        let mut pooled = None;
        match borrow(place.into(), &mut pooled).await? {
            Lent::Sqlite(conn) => {
                let (sql, arguments) = self.for_sqlite()?;
                let row = sqlx::query_with(sql, arguments).fetch_optional(conn).await?;
                Ok(row.map(DbRow::Sqlite))
            }
            Lent::Postgres(conn) => {
                let (sql, arguments) = self.for_postgres()?;
                let row = in_time(sqlx::query_with(sql, arguments).fetch_optional(conn)).await?;
                Ok(row.map(DbRow::Postgres))
            }
        }
    }

    /// Its first row.
    pub(in crate::store) async fn fetch_one<'c>(
        self,
        place: impl Into<StatementPlace<'c>>,
    ) -> Result<DbRow, sqlx::Error> {
        self.fetch_optional(place).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Passes its rows to `take`, one after the other, however long that takes. Ends at the first
    /// error of `take`.
    pub(in crate::store) async fn for_each_row(
        self,
        conn: &mut DbConnection<'_>,
        mut take: impl AsyncFnMut(DbRow) -> Result<(), sqlx::Error>,
    ) -> Result<(), sqlx::Error> {
        match conn.lend() {
            Lent::Sqlite(conn) => {
                let (sql, arguments) = self.for_sqlite()?;
                let mut rows = sqlx::query_with(sql, arguments).fetch(conn);
                while let Some(row) = rows.try_next().await? {
                    take(DbRow::Sqlite(row)).await?;
                }
            }
            Lent::Postgres(conn) => {
                let (sql, arguments) = self.for_postgres()?;
                let mut rows = sqlx::query_with(sql, arguments).fetch(conn);
                while let Some(row) = rows.try_next().await? {
                    take(DbRow::Postgres(row)).await?;
                }
            }
        }
        Ok(())
    }

    fn for_sqlite(self) -> Result<(SqlStr, SqliteArguments), sqlx::Error> {
        let sql = match self.text {
            StatementText::Fixed(sql) => sql.sqlite.into_sql_str(),
            StatementText::Built(sql) => AssertSqlSafe(sql).into_sql_str(),
        };
        let mut arguments = SqliteArguments::default();
        arguments.reserve(self.arguments.len(), 0);
        for argument in self.arguments {
            let added = match argument {
                Argument::Number(number) => arguments.add(number),
                Argument::Truth(truth) => arguments.add(truth),
                Argument::Text(Some(Cow::Borrowed(text))) => arguments.add(text),
                Argument::Text(Some(Cow::Owned(text))) => arguments.add(text),
                Argument::Text(None) => arguments.add(None::<&str>),
                Argument::List(Cow::Borrowed(list)) => arguments.add(list),
                Argument::List(Cow::Owned(list)) => arguments.add(list),
                Argument::Bytes(Cow::Borrowed(bytes)) => arguments.add(bytes),
                Argument::Bytes(Cow::Owned(bytes)) => arguments.add(bytes),
            };
            added.map_err(sqlx::Error::Encode)?;
        }
        Ok((sql, arguments))
    }

    fn for_postgres(self) -> Result<(SqlStr, PgArguments), sqlx::Error> {
        let sql = match self.text {
            StatementText::Fixed(sql) => sql.postgres.into_sql_str(),
            StatementText::Built(sql) => AssertSqlSafe(number_placeholders(&sql)).into_sql_str(),
        };
        let mut arguments = PgArguments::default();
        arguments.reserve(self.arguments.len(), 0);
        for argument in self.arguments {
            let added = match argument {
                Argument::Number(number) => arguments.add(number),
                Argument::Truth(truth) => arguments.add(truth),
                Argument::Text(Some(text)) => arguments.add(without_nul(&text)),
                Argument::Text(None) => arguments.add(None::<&str>),
                Argument::List(list) => arguments.add(list_without_nul(&list)),
                Argument::Bytes(bytes) => arguments.add(&*bytes),
            };
            added.map_err(sqlx::Error::Encode)?;
        }
        Ok((sql, arguments))
    }
}

/// The connection at a place. One from a pool goes back when `pooled` is dropped.
async fn borrow<'c>(
    place: StatementPlace<'c>,
    pooled: &'c mut Option<DbConnection<'static>>,
) -> Result<Lent<'c>, sqlx::Error> {
    match place {
        StatementPlace::Lent(lent) => Ok(lent),
        StatementPlace::Pool(pool) => Ok(pooled.insert(pool.acquire().await?).lend()),
    }
}

/// A text with `$1`, `$2` and so on for its question marks.
fn number_placeholders(sql: &str) -> String {
    let mut parts = sql.split('?');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for (part, number) in parts.zip(1_usize..) {
        text.push('$');
        text.push_str(&number.to_string());
        text.push_str(part);
    }
    text
}

/// A statement whose rows are tuples.
#[must_use]
pub(in crate::store) struct StatementAs<'q, T>(Statement<'q>, PhantomData<T>);

impl<'q, T> From<Statement<'q>> for StatementAs<'q, T> {
    fn from(statement: Statement<'q>) -> Self {
        Self(statement, PhantomData)
    }
}

impl<'q, T> StatementAs<'q, T>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
{
    /// With this value of the next placeholder.
    pub(in crate::store) fn bind(self, argument: impl Into<Argument<'q>>) -> Self {
        Self(self.0.bind(argument), PhantomData)
    }

    /// Its rows.
    pub(in crate::store) async fn fetch_all<'c>(
        self,
        place: impl Into<StatementPlace<'c>>,
    ) -> Result<Vec<T>, sqlx::Error> {
        self.0.fetch_all(place).await?.iter().map(read_tuple).collect()
    }

    /// Its first row.
    pub(in crate::store) async fn fetch_one<'c>(
        self,
        place: impl Into<StatementPlace<'c>>,
    ) -> Result<T, sqlx::Error> {
        read_tuple(&self.0.fetch_one(place).await?)
    }
}

fn read_tuple<T>(row: &DbRow) -> Result<T, sqlx::Error>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
{
    match row {
        DbRow::Sqlite(row) => T::from_row(row),
        DbRow::Postgres(row) => T::from_row(row),
    }
}

/// A statement whose rows are one value.
#[must_use]
pub(in crate::store) struct StatementScalar<'q, T>(Statement<'q>, PhantomData<T>);

impl<'q, T: for<'r> ColumnValue<'r>> StatementScalar<'q, T> {
    /// With this value of the next placeholder.
    pub(in crate::store) fn bind(self, argument: impl Into<Argument<'q>>) -> Self {
        Self(self.0.bind(argument), PhantomData)
    }

    /// The values of its rows.
    pub(in crate::store) async fn fetch_all<'c>(
        self,
        place: impl Into<StatementPlace<'c>>,
    ) -> Result<Vec<T>, sqlx::Error> {
        self.0.fetch_all(place).await?.iter().map(|row| row.try_get(0)).collect()
    }

    /// The value of its first row.
    pub(in crate::store) async fn fetch_one<'c>(
        self,
        place: impl Into<StatementPlace<'c>>,
    ) -> Result<T, sqlx::Error> {
        self.0.fetch_one(place).await?.try_get(0)
    }

    /// The value of its first row, if there is one.
    pub(in crate::store) async fn fetch_optional<'c>(
        self,
        place: impl Into<StatementPlace<'c>>,
    ) -> Result<Option<T>, sqlx::Error> {
        self.0.fetch_optional(place).await?.map(|row| row.try_get(0)).transpose()
    }
}
