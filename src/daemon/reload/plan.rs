//! Decides which rule files are loaded: those of this node's folder, or the rule set of a store on
//! a server with the edits of this folder.

use std::collections::BTreeSet;
use std::mem;
use std::path::{Path, PathBuf};

use super::new_rules::NewRules;
use crate::rule_files;
use crate::rule_files::{GoodTexts, RuleEdit, RuleFile, UsableRules, texts_after};
use crate::store::{RuleSet, Store, StoreError};
use tidings_rules::{RuleConfig, Rules};

/// The rule files that were looked at last, and what of them is in force.
#[derive(Debug, Default)]
pub(crate) struct SeenRules {
    /// The files of this node's folder, as they were read last.
    pub(super) folder_files: Vec<RuleFile>,
    /// The edits of the folder that are not in the rule set, because they have errors. Empty for a
    /// file store: its only node has its folder.
    pending: RuleEdit,
    /// The number of the rule set that was looked at last.
    pub(super) number: i64,
    /// The number of the rule set that is in force.
    pub(super) number_in_force: i64,
    /// The text of each file that is in force, if the store is on a server.
    in_force: GoodTexts,
    /// Whether the rules are to be loaded even if nothing changed: they could not be put in force.
    pub(super) must_load: bool,
    /// Why one of them is not in force as it is.
    pub(super) problem: Option<String>,
}

impl SeenRules {
    /// Whether there is nothing to load: these are the files of the folder. A server that does not
    /// answer has nothing new.
    pub(super) async fn is_unchanged(&self, store: &Store, folder_files: &[RuleFile]) -> bool {
        let is_same = !self.must_load && self.folder_files == folder_files;
        if !is_same || !store.is_shared() {
            return is_same;
        }
        store.rule_set_number().await.map_or(true, |number| number == self.number)
    }

    /// What is to be loaded, where these are the files of the folder now.
    pub(super) async fn plan(
        &self,
        store: &Store,
        folder_files: &[RuleFile],
    ) -> Result<RulePlan, StoreError> {
        let set = store.rule_set().await?;
        if !store.is_shared() {
            let is_unchanged = !self.must_load && self.folder_files == folder_files;
            return Ok(RulePlan { is_unchanged, ..RulePlan::of_folder(set) });
        }
        Ok(self.plan_shared(set, folder_files))
    }

    /// The same for a rule set that several nodes have.
    fn plan_shared(&self, set: RuleSet, folder_files: &[RuleFile]) -> RulePlan {
        let is_newer = set.number != self.number;
        let mut pending = self.pending.clone();
        if is_newer {
            // What another node edited later than this one is not edited here any more.
            pending.keep_names(|name| self.in_force.get(name) == set.files.get(name));
        }
        let edit = pending.then(RuleEdit::between(&self.folder_files, folder_files));
        let edit = edit.without_known(&set.files);
        let mut good = self.in_force.clone();
        for name in edit.names() {
            if let Some(text) = set.files.get(name) {
                good.insert(name.to_owned(), text.clone());
            }
        }
        let has_edits = !edit.is_empty() || !self.pending.is_empty();
        let is_unchanged = !self.must_load && !is_newer && !has_edits;
        let origin = if is_newer { FileOrigin::NewerSet } else { FileOrigin::Set };
        RulePlan { edit, good, origin, is_unchanged, ..RulePlan::of_set(set) }
    }

    /// Notes that these files of the folder need no load.
    pub(super) fn note_unchanged(&mut self, folder_files: Vec<RuleFile>) {
        self.folder_files = folder_files;
    }

    /// Notes that no usable rules can be made of what was loaded.
    pub(super) fn note_refused(
        &mut self,
        folder_files: Vec<RuleFile>,
        plan: RulePlan,
        problem: Option<String>,
    ) {
        self.folder_files = folder_files;
        self.pending = plan.edit;
        self.number = plan.set.number;
        (self.must_load, self.problem) = (false, problem);
    }

    /// What was seen when the rules of the rule set with this number came into force.
    pub(super) fn in_force(
        folder_files: Vec<RuleFile>,
        plan: RulePlan,
        new: &mut NewRules,
        number: i64,
    ) -> Self {
        let mut pending = plan.edit;
        pending.keep_names(|name| new.broken.contains(name));
        let in_force = mem::take(&mut new.in_force);
        Self {
            folder_files,
            pending,
            number,
            number_in_force: number,
            in_force,
            must_load: false,
            problem: new.problem.take(),
        }
    }
}

/// Which files are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileOrigin {
    /// Those of the folder, for a file store.
    Folder,
    /// Those of the folder of the first node of a server. They become the rule set.
    FirstNode,
    /// Those of the rule set with the edits of the folder.
    Set,
    /// The same, and another node has changed the rule set.
    NewerSet,
}

/// What is to be loaded.
#[derive(Debug)]
pub(super) struct RulePlan {
    /// The rule set as it is stored. Its texts are empty where only the folder is loaded.
    pub(super) set: RuleSet,
    /// The edits of the folder that are laid over the rule set.
    edit: RuleEdit,
    /// The text that replaces each file if it is broken.
    pub(super) good: GoodTexts,
    pub(super) origin: FileOrigin,
    /// Whether all of it is in force, or was refused.
    pub(super) is_unchanged: bool,
}

impl RulePlan {
    /// The folder alone, for a file store.
    fn of_folder(mut set: RuleSet) -> Self {
        let good = mem::take(&mut set.files);
        let (edit, origin) = (RuleEdit::default(), FileOrigin::Folder);
        Self { set, edit, good, origin, is_unchanged: false }
    }

    /// The folder of a node that starts, and that no other node with rules runs beside.
    pub(super) fn of_first_node(set: RuleSet, is_shared: bool, folder_files: &[RuleFile]) -> Self {
        let plan = Self::of_folder(set);
        if !is_shared {
            return plan;
        }
        let edit = RuleEdit::between(&[], folder_files);
        Self { edit, origin: FileOrigin::FirstNode, ..plan }
    }

    /// The rule set without edits, for a node that has no rules in force.
    pub(super) fn of_set(set: RuleSet) -> Self {
        let (edit, good) = (RuleEdit::default(), GoodTexts::new());
        Self { set, edit, good, origin: FileOrigin::Set, is_unchanged: false }
    }

    /// Whether the files are those of the rule set with edits.
    pub(super) fn is_of_set(&self) -> bool {
        matches!(self.origin, FileOrigin::Set | FileOrigin::NewerSet)
    }

    /// The texts of the rule set after these files were loaded. Those that are in force are kept
    /// with them if other nodes may change the rule set.
    pub(super) fn set_texts(&self, files: &[RuleFile], loaded: &mut UsableRules) -> GoodTexts {
        match self.origin {
            FileOrigin::Folder => mem::take(&mut loaded.good_texts),
            FileOrigin::FirstNode => loaded.good_texts.clone(),
            FileOrigin::Set | FileOrigin::NewerSet => texts_after(&self.set.files, files, loaded),
        }
    }

    /// Whether these texts must be recorded: they are an edit of this node, or those of a file
    /// store, which are recorded at each load.
    pub(super) fn is_recorded(&self, set_texts: &GoodTexts) -> bool {
        !self.is_of_set() || *set_texts != self.set.files
    }

    /// Where the files are, for people.
    pub(super) fn place(&self, folder: &Path) -> String {
        if self.is_of_set() { "the rule set".to_owned() } else { folder.display().to_string() }
    }

    /// Where the rules with this number of the rule set came from, after a semicolon.
    pub(super) fn describe(&self, number: i64) -> String {
        match self.origin {
            FileOrigin::Folder => String::new(),
            FileOrigin::NewerSet if self.set.number == number => {
                format!("; rule set {number}, which another node changed")
            }
            _ => format!("; rule set {number}"),
        }
    }
}

/// The files of a plan.
#[derive(Debug)]
pub(super) struct FilesToLoad {
    /// The folder of this node, or its only rule file.
    pub(super) folder: PathBuf,
    /// The folder from which the names of files begin.
    base: PathBuf,
    pub(super) files: Vec<RuleFile>,
    pub(super) plan: RulePlan,
}

impl FilesToLoad {
    /// The files of a plan for the node with this folder. Blocks the thread.
    pub(super) fn new(folder: &Path, folder_files: &[RuleFile], plan: RulePlan) -> Self {
        let base = rule_files::base_folder(folder);
        let files = if plan.is_of_set() {
            plan.edit.apply(&base, &plan.set.files, folder_files)
        } else {
            folder_files.to_vec()
        };
        Self { folder: folder.to_owned(), base, files, plan }
    }

    /// The names of the files that are not in force as they are.
    pub(super) fn broken(&self, loaded: &UsableRules) -> BTreeSet<String> {
        let is_broken = |file: &&RuleFile| {
            let path = &file.source.name;
            loaded.replaced.contains(path) || loaded.left_out.contains(path)
        };
        self.files.iter().filter(is_broken).map(|file| file.name.clone()).collect()
    }

    /// All rules of the rule set with these texts, if this node cannot use some of its files. Other
    /// nodes may: the configuration of this one lacks a name.
    pub(super) fn rules_of_set(
        &self,
        broken: &BTreeSet<String>,
        set_texts: &GoodTexts,
        config: &RuleConfig,
    ) -> Option<Rules> {
        let edited: BTreeSet<&str> = self.plan.edit.names().collect();
        if !self.plan.is_of_set() || broken.iter().all(|name| edited.contains(name.as_str())) {
            return None;
        }
        let files = RuleEdit::default().apply(&self.base, set_texts, &[]);
        let any_names = RuleConfig { names: None, publishers: config.publishers.clone() };
        Rules::load(&rule_files::rule_texts(&files), Some(&any_names), &mut Vec::new())
    }
}
