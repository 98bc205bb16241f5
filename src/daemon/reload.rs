//! Reloads the rules of a running daemon. A changed folder is read and checked as a whole. If it is
//! usable, it replaces the rules in force; otherwise the log says why not.

mod folder;

use std::collections::HashSet;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::clock::now;
use crate::daemon::blocking::run_without_permit;
use crate::daemon::matching::StoryMatcher;
use crate::daemon::wakeups::Wakeups;
use crate::rule_files;
use crate::rule_files::{GoodTexts, RuleFile};
use crate::store::{Store, StoreError};
use folder::WatchedFolder;
use tidings_rules::fault;
use tidings_rules::fault::{Fault, Level};
use tidings_rules::{KnownNames, RowChanges, Rules};

/// The most rule versions that are recorded in one transaction.
const STEP: usize = 1000;

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
        NewRules::load(&path, &files, &good, &known, None)
            .map(|loaded| (loaded, files))
            .map_err(StartError::Broken)
    };
    let (mut loaded, files) = run_without_permit(load).await?;
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
    stop: &CancellationToken,
) {
    let mut folder = WatchedFolder::new(reloads.folder.clone(), seen, Arc::clone(&requested));
    let reloading = async {
        loop {
            let read = move || (folder.read_if_changed(), folder);
            let files;
            (files, folder) = run_without_permit(read).await;
            if let Some(files) = files {
                let swapped = swap_rules(&reloads, files.clone()).await;
                if let Err(why) = &swapped {
                    error!("{why}; the rules in force do not change");
                }
                // Files that the store or a bug kept out of force are tried again at the next
                // request, even if unchanged.
                folder.seen = swapped.is_ok().then_some(files);
            }
            requested.notified().await;
            reloads.wakeups.retry_failing.notify_one();
        }
    };
    stop.run_until_cancelled(reloading).await;
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

/// Puts the rules of `files` in force. Rules with errors are only logged, because a retry would not
/// help.
async fn swap_rules(reloads: &Reloads, files: RuleFiles) -> Result<(), String> {
    let (known, path) = (reloads.known_names.clone(), reloads.folder.clone());
    let good = reloads.store.last_good_rule_files().await.map_err(|why| why.to_string())?;
    let before = reloads.matcher.rules.load_full();
    let load =
        move || NewRules::load(&path, &files, &good.into_iter().collect(), &known, Some(&before));
    let loaded = tokio::task::spawn_blocking(load).await.map_err(|why| {
        format!("the rules could not be loaded because of a bug in Tidings ({why})")
    })?;
    let mut loaded = match loaded {
        Ok(loaded) => loaded,
        Err(faults) => {
            log_faults(&faults);
            error!("the rules in force do not change until the rule files are corrected");
            return Ok(());
        }
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
    run_without_permit(move || drop(before)).await;
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
    /// Loads the rules of `files`, which stand in `folder`, and logs their faults, and which files
    /// are left out. The rules of `before` are recorded already; it is `None` at the start, where
    /// files are left out only if the store has any good ones.
    ///
    /// # Errors
    /// The faults, if no usable rules can be made.
    fn load(
        folder: &Path,
        files: &[RuleFile],
        good: &GoodTexts,
        known: &KnownNames,
        before: Option<&Rules>,
    ) -> Result<Self, Vec<Fault>> {
        if let Some(notice) = rule_files::size_notice(files) {
            info!("{notice}");
        }
        let mut faults = Vec::new();
        let loaded = rule_files::load_rules(files, good, known, &mut faults);
        let may_leave_out = before.is_some() || !good.is_empty();
        let Some(loaded) = loaded.filter(|loaded| may_leave_out || loaded.left_out.is_empty())
        else {
            return Err(faults);
        };
        faults.extend(rule_files::no_rules_warning(folder, files, loaded.rules.count()));
        log_faults(&faults);
        for path in rule_files::removed_paths(files, good) {
            let folder = folder.display();
            warn!("{folder}: {path} was removed, and its content is no longer in force");
        }
        for file in &loaded.replaced {
            warn!("{file}: its last good version stays in force until it is corrected");
        }
        for file in &loaded.left_out {
            warn!(
                "{file}: left out until it is corrected, because no earlier version of it is without errors"
            );
        }
        let none = Rules::default();
        let before = before.unwrap_or(&none);
        let known: HashSet<String> = before.iter().map(|rule| rule.version()).collect();
        let records = loaded.rules.iter().map(|rule| rule.record());
        Ok(Self {
            row_changes: loaded.rules.row_changes(before),
            new_versions: records.filter(|(version, _)| !known.contains(version)).collect(),
            good_texts: loaded.good_texts.into_iter().collect(),
            rules: loaded.rules,
        })
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

fn log_faults(faults: &[Fault]) {
    for fault in faults {
        let text = fault::render(std::slice::from_ref(fault), false);
        match fault.level {
            Level::Error => error!("{}", text.trim_end()),
            Level::Warning => warn!("{}", text.trim_end()),
        }
    }
}

#[cfg(test)]
mod tests;
