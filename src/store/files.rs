//! The files of a store: checks them before it is opened, and creates them for their owner alone.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::OpenError;

/// The mode of every file of a store: only its owner can read it.
pub(super) const PRIVATE_MODE: u32 = 0o600;

/// What the names of the files beside a store end in that are in use or for a moment only.
const OWN_ENDINGS: [&str; 6] = ["-wal", "-shm", "-journal", ".lock", ".new", ".part"];

/// The file at the path of a store that is to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoreFile {
    /// There is no file. A new store can be moved there.
    Missing,
    /// A file without content, or a link without a target. A new store can be made in it.
    Empty,
    /// A file with content.
    Content,
}

/// Finds what is at `path`.
///
/// # Errors
/// [`OpenError::Lost`] if the log of a store is there without the store.
pub(super) fn find_store_file(path: &Path) -> Result<StoreFile, OpenError> {
    refuse_special(path)?;
    let found = match fs::metadata(resolve_links(path)) {
        Ok(file) if file.len() > 0 => return Ok(StoreFile::Content),
        Ok(_) => StoreFile::Empty,
        Err(why) if why.kind() == ErrorKind::NotFound && path.is_symlink() => StoreFile::Empty,
        Err(why) if why.kind() == ErrorKind::NotFound => StoreFile::Missing,
        Err(why) => return Err(OpenError::failed(path, &why)),
    };
    let log = log_path(path);
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        return Err(not_whole(path, &format!("its log {} is there without it", log.display())));
    }
    Ok(found)
}

/// Refuses an empty file at `path`, and none. The lock file says that a store was there.
///
/// # Errors
/// [`OpenError::Lost`] if it is empty or not there.
pub(super) fn refuse_absent(path: &Path) -> Result<(), OpenError> {
    refuse_special(path)?;
    let found = match fs::metadata(resolve_links(path)) {
        Ok(file) if file.len() > 0 => return Ok(()),
        Ok(_) => "the file is empty",
        Err(why) if why.kind() == ErrorKind::NotFound => "there is no such file",
        // Opening the store reports it.
        Err(_) => return Ok(()),
    };
    Err(not_whole(path, &format!("{found}, and its lock says that a run left a store there")))
}

/// Refuses a pipe, a socket, a device or a folder at `path`. Opening some of them never returns.
///
/// # Errors
/// [`OpenError::Failed`] if there is one.
pub(super) fn refuse_special(path: &Path) -> Result<(), OpenError> {
    match fs::metadata(resolve_links(path)) {
        Ok(file) if !file.is_file() => {
            let kind = if file.is_dir() { "a folder" } else { "a pipe, a socket or a device" };
            Err(OpenError::failed(path, &format!("it is {kind}, and a store is a regular file")))
        }
        _ => Ok(()),
    }
}

/// The error for a store that an earlier run did not leave at `path`.
pub(super) fn not_whole(path: &Path, why: &str) -> OpenError {
    OpenError::Lost { path: path.display().to_string(), why: why.to_owned() }
}

/// The path of the log (WAL) of the store at `path`.
pub(super) fn log_path(path: &Path) -> PathBuf {
    with_suffix(&resolve_links(path), "-wal")
}

/// The path of the memory that processes share for the store at `path`.
pub(super) fn shared_memory_path(path: &Path) -> PathBuf {
    with_suffix(&resolve_links(path), "-shm")
}

/// Whether `place` has a name that `SQLite` or Tidings gives to a file beside the store at `path`
/// while they use it.
pub(super) fn is_own_file(path: &Path, place: &Path) -> bool {
    let store = resolve_links(path);
    let is_beside = || {
        let folder = |path: &Path| path.parent().map(|folder| Path::new(".").join(folder));
        let folder = |path: &Path| folder(path).and_then(|folder| folder.canonicalize().ok());
        folder(place).is_some_and(|beside| folder(&store) == Some(beside))
    };
    let is_named = |ending| with_suffix(&store, ending).file_name() == place.file_name();
    OWN_ENDINGS.into_iter().any(is_named) && is_beside()
}

/// Makes an empty file at `path` for its owner alone. `SQLite` gives the files beside a store the
/// same mode.
///
/// # Errors
/// If there is a file already, or none can be created.
pub(super) fn create_private(path: &Path) -> io::Result<()> {
    File::options().write(true).create_new(true).mode(PRIVATE_MODE).open(path).map(drop)
}

/// Makes the file at `path` its owner's alone, where this process may. `SQLite` gives the files
/// beside a store the mode of the store.
pub(super) fn make_private(path: &Path) {
    let Ok(found) = fs::metadata(path) else { return };
    if found.permissions().mode() & 0o077 != 0 {
        // The owner of a file that others own and share with this process decides for them.
        fs::set_permissions(path, Permissions::from_mode(PRIVATE_MODE)).ok();
    }
}

/// Waits until the disk has the names of the folder of `path`.
///
/// # Errors
/// If the disk fails.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Removes the file at `path`, if there is one.
///
/// # Errors
/// If there is one and it cannot be removed.
pub(super) fn remove_if_exists(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(why) if why.kind() != ErrorKind::NotFound => Err(why),
        _ => Ok(()),
    }
}

/// The target of the symbolic link at `path`; `path` itself if it is not a link.
pub(super) fn resolve_links(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// `path` with `suffix` behind its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_an_empty_and_a_whole_store_are_distinguished() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidings.db");
        assert_eq!(find_store_file(&path).unwrap(), StoreFile::Missing);
        create_private(&path).unwrap();
        assert_eq!(find_store_file(&path).unwrap(), StoreFile::Empty);
        fs::write(log_path(&path), "a log").unwrap();
        assert!(matches!(find_store_file(&path), Err(OpenError::Lost { .. })));
        fs::remove_file(&path).unwrap();
        let why = find_store_file(&path).unwrap_err().to_string();
        assert!(
            why.contains("tidings.db-wal is there without it")
                && why.contains("docs/operations.md"),
            "{why}"
        );
        let why = find_store_file(Path::new("/dev/null")).unwrap_err().to_string();
        assert!(why.contains("it is a pipe, a socket or a device"), "{why}");
        fs::write(&path, "content").unwrap();
        assert_eq!(find_store_file(&path).unwrap(), StoreFile::Content);
    }
}
