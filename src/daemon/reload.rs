//! Reloads the configuration and the rules of a running daemon. What changed is read and checked as
//! a whole. If it is usable, it replaces what is in force; otherwise the log says why not.

mod counted_groups;
mod new_rules;
mod sources;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::clock::now;
use crate::config::LoadedConfig;
use crate::config::{Config, ConfigChanges, Web};
use crate::daemon::blocking::run_without_permit;
use crate::daemon::in_force::InForce;
use crate::daemon::service_manager;
use crate::daemon::story_parts::StoryParts;
use crate::queries::names::rule_config;
use crate::rule_files;
use crate::rule_files::{GoodTexts, RuleFile};
use crate::store::{Store, StoreError};
use new_rules::{LoadedRuleFiles, NewRules, first_error, log_faults};
use sources::{ReadSources, Sources};
use tidings_rules::fault;
use tidings_rules::fault::Fault;
use tidings_rules::{RowChanges, RuleConfig, Rules};

/// Why a configuration without errors is not put in force.
const REFUSED: &str = "rules need what the new configuration lacks";

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
/// Also returns the faults of the files, and what was read, to detect later changes.
pub(crate) async fn first_load(
    path: &Path,
    config: &RuleConfig,
    store: &Store,
) -> Result<(Rules, Vec<String>, SeenRules), StartError> {
    let good: GoodTexts = store.last_good_rule_files().await?.into_iter().collect();
    let (path, config) = (path.to_owned(), config.clone());
    let load = move || {
        let files = rule_files::read_rule_files(&path).map_err(StartError::Unreadable)?;
        if let Some(notice) = rule_files::size_notice(&files) {
            info!(event = "rules_reading", "{notice}");
        }
        let loaded = LoadedRuleFiles::load(&files, &good, &config);
        NewRules::new(&path, &files, loaded, &good, None)
            .map(|rules| (rules, files))
            .map_err(StartError::Broken)
    };
    let (mut loaded, files) = run_without_permit(load).await?;
    loaded.record(store).await?;
    let seen = SeenRules { files: Some(files), problem: loaded.problem };
    Ok((loaded.rules, loaded.faults, seen))
}

/// The rule files that were put in force last.
#[derive(Debug)]
pub(crate) struct SeenRules {
    /// `None` if they are to be put in force even if unchanged.
    files: Option<Vec<RuleFile>>,
    /// Why one of them is not in force as it is.
    problem: Option<String>,
}

/// Replaces what is in force whenever the configuration or the rules change or `requested` is
/// notified (SIGHUP), until `stop`. Files are read and compiled on blocking threads, however long
/// that takes.
pub(crate) async fn keep_fresh(
    reloads: Reloads,
    mut seen: SeenRules,
    requested: Arc<Notify>,
    stop: &CancellationToken,
) {
    let Reloads { config_path, parts, run } = reloads;
    let folder = parts.in_force.load().config.rules.clone();
    let mut sources = Sources::new(config_path, folder, Arc::clone(&requested));
    let reloading = async {
        let mut is_start = true;
        loop {
            let read = move || (sources.read(), sources);
            let reading;
            (reading, sources) = run_without_permit(read).await;
            let end = reload(&parts, reading, &mut seen).await.unwrap_or_else(|why| {
                error!(
                    event = "reload_failed",
                    "{why}; the configuration and the rules in force do not change"
                );
                // What the store or a bug kept out of force is tried again at the next request.
                seen.files = None;
                ReloadEnd { problem: Some(why), has_changed: false }
            });
            if !is_start {
                log_if_unchanged(&end);
                service_manager::notify_ready();
            }
            record_outcome(&parts, run, end.problem).await;
            is_start = false;
            requested.notified().await;
            service_manager::notify_reloading();
            parts.wakeups.retry_failing.notify_one();
        }
    };
    stop.run_until_cancelled(Box::pin(reloading)).await;
}

/// What a reload needs.
#[derive(Debug)]
pub(crate) struct Reloads {
    pub(super) config_path: PathBuf,
    pub(super) parts: Arc<StoryParts>,
    /// The number of the run.
    pub(super) run: i64,
}

/// How a reload ended.
struct ReloadEnd {
    /// Why some of what was read is not in force, in one line; `None` if all of it is.
    problem: Option<String>,
    /// Whether it put anything in force.
    has_changed: bool,
}

/// A person who undoes an edit, or sends SIGHUP, is told that the files are in force.
fn log_if_unchanged(end: &ReloadEnd) {
    if end.problem.is_none() && !end.has_changed {
        info!(
            event = "reload_unchanged",
            "the configuration and the rules in force are up to date"
        );
    }
}

/// Records that everything that was read is in force, or the problem that keeps some of it out.
async fn record_outcome(parts: &StoryParts, run: i64, problem: Option<String>) {
    let at = now();
    parts.metrics.record_reload(problem.is_none(), at.as_second());
    if let Err(why) = parts.store.record_reload(run, at, problem).await {
        error!(event = "store_failed", "the reload cannot be recorded: {why}");
    }
}

/// Puts what was read in force if it is usable and not in force yet. Rules and configurations with
/// errors are logged, because a retry would not help.
async fn reload(
    parts: &StoryParts,
    reading: ReadSources,
    seen: &mut SeenRules,
) -> Result<ReloadEnd, String> {
    let in_force = parts.in_force.load_full();
    let (change, broken) = match usable_change(reading.config, &in_force.config) {
        Ok(change) => (change, None),
        Err(why) => (None, Some(why)),
    };
    let files = reading.rules?;
    let has_same_files = seen.files.as_ref() == Some(&files);
    let read_by_rules = |change: &ConfigChange| rule_config(&change.config);
    if has_same_files
        && change.as_ref().is_none_or(|one| read_by_rules(one) == rule_config(&in_force.config))
    {
        let has_changed = change.is_some();
        if let Some(change) = change {
            put_in_force(parts, &in_force, Some(change), None).await?;
        }
        return Ok(ReloadEnd { problem: broken.or_else(|| seen.problem.clone()), has_changed });
    }
    let good = parts.store.last_good_rule_files().await.map_err(|why| why.to_string())?;
    let read = files.clone();
    let before = Arc::clone(&in_force);
    let load = move || load_rules(&before, change, &read, &good.into_iter().collect());
    let LoadOutcome { new, is_refused, problem } =
        tokio::task::spawn_blocking(load).await.map_err(|why| {
            format!("the rules could not be loaded because of a bug in Tidings ({why})")
        })?;
    let refused = is_refused.then(|| REFUSED.to_owned());
    let Some((change, rules)) = new.filter(|_| !(is_refused && has_same_files)) else {
        if !is_refused {
            *seen = SeenRules { files: Some(files), problem };
        }
        let problem = broken.or(refused).or_else(|| seen.problem.clone());
        return Ok(ReloadEnd { problem, has_changed: false });
    };
    put_in_force(parts, &in_force, change, Some(rules)).await?;
    *seen = SeenRules { files: Some(files), problem };
    let problem = broken.or(refused).or_else(|| seen.problem.clone());
    Ok(ReloadEnd { problem, has_changed: true })
}

/// A sound configuration that differs from the one in force, and how.
struct ConfigChange {
    config: Config,
    changes: ConfigChanges,
}

/// What changed in the configuration that was read. `None` if it differs in nothing that can change
/// during a run.
///
/// # Errors
/// If it has errors, which are logged. The error is the first of them in one line.
fn usable_change(
    read: Result<LoadedConfig, String>,
    before: &Config,
) -> Result<Option<ConfigChange>, String> {
    let (config, faults) = match read {
        Ok(file) => (file.config, file.faults),
        Err(why) => {
            error!(event = "config_refused", "{why}; the configuration in force does not change");
            return Err(why);
        }
    };
    let Some(config) = config else {
        log_faults(&faults);
        error!(
            event = "config_refused",
            "the configuration in force does not change until its file is corrected"
        );
        return Err(first_error(&faults).unwrap_or_default());
    };
    let changes = ConfigChanges::between(before, &config);
    if changes.is_empty() {
        log_needed_restart(&changes);
        return Ok(None);
    }
    log_faults(&faults);
    let web = Web::without_restart(before.web.as_ref(), config.web.as_ref());
    let store = before.store.clone();
    Ok(Some(ConfigChange { config: Config { store, web, ..config }, changes }))
}

fn log_needed_restart(changes: &ConfigChanges) {
    for key in changes.after_restart() {
        warn!(event = "restart_needed", "`{key}` was edited: restart Tidings to use its new value");
    }
}

/// What a load of the rules leads to.
struct LoadOutcome {
    /// What is put in force: the configuration, if it changed and is not refused, and the rules.
    new: Option<(Option<ConfigChange>, NewRules)>,
    /// Whether the changed configuration would put rules out of force.
    is_refused: bool,
    /// Why a rule file is not in force as it is.
    problem: Option<String>,
}

/// Loads the rules for the changed configuration, or for the one in force if the other is refused.
fn load_rules(
    in_force: &InForce,
    change: Option<ConfigChange>,
    files: &[RuleFile],
    good: &GoodTexts,
) -> LoadOutcome {
    if let Some(notice) = rule_files::size_notice(files) {
        info!(event = "rules_reading", "{notice}");
    }
    let load = |config: &Config| LoadedRuleFiles::load(files, good, &rule_config(config));
    let current = &in_force.config;
    let is_moved = change.as_ref().is_some_and(|change| change.config.rules != current.rules);
    let (accepted, loaded) = accept(current, change, load);
    let is_refused = accepted.is_err();
    if is_refused && is_moved {
        return LoadOutcome { new: None, is_refused, problem: None };
    }
    let change = accepted.unwrap_or_default();
    let folder = change.as_ref().map_or(&current.rules, |change| &change.config.rules);
    match NewRules::new(folder, files, loaded, good, Some(&in_force.rules)) {
        Ok(rules) => {
            let problem = rules.problem.clone();
            LoadOutcome { new: Some((change, rules)), is_refused, problem }
        }
        Err(faults) => {
            log_faults(&faults);
            error!(
                event = "rules_refused",
                "the rules in force do not change until the rule files are corrected"
            );
            LoadOutcome { new: None, is_refused, problem: first_error(&faults) }
        }
    }
}

/// A configuration that would put rules out of force.
struct Refused;

/// Refuses a change that would put rules out of force. Also returns the rules as they are loaded
/// for the changed configuration, or for the one in force.
fn accept(
    current: &Config,
    change: Option<ConfigChange>,
    load: impl Fn(&Config) -> LoadedRuleFiles,
) -> (Result<Option<ConfigChange>, Refused>, LoadedRuleFiles) {
    let Some(change) = change else { return (Ok(None), load(current)) };
    let new = load(&change.config);
    if !new.has_errors() {
        return (Ok(Some(change)), new);
    }
    let old = load(current);
    let errors = new.new_errors(&old);
    if errors.is_empty() {
        return (Ok(Some(change)), new);
    }
    log_faults(errors);
    error!(
        event = "config_refused",
        "{REFUSED}; the configuration in force does not change until its file or these rules are corrected"
    );
    (Err(Refused), old)
}

/// Puts the rules in force, and the configuration if it changed. Wakes the loops that use them.
async fn put_in_force(
    parts: &StoryParts,
    before: &InForce,
    change: Option<ConfigChange>,
    rules: Option<NewRules>,
) -> Result<(), String> {
    let mut after = before.clone();
    let mut row_changes = None;
    if let Some(mut new) = rules {
        new.record(&parts.store).await.map_err(|why| why.to_string())?;
        after.rules = Arc::new(new.rules);
        after.rule_faults = Arc::new(new.faults);
        row_changes = Some(new.row_changes);
    }
    let changes = match change {
        Some(ConfigChange { config, changes }) => {
            after = after.with_config(config).map_err(|why| why.to_string())?;
            let replaced: Vec<_> = changes.replaced_notifiers().cloned().collect();
            tokio::spawn(after.send_context.retire_connections(&replaced));
            Some(changes)
        }
        None => None,
    };
    let (config, rules) = (Arc::clone(&after.config), after.rules.count());
    let replaced = parts.in_force.swap(Arc::new(after));
    if let Some(changes) = changes {
        info!(event = "config_in_force", "configuration in force: {changes}");
        log_needed_restart(&changes);
        parts.fetcher.hosts.change_limits(&config.poll, config.network.clone());
        let retargeted = changes.retargeted_notifiers().to_vec();
        if let Err(why) = parts.store.retry_at_once(retargeted, now()).await {
            error!(
                event = "store_failed",
                "messages to other servers cannot be sent at once: {why}; they are sent when due"
            );
        }
        parts.wakeups.config_changed.notify_one();
        parts.wakeups.message_due.notify_one();
    }
    if let Some(row_changes) = row_changes {
        for RowChanges { list, added, gone, edited } in row_changes {
            let edited = if edited == 0 { String::new() } else { format!(", {edited} edited") };
            info!(event = "list_changed", list = %list, "${list}: +{added} −{gone} rows{edited}");
        }
        info!(event = "rules_in_force", "rules in force: {rules}");
        parts.wakeups.rules_changed.notify_one();
    }
    // Many rules take long to drop.
    run_without_permit(move || drop(replaced)).await;
    Ok(())
}

#[cfg(test)]
mod tests;
