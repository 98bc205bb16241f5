//! The lock file beside the store: only one `run` at a time. The system releases the lock when the
//! process ends, however it ends.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{OpenError, files};

/// The right to run on a store, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes the lock of the store at `path`: the file `<store>.lock` beside it, which stays and holds
/// the id of the process that took it last.
///
/// # Errors
/// [`OpenError::Locked`], which names the process, if another process holds it.
/// [`OpenError::Lost`] if a run held it before and the store is empty. [`OpenError::Failed`] if the
/// file cannot be written.
pub fn acquire_lock(path: &Path) -> Result<Lock, OpenError> {
    let beside = lock_path(path);
    let failed = |error: std::io::Error| OpenError::failed(&beside, &error);
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(files::PRIVATE_MODE);
    let mut file = options.open(&beside).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            if file.metadata().map_err(failed)?.len() > 0 {
                files::refuse_empty(path)?;
            }
            file.set_len(0).map_err(failed)?;
            write!(file, "{}", std::process::id()).map_err(failed)?;
            Ok(Lock { _file: file })
        }
        Err(TryLockError::WouldBlock) => {
            // The process that holds the lock may not have written its id yet.
            let mut holder = String::new();
            match file.read_to_string(&mut holder) {
                Ok(1..) => Err(OpenError::Locked(format!("process {holder}"))),
                _ => Err(OpenError::Locked(beside.display().to_string())),
            }
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The path of a store's lock. A store has one lock, even if it is reached by a symbolic link.
fn lock_path(path: &Path) -> PathBuf {
    files::resolve_links(path).with_added_extension("lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_is_refused_and_names_the_process_that_holds_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidings.db");
        let held = acquire_lock(&path).unwrap();
        let refused = acquire_lock(&path).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(held);
        acquire_lock(&path).unwrap();
    }

    #[test]
    fn an_empty_store_is_refused_where_a_run_was_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidings.db");
        File::create(&path).unwrap();
        drop(acquire_lock(&path).unwrap());
        for _ in 0..2 {
            let refused = acquire_lock(&path).unwrap_err();
            assert!(matches!(refused, OpenError::Lost { .. }), "{refused}");
        }
    }

    #[test]
    fn a_store_behind_a_symbolic_link_has_one_lock() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("tidings.db"), folder.path().join("link.db"));
        File::create(&path).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let _held = acquire_lock(&path).unwrap();
        assert!(matches!(acquire_lock(&link), Err(OpenError::Locked(_))));
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let refused =
            acquire_lock(&folder.path().join("missing/tidings.db")).unwrap_err().to_string();
        assert!(refused.contains("missing/tidings.db.lock"), "{refused}");
    }
}
