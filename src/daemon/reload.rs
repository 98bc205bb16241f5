//! Reloads the rules of a running daemon. A changed folder is read and checked as a whole. If it is
//! usable, it replaces the rules in force; otherwise the log says why not.

use std::collections::{BTreeSet, HashSet};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fs_notify::{EventKind, RecursiveMode};
use notify_debouncer_full::{
    DebounceEventResult, DebouncedEvent, Debouncer, RecommendedCache, new_debouncer,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::clock::now;
use crate::daemon::matching::StoryMatcher;
use crate::daemon::wakeups::Wakeups;
use crate::rule_files;
use crate::rule_files::{GoodTexts, RuleFile, RuleFileKind, UsableRules};
use crate::store::{Store, StoreError};
use tidings_rules::fault;
use tidings_rules::fault::{Fault, Level};
use tidings_rules::{KnownNames, RowChanges, Rules};

/// How long the folder must be unchanged before it is read. Editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(200);

/// The most rule versions that are recorded in one transaction.
const STEP: usize = 1000;

/// A watch of the system for a folder.
type FolderWatch = Debouncer<fs_notify::RecommendedWatcher, RecommendedCache>;

/// The rule files as they were read.
pub(crate) type RuleFiles = Vec<RuleFile>;

/// Why the rules could not be loaded at the start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// Rule files are broken and have no good version in the store.
    #[error("{}", fault::render(.0, false))]
    Broken(Vec<Fault>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Loads the rules for the start of a run. The last good version in the store replaces a broken
/// file. A broken file without a good version is left out, unless the store has no good rules at
/// all.
///
/// Also returns the files as they were read, to detect later changes.
pub(crate) async fn first_load(
    path: &Path,
    known: &KnownNames,
    store: &Store,
) -> Result<(Rules, RuleFiles), StartError> {
    let good: GoodTexts = store.last_good_rule_files().await?.into_iter().collect();
    let (path, known) = (path.to_owned(), known.clone());
    let load = move || {
        let files = rule_files::read_rule_files(&path).map_err(StartError::Unreadable)?;
        log_if_large(&files);
        let mut faults = Vec::new();
        match rule_files::load_rules(&files, &good, &known, &mut faults) {
            Some(loaded) if loaded.left_out.is_empty() || !good.is_empty() => {
                let count = loaded.rules.count();
                faults.extend(rule_files::no_rules_warning(&path, &files, count));
                log_faults(&faults);
                log_removed_files(&path, &files, &good);
                Ok((NewRules::new(loaded, &Rules::default()), files))
            }
            _ => Err(StartError::Broken(faults)),
        }
    };
    let (mut loaded, files) = run_blocking(load).await?;
    loaded.record(store).await?;
    Ok((loaded.rules, files))
}

/// Replaces the rules whenever the folder changes or `requested` is notified (SIGHUP), until
/// `stop`. `seen` are the files in force. Files are read and compiled on blocking threads, however
/// long that takes.
pub(crate) async fn keep_rules_fresh(
    reloads: Reloads,
    seen: RuleFiles,
    requested: Arc<Notify>,
    stop: CancellationToken,
) {
    let mut folder = WatchedFolder {
        path: reloads.folder.clone(),
        tables: table_paths(&seen),
        seen: Some(seen),
        changed: Arc::clone(&requested),
        watch: None,
    };
    let reloading = async {
        loop {
            let files;
            (folder, files) = read_if_changed(folder).await;
            if let Some(files) = files {
                let is_swapped = swap_rules(&reloads, files.clone()).await;
                // Files that could not be put in force are tried again at the next request, even
                // if unchanged.
                folder.seen = is_swapped.then_some(files);
            }
            requested.notified().await;
            reloads.wakeups.retry_failing.notify_one();
        }
    };
    stop.run_until_cancelled(reloading).await;
}

/// Runs a step that reads files or compiles rules on a thread of its own. It takes no permit,
/// because a slow disk may block it for long.
///
/// # Panics
/// If the step panics.
async fn run_blocking<T: Send + 'static>(step: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(step).await.expect("the step does not panic")
}

/// What a reload of the rules needs.
#[derive(Debug)]
pub(crate) struct Reloads {
    pub(super) folder: PathBuf,
    /// The names that rules may use.
    pub(super) known_names: KnownNames,
    pub(super) store: Store,
    pub(super) matcher: Arc<StoryMatcher>,
    pub(super) wakeups: Arc<Wakeups>,
}

/// The rule folder, its watch, and the files that were read last.
struct WatchedFolder {
    path: PathBuf,
    tables: BTreeSet<PathBuf>,
    /// `None` if the files are to be put in force even if unchanged.
    seen: Option<RuleFiles>,
    /// Notified when the folder or a table changes.
    changed: Arc<Notify>,
    watch: Option<FolderWatch>,
}

/// Watches the folder anew, and reads it. Also returns its files, if they changed.
async fn read_if_changed(mut folder: WatchedFolder) -> (WatchedFolder, Option<RuleFiles>) {
    run_blocking(move || {
        let files = folder.read_if_changed();
        (folder, files)
    })
    .await
}

impl WatchedFolder {
    fn read_if_changed(&mut self) -> Option<RuleFiles> {
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

/// Puts the rules of `files` in force. `false` if the store or a bug in Tidings prevented it. An
/// error in the rules gives `true`, because a retry would not help.
async fn swap_rules(reloads: &Reloads, files: RuleFiles) -> bool {
    match load_and_swap(reloads, files).await {
        Ok(()) => true,
        Err(why) => {
            error!("{why}; the rules in force do not change");
            false
        }
    }
}

async fn load_and_swap(reloads: &Reloads, files: RuleFiles) -> Result<(), String> {
    let (known, path) = (reloads.known_names.clone(), reloads.folder.clone());
    let good = reloads.store.last_good_rule_files().await.map_err(|why| why.to_string())?;
    let before = reloads.matcher.rules.load_full();
    let load = move || {
        let good: GoodTexts = good.into_iter().collect();
        log_removed_files(&path, &files, &good);
        log_if_large(&files);
        let mut faults = Vec::new();
        let loaded = rule_files::load_rules(&files, &good, &known, &mut faults);
        let count = loaded.as_ref().map(|loaded| loaded.rules.count());
        faults.extend(count.and_then(|count| rule_files::no_rules_warning(&path, &files, count)));
        log_faults(&faults);
        loaded.map(|loaded| NewRules::new(loaded, &before))
    };
    let loaded = tokio::task::spawn_blocking(load).await.map_err(|why| {
        format!("the rules could not be loaded because of a bug in Tidings ({why})")
    })?;
    let Some(mut loaded) = loaded else {
        error!("the rules in force do not change until the rule files are corrected");
        return Ok(());
    };
    loaded.record(&reloads.store).await.map_err(|why| why.to_string())?;
    for RowChanges { list, added, gone, edited } in loaded.row_changes {
        let edited = if edited == 0 { String::new() } else { format!(", {edited} edited") };
        info!("${list}: +{added} −{gone} rows{edited}");
    }
    info!("rules in force: {}", loaded.rules.count());
    let before = reloads.matcher.rules.swap(Arc::new(loaded.rules));
    reloads.wakeups.rules_changed.notify_one();
    // Many rules take long to drop.
    run_blocking(move || drop(before)).await;
    Ok(())
}

/// Rules that were loaded, and what the store records of them.
struct NewRules {
    rules: Rules,
    row_changes: Vec<RowChanges>,
    /// The versions of rules that are new.
    new_versions: Vec<(String, String)>,
    good_texts: Vec<(String, String)>,
}

impl NewRules {
    /// Logs which files are left out. The rules of `before` are recorded already.
    fn new(loaded: UsableRules, before: &Rules) -> Self {
        for file in &loaded.replaced {
            warn!("{file}: its last good version stays in force until it is corrected");
        }
        for file in &loaded.left_out {
            warn!(
                "{file}: left out until it is corrected, because no earlier version of it is without errors"
            );
        }
        let known: HashSet<String> = before.iter().map(|rule| rule.version()).collect();
        let records = loaded.rules.iter().map(|rule| rule.record());
        Self {
            row_changes: loaded.rules.row_changes(before),
            new_versions: records.filter(|(version, _)| !known.contains(version)).collect(),
            good_texts: loaded.good_texts.into_iter().collect(),
            rules: loaded.rules,
        }
    }

    /// Records the good texts for a restart and the rule versions for old alerts, in steps that
    /// leave room for other writers.
    async fn record(&mut self, store: &Store) -> Result<(), StoreError> {
        let mut versions = mem::take(&mut self.new_versions).into_iter().peekable();
        while versions.peek().is_some() {
            let step = versions.by_ref().take(STEP).collect();
            store.record_rule_versions(step, now()).await?;
        }
        store.replace_rule_files(mem::take(&mut self.good_texts), now()).await
    }
}

/// Logs that the files are large and take time to load.
fn log_if_large(files: &[RuleFile]) {
    if let Some(said) = rule_files::size_notice(files) {
        info!("{said}");
    }
}

/// Logs which files were removed, so their rules are no longer in force.
fn log_removed_files(folder: &Path, files: &[RuleFile], good: &GoodTexts) {
    for path in rule_files::removed_paths(files, good) {
        warn!("{}: {path} was removed, and its content is no longer in force", folder.display());
    }
}

fn log_faults(faults: &[Fault]) {
    for fault in faults {
        let text = fault::render(std::slice::from_ref(fault), false);
        match fault.level {
            Level::Error => error!("{}", text.trim_end()),
            Level::Warning => warn!("{}", text.trim_end()),
        }
    }
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

#[cfg(test)]
mod tests;
