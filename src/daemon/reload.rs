//! Rules while the daemon runs: a changed folder is read, checked whole and swapped in, or what is in force stays and the log says why.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fs_notify::{EventKind, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, DebouncedEvent, Debouncer, RecommendedCache, new_debouncer};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::daemon::World;
use crate::daemon::clock::now;
use crate::daemon::rule_files::{self, Good, Loaded};
use crate::fault::{self, Fault, Level, Source};
use crate::rule::{Known, Rules};
use crate::store::{Store, StoreError};

/// How long the folder must be quiet before it is read: editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(200);

/// The rule files as they were read.
pub(crate) type Files = Vec<Arc<Source>>;

/// Why the rules could not be loaded at the start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// Files are broken and have no good version in the store.
    #[error("{}", fault::render(.0, false))]
    Broken(Vec<Fault>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Loads the rules for the start of a run: broken files fall back to the last good version that the store keeps.
///
/// Returns the files as they were read, too, to tell a later change by.
pub(crate) async fn first_load(path: &Path, known: &Known, store: &Store) -> Result<(Rules, Files), StartError> {
    let files = rule_files::read(path).map_err(StartError::Unreadable)?;
    let good: Good = store.good_rule_files().await?.into_iter().collect();
    let mut faults = Vec::new();
    match rule_files::load(&files, &good, known, &mut faults) {
        Some(loaded) if loaded.left_out.is_empty() => {
            report(&faults);
            keep(store, &loaded).await?;
            Ok((loaded.rules, files))
        }
        _ => Err(StartError::Broken(faults)),
    }
}

/// Swaps the rules whenever the folder changes, or `asked` is notified (SIGHUP), until `stop`. `seen`: the files in force.
pub(crate) async fn keep_rules_fresh(world: Arc<World>, seen: Files, asked: Arc<Notify>, stop: CancellationToken) {
    let folder = &world.config.rules;
    let mut seen = Some(seen);
    loop {
        // Watched anew each time, and before the files are read: a folder that was replaced whole is another one to the system.
        let _watch = watch(folder, &asked);
        match rule_files::read(folder) {
            Ok(files) if seen.as_ref() == Some(&files) => {}
            Ok(files) => {
                swap(&world, files.clone()).await;
                seen = Some(files);
            }
            Err(why) if seen.is_some() => {
                error!("{why}; the rules in force stay");
                seen = None;
            }
            Err(_) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = asked.notified() => {}
        }
    }
}

/// Loads off the async threads, records, and only then swaps: nothing that can fail comes after the swap.
async fn swap(world: &Arc<World>, files: Files) {
    let good: Good = match world.store.good_rule_files().await {
        Ok(good) => good.into_iter().collect(),
        Err(why) => return error!("{why}; the rules in force stay"),
    };
    let known = world.known.clone();
    let load = move || {
        let mut faults = Vec::new();
        let loaded = rule_files::load(&files, &good, &known, &mut faults);
        (loaded, faults)
    };
    let Ok((loaded, faults)) = tokio::task::spawn_blocking(load).await else {
        return error!("loading the rules failed by a fault of Tidings; the rules in force stay");
    };
    report(&faults);
    let Some(loaded) = loaded else {
        return error!("the rules in force stay until the rule files are mended");
    };
    if let Err(why) = keep(&world.store, &loaded).await {
        return error!("{why}; the rules in force stay");
    }
    if !loaded.left_out.is_empty() {
        warn!("left out until mended: {}", loaded.left_out.iter().cloned().collect::<Vec<_>>().join(", "));
    }
    info!("{} rules are in force now", loaded.rules.iter().count());
    world.rules.store(Arc::new(loaded.rules));
}

/// Writes the good texts and the rule versions down, so that a restart and an old alert find them.
async fn keep(store: &Store, loaded: &Loaded) -> Result<(), StoreError> {
    let versions = loaded.rules.iter().map(|rule| (rule.version.clone(), rule.text.clone())).collect();
    store.keep_rules(versions, now()).await?;
    store.keep_rule_files(loaded.good.clone().into_iter().collect(), now()).await
}

fn report(faults: &[Fault]) {
    for fault in faults {
        let text = fault::render(std::slice::from_ref(fault), false);
        match fault.level {
            Level::Error => error!("{}", text.trim_end()),
            Level::Warning => warn!("{}", text.trim_end()),
        }
    }
}

/// Notifies `changed` once the folder, having changed, is quiet. Its parent is watched too, for a folder that is replaced whole.
fn watch(folder: &Path, changed: &Arc<Notify>) -> Option<Debouncer<fs_notify::RecommendedWatcher, RecommendedCache>> {
    let changed = Arc::clone(changed);
    let watched = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let inside = watched.clone();
    let tell = move |result: DebounceEventResult| {
        let concerns = |event: &DebouncedEvent| {
            !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(|path| path.starts_with(&inside))
        };
        if result.map_or(true, |events| events.iter().any(concerns)) {
            changed.notify_one();
        }
    };
    let watching = new_debouncer(QUIET, None, tell).and_then(|mut watcher| {
        watcher.watch(&watched, RecursiveMode::Recursive)?;
        if let Some(parent) = watched.parent() {
            watcher.watch(parent, RecursiveMode::NonRecursive)?;
        }
        Ok(watcher)
    });
    watching.inspect_err(|why| warn!("{} cannot be watched ({why}); send SIGHUP after a change", folder.display())).ok()
}
