//! Loads rule files and their tables. The last good version of a broken file replaces it.

mod edit;
mod folder;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

pub use edit::{RuleEdit, differing_names, texts_after};
pub use folder::{RuleFile, RuleFileKind, base_folder, read_rule_files};

use folder::{TablePlace, tables_named_in};
use tidings_rules::fault::{Fault, Level, Source};
use tidings_rules::{Query, RuleConfig, RuleTexts, Rules, Table, TermLists};

/// The last good text of every rule file and table, by the name of the file.
pub type GoodTexts = BTreeMap<String, String>;

/// Rules that can be put in force.
#[derive(Debug)]
pub struct UsableRules {
    /// The rules.
    pub rules: Rules,
    /// The text of every file that the rules came from.
    pub good_texts: GoodTexts,
    /// Broken files that are replaced by their last good version.
    pub replaced: BTreeSet<String>,
    /// Broken files without a good version: their rules are not in force.
    pub left_out: BTreeSet<String>,
}

/// The size in bytes from which loading takes seconds. A message is logged before it.
const LARGE: usize = 8 << 20;

/// A message to log before `files` are loaded, if loading takes seconds.
#[must_use]
pub fn size_notice(files: &[RuleFile]) -> Option<String> {
    let bytes: usize = files.iter().map(|file| file.source.text.len()).sum();
    (bytes >= LARGE).then(|| format!("{} MiB of rules and tables are being read", bytes >> 20))
}

/// The texts of `files`, from which rules are loaded.
#[must_use]
pub fn rule_texts(files: &[RuleFile]) -> RuleTexts {
    let mut texts = RuleTexts::default();
    for file in files {
        let source = Arc::clone(&file.source);
        match &file.kind {
            RuleFileKind::Rules => texts.rules.push(source),
            RuleFileKind::Table => texts.tables.push(Table { source, unreadable: None }),
            RuleFileKind::NoTable(why) => {
                texts.tables.push(Table { source, unreadable: Some(why.clone()) });
            }
        }
    }
    texts
}

/// Loads `files`. The last good version of a broken file replaces it.
///
/// Every fault is added to `faults`. `None` means that no usable set of rules can be made, and that
/// the rules in force should stay.
#[must_use]
pub fn load_rules(
    files: &[RuleFile],
    good: &GoodTexts,
    config: &RuleConfig,
    faults: &mut Vec<Fault>,
) -> Option<UsableRules> {
    let mut files = files.to_vec();
    let mut broken_before = BTreeSet::new();
    loop {
        let mut found = Vec::new();
        let rules = Rules::load(&rule_texts(&files), Some(config), &mut found);
        let errors = found.iter().filter(|fault| fault.level == Level::Error);
        let (still, mut broken): (BTreeSet<String>, BTreeSet<String>) = errors
            .map(|fault| fault.source.name.clone())
            .partition(|name| broken_before.contains(name));
        if broken.is_empty() {
            broken = files_that_name(&files, &still)
                .filter(|name| !broken_before.contains(name))
                .collect();
        }
        found.retain(|fault| !broken_before.contains(&fault.source.name));
        faults.append(&mut found);
        if let Some(rules) = rules {
            let is_replaced = |name: &String| files.iter().any(|file| file.source.name == *name);
            let (replaced, left_out) = broken_before.into_iter().partition(is_replaced);
            let good_texts =
                files.into_iter().map(|file| (file.name, file.source.text.clone())).collect();
            return Some(UsableRules { rules, good_texts, replaced, left_out });
        }
        if broken.is_empty() {
            return None;
        }
        files =
            files.into_iter().filter_map(|file| replace_if_broken(file, &broken, good)).collect();
        broken_before.extend(broken);
        add_named_tables(&mut files, &broken_before, good);
    }
}

/// Whether `expression` may name term lists.
#[must_use]
pub fn may_name_lists(expression: &str) -> bool {
    expression.contains('$')
}

/// Parses an expression that is in no rule file. It may name the term lists of the rules at `path`,
/// which are read only then.
///
/// Every fault is added to `faults`; warnings of the rules are not. `None` if any is an error.
///
/// # Errors
/// If the rules cannot be read. The error is a sentence with the path.
pub fn parse_query(
    expression: &str,
    path: Option<&Path>,
    faults: &mut Vec<Fault>,
) -> Result<Option<Query>, String> {
    let Some(path) = path.filter(|_| may_name_lists(expression)) else {
        return Ok(Query::parse(expression, faults));
    };
    let texts = rule_texts(&read_rule_files(path)?);
    let mut found = Vec::new();
    let Some(lists) = TermLists::load(&texts, &mut found) else {
        faults.append(&mut found);
        return Ok(None);
    };
    Ok(Query::parse_with_lists(expression, &lists, faults))
}

/// A warning if no rule of the `files` at `path` is in force. `count` is the number of rules in
/// force.
#[must_use]
pub fn no_rules_warning(path: &Path, files: &[RuleFile], count: usize) -> Option<Fault> {
    if count > 0 {
        return None;
    }
    let source = Arc::new(Source { name: path.display().to_string(), text: String::new() });
    let (problem, help) = if files.is_empty() {
        let help = "rule files end in .yaml or .yml: put one here, or correct `rules` in the configuration";
        ("there is no rule file here", help)
    } else {
        (
            "no rule is in force here",
            "rules are listed under `rules`; one with `enabled: false` matches nothing",
        )
    };
    Some(Fault::warning(&source, 0..0, format!("{problem}, so no story can match")).help(help))
}

/// The rule files and tables that were removed: they have a version in `good`, and are not among
/// `files`.
#[must_use]
pub fn removed_names<'g>(files: &[RuleFile], good: &'g GoodTexts) -> Vec<&'g str> {
    let there: BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
    good.keys().map(String::as_str).filter(|name| !there.contains(name)).collect()
}

/// The rule files that name any of `tables`.
fn files_that_name<'f>(
    files: &'f [RuleFile],
    tables: &'f BTreeSet<String>,
) -> impl Iterator<Item = String> + 'f {
    let uses = |file: &&RuleFile| {
        file.kind == RuleFileKind::Rules
            && !tidings_rules::tables_of(&file.source).is_disjoint(tables)
    };
    files.iter().filter(uses).map(|file| file.source.name.clone())
}

/// Adds the last good version of the tables that only the last good version of a rule file names.
fn add_named_tables(files: &mut Vec<RuleFile>, replaced: &BTreeSet<String>, good: &GoodTexts) {
    let stood_in: Vec<RuleFile> =
        files.iter().filter(|file| replaced.contains(&file.source.name)).cloned().collect();
    for file in stood_in.iter().filter(|file| file.kind == RuleFileKind::Rules) {
        for TablePlace { path, name } in tables_named_in(file) {
            let is_there = files.iter().any(|file| file.source.name == path);
            if let Some(text) = good.get(&name).filter(|_| !is_there && !replaced.contains(&path)) {
                let source = Arc::new(Source { name: path, text: text.clone() });
                files.push(RuleFile { name, source, kind: RuleFileKind::Table });
            }
        }
    }
}

fn replace_if_broken(
    file: RuleFile,
    broken: &BTreeSet<String>,
    good: &GoodTexts,
) -> Option<RuleFile> {
    if !broken.contains(&file.source.name) {
        return Some(file);
    }
    let text = good.get(&file.name)?.clone();
    let source = Arc::new(Source { name: file.source.name.clone(), text });
    let kind =
        if file.kind == RuleFileKind::Rules { RuleFileKind::Rules } else { RuleFileKind::Table };
    Some(RuleFile { name: file.name, source, kind })
}

#[cfg(test)]
mod tests;
