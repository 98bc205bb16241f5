//! The rule folder of a running daemon: reads it, and watches it for changes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fs_notify::{EventKind, RecursiveMode};
use notify_debouncer_full::{
    DebounceEventResult, DebouncedEvent, Debouncer, RecommendedCache, new_debouncer,
};
use tokio::sync::Notify;
use tracing::{error, warn};

use super::RuleFiles;
use crate::rule_files;
use crate::rule_files::RuleFileKind;

/// How long the folder must be unchanged before it is read. Editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(200);

/// A watch of the system for a folder.
type FolderWatch = Debouncer<fs_notify::RecommendedWatcher, RecommendedCache>;

/// The rule folder, its watch, and the files that were read last.
pub(super) struct WatchedFolder {
    path: PathBuf,
    tables: BTreeSet<PathBuf>,
    /// `None` if the files are to be put in force even if unchanged.
    pub(super) seen: Option<RuleFiles>,
    /// Notified when the folder or a table changes.
    changed: Arc<Notify>,
    watch: Option<FolderWatch>,
}

impl WatchedFolder {
    /// The folder, of which `seen` was read last. `changed` is notified when it changes.
    pub(super) fn new(path: PathBuf, seen: RuleFiles, changed: Arc<Notify>) -> Self {
        Self { path, tables: table_paths(&seen), seen: Some(seen), changed, watch: None }
    }

    /// Watches the folder anew, and reads it. Returns its files if they changed. Blocks the thread.
    pub(super) fn read_if_changed(&mut self) -> Option<RuleFiles> {
        loop {
            // The watch is set up anew each time, before the files are read. A folder that was
            // replaced as a whole is another folder to the system.
            self.watch = None;
            self.watch = watch_folder(&self.path, &self.tables, &self.changed);
            match rule_files::read_rule_files(&self.path) {
                // Tables that were not watched while they were read may have changed.
                Ok(files) if table_paths(&files) != self.tables => {
                    self.tables = table_paths(&files);
                }
                Ok(files) => return Some(files).filter(|files| self.seen.as_ref() != Some(files)),
                Err(why) => {
                    if self.seen.take().is_some() {
                        error!("{why}; the rules in force do not change");
                    }
                    return None;
                }
            }
        }
    }
}

/// The paths of the tables among `files`.
fn table_paths(files: &RuleFiles) -> BTreeSet<PathBuf> {
    let tables = files.iter().filter(|file| file.kind != RuleFileKind::Rules);
    tables.map(|file| PathBuf::from(&file.source.name)).collect()
}

/// Notifies `changed` when the folder or a table has changed and is quiet again. Their parents are
/// watched too, because a folder or table may be replaced as a whole.
fn watch_folder(
    folder: &Path,
    tables: &BTreeSet<PathBuf>,
    changed: &Arc<Notify>,
) -> Option<FolderWatch> {
    let changed = Arc::clone(changed);
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let watched = absolute(folder);
    let outside: Vec<PathBuf> = tables
        .iter()
        .map(|table| absolute(table))
        .filter(|table| !table.starts_with(&watched))
        .collect();
    let mut parents: BTreeSet<PathBuf> =
        outside.iter().filter_map(|table| Some(table.parent()?.to_owned())).collect();
    parents.extend(watched.parent().map(Path::to_owned));
    let inside = watched.clone();
    let notify_changed = move |result: DebounceEventResult| {
        let is_relevant = |event: &DebouncedEvent| {
            let is_watched = |path: &PathBuf| path.starts_with(&inside) || outside.contains(path);
            !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(is_watched)
        };
        if result.map_or(true, |events| events.iter().any(is_relevant)) {
            changed.notify_one();
        }
    };
    let watching = new_debouncer(QUIET, None, notify_changed).and_then(|mut watcher| {
        // A missing folder is noticed through its parent when it comes back.
        if watched.exists() || parents.is_empty() {
            watcher.watch(&watched, RecursiveMode::Recursive)?;
        }
        for parent in &parents {
            // The folder of a table may not exist yet.
            if parent.is_dir() {
                watcher.watch(parent, RecursiveMode::NonRecursive)?;
            }
        }
        Ok(watcher)
    });
    watching
        .inspect_err(|why| {
            warn!("{} cannot be watched ({why}); send SIGHUP after a change", folder.display());
        })
        .ok()
}
