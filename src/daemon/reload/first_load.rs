//! Loads the rules for the start of a run: those of this node's folder, or those that other nodes
//! have in force.

use std::path::Path;

use tracing::{info, warn};

use super::new_rules::{LoadedRuleFiles, NewRules};
use super::plan::{FileOrigin, FilesToLoad, RulePlan, SeenRules};
use crate::daemon::blocking::run_without_permit;
use crate::rule_files;
use crate::rule_files::{GoodTexts, RuleFile};
use crate::store::{RuleSetOutcome, Store, StoreError};
use tidings_rules::fault;
use tidings_rules::fault::Fault;
use tidings_rules::{RuleConfig, Rules};

/// The most files that a warning names.
const MOST_NAMED: usize = 10;

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
/// all. Where other nodes have rules in force, the rules are those of the rule set.
///
/// Also returns the faults of the files, and what was read, to detect later changes.
pub(crate) async fn first_load(
    path: &Path,
    config: &RuleConfig,
    store: &Store,
) -> Result<(Rules, Vec<String>, SeenRules), StartError> {
    loop {
        let set = store.rule_set().await?;
        let (joins, is_shared) = (store.has_rules_of_others().await?, store.is_shared());
        let (folder, config) = (path.to_owned(), config.clone());
        let load = move || {
            let folder_files =
                rule_files::read_rule_files(&folder).map_err(StartError::Unreadable)?;
            let plan = if joins {
                RulePlan::of_set(set)
            } else {
                RulePlan::of_first_node(set, is_shared, &folder_files)
            };
            let given = FilesToLoad::new(&folder, &folder_files, plan);
            if let Some(notice) = rule_files::size_notice(&given.files) {
                info!(event = "rules_reading", "{notice}");
            }
            let loaded = LoadedRuleFiles::load(&given.files, &given.plan.good, &config);
            NewRules::new(&given, loaded, &config, None)
                .map(|new| (new, given.plan, folder_files))
                .map_err(StartError::Broken)
        };
        let (mut new, plan, folder_files) = run_without_permit(load).await?;
        new.log();
        new.record_versions(store).await?;
        let mut number = plan.set.number;
        if joins {
            warn_of_differing_files(path, &plan.set.files, &folder_files);
        } else {
            tell_replaced_files(path, &plan, &folder_files);
            match new.record_set(store, number).await? {
                RuleSetOutcome::Recorded(recorded) => number = recorded,
                // Another node has started meanwhile.
                RuleSetOutcome::Overtaken => continue,
            }
        }
        let seen = SeenRules::in_force(folder_files, plan, &mut new, number);
        return Ok((new.rules, new.faults, seen));
    }
}

/// Says which files of the folder of this node are not in force.
fn warn_of_differing_files(path: &Path, set: &GoodTexts, folder_files: &[RuleFile]) {
    let names = rule_files::differing_names(set, folder_files);
    if names.is_empty() {
        return;
    }
    warn!(
        event = "rule_files_differ",
        "{}: other nodes run with other rule files, which this node uses, too: {}; edit a file here to bring it into force on all nodes, or copy the folder of another node to this one",
        path.display(),
        list_names(&names)
    );
}

/// Says which files of the rule set the folder of the first node of a server replaces.
fn tell_replaced_files(path: &Path, plan: &RulePlan, folder_files: &[RuleFile]) {
    let names = rule_files::differing_names(&plan.good, folder_files);
    if plan.origin != FileOrigin::FirstNode || plan.good.is_empty() || names.is_empty() {
        return;
    }
    info!(
        event = "rule_set_replaced",
        "{}: no other node runs, so the rule files here replace those of the rule set: {}",
        path.display(),
        list_names(&names)
    );
}

/// The first of these names, and how many more there are.
fn list_names(names: &[String]) -> String {
    let more = names.len().saturating_sub(MOST_NAMED);
    let first = names[..names.len() - more].join(", ");
    if more > 0 { format!("{first} and {more} more") } else { first }
}
