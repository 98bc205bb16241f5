//! Reads a folder of rule files with their tables.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::files;
use crate::markup::decode::decode_undeclared;
use tidings_rules::fault::Source;

/// The most levels of folders that are read. The limit ends a loop of links.
const DEPTH: usize = 16;

/// A rule file, or a table that one names, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFile {
    /// Its path in the rule folder.
    pub path: String,
    /// Its text, with its full path.
    pub source: Arc<Source>,
    /// Its kind.
    pub kind: RuleFileKind,
}

/// The kind of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleFileKind {
    /// YAML.
    Rules,
    /// The rows of a term list.
    Table,
    /// A table that could not be read, and why. Its text is empty.
    NoTable(String),
}

/// Reads every `*.yaml` and `*.yml` under `path`, or the one file at `path`, and the tables that
/// they name. Hidden files and folders are skipped.
///
/// # Errors
/// If a folder or rule file cannot be read. The error is a sentence with the path.
pub fn read_rule_files(path: &Path) -> Result<Vec<RuleFile>, String> {
    let mut files = Vec::new();
    collect_paths(path, 0, &mut files)
        .map_err(|(at, why)| format!("{} cannot be read: {why}", at.display()))?;
    files.sort();
    let mut files =
        files.iter().map(|file| read_rule_file(path, file)).collect::<Result<Vec<_>, _>>()?;
    let tables: BTreeSet<String> =
        files.iter().flat_map(|file| tidings_rules::tables_of(&file.source)).collect();
    files.extend(tables.into_iter().map(|name| read_table(path, name)));
    Ok(files)
}

fn collect_paths(
    path: &Path,
    depth: usize,
    files: &mut Vec<PathBuf>,
) -> Result<(), (PathBuf, io::Error)> {
    let at = |why| (path.to_owned(), why);
    if !std::fs::metadata(path).map_err(at)?.is_dir() {
        if depth == 0 || is_rule_file(path) {
            files.push(path.to_owned());
        }
        return Ok(());
    }
    if depth == DEPTH {
        return Err(at(io::Error::other(format!(
            "it is more than {DEPTH} folders deep; does a link point to a parent folder?"
        ))));
    }
    for entry in std::fs::read_dir(path).map_err(at)? {
        let entry = entry.map_err(at)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            collect_paths(&entry.path(), depth + 1, files)?;
        }
    }
    Ok(())
}

fn is_rule_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn read_rule_file(folder: &Path, path: &Path) -> Result<RuleFile, String> {
    let name = path.display().to_string();
    let bytes = files::read_file(path, files::RULE_FILE)
        .map_err(|why| format!("{name} cannot be read: {why}"))?;
    // Bytes that are not UTF-8 become U+FFFD, which is a fault of this file only.
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|odd| String::from_utf8_lossy(odd.as_bytes()).into_owned());
    Ok(RuleFile {
        path: relative_path(folder, path),
        source: Arc::new(Source { name, text }),
        kind: RuleFileKind::Rules,
    })
}

/// Reads a table. A table that cannot be read counts as broken: its last good version replaces it.
fn read_table(folder: &Path, name: String) -> RuleFile {
    let path = relative_path(folder, Path::new(&name));
    let (text, kind) = match files::read_file(Path::new(&name), files::TABLE) {
        Ok(bytes) => (decode_undeclared(&bytes), RuleFileKind::Table),
        Err(why) => (String::new(), RuleFileKind::NoTable(why.to_string())),
    };
    RuleFile { path, source: Arc::new(Source { name, text }), kind }
}

/// `path` relative to `folder`; `path` if it is not in `folder`.
pub(super) fn relative_path(folder: &Path, path: &Path) -> String {
    let below = path.strip_prefix(folder).ok().filter(|below| !below.as_os_str().is_empty());
    below.unwrap_or(path).display().to_string()
}
