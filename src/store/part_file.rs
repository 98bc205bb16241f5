//! A file that is written beside its place, and appears there only when it is whole.

use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::files;

/// A file `<place>.part`, for its owner alone. It is removed when it is dropped before it is whole.
#[derive(Debug)]
pub(super) struct PartFile {
    /// It holds a lock, so that no other process writes the same file.
    file: File,
    path: PathBuf,
    is_moved: bool,
}

impl PartFile {
    /// Makes the file beside `place`, empty. The rest of a process that was killed is replaced.
    ///
    /// # Errors
    /// If another process is writing it, or it cannot be made.
    pub(super) fn create(place: &Path) -> io::Result<Self> {
        let path = place.with_added_extension("part");
        if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(io::Error::other(format!("{} is no regular file", path.display())));
        }
        loop {
            let mut options = File::options();
            options.write(true).create(true).truncate(false).mode(files::PRIVATE_MODE);
            let file = options.open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let why = format!("another process is writing {}", path.display());
                    return Err(io::Error::new(ErrorKind::ResourceBusy, why));
                }
                Err(TryLockError::Error(why)) => return Err(why),
            }
            // The process that held the lock may have moved the file to its place meanwhile.
            let inode = file.metadata()?.ino();
            if fs::metadata(&path).is_ok_and(|found| found.ino() == inode) {
                file.set_len(0)?;
                file.set_permissions(Permissions::from_mode(files::PRIVATE_MODE))?;
                files::remove_if_exists(&journal_path(&path))?;
                return Ok(Self { file, path, is_moved: false });
            }
        }
    }

    /// Where it is until it is whole.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves it to `place` when the disk has all of it. A file that is there is replaced.
    pub(super) fn move_to(mut self, place: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, place)?;
        self.is_moved = true;
        files::sync_folder_of(place)
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.is_moved {
            // The command reports why the file is not whole.
            files::remove_if_exists(&journal_path(&self.path)).ok();
            files::remove_if_exists(&self.path).ok();
        }
    }
}

/// The journal that `SQLite` keeps beside a file while it writes it.
fn journal_path(path: &Path) -> PathBuf {
    files::with_suffix(path, "-journal")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_appears_when_it_is_moved_and_leaves_nothing_when_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("copy.db");
        // The rest of a process that was killed, and its journal.
        fs::write(folder.path().join("copy.db.part"), "half").unwrap();
        fs::write(folder.path().join("copy.db.part-journal"), "half").unwrap();
        drop(PartFile::create(&place).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

        let part = PartFile::create(&place).unwrap();
        assert!(!place.exists());
        let refused = PartFile::create(&place).unwrap_err();
        assert!(refused.to_string().contains("another process is writing"), "{refused}");
        fs::write(part.path(), "whole").unwrap();
        part.move_to(&place).unwrap();
        assert_eq!(fs::read(&place).unwrap(), b"whole");
        assert_eq!(fs::metadata(&place).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("other");
        fs::write(&other, "kept").unwrap();
        std::os::unix::fs::symlink(&other, folder.path().join("copy.db.part")).unwrap();
        PartFile::create(&folder.path().join("copy.db")).unwrap_err();
        assert_eq!(fs::read(&other).unwrap(), b"kept");
    }
}
