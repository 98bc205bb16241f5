//! The mark in a store that identifies its file and says whether it is open. It shows that a copy
//! lacks its log.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sqlx::sqlite::SqliteConnection;

/// Why a copy without its log is refused.
pub(super) const WITHOUT_LOG: &str =
    "it is a copy of a store that was open, without the -wal file that holds the last writes";

/// Marks the store at `path` as open. A checkpoint writes the mark into the file itself, so that a
/// copy of the file alone has it.
pub(super) async fn mark_open(conn: &mut SqliteConnection, path: &Path) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO store_file (id, inode, is_open) VALUES (1, $1, TRUE) ON CONFLICT (id) DO UPDATE SET inode = $1, is_open = TRUE",
    )
    .bind(read_inode(path)?)
    .execute(&mut *conn)
    .await?;
    checkpoint(conn).await
}

/// Marks the store as closed and writes its log into the file.
pub(super) async fn mark_closed(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE store_file SET is_open = FALSE").execute(&mut *conn).await?;
    checkpoint(conn).await
}

/// Whether the store at `path`, which has no log, was copied from another file while that was open.
/// A copy by `VACUUM INTO` is whole: its journal mode differs from an open store's.
pub(super) async fn lacks_log(
    conn: &mut SqliteConnection,
    path: &Path,
) -> Result<bool, sqlx::Error> {
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *conn).await?;
    let has_mark: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'store_file')")
            .fetch_one(&mut *conn)
            .await?;
    if journal != "wal" || !has_mark {
        return Ok(false);
    }
    let open: Option<String> =
        sqlx::query_scalar("SELECT inode FROM store_file WHERE is_open = TRUE")
            .fetch_optional(conn)
            .await?;
    let inode = read_inode(path)?;
    Ok(open.is_some_and(|marked| marked != inode))
}

async fn checkpoint(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(conn).await?;
    Ok(())
}

/// The file's number in its file system. A copy has another number.
fn read_inode(path: &Path) -> io::Result<String> {
    Ok(fs::metadata(path)?.ino().to_string())
}
