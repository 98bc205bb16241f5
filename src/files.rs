//! Reads files that a person names. Only regular files within a size limit are read, because a pipe
//! may never end, and a device or sparse file may fill the memory.

use std::collections::BTreeSet;
use std::fs::{File, FileType, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The most links from a path to its file.
const MOST_LINKS: usize = 40;

const MIB: u64 = 1 << 20;

/// The largest rule file, in bytes.
pub const RULE_FILE: u64 = 128 * MIB;

/// The largest table of a term list, in bytes.
pub const TABLE: u64 = 512 * MIB;

/// The largest configuration, in bytes.
pub const CONFIGURATION: u64 = 16 * MIB;

/// The largest list of feeds (OPML), in bytes.
pub const FEED_LIST: u64 = 64 * MIB;

/// The largest story, page or feed that a command is given as a file or on standard input, in
/// bytes.
pub const DOCUMENT: u64 = 64 * MIB;

/// The bytes of the file at `path`. Links are followed.
///
/// # Errors
/// If it cannot be read, is not a regular file, or has more than `most` bytes.
pub fn read_file(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let (file, size) = open_file(path)?;
    if size > most {
        return Err(too_large(most));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    read_to_end(file, most, &mut bytes)?;
    Ok(bytes)
}

/// The text of the file at `path`, read like [`read_file`] does.
///
/// # Errors
/// Those of [`read_file`], or if it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8");
    String::from_utf8(read_file(path, most)?).map_err(not_text)
}

/// Opens the regular file at `path` for reading in pieces, and returns its size in bytes. Links are
/// followed.
///
/// # Errors
/// If it cannot be opened, or is not a regular file.
pub fn open_file(path: &Path) -> io::Result<(File, u64)> {
    // Checked before opening, because opening a pipe waits for its writer.
    regular(&std::fs::metadata(path)?)?;
    let file = File::open(path)?;
    let size = regular(&file.metadata()?)?;
    Ok((file, size))
}

/// Opens the regular file at `path` as [`open_file`] does. Reads block no task.
///
/// # Errors
/// Those of [`open_file`].
pub fn open_stream(path: &Path) -> io::Result<tokio::fs::File> {
    open_file(path).map(|(file, _)| tokio::fs::File::from_std(file))
}

/// Appends all of `input` to `bytes`.
///
/// # Errors
/// If it cannot be read, or has more than `most` bytes. `bytes` then holds a part of it.
pub fn read_to_end(input: impl Read, most: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    let read = input.take(most.saturating_add(1)).read_to_end(bytes)?;
    if read as u64 > most { Err(too_large(most)) } else { Ok(()) }
}

/// The absolute path. Links are not followed.
#[must_use]
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The path, and every link on the way from it to its file, each by its own path.
#[must_use]
pub fn with_links(path: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::from([path.to_owned()]);
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Some((link, target)) = first_link(&path) else { break };
        let rest = path.strip_prefix(&link).unwrap_or(Path::new("")).to_owned();
        path = absolute(&link.parent().unwrap_or(Path::new("/")).join(target).join(rest));
        found.extend([link, path.clone()]);
    }
    found
}

/// The first part of `path` that is a link, and where it points.
fn first_link(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let mut parts: Vec<&Path> = path.ancestors().collect();
    parts.reverse();
    parts.into_iter().find_map(|part| Some((part.to_owned(), std::fs::read_link(part).ok()?)))
}

/// The size of a regular file.
fn regular(about: &Metadata) -> io::Result<u64> {
    if about.is_file() {
        return Ok(about.len());
    }
    let what = kind(about.file_type());
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("it is {what}, but only regular files are read"),
    ))
}

fn kind(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
        if kind.is_socket() {
            return "a socket";
        }
    }
    if kind.is_dir() { "a folder" } else { "something else" }
}

fn too_large(most: u64) -> io::Error {
    let most =
        if most >= MIB { format!("{} MiB", most / MIB) } else { format!("{} KiB", most / 1024) };
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than the limit of {most}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_bound_and_through_links() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.yaml");
        std::fs::write(&path, "rules: []").expect("a file");
        assert_eq!(read_file(&path, 9).expect("readable"), b"rules: []");
        assert_eq!(read_text(&path, 9).expect("readable"), "rules: []");
        assert_eq!(read_file(&path, 8).expect_err("too large").kind(), io::ErrorKind::FileTooLarge);
        #[cfg(unix)]
        {
            let link = folder.path().join("link.yaml");
            std::os::unix::fs::symlink(&path, &link).expect("a link");
            assert_eq!(read_file(&link, 9).expect("readable"), b"rules: []");
        }
    }

    #[test]
    fn a_sparse_file_is_refused_unread() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sparse.csv");
        File::create(&path).and_then(|file| file.set_len(3 << 30)).expect("a sparse file");
        let refused = read_file(&path, TABLE).expect_err("too large");
        assert_eq!(refused.to_string(), "it is larger than the limit of 512 MiB");
    }

    #[test]
    fn an_endless_input_is_read_up_to_its_bound() {
        let refused = read_to_end(io::repeat(b'x'), 4096, &mut Vec::new()).expect_err("too large");
        assert_eq!(refused.to_string(), "it is larger than the limit of 4 KiB");
    }

    #[cfg(unix)]
    #[test]
    fn an_input_that_is_not_a_regular_file_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let link = folder.path().join("zero.csv");
        std::os::unix::fs::symlink("/dev/zero", &link).expect("a link");
        let socket = folder.path().join("socket.yaml");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        for (path, what) in
            [(link.as_path(), "a device"), (&socket, "a socket"), (folder.path(), "a folder")]
        {
            let refused = read_file(path, TABLE).expect_err("not regular").to_string();
            assert_eq!(refused, format!("it is {what}, but only regular files are read"));
        }
    }

    #[test]
    fn every_link_on_the_way_is_found() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let at = |path: &str| root.join(path);
        std::fs::create_dir(at("..v1")).unwrap();
        std::fs::write(at("..v1/config.yaml"), "").unwrap();
        symlink("..v1", at("..data")).unwrap();
        symlink("..data/config.yaml", at("config.yaml")).unwrap();
        let expected = ["config.yaml", "..data", "..data/config.yaml", "..v1/config.yaml"].map(at);
        assert_eq!(with_links(&at("config.yaml")), BTreeSet::from(expected));
        assert_eq!(with_links(&at("none")), BTreeSet::from([at("none")]));
        symlink("loop", at("loop")).unwrap();
        assert_eq!(with_links(&at("loop")), BTreeSet::from([at("loop")]));
    }
}
