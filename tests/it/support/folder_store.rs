//! What tests read and change in the store of a folder: a file, or a database of the server of the
//! tests.

use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{ConnectOptions, Connection, Row};
use tokio::time::timeout;

use super::DEADLINE;
use super::test_server::TestDatabase;
use super::tidings::Folder;

impl Folder {
    /// The store as an argument names it.
    pub fn store_argument(&self) -> String {
        self.database.as_ref().map_or_else(|| self.place("tidings.db"), address_of)
    }

    /// The name by which the store is shown.
    pub fn store_name(&self) -> String {
        self.database.as_ref().map_or("tidings.db", TestDatabase::name).to_owned()
    }

    /// Whether the store is on the server of the tests.
    pub fn is_on_server(&self) -> bool {
        self.database.is_some()
    }

    /// The first column of every row as text. The store may be in use.
    pub async fn query(&self, sql: &'static str) -> Vec<String> {
        self.try_query(sql).await.expect("a store, and a sound query")
    }

    /// Waits until `wanted` accepts the first row of `sql`. The store need not exist yet.
    pub async fn wait_until(&self, sql: &'static str, wanted: impl Fn(&str) -> bool) {
        let wait = async {
            while !self
                .try_query(sql)
                .await
                .is_ok_and(|rows| rows.first().is_some_and(|row| wanted(row)))
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("`{sql}` never became as wanted"));
    }

    /// Waits until the lease of a run that was killed ends, if the store is on a server.
    pub async fn wait_until_lease_ends(&self) {
        if self.is_on_server() {
            let live = "SELECT count(*) FROM run_lease
                 WHERE until > extract(epoch FROM clock_timestamp()) * 1000";
            self.wait_until(live, |count| count == "0").await;
        }
    }

    /// Changes the store while no run uses it, for example to pass time. Returns the number of
    /// changed rows.
    pub async fn change(&self, sql: &'static str) -> u64 {
        if let Some(database) = &self.database {
            let mut store = database.connect().await.expect("a store");
            let done = sqlx::query(sql).execute(&mut store).await;
            return done.expect("a sound statement").rows_affected();
        }
        let options = SqliteConnectOptions::new().filename(self.path("tidings.db"));
        let mut store = options.connect().await.expect("a store");
        sqlx::query(sql).execute(&mut store).await.expect("a sound statement").rows_affected()
    }

    /// The same with a value for `$1`.
    pub async fn change_with(&self, sql: &'static str, value: &str) -> u64 {
        if let Some(database) = &self.database {
            let mut store = database.connect().await.expect("a store");
            let done = sqlx::query(sql).bind(value).execute(&mut store).await;
            return done.expect("a sound statement").rows_affected();
        }
        let options = SqliteConnectOptions::new().filename(self.path("tidings.db"));
        let mut store = options.connect().await.expect("a store");
        let change = sqlx::query(sql).bind(value);
        change.execute(&mut store).await.expect("a sound statement").rows_affected()
    }

    /// Makes a database at the path of the store.
    pub async fn query_new(&self, sql: &'static str) {
        let options =
            SqliteConnectOptions::new().filename(self.path("tidings.db")).create_if_missing(true);
        let mut store = options.connect().await.expect("a place");
        sqlx::query(sql).execute(&mut store).await.expect("a sound statement");
        store.close().await.expect("a close");
    }

    /// Makes a whole copy of the store, with `SQLite`.
    pub async fn vacuum_into(&self, copy: &std::path::Path) {
        let options = SqliteConnectOptions::new().filename(self.path("tidings.db"));
        let mut store = options.connect().await.expect("a store");
        let copy = copy.to_str().expect("UTF-8");
        sqlx::query("VACUUM INTO $1").bind(copy).execute(&mut store).await.expect("a copy");
        store.close().await.expect("a close");
    }

    /// Locks the store against all other writers until it is dropped.
    pub async fn lock(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path("tidings.db"));
        let mut store = options.connect().await.expect("a store");
        sqlx::query("BEGIN EXCLUSIVE").execute(&mut store).await.expect("a lock");
        store
    }

    /// Reads the store until it is dropped.
    pub async fn read_on(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path("tidings.db")).read_only(true);
        let mut store = options.connect().await.expect("a store");
        sqlx::query("BEGIN").execute(&mut store).await.expect("a snapshot");
        sqlx::query("SELECT count(*) FROM story").execute(&mut store).await.expect("rows");
        store
    }

    async fn try_query(&self, sql: &'static str) -> Result<Vec<String>, sqlx::Error> {
        if let Some(database) = &self.database {
            let rows = sqlx::query(sql).fetch_all(&mut database.connect().await?).await?;
            let text = |row: &PgRow| {
                row.try_get::<String, _>(0).unwrap_or_else(|_| row.get::<i64, _>(0).to_string())
            };
            return Ok(rows.iter().map(text).collect());
        }
        let options = SqliteConnectOptions::new().filename(self.path("tidings.db")).read_only(true);
        let rows = sqlx::query(sql).fetch_all(&mut options.connect().await?).await?;
        let text = |row: &SqliteRow| {
            row.try_get::<String, _>(0).unwrap_or_else(|_| row.get::<i64, _>(0).to_string())
        };
        Ok(rows.iter().map(text).collect())
    }
}

/// A new database on the server of the tests. A caller on a runtime waits for it.
pub(super) fn make_database() -> TestDatabase {
    let make = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(TestDatabase::make("template1"))
    };
    std::thread::scope(|scope| scope.spawn(make).join().expect("a database"))
}

fn address_of(database: &TestDatabase) -> String {
    let socket = TestDatabase::socket().display().to_string().replace('/', "%2F");
    format!("postgres://tidings@{socket}/{}", database.name())
}

/// The configuration with the database as its store, unless it names another.
pub(super) fn config_with_store(text: &str, database: &TestDatabase) -> String {
    let address = address_of(database);
    if text.lines().any(|line| line.starts_with("store:")) {
        return text.replace("sqlite:tidings.db", &address);
    }
    format!("{}\nstore: {address}\n", text.trim_end())
}
