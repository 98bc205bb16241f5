//! Loads rule files. Names and lists are global over all files.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::civil::Date;
use rayon::prelude::*;

use super::{Rule, RuleConfig, RuleTexts, Settings, lint};
use crate::condition::Publishers;
use crate::fault::{Fault, Level, Source};
use crate::language::lists::Lists;
use crate::language::print;
use crate::language::term::Forms;
use crate::language::term_list::TermList;
use crate::language::tree::Tree;
use crate::rule::expression::MOST_KEPT_TREES;
use crate::yaml::{self, Text, YamlDocument};
use entry::NamedRule;
use faults::shown_place;
use histories::TimedExamples;
use when::When;

mod condition;
mod delivery_policy;
mod each;
mod entry;
mod examples;
mod faults;
mod forms;
mod histories;
mod lists;
pub(crate) mod record;
mod settings;
mod table;
pub(crate) mod when;

/// A rule file that is valid YAML.
struct RuleDocument {
    source: Arc<Source>,
    document: YamlDocument,
}

/// The rules and watchlists of all rule files.
pub(crate) struct LoadedRules {
    /// The enabled rules, in the order of their names.
    rules: Vec<Enabled>,
    /// The lists from tables.
    pub(crate) watchlists: Vec<Arc<TermList>>,
}

/// A rule as written. With `each`, it is the rule of the first row.
struct Enabled {
    rule: Rule,
    /// How its expression was written.
    when: When,
    tree: Arc<Tree>,
    /// The list of its `each`. The rule exists for every row.
    each: Option<Arc<TermList>>,
    /// The name of the rule in its `after`.
    after: Option<Text>,
}

impl LoadedRules {
    /// The rules, in the order of their names. A rule with `each` appears once for every row, in
    /// the order of the rows.
    pub(crate) fn into_rows(self) -> Vec<(Arc<Rule>, Arc<Tree>)> {
        self.rules
            .into_iter()
            .flat_map(|one| each::expand_rows(one.rule, one.tree, one.each.as_deref()))
            .collect()
    }

    /// The rules as written, in the order of their names.
    pub(crate) fn written(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.rules.iter().map(|one| &one.rule)
    }

    /// Warnings of rules that come after a rule that has expired on that day.
    pub(crate) fn warn_of_expired(&self, today: Date) -> Vec<Fault> {
        let is_over = |last: Option<Date>| last.is_some_and(|last| last < today);
        let over = self.written().filter(|rule| is_over(rule.settings.expires));
        let over: BTreeMap<&str, Option<Date>> =
            over.map(|rule| (rule.name(), rule.settings.expires)).collect();
        let warn = |one: &Enabled| {
            let after = one.after.as_ref().filter(|_| !over.contains_key(one.rule.name()))?;
            let name = after.value.trim();
            let last = (*over.get(name)?)?;
            let message = format!("the rule `{name}` matches nothing since it expired on {last}");
            let warning = after.warning(0..after.value.len(), message);
            Some(warning.help("move its `expires`, or remove this rule, which is never told"))
        };
        self.rules.iter().filter_map(warn).collect()
    }

    /// The expressions of the rules as written, in the order of their names.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = (&When, &Tree)> {
        self.rules.iter().map(|one| (&one.when, &*one.tree))
    }
}

/// The rules of `texts`; `None` if any has an error.
pub(crate) fn load(
    texts: &RuleTexts,
    config: Option<&RuleConfig>,
    faults: &mut Vec<Fault>,
) -> Option<LoadedRules> {
    let mut found = Vec::new();
    let (rules, watchlists) = read_files(texts, config, &mut found);
    let sound = found.iter().all(|fault| fault.level != Level::Error);
    faults.append(&mut found);
    if !sound {
        return None;
    }
    let mut enabled: Vec<NamedRule> = rules.into_values().filter(|named| named.enabled).collect();
    if enabled.len() > MOST_KEPT_TREES {
        enabled.par_iter_mut().for_each(|named| {
            named.rule.compact(matches!(named.when, When::Expression(_)));
        });
    }
    let mut settings = HashSet::new();
    let enabled = enabled.into_iter().map(|NamedRule { rule, when, tree, each, after, .. }| {
        Enabled { rule: shared(rule, &mut settings), when, tree, each, after }
    });
    Some(LoadedRules { rules: enabled.collect(), watchlists })
}

/// The term lists of `texts`; `None` if there is an error in them, or a file is no YAML.
pub(crate) fn load_lists(texts: &RuleTexts, faults: &mut Vec<Fault>) -> Option<Lists> {
    let mut found = Vec::new();
    let mut definitions = lists::Definitions::default();
    for source in &texts.rules {
        let Some(document) = yaml::parse(source, &mut found) else { continue };
        let Some(mut entries) = document.root().entries(&mut found) else { continue };
        if let Some(terms) = entries.get("terms") {
            definitions.read_terms(&terms, &texts.tables, &mut found);
        }
    }
    let lists = definitions.resolve(false, &mut found);
    let is_sound = found.iter().all(|fault| fault.level != Level::Error);
    faults.append(&mut found);
    is_sound.then_some(lists)
}

/// The paths of the tables that a rule file names, each joined to the folder of the file, without
/// `.` and `..`. Empty if the file cannot be read as YAML. The time is linear in its length.
#[must_use]
pub fn tables_of(source: &Arc<Source>) -> BTreeSet<String> {
    named_tables(source).iter().map(|from| table_path(&source.name, from)).collect()
}

/// The tables that a rule file names, each as it is written. Empty if the file cannot be read as
/// YAML. The time is linear in its length.
#[must_use]
pub fn named_tables(source: &Arc<Source>) -> BTreeSet<String> {
    // Most files name none, and some are large, so a fast check is first.
    let is_key = |behind: &str| behind.trim_start_matches(['"', '\'', ' ']).starts_with(':');
    if !source.text.match_indices("from").any(|(at, word)| is_key(&source.text[at + word.len()..]))
    {
        return BTreeSet::new();
    }
    let Some(document) = yaml::parse(source, &mut Vec::new()) else { return BTreeSet::new() };
    let terms =
        document.root().entries(&mut Vec::new()).and_then(|mut entries| entries.get("terms"));
    let named = terms.map_or(Vec::new(), |terms| lists::tables_of(&terms));
    named.into_iter().map(|from| from.value).collect()
}

/// The path of the table that the rule file at `file` names `from`. It starts in the folder of the
/// rule file. `.` and `..` are resolved, as far as `file` has folders.
#[must_use]
pub fn table_path(file: &str, from: &str) -> String {
    table::path(file, from)
}

/// The same rule. It shares its settings with rules that have equal settings.
fn shared(mut rule: Rule, settings: &mut HashSet<Arc<Settings>>) -> Rule {
    rule.settings =
        settings.get(&rule.settings).cloned().unwrap_or_else(|| Arc::clone(&rule.settings));
    settings.insert(Arc::clone(&rule.settings));
    rule
}

/// The rules by their names, and the lists from tables.
type ReadRules = (BTreeMap<String, entry::NamedRule>, Vec<Arc<TermList>>);

fn read_files(
    texts: &RuleTexts,
    config: Option<&RuleConfig>,
    faults: &mut Vec<Fault>,
) -> ReadRules {
    let known = config.and_then(|config| config.names.as_ref());
    let open = |source: &Arc<Source>| {
        let document = yaml::parse(source, faults)?;
        Some(RuleDocument { source: Arc::clone(source), document })
    };
    let files: Vec<RuleDocument> = texts.rules.iter().filter_map(open).collect();
    let mut nodes = Vec::new();
    let mut definitions = lists::Definitions::default();
    for file in &files {
        let Some(mut entries) = file.document.root().entries(faults) else { continue };
        let defaults = entries.get("defaults");
        let defaults = defaults.map(|node| settings::defaults(&node, known, faults));
        let defaults = Arc::new(defaults.unwrap_or_default());
        if let Some(terms) = entries.get("terms") {
            definitions.read_terms(&terms, &texts.tables, faults);
        }
        if let Some(rules) = entries.get("rules") {
            nodes.extend(
                rules
                    .items(faults)
                    .into_iter()
                    .map(|node| (&file.source, node, Arc::clone(&defaults))),
            );
        }
        entries.refuse_unknown_keys(faults);
    }
    let lists = definitions.resolve(files.len() < texts.rules.len(), faults);
    let lists_are_sound = faults.iter().all(|fault| fault.level != Level::Error);
    let context =
        entry::RuleContext { wordings: lists::Wordings::new(lists), known, lists_are_sound };
    let read = nodes.par_iter().map(|(source, node, defaults)| {
        let mut found = Vec::new();
        (entry::read_rule(source, node, defaults, &context, &mut found), found)
    });
    let (mut rules, mut timed) = (BTreeMap::new(), Vec::new());
    for (read, mut found) in read.collect::<Vec<_>>() {
        faults.append(&mut found);
        if let Some((named, examples)) = read {
            timed.push((named.rule.name().to_owned(), examples));
            add_rule(named, &mut rules, faults);
        }
    }
    if faults.iter().all(|fault| fault.level != Level::Error) {
        check_conditions(&mut rules, &timed, config, faults);
    }
    if faults.iter().all(|fault| fault.level != Level::Error) {
        warn_unused(&rules, &definitions, faults);
        warn_alike(&rules, faults);
        warn_of_terms(&rules, &definitions, &context.wordings, faults);
    }
    let lists = context.wordings.with_forms(Forms::Plain);
    (rules, lists.by_name.values().filter(|list| !list.rows.is_empty()).cloned().collect())
}

/// Checks the conditions of rules that are sound else, and their timed examples.
fn check_conditions(
    rules: &mut BTreeMap<String, NamedRule>,
    timed: &[(String, TimedExamples<'_>)],
    config: Option<&RuleConfig>,
    faults: &mut Vec<Fault>,
) {
    condition::check_after(rules, faults);
    condition::share_rows(rules);
    let unnamed = Publishers::default();
    let publishers = config.map_or(&unnamed, |config| &config.publishers);
    histories::check_timed_examples(timed, rules, publishers, faults);
}

/// Warns of term lists that no rule uses.
fn warn_unused(
    rules: &BTreeMap<String, NamedRule>,
    definitions: &lists::Definitions,
    faults: &mut Vec<Fault>,
) {
    let trees = rules.values().map(|named| &named.tree);
    let used = trees.flat_map(|tree| tree.lists()).map(|list| list.name.as_str()).collect();
    definitions.warn_unused(&used, faults);
}

/// Warns of rules that match the same stories, because one of them is unnecessary or wrong.
fn warn_alike(rules: &BTreeMap<String, entry::NamedRule>, faults: &mut Vec<Fault>) {
    let mut seen: HashMap<_, &str> = HashMap::new();
    let enabled: Vec<&NamedRule> = rules.values().filter(|named| named.enabled).collect();
    let printed: Vec<String> =
        enabled.par_iter().map(|named| print::expression(&named.tree)).collect();
    for (named, printed) in enabled.into_iter().zip(printed) {
        let settings = &named.rule.settings;
        let each = named.each.as_ref().map(|list| &list.name);
        let subject = (
            (printed, each, named.forms, &settings.condition),
            (&settings.feeds, &settings.langs, settings.expires),
        );
        if let Some(first) = seen.get(&subject) {
            let message = format!("this rule matches the same stories as `{first}`");
            let warning = named.name.warning(0..named.name.value.len(), message);
            faults.push(warning.help(
                "one rule can have several `notify` and `tags`; remove the other unless it is meant",
            ));
        } else {
            seen.insert(subject, named.rule.name());
        }
    }
}

/// Warns of terms in rules and lists that are probably mistakes.
fn warn_of_terms(
    rules: &BTreeMap<String, entry::NamedRule>,
    definitions: &lists::Definitions,
    wordings: &lists::Wordings,
    faults: &mut Vec<Fault>,
) {
    let cache = lint::list_cache::ListCache::default();
    let warnings = rules.par_iter().map(|(_, named)| {
        let mut found = Vec::new();
        when::warn_of_expression(&named.when, &named.tree, &cache, &mut found);
        found
    });
    faults.extend(warnings.collect::<Vec<_>>().into_iter().flatten());
    let (stemmed, other): (Vec<_>, Vec<_>) =
        rules.values().partition(|named| matches!(named.forms, Forms::Stem(_)));
    let named = |rules: Vec<&entry::NamedRule>| -> BTreeSet<String> {
        let lists = rules.iter().flat_map(|named| named.tree.lists());
        lists.map(|list| list.name.clone()).collect()
    };
    definitions.warn_of_terms(
        &wordings.with_forms(Forms::Plain),
        &named(stemmed),
        &named(other),
        faults,
    );
}

fn add_rule(
    named: entry::NamedRule,
    rules: &mut BTreeMap<String, entry::NamedRule>,
    faults: &mut Vec<Fault>,
) {
    match rules.entry(named.rule.name().to_owned()) {
        Entry::Vacant(free) => {
            free.insert(named);
        }
        Entry::Occupied(first) => {
            let first = shown_place(&first.get().name);
            let message = format!("a rule named `{}` is in {first} already", named.rule.name());
            faults.push(
                named
                    .name
                    .fault(0..named.name.value.len(), message)
                    .help("give one of the two another name"),
            );
        }
    }
}

#[cfg(test)]
mod tests;
