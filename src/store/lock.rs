//! The lock file beside the store: only one `run` at a time. The system releases the lock when the
//! process ends, however it ends.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::{OpenError, files};

/// The right to run on a store, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// How often the lock is tried, because [`is_locked`] holds it for a moment.
const TRIES: usize = 5;

/// The pause between two tries.
const TRY_PAUSE: Duration = Duration::from_millis(20);

/// The word in a lock file which says that a run made or used a store there.
const HAD_STORE: &str = "store";

/// Takes the lock of the store at `path`: the file `<store>.lock` beside it. It stays, holds the id
/// of the process that took it last, and says whether a run had a store there.
///
/// # Errors
/// [`OpenError::Locked`], which names the process, if another process holds it.
/// [`OpenError::Lost`] if a run had a store there, and it is gone or empty: a new store would send
/// everything again. [`OpenError::Failed`] if the file cannot be written.
pub fn acquire_lock(path: &Path) -> Result<Lock, OpenError> {
    let (lock, had_store) = take_lock(path)?;
    if had_store {
        files::refuse_absent(path)?;
    }
    Ok(lock)
}

/// Whether a process holds the lock of the store at `path`. `None` if the lock cannot be read.
pub(super) fn is_locked(path: &Path) -> Option<bool> {
    let file = match File::open(lock_path(path)) {
        Err(why) if why.kind() == ErrorKind::NotFound => return Some(false),
        file => file.ok()?,
    };
    match file.try_lock_shared() {
        Ok(()) => Some(false),
        Err(TryLockError::WouldBlock) => Some(true),
        Err(TryLockError::Error(_)) => None,
    }
}

/// Takes the lock of a store that is to be replaced, which may be gone.
///
/// # Errors
/// Like [`acquire_lock`], without [`OpenError::Lost`].
pub(super) fn acquire_lock_to_restore(path: &Path) -> Result<Lock, OpenError> {
    take_lock(path).map(|(lock, _)| lock)
}

/// Writes into the lock file of the store at `path`, if there is one, that a run has a store there.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn record_store(path: &Path) -> io::Result<()> {
    let file = File::options().read(true).append(true).open(lock_path(path));
    let mut file = match file {
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    if says_store(&read_text(&mut file)?) { Ok(()) } else { write!(file, " {HAD_STORE}") }
}

/// The lock, and whether a run had a store there.
fn take_lock(path: &Path) -> Result<(Lock, bool), OpenError> {
    let beside = lock_path(path);
    let failed = |error: io::Error| OpenError::failed(&beside, &error);
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(files::PRIVATE_MODE);
    let mut file = options.open(&beside).map_err(failed)?;
    match try_lock(&file) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            // The process that holds the lock may not have written its id yet.
            let text = read_text(&mut file).unwrap_or_default();
            return Err(OpenError::Locked(match text.split_whitespace().next() {
                Some(holder) => format!("process {holder}"),
                None => beside.display().to_string(),
            }));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let had_store = says_store(&read_text(&mut file).map_err(failed)?);
    let process = std::process::id();
    let text = if had_store { format!("{process} {HAD_STORE}") } else { process.to_string() };
    file.set_len(0).map_err(failed)?;
    file.rewind().and_then(|()| file.write_all(text.as_bytes())).map_err(failed)?;
    Ok((Lock { _file: file }, had_store))
}

/// Tries again for a moment while another process holds the lock.
fn try_lock(file: &File) -> Result<(), TryLockError> {
    for _ in 1..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(TRY_PAUSE),
            tried => return tried,
        }
    }
    file.try_lock()
}

fn read_text(file: &mut File) -> io::Result<String> {
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

fn says_store(text: &str) -> bool {
    text.split_whitespace().nth(1) == Some(HAD_STORE)
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
    fn whether_a_process_holds_the_lock_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidings.db");
        assert_eq!(is_locked(&path), Some(false), "no lock file");
        let held = acquire_lock(&path).unwrap();
        assert_eq!(is_locked(&path), Some(true));
        drop(held);
        assert_eq!(is_locked(&path), Some(false), "a lock file that nobody holds");
    }

    #[test]
    fn a_store_that_is_gone_or_empty_is_refused_where_a_run_had_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidings.db");
        // A run that was killed before it had made its store.
        drop(acquire_lock(&path).unwrap());
        drop(acquire_lock(&path).unwrap());
        record_store(&path).unwrap();
        record_store(&path).unwrap();
        for _ in 0..2 {
            let refused = acquire_lock(&path).unwrap_err().to_string();
            assert!(refused.contains("there is no such file, and its lock says"), "{refused}");
            drop(acquire_lock_to_restore(&path).unwrap());
        }
        File::create(&path).unwrap();
        let refused = acquire_lock(&path).unwrap_err();
        assert!(matches!(refused, OpenError::Lost { .. }), "{refused}");
        std::fs::write(&path, "content").unwrap();
        acquire_lock(&path).unwrap();
        let text = std::fs::read_to_string(folder.path().join("tidings.db.lock")).unwrap();
        assert_eq!(text, format!("{} store", std::process::id()));
    }

    #[test]
    fn where_no_lock_is_none_is_made() {
        let folder = tempfile::tempdir().unwrap();
        record_store(&folder.path().join("tidings.db")).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
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
