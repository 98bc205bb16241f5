//! Rules that were loaded for a configuration, and what the store records of them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::mem;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use tracing::{error, warn};

use super::counted_groups::changed_groups;
use crate::clock::now;
use crate::daemon::reload::plan::FilesToLoad;
use crate::rule_files;
use crate::rule_files::{GoodTexts, RuleFile, UsableRules};
use crate::store::{ConditionalGroups, NewRuleSet, RuleSetOutcome, Store, StoreError};
use tidings_rules::condition::Condition;
use tidings_rules::fault;
use tidings_rules::fault::{Fault, Level};
use tidings_rules::{RowChanges, RuleConfig, Rules};

/// The most rule versions that are recorded in one transaction.
const STEP: usize = 1000;

/// The most faults that are kept for people to see.
const MOST_FAULTS: usize = 100;

/// The outcome of loading rule files.
pub(super) struct LoadedRuleFiles {
    /// `None` if no usable rules can be made.
    usable: Option<UsableRules>,
    faults: Vec<Fault>,
}

impl LoadedRuleFiles {
    /// Loads `files`. The last good version of a broken file replaces it.
    pub(super) fn load(files: &[RuleFile], good: &GoodTexts, config: &RuleConfig) -> Self {
        let mut faults = Vec::new();
        let usable = rule_files::load_rules(files, good, config, &mut faults);
        Self { usable, faults }
    }

    /// Whether a file has an error.
    pub(super) fn has_errors(&self) -> bool {
        self.usable.is_none() || self.errors().next().is_some()
    }

    /// The errors of files that are without errors in `before`, which was loaded with other names.
    pub(super) fn new_errors(&self, before: &Self) -> Vec<&Fault> {
        let broken: BTreeSet<&str> =
            before.errors().map(|fault| fault.source.name.as_str()).collect();
        self.errors().filter(|fault| !broken.contains(fault.source.name.as_str())).collect()
    }

    fn errors(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(|fault| fault.level == Level::Error)
    }
}

/// Rules that were loaded, and what the store records of them.
pub(super) struct NewRules {
    pub(super) rules: Rules,
    pub(super) row_changes: Vec<RowChanges>,
    /// Why a file is not in force as it is; `None` if all are.
    pub(super) problem: Option<String>,
    /// The first faults of the files, as `tidings check` prints them.
    pub(super) faults: Vec<String>,
    /// The text of each file that is in force on this node, if other nodes may change the rule set.
    pub(super) in_force: GoodTexts,
    /// The texts of the rule set with these rules. They differ from those in force where this node
    /// cannot use a file.
    pub(super) set_texts: GoodTexts,
    /// The names of the files that are not in force as they are.
    pub(super) broken: BTreeSet<String>,
    /// All rules of the rule set, if this node cannot use some of them.
    set_rules: Option<Rules>,
    /// The versions of rules that are new.
    new_versions: Vec<(String, String)>,
    notes: LoadNotes,
}

/// What the log says of rules that were loaded.
struct LoadNotes {
    faults: Vec<Fault>,
    /// Where the removed files were.
    place: String,
    removed: Vec<String>,
    replaced: BTreeSet<String>,
    left_out: BTreeSet<String>,
}

impl LoadNotes {
    fn log(&self) {
        let Self { faults, place, removed, replaced, left_out } = self;
        log_faults(faults);
        for path in removed {
            warn!(
                event = "rule_file_removed", file = %path,
                "{place}: {path} was removed, and its content is no longer in force"
            );
        }
        for file in replaced {
            warn!(
                event = "rule_file_kept", file = %file,
                "{file}: its last good version stays in force until it is corrected"
            );
        }
        for file in left_out {
            warn!(
                event = "rule_file_left_out", file = %file,
                "{file}: left out until it is corrected, because no earlier version of it is without errors"
            );
        }
    }
}

impl NewRules {
    /// The rules of the files to load, as they were loaded. The rules of `before` are recorded
    /// already.
    ///
    /// # Errors
    /// The faults, if no usable rules can be made.
    pub(super) fn new(
        given: &FilesToLoad,
        loaded: LoadedRuleFiles,
        config: &RuleConfig,
        before: Option<&Rules>,
    ) -> Result<Self, Vec<Fault>> {
        let LoadedRuleFiles { usable, mut faults } = loaded;
        let FilesToLoad { folder, files, plan, .. } = given;
        let may_leave_out = before.is_some() || plan.is_of_set() || !plan.good.is_empty();
        let Some(mut loaded) = usable.filter(|loaded| may_leave_out || loaded.left_out.is_empty())
        else {
            return Err(faults);
        };
        faults.extend(rule_files::no_rules_warning(folder, files, loaded.rules.count()));
        let none = Rules::default();
        let before = before.unwrap_or(&none);
        let known: HashSet<String> = before.iter().map(|rule| rule.version()).collect();
        let set_texts = plan.set_texts(files, &mut loaded);
        let records = loaded.rules.iter().map(|rule| rule.record());
        let broken = given.broken(&loaded);
        let removed = rule_files::removed_names(files, &plan.good);
        Ok(Self {
            row_changes: loaded.rules.row_changes(before),
            problem: first_error(&faults),
            faults: faults.iter().take(MOST_FAULTS).map(render).collect(),
            new_versions: records.filter(|(version, _)| !known.contains(version)).collect(),
            set_rules: given.rules_of_set(&broken, &set_texts, config),
            rules: loaded.rules,
            in_force: loaded.good_texts,
            set_texts,
            broken,
            notes: LoadNotes {
                faults,
                place: plan.place(folder),
                removed: removed.into_iter().map(ToOwned::to_owned).collect(),
                replaced: loaded.replaced,
                left_out: loaded.left_out,
            },
        })
    }

    /// Logs their faults, and which files are left out.
    pub(super) fn log(&self) {
        self.notes.log();
    }

    /// Records the rule versions for old alerts, in steps that leave room for other writers.
    pub(super) async fn record_versions(&mut self, store: &Store) -> Result<(), StoreError> {
        let mut versions = mem::take(&mut self.new_versions).into_iter().peekable();
        while versions.peek().is_some() {
            let step = versions.by_ref().take(STEP).collect();
            store.record_rule_versions(step, now()).await?;
        }
        Ok(())
    }

    /// Records the rule set that was made from the one with the number `base`: its texts, its rules
    /// that have a condition, and since when the events of groups with a `spike` are counted.
    pub(super) async fn record_set(
        &mut self,
        store: &Store,
        base: i64,
    ) -> Result<RuleSetOutcome, StoreError> {
        let (stored, backfilled) = (store.counted_groups().await?, store.backfilled_rules().await?);
        let rules = self.set_rules.as_ref().unwrap_or(&self.rules);
        let new = NewRuleSet {
            files: mem::take(&mut self.set_texts),
            conditional: conditional_rules(rules),
            counted: changed_groups(rules, stored, &backfilled, now()),
        };
        store.replace_rule_set(base, new, now()).await
    }
}

/// The groups of rules that have a condition, by the names of the rules.
fn conditional_rules(rules: &Rules) -> BTreeMap<String, ConditionalGroups> {
    let mut all: BTreeMap<String, ConditionalGroups> = BTreeMap::new();
    for rule in rules.iter() {
        let Some(condition) = &rule.settings.condition else { continue };
        let groups = all.entry(rule.name().to_owned()).or_insert_with(|| ConditionalGroups {
            condition: condition.to_string(),
            is_absent: matches!(condition, Condition::Absent(_)),
            rows: None,
            until: rule.settings.expires.and_then(end_of_day),
        });
        if let Some(row) = rule.row() {
            groups.rows.get_or_insert_default().insert(row.id.clone(), row.label.clone());
        }
    }
    all
}

/// The end of a day in UTC. `None` beyond the calendar.
fn end_of_day(day: Date) -> Option<Timestamp> {
    let next = day.tomorrow().ok()?.to_datetime(Time::midnight());
    TimeZone::UTC.to_timestamp(next).ok()
}

fn render(fault: &Fault) -> String {
    fault::render(std::slice::from_ref(fault), false)
}

/// The first error of `faults` in one line with its place.
pub(super) fn first_error(faults: &[Fault]) -> Option<String> {
    let fault = faults.iter().find(|fault| fault.level == Level::Error)?;
    let (line, column) = fault.source.line_and_column(fault.span.start);
    Some(format!("{}:{line}:{column}: {}", fault.source.name, fault.message))
}

/// Logs faults, each with its level.
pub(super) fn log_faults<'f>(faults: impl IntoIterator<Item = &'f Fault>) {
    for fault in faults {
        let (text, file) = (render(fault), &fault.source.name);
        match fault.level {
            Level::Error => error!(event = "fault_found", file, "{}", text.trim_end()),
            Level::Warning => warn!(event = "fault_found", file, "{}", text.trim_end()),
        }
    }
}
