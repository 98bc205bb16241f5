//! Writes a rule as YAML in canonical form. The store keeps one for every version that made an
//! alert.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::language::lists::Lists;
use crate::language::print;
use crate::language::term::{Forms, Term};
use crate::language::term_list::TermList;
use crate::language::tree::Tree;
use crate::rule::settings::Settings;
use crate::story::{FeedFilter, NotifierName, Severity, WatchlistRow};
use condition::ConditionRecord;

mod condition;

/// Everything that determines a rule's matches and alerts, without its examples and the terms of
/// its lists.
#[derive(Serialize)]
struct RuleRecord<'r> {
    name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    each: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<&'r WatchlistRow>,
    when: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    forms: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stem: Option<&'static str>,
    severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'r str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'r [String],
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    notify: &'r BTreeSet<NotifierName>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    feeds: Vec<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    lang: &'r [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(flatten)]
    condition: ConditionRecord,
}

/// Neighbouring terms of a list with one label.
#[derive(Serialize)]
struct Labelled<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'r str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    any: Vec<String>,
    /// Terms that are found by the stems of a language.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    stem: BTreeMap<&'static str, Vec<String>>,
}

/// The rule of a record.
pub(crate) struct RecordSubject<'r> {
    /// The rule's name.
    pub(crate) name: &'r str,
    /// The name of its `each` list.
    pub(crate) each: Option<&'r str>,
    /// The row of that list, or `None` for all rows.
    pub(crate) row: Option<&'r WatchlistRow>,
    /// Its expression.
    pub(crate) tree: &'r Tree,
    /// The lists that its expression may name.
    pub(crate) lists: &'r Lists,
    pub(crate) settings: &'r Settings,
}

/// The rule as YAML, with the terms of the lists that its expression names.
pub(crate) fn text(rule: &RecordSubject<'_>) -> String {
    let RecordSubject { name, each, row, tree, lists: _, settings } = *rule;
    let (forms, stem) = match rule.lists.forms {
        Forms::Plain => (None, None),
        Forms::Plural => (Some("plural"), None),
        Forms::Inflected => (Some("inflected"), None),
        Forms::Stem(stemmer) => (None, Some(stemmer.tag())),
    };
    let record = RuleRecord {
        name,
        each,
        row,
        when: print::expression(tree),
        forms,
        stem,
        severity: settings.severity,
        why: settings.why.as_deref(),
        owner: settings.owner.as_deref(),
        tags: &settings.tags,
        notify: &settings.notify,
        feeds: settings.feeds.iter().map(feed).collect(),
        lang: &settings.langs,
        expires: settings.expires.map(|day| day.to_string()),
        condition: ConditionRecord::new(settings.condition.as_ref()),
    };
    let lists: BTreeMap<&str, &Arc<TermList>> =
        tree.lists().into_iter().map(|list| (list.name.as_str(), list)).collect();
    let mut text =
        serde_yaml::to_string(&record).expect("texts, lists and string keys are always YAML");
    for (at, (name, list)) in lists.into_iter().enumerate() {
        if at == 0 {
            text += TERMS;
        }
        let shared = rule.lists.by_name.get(name).is_some_and(|shared| Arc::ptr_eq(shared, list));
        text += &if shared {
            rule.lists.printed.get_or_print(name, || printed(list))
        } else {
            printed(list).into()
        };
    }
    text
}

/// The key of lists.
const TERMS: &str = "terms:\n";

/// A list as it is written under [`TERMS`].
fn printed(list: &TermList) -> String {
    let lists = BTreeMap::from([("terms", BTreeMap::from([(list.name.as_str(), terms(list))]))]);
    let text = serde_yaml::to_string(&lists).expect("texts, lists and string keys are always YAML");
    text.strip_prefix(TERMS).unwrap_or(&text).to_owned()
}

/// The SHA-256 of `text`.
pub(crate) fn version(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

fn feed(filter: &FeedFilter) -> String {
    match filter {
        FeedFilter::Named(name) => name.0.clone(),
        FeedFilter::Tagged(tag) => format!("tag:{tag}"),
    }
}

fn terms(list: &TermList) -> Vec<Labelled<'_>> {
    let alike =
        |one: &Arc<Term>, next: &Arc<Term>| one.label == next.label && one.stemmer == next.stemmer;
    list.terms.chunk_by(alike).map(labelled).collect()
}

/// Terms with one label and one language, at least one.
fn labelled(terms: &[Arc<Term>]) -> Labelled<'_> {
    let label = terms[0].label.as_deref();
    let texts = terms.iter().map(|term| print::term_text(term)).collect();
    match terms[0].stemmer {
        None => Labelled { label, any: texts, stem: BTreeMap::new() },
        Some(stemmer) => {
            Labelled { label, any: Vec::new(), stem: BTreeMap::from([(stemmer.tag(), texts)]) }
        }
    }
}
