//! Puts a copy in the place of a store. The store that is there is kept beside it.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions, Connection};

use super::backup::{CopyError, copy_into, read_last_backup};
use super::lock::acquire_lock_to_restore;
use super::migrations::{SchemaAge, list_migrations};
use super::open::{check_schema, connect_options, find_missing};
use super::outbox::read_holdings;
use super::part_file::PartFile;
use super::{Holdings, OpenError, StoreError, files, open_mark};

/// A store that was restored.
#[derive(Debug)]
pub struct Restored {
    /// When the copy was made; `None` if another program made it.
    pub made_at: Option<Timestamp>,
    /// What it holds.
    pub holdings: Holdings,
    /// Where the store is now that was there before.
    pub replaced: Option<PathBuf>,
}

/// The reason why nothing was restored. The store that is there is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A run uses the store, or its place cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The copy cannot be read.
    #[error("{0} cannot be read: {1}")]
    Unreadable(PathBuf, String),
    /// It is no whole copy of a store.
    #[error("{0} is no copy of a store: {1}")]
    NoCopy(PathBuf, String),
    /// The store cannot be written.
    #[error("the store {0} cannot be written: {1}")]
    Unwritable(PathBuf, String),
}

/// Puts `copy` in the place of the store at `path`, when it is checked and on the disk. The store
/// that is there is moved to `<store>.replaced-<number>`, with its log. `copy` is only read.
pub async fn restore(copy: &Path, path: &Path) -> Result<Restored, RestoreError> {
    files::refuse_special(path)?;
    let _lock = acquire_lock_to_restore(path)?;
    let path = &files::resolve_links(path);
    refuse_unreadable(copy, path)?;
    let unwritable = |why: &io::Error| RestoreError::Unwritable(path.clone(), why.to_string());
    let part = PartFile::create(path).map_err(|why| unwritable(&why))?;
    let mut from = open_copy(copy).await?;
    let no_copy =
        |why: sqlx::Error| RestoreError::NoCopy(copy.to_owned(), StoreError::from(why).into_why());
    let holdings = read_holdings(&mut from).await.map_err(no_copy)?;
    let made_at = read_last_backup(&mut from).await.map_err(no_copy)?;
    copy_into(&mut from, part.path(), None).await.map_err(|why| match why {
        CopyError::Damaged(why) => RestoreError::NoCopy(copy.to_owned(), why),
        CopyError::Unwritable(why) => RestoreError::Unwritable(path.clone(), why),
    })?;
    from.close().await.map_err(no_copy)?;
    let replaced = move_aside(path).map_err(|why| unwritable(&why))?;
    part.move_to(path).map_err(|why| unwritable(&why))?;
    Ok(Restored { made_at, holdings, replaced })
}

/// Refuses a copy that cannot be read, and the store itself.
fn refuse_unreadable(copy: &Path, path: &Path) -> Result<(), RestoreError> {
    let found = fs::metadata(copy)
        .map_err(|why| RestoreError::Unreadable(copy.to_owned(), why.to_string()))?;
    let no_copy = |why: &str| Err(RestoreError::NoCopy(copy.to_owned(), why.to_owned()));
    if !found.is_file() {
        return no_copy("it is no regular file");
    }
    let is_store = |store: fs::Metadata| (store.dev(), store.ino()) == (found.dev(), found.ino());
    if fs::metadata(path).is_ok_and(is_store) {
        return no_copy("it is the store itself");
    }
    Ok(())
}

/// Opens a whole copy of a store, of this schema or an older one. If it has no log, nothing is
/// written beside it.
async fn open_copy(copy: &Path) -> Result<SqliteConnection, RestoreError> {
    let no_copy = |why: String| RestoreError::NoCopy(copy.to_owned(), why);
    let unreadable = |why: io::Error| RestoreError::Unreadable(copy.to_owned(), why.to_string());
    let needs_log = open_mark::needs_log(copy).map_err(unreadable)?;
    let has_log = files::log_path(copy).exists();
    let options = connect_options(copy).read_only(true).immutable(!has_log);
    let mut conn =
        options.connect().await.map_err(|why| no_copy(StoreError::from(why).into_why()))?;
    let age = check_schema(&mut conn, copy, &list_migrations()).await.map_err(|why| match why {
        OpenError::Lost { why, .. } | OpenError::Failed { why, .. } => no_copy(why),
        other => no_copy(other.to_string()),
    })?;
    if age == SchemaAge::Same {
        let missing = find_missing(&mut conn).await;
        let missing = missing.map_err(|why| no_copy(StoreError::from(why).into_why()))?;
        if let Some(name) = missing {
            return Err(no_copy(format!("it has no {name}")));
        }
    }
    let lacks_log = open_mark::lacks_log(&mut conn, copy).await;
    if needs_log && lacks_log.map_err(|why| no_copy(StoreError::from(why).into_why()))? {
        return Err(no_copy(open_mark::WITHOUT_LOG.to_owned()));
    }
    Ok(conn)
}

/// Moves the store at `path` aside, with its log. Returns its new place; `None` if there is none.
///
/// The log is copied first. Whenever this ends, the store has its log, here or there.
fn move_aside(path: &Path) -> io::Result<Option<PathBuf>> {
    let (log, memory) = (files::log_path(path), files::shared_memory_path(path));
    let aside = free_name(path);
    let has_log = fs::metadata(&log).is_ok_and(|log| log.len() > 0);
    if has_log {
        fs::copy(&log, files::log_path(&aside))?;
        fs::File::open(files::log_path(&aside))?.sync_all()?;
    }
    let has_store = match fs::rename(path, &aside) {
        Ok(()) => true,
        Err(why) if why.kind() == ErrorKind::NotFound => false,
        Err(why) => return Err(why),
    };
    files::sync_folder_of(path)?;
    files::remove_if_exists(&log)?;
    files::remove_if_exists(&memory)?;
    Ok((has_store || has_log).then_some(aside))
}

/// The first of the names `<store>.replaced-<number>` that no file has, and no log.
fn free_name(path: &Path) -> PathBuf {
    let is_taken = |path: &Path| path.symlink_metadata().is_ok();
    (1..=u32::MAX)
        .map(|number| path.with_added_extension(format!("replaced-{number}")))
        .find(|name| !is_taken(name) && !is_taken(&files::log_path(name)))
        .expect("no folder has files of all numbers")
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, at_second, item, settle_plan};
    use super::super::{Archive, acquire_lock, backup};
    use super::*;

    /// An open store with one story, and a copy of it.
    async fn bench_and_copy() -> (Bench, PathBuf) {
        let bench = Bench::of_file().await;
        bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
        let copy = bench.path().with_file_name("copy.db");
        backup::back_up(&bench.path(), &copy, at_second(7)).await.unwrap();
        (bench, copy)
    }

    #[tokio::test]
    async fn the_store_that_is_there_is_kept_with_its_log_and_stale_files_go() {
        let (_bench, copy) = bench_and_copy().await;
        let before = fs::read(&copy).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidings.db");
        for number in 1..=2 {
            fs::write(&path, "old").unwrap();
            fs::write(files::log_path(&path), "its log").unwrap();
            fs::write(files::shared_memory_path(&path), "its memory").unwrap();
            let restored = restore(&copy, &path).await.unwrap();
            assert_eq!((restored.made_at, restored.holdings.stories), (Some(at_second(7)), 1));
            let aside = path.with_added_extension(format!("replaced-{number}"));
            assert_eq!(restored.replaced.as_ref(), Some(&aside));
            assert_eq!(fs::read(&aside).unwrap(), b"old");
            assert_eq!(fs::read(files::log_path(&aside)).unwrap(), b"its log");
            assert!(!files::log_path(&path).exists() && !files::shared_memory_path(&path).exists());
            let mut archive = Archive::open(&path).await.unwrap();
            assert_eq!(archive.stories_after(at_second(0), None, 9).await.unwrap().len(), 1);
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read(&copy).unwrap(), before, "the copy is only read");
    }

    #[tokio::test]
    async fn where_no_store_is_none_is_kept_and_a_log_without_its_store_is() {
        let (_bench, copy) = bench_and_copy().await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidings.db");
        assert_eq!(restore(&copy, &path).await.unwrap().replaced, None);
        fs::remove_file(&path).unwrap();
        fs::write(files::log_path(&path), "a log").unwrap();
        let aside = restore(&copy, &path).await.unwrap().replaced.unwrap();
        assert_eq!(fs::read(files::log_path(&aside)).unwrap(), b"a log");
    }

    #[tokio::test]
    async fn what_is_no_whole_copy_is_refused_and_the_store_stays() {
        let (bench, copy) = bench_and_copy().await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidings.db");
        fs::write(&path, "old").unwrap();
        let [text, alone, cut] = ["text", "alone", "cut"].map(|name| folder.path().join(name));
        fs::write(&text, "no database ".repeat(99)).unwrap();
        // The store is open, and its log is not copied.
        fs::copy(bench.path(), &alone).unwrap();
        let whole = fs::read(&copy).unwrap();
        fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
        for (copy, why) in [
            (&text, "not a database"),
            (&alone, "without the -wal file"),
            (&cut, "malformed"),
            (&path, "it is the store itself"),
            (&folder.path().to_owned(), "no regular file"),
            (&folder.path().join("missing"), "cannot be read"),
        ] {
            let refused = restore(copy, &path).await.unwrap_err().to_string();
            assert!(refused.contains(why), "{}: {refused}", copy.display());
        }
        assert_eq!(fs::read(&path).unwrap(), b"old");
        let names = fs::read_dir(folder.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert!(names.into_iter().all(|name| !name.contains("part") && !name.contains("replaced")));
    }

    #[tokio::test]
    async fn a_copy_that_lacks_a_table_or_an_index_is_refused() {
        let (bench, copy) = bench_and_copy().await;
        for (statement, name) in [
            ("DROP INDEX message_unsent", "message_unsent"),
            ("DROP TABLE alert_index", "alert_index"),
        ] {
            let part = copy.with_added_extension(name);
            fs::copy(&copy, &part).unwrap();
            let mut conn = connect_options(&part).connect().await.unwrap();
            sqlx::query(statement).execute(&mut conn).await.unwrap();
            conn.close().await.unwrap();
            let path = bench.path().with_file_name("other.db");
            let refused = restore(&part, &path).await.unwrap_err().to_string();
            assert!(refused.ends_with(&format!("it has no {name}")), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_store_that_a_run_uses_is_refused() {
        let (bench, copy) = bench_and_copy().await;
        let _lock = acquire_lock(&bench.path()).unwrap();
        let refused = restore(&copy, &bench.path()).await.unwrap_err();
        assert!(matches!(refused, RestoreError::Open(OpenError::Locked(_))), "{refused}");
    }
}
