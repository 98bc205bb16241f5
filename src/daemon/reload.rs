//! Reloads the configuration and the rules of a running daemon. What changed is read and checked as
//! a whole. If it is usable, it replaces what is in force; otherwise the log says why not.

mod counted_groups;
mod first_load;
mod new_rules;
mod plan;
mod sources;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;
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
use crate::rule_files::RuleFile;
use crate::store::{RuleSetOutcome, Store, StoreError};
use new_rules::{LoadedRuleFiles, NewRules, first_error, log_faults};
use plan::{FilesToLoad, RulePlan};
use sources::{ReadSources, Sources};
use tidings_rules::RowChanges;

pub use first_load::StartError;
pub(crate) use first_load::first_load;
pub(crate) use plan::SeenRules;

/// Why a configuration without errors is not put in force.
const REFUSED: &str = "rules need what the new configuration lacks";

/// The pause between two looks for a newer rule set on a server.
const LOOK_PAUSE: Duration = Duration::from_secs(1);

/// The pause before rules are tried again that a server did not take.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// Replaces what is in force whenever the configuration or the rules change, another node changes
/// the rule set, or `requested` is notified (SIGHUP), until `stop`. Files are read and compiled on
/// blocking threads, however long that takes.
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
        let (mut is_start, mut is_refused_by_store) = (true, false);
        loop {
            let read = move || (sources.read(), sources);
            let reading;
            (reading, sources) = run_without_permit(read).await;
            let reloaded = Box::pin(reload(&parts, reading, &mut seen)).await;
            let end = reloaded.unwrap_or_else(|why| {
                error!(
                    event = "reload_failed",
                    "{why}; the configuration and the rules in force do not change"
                );
                // What the store or a bug kept out of force is tried again at the next request.
                seen.must_load = true;
                is_refused_by_store = matches!(why, ReloadFailure::Store(_));
                ReloadEnd { problem: Some(why.to_string()), has_changed: false }
            });
            if !is_start {
                log_if_unchanged(&end);
                service_manager::notify_ready();
            }
            record_outcome(&parts, run, end.problem, &seen).await;
            is_start = false;
            let retries = seen.must_load && is_refused_by_store;
            tokio::select! {
                () = requested.notified() => parts.wakeups.retry_failing.notify_one(),
                () = wait_for_rule_set(&parts.store, seen.number, retries) => {}
            }
            service_manager::notify_reloading();
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

/// Waits until the rule set of a store on a server has another number, or until the server answers
/// if rules are to be tried again.
async fn wait_for_rule_set(store: &Store, number: i64, retries: bool) {
    if !store.is_shared() {
        std::future::pending::<()>().await;
    }
    loop {
        sleep(if retries { RETRY_PAUSE } else { LOOK_PAUSE }).await;
        // The writer tells of a server that does not answer.
        if let Ok(found) = store.rule_set_number().await
            && (retries || found != number)
        {
            return;
        }
    }
}

/// Records that everything that was read is in force, or the problem that keeps some of it out.
async fn record_outcome(parts: &StoryParts, run: i64, problem: Option<String>, seen: &SeenRules) {
    let at = now();
    parts.metrics.record_reload(problem.is_none(), at.as_second());
    let recorded = async {
        parts.store.record_reload(run, at, problem).await?;
        record_in_force(&parts.store, run, seen, &parts.in_force.load().config).await
    };
    if let Err(why) = recorded.await {
        error!(event = "store_failed", "the reload cannot be recorded: {why}");
    }
}

/// Records what this node has in force, for the other nodes of its store.
pub(crate) async fn record_in_force(
    store: &Store,
    run: i64,
    seen: &SeenRules,
    config: &Config,
) -> Result<(), StoreError> {
    if !store.is_shared() {
        return Ok(());
    }
    store.record_in_force(run, seen.number_in_force, config.shared_hash()).await
}

/// Why nothing of what was read could be put in force.
#[derive(Debug, thiserror::Error)]
enum ReloadFailure {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The files cannot be read, or there is a bug.
    #[error("{0}")]
    Other(String),
}

/// Puts what was read in force if it is usable and not in force yet. Rules and configurations with
/// errors are logged, because a retry would not help.
async fn reload(
    parts: &StoryParts,
    reading: ReadSources,
    seen: &mut SeenRules,
) -> Result<ReloadEnd, ReloadFailure> {
    let in_force = parts.in_force.load_full();
    let (change, broken) = match usable_change(reading.config, &in_force.config) {
        Ok(change) => (change, None),
        Err(why) => (None, Some(why)),
    };
    let folder_files = reading.rules.map_err(ReloadFailure::Other)?;
    let reads_same = change
        .as_ref()
        .is_none_or(|change| rule_config(&change.config) == rule_config(&in_force.config));
    if reads_same && seen.is_unchanged(&parts.store, &folder_files).await {
        return reload_config(parts, &in_force, change, broken, seen).await;
    }
    let mut is_first = true;
    loop {
        let plan = seen.plan(&parts.store, &folder_files).await?;
        let is_unchanged = plan.is_unchanged;
        if reads_same && is_unchanged {
            seen.note_unchanged(folder_files);
            return reload_config(parts, &in_force, change, broken, seen).await;
        }
        let (before, change, files) = (Arc::clone(&in_force), change.clone(), folder_files.clone());
        let load = move || load_rules(&before, change, plan, &files);
        let LoadOutcome { new, is_refused, problem, plan } =
            tokio::task::spawn_blocking(load).await.map_err(|why| {
                let why =
                    format!("the rules could not be loaded because of a bug in Tidings ({why})");
                ReloadFailure::Other(why)
            })?;
        let refused = is_refused.then(|| REFUSED.to_owned());
        let Some((change, mut rules)) = new.filter(|_| !(is_refused && is_unchanged)) else {
            if !is_refused {
                seen.note_refused(folder_files, plan, problem);
            }
            let problem = broken.or(refused).or_else(|| seen.problem.clone());
            return Ok(ReloadEnd { problem, has_changed: false });
        };
        if is_first {
            rules.log();
        }
        is_first = false;
        let Some(number) = record(&mut rules, &plan, &parts.store).await? else { continue };
        let origin = plan.describe(number);
        let next = SeenRules::in_force(folder_files, plan, &mut rules, number);
        put_in_force(parts, &in_force, change, Some((rules, &origin))).await?;
        *seen = next;
        let problem = broken.or(refused).or_else(|| seen.problem.clone());
        return Ok(ReloadEnd { problem, has_changed: true });
    }
}

/// Puts the configuration in force, if it changed. The rules stay as they are.
async fn reload_config(
    parts: &StoryParts,
    in_force: &InForce,
    change: Option<ConfigChange>,
    broken: Option<String>,
    seen: &SeenRules,
) -> Result<ReloadEnd, ReloadFailure> {
    let has_changed = change.is_some();
    if let Some(change) = change {
        put_in_force(parts, in_force, Some(change), None).await?;
    }
    Ok(ReloadEnd { problem: broken.or_else(|| seen.problem.clone()), has_changed })
}

/// Records rules that are to be put in force. Returns the number of their rule set; `None`: another
/// node has changed it meanwhile.
async fn record(
    rules: &mut NewRules,
    plan: &RulePlan,
    store: &Store,
) -> Result<Option<i64>, StoreError> {
    rules.record_versions(store).await?;
    if !plan.is_recorded(&rules.set_texts) {
        return Ok(Some(plan.set.number));
    }
    Ok(match rules.record_set(store, plan.set.number).await? {
        RuleSetOutcome::Recorded(number) => Some(number),
        RuleSetOutcome::Overtaken => None,
    })
}

/// A sound configuration that differs from the one in force, and how.
#[derive(Clone)]
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
    /// What was loaded.
    plan: RulePlan,
}

/// Loads the rules for the changed configuration, or for the one in force if the other is refused.
fn load_rules(
    in_force: &InForce,
    change: Option<ConfigChange>,
    plan: RulePlan,
    folder_files: &[RuleFile],
) -> LoadOutcome {
    let current = &in_force.config;
    let folder = change.as_ref().map_or(&current.rules, |change| &change.config.rules).clone();
    let given = FilesToLoad::new(&folder, folder_files, plan);
    if let Some(notice) = rule_files::size_notice(&given.files) {
        info!(event = "rules_reading", "{notice}");
    }
    let load = |config: &Config| {
        LoadedRuleFiles::load(&given.files, &given.plan.good, &rule_config(config))
    };
    let is_moved = folder != current.rules;
    let (accepted, loaded) = accept(current, change, load);
    let is_refused = accepted.is_err();
    if is_refused && is_moved {
        return LoadOutcome { new: None, is_refused, problem: None, plan: given.plan };
    }
    let change = accepted.unwrap_or_default();
    let config = rule_config(change.as_ref().map_or(current, |change| &change.config));
    match NewRules::new(&given, loaded, &config, Some(&in_force.rules)) {
        Ok(rules) => {
            let problem = rules.problem.clone();
            LoadOutcome { new: Some((change, rules)), is_refused, problem, plan: given.plan }
        }
        Err(faults) => {
            log_faults(&faults);
            error!(
                event = "rules_refused",
                "the rules in force do not change until the rule files are corrected"
            );
            let problem = first_error(&faults);
            LoadOutcome { new: None, is_refused, problem, plan: given.plan }
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

/// Puts the rules in force, and the configuration if it changed. Wakes the loops that use them. The
/// log says where the rules came from.
async fn put_in_force(
    parts: &StoryParts,
    before: &InForce,
    change: Option<ConfigChange>,
    rules: Option<(NewRules, &str)>,
) -> Result<(), ReloadFailure> {
    let mut after = before.clone();
    let mut new_rules = None;
    if let Some((new, origin)) = rules {
        after.rules = Arc::new(new.rules);
        after.rule_faults = Arc::new(new.faults);
        new_rules = Some((new.row_changes, origin));
    }
    let changes = match change {
        Some(ConfigChange { config, changes }) => {
            let made = after.with_config(config);
            after = made.map_err(|why| ReloadFailure::Other(why.to_string()))?;
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
    if let Some((row_changes, origin)) = new_rules {
        for RowChanges { list, added, gone, edited } in row_changes {
            let edited = if edited == 0 { String::new() } else { format!(", {edited} edited") };
            info!(event = "list_changed", list = %list, "${list}: +{added} −{gone} rows{edited}");
        }
        info!(event = "rules_in_force", "rules in force: {rules}{origin}");
        parts.wakeups.rules_changed.notify_one();
    }
    // Many rules take long to drop.
    run_without_permit(move || drop(replaced)).await;
    Ok(())
}

#[cfg(test)]
mod tests;
