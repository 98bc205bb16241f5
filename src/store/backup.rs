//! Makes a whole copy of a store, beside a running Tidings.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions, Connection};

use super::column::{from_millis, to_millis};
use super::open::connect_options;
use super::part_file::PartFile;
use super::{
    OpenError, StoreCommandError, StoreError, command_connection, damage, files, open_mark,
};
use crate::config::StorePlace;
use crate::store::db::{self, StatementPlace};

/// A copy that was made.
#[derive(Debug)]
pub struct Backup {
    /// Its size in bytes.
    pub size: u64,
    /// Why the store does not know of it. The copy is whole all the same.
    pub unrecorded: Option<StoreCommandError>,
}

/// The reason why no copy was made. Nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is a file in the place of the copy.
    #[error("{0} exists, and a backup replaces no file")]
    Exists(PathBuf),
    /// The name belongs to the files of the store.
    #[error("{0} is a name of the store's own files")]
    OwnFile(PathBuf),
    /// The copy cannot be written.
    #[error("{0} cannot be written: {1}")]
    Unwritable(PathBuf, String),
    /// The store is damaged, and so would its copy be.
    #[error("the store is damaged: {0}")]
    Damaged(String),
}

/// Copies the store at `path` to `place`, where there is no file or an empty one. The name appears
/// when the copy is whole, checked and on the disk. The store records that it was made at `now`.
pub async fn back_up(path: &Path, place: &Path, now: Timestamp) -> Result<Backup, BackupError> {
    let unwritable = |why: &io::Error| BackupError::Unwritable(place.to_owned(), why.to_string());
    let mut store = command_connection::open_to_copy(path).await?;
    if files::is_own_file(path, place) {
        return Err(BackupError::OwnFile(place.to_owned()));
    }
    match fs::symlink_metadata(place) {
        Ok(found) if !found.is_file() || found.len() > 0 => {
            return Err(BackupError::Exists(place.to_owned()));
        }
        Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(unwritable(&why)),
        _ => {}
    }
    let part = PartFile::create(place).map_err(|why| unwritable(&why))?;
    copy_into(&mut store, part.path(), Some(now)).await.map_err(|why| match why {
        CopyError::Damaged(why) => BackupError::Damaged(why),
        CopyError::Unwritable(why) => BackupError::Unwritable(place.to_owned(), why),
    })?;
    let size = fs::metadata(part.path()).map_err(|why| unwritable(&why))?.len();
    part.move_to(place).map_err(|why| unwritable(&why))?;
    drop(store);
    let place = StorePlace::from(path);
    let recorded = command_connection::write(&place, async |conn| record_backup(conn, now).await);
    Ok(Backup { size, unrecorded: recorded.await.err() })
}

/// Why a copy is not whole.
pub(super) enum CopyError {
    /// What is copied is damaged.
    Damaged(String),
    /// The copy cannot be written.
    Unwritable(String),
}

/// Copies the database of `from` into the empty file at `to`, marks the copy as closed, and checks
/// it. With `made_at`, the copy records that it was made then.
pub(super) async fn copy_into(
    from: &mut SqliteConnection,
    to: &Path,
    made_at: Option<Timestamp>,
) -> Result<(), CopyError> {
    let name = to.to_str();
    let name = name.ok_or_else(|| CopyError::Unwritable("its path is not UTF-8".to_owned()))?;
    let copied = sqlx::query("VACUUM INTO $1").bind(name).execute(from).await;
    copied.map_err(|why| match StoreError::from(why).into_why() {
        why if why.contains("malformed") => CopyError::Damaged(why),
        why => CopyError::Unwritable(why),
    })?;
    let checked = async {
        let mut copy = connect_options(to).connect().await?;
        open_mark::mark_closed(&mut copy).await?;
        if let Some(made_at) = made_at {
            record_backup(&mut copy, made_at).await?;
        }
        let faults = damage::find_faults(&mut copy).await?;
        copy.close().await?;
        Ok::<_, sqlx::Error>(faults)
    };
    match checked.await {
        Ok(None) => Ok(()),
        Ok(Some(faults)) => Err(CopyError::Damaged(faults)),
        Err(error) => Err(CopyError::Unwritable(StoreError::from(error).into_why())),
    }
}

async fn record_backup<'c>(
    store: impl Into<StatementPlace<'c>>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    db::query(
        "INSERT INTO backup (id, made_at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET made_at = $1",
    )
    .bind(to_millis(now))
    .execute(store)
    .await?;
    Ok(())
}

/// When the last copy of a store was made; of a copy, when it was made itself. `None` if no copy
/// was.
pub(super) async fn read_last_backup<'c>(
    store: impl Into<StatementPlace<'c>>,
) -> Result<Option<Timestamp>, sqlx::Error> {
    let made_at: Option<i64> =
        db::query_scalar("SELECT made_at FROM backup").fetch_optional(store).await?;
    made_at.map(from_millis).transpose()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::Archive;
    use super::super::fixture::{Bench, at_second, item, settle_plan};
    use super::*;

    /// A store that is open, with one story.
    async fn bench() -> Bench {
        let bench = Bench::of_file().await;
        bench.poll("wire", 0, vec![item("a", settle_plan(&["arms"]))]).await;
        bench
    }

    async fn last_backup(path: &Path) -> Option<Timestamp> {
        read_last_backup(&mut Archive::open(path).await.unwrap().conn).await.unwrap()
    }

    #[tokio::test]
    async fn a_copy_of_an_open_store_is_whole_and_closed_and_both_know_when_it_was_made() {
        let bench = bench().await;
        let place = bench.path().with_file_name("copy.db");
        assert_eq!(last_backup(&bench.path()).await, None);
        let made = back_up(&bench.path(), &place, at_second(7)).await.unwrap();
        let found = fs::metadata(&place).unwrap();
        assert_eq!((made.size, found.permissions().mode() & 0o777), (found.len(), 0o600));
        assert!(made.unrecorded.is_none());
        for path in [&bench.path(), &place] {
            assert_eq!(last_backup(path).await, Some(at_second(7)));
        }
        let mut copy = Archive::open(&place).await.unwrap();
        let is_open: bool = db::query_scalar("SELECT is_open FROM store_file")
            .fetch_one(&mut copy.conn)
            .await
            .unwrap();
        let stories = copy.stories_after(at_second(0), None, 9).await.unwrap();
        assert_eq!((is_open, stories.len()), (false, 1));
        // A command that reads it leaves no file beside it.
        drop(copy);
        let names = fs::read_dir(bench.path().parent().unwrap()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert_eq!(names.filter(|name| name.starts_with("copy")).collect::<Vec<_>>(), ["copy.db"]);
    }

    #[tokio::test]
    async fn no_file_is_replaced_but_an_empty_one() {
        let bench = bench().await;
        let folder = tempfile::tempdir().unwrap();
        let (empty, full) = (folder.path().join("empty"), folder.path().join("full"));
        let link = folder.path().join("link");
        fs::File::create(&empty).unwrap();
        fs::write(&full, "kept").unwrap();
        std::os::unix::fs::symlink(&empty, &link).unwrap();
        for place in [full.as_path(), &link, folder.path(), &bench.path()] {
            let refused = back_up(&bench.path(), place, at_second(7)).await.unwrap_err();
            assert!(matches!(refused, BackupError::Exists(_)), "{}: {refused}", place.display());
        }
        assert_eq!(fs::read(&full).unwrap(), b"kept");
        back_up(&bench.path(), &empty, at_second(7)).await.unwrap();
        Archive::open(&empty).await.unwrap();
        let missing = folder.path().join("missing/copy.db");
        let refused = back_up(&bench.path(), &missing, at_second(7)).await.unwrap_err();
        assert!(matches!(refused, BackupError::Unwritable(..)), "{refused}");
    }

    /// The next run would take a copy under such a name for its log, or remove it.
    #[tokio::test]
    async fn no_copy_takes_a_name_of_the_files_of_a_store() {
        let bench = bench().await;
        let path = bench.path();
        let _home = bench.stop_cleanly().await;
        let link = path.with_file_name("link.db");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for ending in ["-wal", "-shm", "-journal", ".lock", ".new", ".part"] {
            let place = files::with_suffix(&path, ending);
            for store in [&path, &link] {
                let refused = back_up(store, &place, at_second(7)).await.unwrap_err();
                assert!(matches!(refused, BackupError::OwnFile(_)), "{ending}: {refused}");
            }
            assert!(!place.exists());
        }
        let beside = files::with_suffix(&path, "-2026-11-30");
        back_up(&path, &beside, at_second(7)).await.unwrap();
    }

    #[tokio::test]
    async fn a_damaged_store_is_not_copied_and_no_half_copy_stays() {
        use std::os::unix::fs::FileExt;
        let bench = bench().await;
        let sql = "SELECT rootpage || '' FROM sqlite_master WHERE name = 'story'";
        let root: u64 = bench.query_text(sql).await.unwrap().parse().unwrap();
        let path = bench.path();
        let _home = bench.stop_cleanly().await;
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.write_all_at(&[0xa5; 4000], (root - 1) * 4096 + 8).unwrap();
        let refused =
            back_up(&path, &path.with_file_name("copy.db"), at_second(7)).await.unwrap_err();
        assert!(matches!(refused, BackupError::Damaged(_)), "{refused}");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
