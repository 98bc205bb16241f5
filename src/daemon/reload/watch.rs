//! The system's watch for changes of a folder and of single files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fs_notify::{EventKind, RecursiveMode};
use notify_debouncer_full::{
    DebounceEventResult, DebouncedEvent, Debouncer, RecommendedCache, new_debouncer,
};
use tokio::sync::Notify;
use tracing::warn;

use crate::files::{absolute, with_links};

/// How long everything must be unchanged before it is read. Editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(200);

/// A watch of the system.
pub(super) type Watch = Debouncer<fs_notify::RecommendedWatcher, RecommendedCache>;

/// Notifies `changed` when `folder` or one of `files` has changed and is quiet again. Their parents
/// are watched too, because a folder or file may be replaced as a whole. Links count as changed
/// when they point elsewhere, as those of a mounted Kubernetes `ConfigMap` do.
pub(super) fn watch(
    folder: &Path,
    files: &BTreeSet<PathBuf>,
    changed: &Arc<Notify>,
) -> Option<Watch> {
    let changed = Arc::clone(changed);
    let watched = absolute(folder);
    let mut outside: BTreeSet<PathBuf> =
        files.iter().flat_map(|file| with_links(&absolute(file))).collect();
    outside.extend(with_links(&watched));
    outside.retain(|path| *path == watched || !path.starts_with(&watched));
    let parents: BTreeSet<PathBuf> =
        outside.iter().filter_map(|path| Some(path.parent()?.to_owned())).collect();
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
            // The folder of a file may not exist yet.
            if parent.is_dir() {
                watcher.watch(parent, RecursiveMode::NonRecursive)?;
            }
        }
        Ok(watcher)
    });
    watching
        .inspect_err(|why| {
            warn!(
                event = "watch_failed",
                "the configuration and {} cannot be watched ({why}); send SIGHUP after a change",
                folder.display()
            );
        })
        .ok()
}
