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
    /// Its name: the path from the rule folder, or from the folder of the only rule file. It is the
    /// same on all machines with the same files, wherever the folder is. The name of a table
    /// outside of the folder begins with `..`. If its path in a rule file is absolute, that is its
    /// name.
    pub name: String,
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
    let tables: BTreeSet<TablePlace> = files.iter().flat_map(tables_named_in).collect();
    files.extend(tables.into_iter().map(read_table));
    Ok(files)
}

/// Where a table is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TablePlace {
    /// Its path on this machine.
    pub(super) path: String,
    /// Its name, as that of a [`RuleFile`].
    pub(super) name: String,
}

/// The tables that a rule file names.
pub(super) fn tables_named_in(file: &RuleFile) -> Vec<TablePlace> {
    let named = tidings_rules::named_tables(&file.source);
    let place = |from: &String| TablePlace {
        path: tidings_rules::table_path(&file.source.name, from),
        name: tidings_rules::table_path(&file.name, from),
    };
    named.iter().map(place).collect()
}

/// The folder from which names of rule files begin, if the rules are at `path`: that folder, or
/// that of the only rule file.
#[must_use]
pub fn base_folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if path.is_file() => parent.to_owned(),
        _ => path.to_owned(),
    }
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

/// Whether the end of a path is that of a rule file.
pub(super) fn is_rule_file(path: &Path) -> bool {
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
        name: name_in(folder, path),
        source: Arc::new(Source { name, text }),
        kind: RuleFileKind::Rules,
    })
}

/// Reads a table. A table that cannot be read counts as broken: its last good version replaces it.
fn read_table(TablePlace { path, name }: TablePlace) -> RuleFile {
    let (text, kind) = match files::read_file(Path::new(&path), files::TABLE) {
        Ok(bytes) => (decode_undeclared(&bytes), RuleFileKind::Table),
        Err(why) => (String::new(), RuleFileKind::NoTable(why.to_string())),
    };
    RuleFile { name, source: Arc::new(Source { name: path, text }), kind }
}

/// The name of the rule file at `path`, which is in `folder` or is it.
fn name_in(folder: &Path, path: &Path) -> String {
    let below = path.strip_prefix(folder).ok().filter(|below| !below.as_os_str().is_empty());
    let name = below.or_else(|| path.file_name().map(Path::new)).unwrap_or(path);
    name.display().to_string()
}
