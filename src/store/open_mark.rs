//! The mark in a store that identifies its file and says whether it is open. It shows that a copy
//! lacks its log.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use sqlx::sqlite::SqliteConnection;

use super::files;

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
    checkpoint(conn).await?;
    Ok(())
}

/// Marks the store as closed and writes its log into the file. The file then needs no log, not even
/// an empty one while a command reads it. `false`: another process reads the store, so that its log
/// is still needed.
pub(super) async fn mark_closed(conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    sqlx::query("UPDATE store_file SET is_open = FALSE").execute(&mut *conn).await?;
    let is_whole = checkpoint(conn).await?;
    // Where another process has the store open, this fails at once, and the log stays.
    sqlx::query("PRAGMA busy_timeout = 0").execute(&mut *conn).await?;
    sqlx::query("PRAGMA journal_mode = delete").execute(conn).await.ok();
    Ok(is_whole)
}

/// Whether the database at `path` keeps a log that is not there. A store that was closed keeps
/// none, and a copy by `VACUUM INTO` neither. No connection may be open: `SQLite` would lose its
/// locks.
pub(super) fn needs_log(path: &Path) -> io::Result<bool> {
    // The version that a reader must have, in the header of the file: 2 knows logs.
    let mut version = [0];
    match File::open(path)?.read_exact_at(&mut version, 19) {
        Err(why) if why.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| version == [2] && !files::log_path(path).exists()),
    }
}

/// Whether the store at `path`, which [`needs_log`], was copied from another file while that was
/// open.
pub(super) async fn lacks_log(
    conn: &mut SqliteConnection,
    path: &Path,
) -> Result<bool, sqlx::Error> {
    let has_mark: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'store_file')")
            .fetch_one(&mut *conn)
            .await?;
    if !has_mark {
        return Ok(false);
    }
    let open: Option<String> =
        sqlx::query_scalar("SELECT inode FROM store_file WHERE is_open = TRUE")
            .fetch_optional(conn)
            .await?;
    let inode = read_inode(path)?;
    Ok(open.is_some_and(|marked| marked != inode))
}

/// Writes the log into the file and empties it. `false` if a reader needs the log.
async fn checkpoint(conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let is_busy: bool =
        sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(conn).await?;
    Ok(!is_busy)
}

/// The file's number in its file system. A copy has another number.
fn read_inode(path: &Path) -> io::Result<String> {
    Ok(fs::metadata(path)?.ino().to_string())
}
