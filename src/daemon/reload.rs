//! Reloads the rules of a running daemon. A changed folder is read and checked as a whole. If it is
//! usable, it replaces the rules in force; otherwise the log says why not.

use std::collections::{BTreeSet, HashSet};
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
use crate::daemon::context::RunContext;
use crate::rule_files;
use crate::rule_files::{GoodTexts, RuleFile, RuleFileKind, UsableRules};
use crate::store::{Store, StoreError};
use tidings_rules::fault;
use tidings_rules::fault::{Fault, Level};
use tidings_rules::{KnownNames, RowChanges, Rules};

/// How long the folder must be unchanged before it is read. Editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(200);

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
    let files = rule_files::read_rule_files(path).map_err(StartError::Unreadable)?;
    let good: GoodTexts = store.last_good_rule_files().await?.into_iter().collect();
    log_if_large(&files);
    let mut faults = Vec::new();
    match rule_files::load_rules(&files, &good, known, &mut faults) {
        Some(loaded) if loaded.left_out.is_empty() || !good.is_empty() => {
            faults.extend(rule_files::no_rules_warning(path, &files, loaded.rules.count()));
            log_faults(&faults);
            log_removed_files(path, &files, &good);
            record_rules(store, &loaded, &Rules::default()).await?;
            Ok((loaded.rules, files))
        }
        _ => Err(StartError::Broken(faults)),
    }
}

/// Replaces the rules whenever the folder changes or `requested` is notified (SIGHUP), until
/// `stop`. `seen` are the files in force.
pub(crate) async fn keep_rules_fresh(
    context: Arc<RunContext>,
    seen: RuleFiles,
    requested: Arc<Notify>,
    stop: CancellationToken,
) {
    let folder = &context.config.rules;
    let mut tables = table_paths(&seen);
    let mut seen = Some(seen);
    loop {
        // The watch is set up anew each time, before the files are read. A folder that was replaced
        // as a whole is another folder to the system.
        let _watch = watch_folder(folder, &tables, &requested);
        match rule_files::read_rule_files(folder) {
            // Tables that were not watched while they were read may have changed.
            Ok(files) if table_paths(&files) != tables => {
                tables = table_paths(&files);
                continue;
            }
            Ok(files) if seen.as_ref() == Some(&files) => {}
            // Files that could not be put in force are tried again at the next request, even if
            // unchanged.
            Ok(files) => seen = swap_rules(&context, files.clone()).await.then_some(files),
            Err(why) if seen.is_some() => {
                error!("{why}; the rules in force do not change");
                seen = None;
            }
            Err(_) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = requested.notified() => context.retry_failing.notify_one(),
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
async fn swap_rules(context: &Arc<RunContext>, files: RuleFiles) -> bool {
    match load_and_swap(context, files).await {
        Ok(()) => true,
        Err(why) => {
            error!("{why}; the rules in force do not change");
            false
        }
    }
}

async fn load_and_swap(context: &Arc<RunContext>, files: RuleFiles) -> Result<(), String> {
    let good: GoodTexts = context
        .store
        .last_good_rule_files()
        .await
        .map_err(|why| why.to_string())?
        .into_iter()
        .collect();
    let known = context.known_names.clone();
    let folder = &context.config.rules;
    log_removed_files(folder, &files, &good);
    log_if_large(&files);
    let path = folder.clone();
    let load = move || {
        let mut faults = Vec::new();
        let loaded = rule_files::load_rules(&files, &good, &known, &mut faults);
        let count = loaded.as_ref().map(|loaded| loaded.rules.count());
        faults.extend(count.and_then(|count| rule_files::no_rules_warning(&path, &files, count)));
        (loaded, faults)
    };
    let (loaded, faults) = tokio::task::spawn_blocking(load).await.map_err(|why| {
        format!("the rules could not be loaded because of a bug in Tidings ({why})")
    })?;
    log_faults(&faults);
    let Some(loaded) = loaded else {
        error!("the rules in force do not change until the rule files are corrected");
        return Ok(());
    };
    let before = context.rules.load_full();
    record_rules(&context.store, &loaded, &before).await.map_err(|why| why.to_string())?;
    for RowChanges { list, added, gone, edited } in loaded.rules.row_changes(&before) {
        let edited = if edited == 0 { String::new() } else { format!(", {edited} edited") };
        info!("${list}: +{added} −{gone} rows{edited}");
    }
    info!("rules in force: {}", loaded.rules.count());
    context.rules.store(Arc::new(loaded.rules));
    context.rules_changed.notify_one();
    Ok(())
}

/// Records the good texts for a restart and the rule versions for old alerts, and logs which files
/// are left out. The rules of `before` are recorded already.
async fn record_rules(
    store: &Store,
    loaded: &UsableRules,
    before: &Rules,
) -> Result<(), StoreError> {
    for file in &loaded.replaced {
        warn!("{file}: its last good version stays in force until it is corrected");
    }
    for file in &loaded.left_out {
        warn!(
            "{file}: left out until it is corrected, because no earlier version of it is without errors"
        );
    }
    let known: HashSet<String> = before.iter().map(|rule| rule.version()).collect();
    let new = loaded
        .rules
        .iter()
        .map(|rule| rule.record())
        .filter(|(version, _)| !known.contains(version));
    store.record_rule_versions(new.collect(), now()).await?;
    store.replace_rule_files(loaded.good_texts.clone().into_iter().collect(), now()).await
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
) -> Option<Debouncer<fs_notify::RecommendedWatcher, RecommendedCache>> {
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
