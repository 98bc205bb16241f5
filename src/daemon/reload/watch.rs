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

/// How long everything must be unchanged before it is read. Editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(200);

/// The most links from a path to its file.
const MOST_LINKS: usize = 40;

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
                "the configuration and {} cannot be watched ({why}); send SIGHUP after a change",
                folder.display()
            );
        })
        .ok()
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The path, and every link on the way from it to its file, each by its own path.
fn with_links(path: &Path) -> BTreeSet<PathBuf> {
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

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
