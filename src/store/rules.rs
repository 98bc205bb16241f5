//! What the store keeps of rules: every version that ever was in force, and the files as they last were good.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::column::millis;
use super::{Store, StoreError};

impl Store {
    /// Keeps the text of rule versions, given as hash and text. A hash that is known keeps its text.
    pub async fn keep_rules(&self, versions: Vec<(String, String)>, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |conn| Box::pin(keep_versions(conn, versions, now))).await
    }

    /// The last good text of every rule file: name and text, in the order of the names.
    pub async fn good_rule_files(&self) -> Result<Vec<(String, String)>, StoreError> {
        Ok(sqlx::query_as("SELECT name, text FROM rule_file ORDER BY name").fetch_all(&self.readers).await?)
    }

    /// Replaces the last good texts by `files`, name and text; no name twice.
    pub async fn keep_rule_files(&self, files: Vec<(String, String)>, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |conn| Box::pin(replace_files(conn, files, now))).await
    }
}

async fn keep_versions(
    conn: &mut SqliteConnection,
    versions: Vec<(String, String)>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    for (hash, text) in versions {
        sqlx::query("INSERT INTO rule_version (hash, text, kept) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING")
            .bind(hash)
            .bind(text)
            .bind(millis(now))
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

async fn replace_files(
    conn: &mut SqliteConnection,
    files: Vec<(String, String)>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM rule_file").execute(&mut *conn).await?;
    for (name, text) in files {
        sqlx::query("INSERT INTO rule_file (name, text, kept) VALUES ($1, $2, $3)")
            .bind(name)
            .bind(text)
            .bind(millis(now))
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}
