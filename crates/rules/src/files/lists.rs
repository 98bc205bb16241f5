//! Resolves term lists: from the `terms` of all files to lists of parsed terms, with the terms of
//! the lists that they name.

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::faults::shown_place;
use super::forms;
use super::table::{self, WantedColumns};
use crate::fault::{Fault, nearest};
use crate::files::when;
use crate::language::lists::Lists;
use crate::language::term::{Forms, Term};
use crate::language::term_list::{ListRow, TermList};
use crate::language::{syntax, term_list};
use crate::yaml::{Node, Text};
use crate::{Table, lint};

/// The most levels of lists in lists.
const DEEPEST: usize = 50;

/// Every list as written, by name.
#[derive(Default)]
pub(super) struct Definitions {
    by_name: BTreeMap<String, Definition>,
}

struct Definition {
    name: Text,
    entries: Vec<ListEntry>,
    /// The source of its rows, if it has any.
    from: Option<Text>,
    rows: Vec<Arc<ListRow>>,
}

enum ListEntry {
    /// A term and its text.
    Term(Term, Text),
    /// `$other`, with the forms and the label for terms of it that have none of their own.
    Other(Text, Forms, Option<String>),
}

impl ListEntry {
    fn term(&self) -> Option<(&Term, &Text)> {
        if let Self::Term(term, text) = self { Some((term, text)) } else { None }
    }

    /// The name of the list that it names.
    fn other(&self) -> Option<&str> {
        if let Self::Other(text, ..) = self { syntax::list_name(text.value.trim()) } else { None }
    }
}

impl Definitions {
    /// Adds the `terms` of one file. A list from one of the `tables` gets its rows.
    pub(super) fn read_terms(
        &mut self,
        terms: &Node<'_>,
        tables: &[Table],
        faults: &mut Vec<Fault>,
    ) {
        for (name, node) in terms.pairs(faults) {
            check_name(&name, faults);
            let definition = read_list(name, &node, tables, faults);
            match self.by_name.entry(definition.name.value.clone()) {
                Slot::Vacant(free) => {
                    free.insert(definition);
                }
                Slot::Occupied(first) => {
                    let first = shown_place(&first.get().name);
                    let name = definition.name;
                    let message =
                        format!("a term list named `{}` is in {first} already", name.value);
                    let help =
                        "list names are shared by all rule files: give one of the two another name";
                    faults.push(name.fault(0..name.value.len(), message).help(help));
                }
            }
        }
    }

    /// Warns of every list that neither a rule (`used`) nor another list names.
    pub(super) fn warn_unused(&self, used: &BTreeSet<&str>, faults: &mut Vec<Fault>) {
        let by_lists: BTreeSet<&str> = self
            .by_name
            .values()
            .flat_map(|definition| &definition.entries)
            .filter_map(ListEntry::other)
            .collect();
        for (name, definition) in &self.by_name {
            if !used.contains(name.as_str()) && !by_lists.contains(name.as_str()) {
                let span = 0..definition.name.value.len();
                let warning =
                    definition.name.warning(span, format!("nothing uses the term list `{name}`"));
                faults.push(
                    warning.help(format!("a rule names it as ${name}; remove it if none should")),
                );
            }
        }
    }

    /// Warns of terms that are probably mistakes. `lists` are these definitions, resolved.
    /// `stemmed` are the names in rules that use stems, and `other` those in other rules.
    pub(super) fn warn_of_terms(
        &self,
        lists: &Lists,
        stemmed: &BTreeSet<String>,
        other: &BTreeSet<String>,
        faults: &mut Vec<Fault>,
    ) {
        let (stemmed, other) = (self.reached(stemmed), self.reached(other));
        for (name, definition) in &self.by_name {
            let Some(list) = lists.by_name.get(name) else { continue };
            if let Some(from) = &definition.from {
                table::warn::warn_of_common_names(name, from, &definition.rows, faults);
            }
            let own: Vec<(&Term, &Text)> =
                definition.entries.iter().filter_map(ListEntry::term).collect();
            let terms: Vec<&Term> = own.iter().map(|(term, _)| *term).collect();
            let is_stemmed = stemmed.contains(name.as_str()) && !other.contains(name.as_str());
            for (at, problem) in lint::list_warnings(&terms, &list.terms, is_stemmed) {
                let text = own[at].1;
                let warning = text.warning(0..text.value.len(), problem.message);
                faults.push(Fault { help: problem.help, ..warning });
            }
        }
    }

    /// The lists with these `names`, and all lists that they name.
    fn reached<'d>(&'d self, names: &'d BTreeSet<String>) -> HashSet<&'d str> {
        let mut open: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut reached = HashSet::new();
        while let Some(name) = open.pop() {
            if reached.insert(name) {
                let entries =
                    self.by_name.get(name).map_or(&[][..], |definition| &definition.entries);
                open.extend(entries.iter().filter_map(ListEntry::other));
            }
        }
        reached
    }

    /// The lists, each with the terms of the lists that it names. `partial` means that a file with
    /// more lists could not be read.
    pub(super) fn resolve(&self, partial: bool, faults: &mut Vec<Fault>) -> Lists {
        let mut resolver = Resolver {
            definitions: self,
            partial,
            done: BTreeMap::new(),
            open: Vec::new(),
            faults,
        };
        for name in self.by_name.keys() {
            resolver.list(name);
        }
        Lists { by_name: resolver.done, partial, ..Lists::default() }
    }
}

fn check_name(name: &Text, faults: &mut Vec<Fault>) {
    if syntax::list_name(&format!("${}", name.value)) != Some(name.value.as_str()) {
        let help = "a list's name begins with a letter, and has letters, digits, - and _";
        faults.push(
            name.fault(0..name.value.len(), "this name cannot be written in an expression")
                .help(help),
        );
    }
}

/// The table of a list, if its entry names one.
fn from(node: &Node<'_>, faults: &mut Vec<Fault>) -> Option<Text> {
    node.is_mapping().then(|| node.entries(faults)?.get("from")?.text(faults))?
}

/// The path of every table that `terms` name.
pub(super) fn tables_of(terms: &Node<'_>) -> Vec<Text> {
    terms
        .pairs(&mut Vec::new())
        .iter()
        .filter_map(|(_, node)| from(node, &mut Vec::new()))
        .collect()
}

fn read_list(name: Text, node: &Node<'_>, tables: &[Table], faults: &mut Vec<Fault>) -> Definition {
    let Some(from) = from(node, faults) else {
        return Definition {
            entries: read_entries(&name, node, faults),
            name,
            from: None,
            rows: Vec::new(),
        };
    };
    let mut rows = Vec::new();
    if let Some(mut entries) = node.entries(faults) {
        entries.get("from");
        let wanted = WantedColumns::read_table(from.clone(), &mut entries, faults);
        entries.refuse_unknown_keys(faults);
        rows = wanted.map_or(Vec::new(), |wanted| wanted.rows(&name.value, tables, faults));
    }
    Definition { name, entries: Vec::new(), from: Some(from), rows }
}

fn read_entries(name: &Text, node: &Node<'_>, faults: &mut Vec<Fault>) -> Vec<ListEntry> {
    if !node.is_mapping() {
        let items = node.items(faults);
        if items.is_empty() && node.is_list() {
            faults.push(is_empty(name));
        }
        return items
            .iter()
            .filter_map(|item| read_entry(item, Forms::Plain, None, faults))
            .collect();
    }
    let Some(mut entries) = node.entries(faults) else { return Vec::new() };
    let label = entries.get("label").and_then(|label| label.text(faults)).map(|label| label.value);
    let (any, stems) = (entries.get("any"), entries.get("stem"));
    entries.refuse_unknown_keys(faults);
    let mut items: Vec<(Forms, Node<'_>)> = Vec::new();
    let plain = any.map_or(Vec::new(), |any| any.items(faults));
    items.extend(plain.into_iter().map(|item| (Forms::Plain, item)));
    for (lang, node) in stems.map_or(Vec::new(), |stems| stems.pairs(faults)) {
        let forms = forms::stems_of(&lang, faults);
        items.extend(node.one_or_many().into_iter().map(|item| (forms, item)));
    }
    if items.is_empty() {
        let help = "write its terms under `any`, by their language under `stem`, or name a table that they come `from`";
        faults.push(is_empty(name).help(help));
    }
    items
        .iter()
        .filter_map(|(forms, item)| read_entry(item, *forms, label.as_deref(), faults))
        .collect()
}

fn is_empty(name: &Text) -> Fault {
    name.fault(0..name.value.len(), format!("the term list `{}` is empty", name.value))
}

fn read_entry(
    node: &Node<'_>,
    forms: Forms,
    label: Option<&str>,
    faults: &mut Vec<Fault>,
) -> Option<ListEntry> {
    let text = node.text(faults)?;
    let entry = text.value.trim();
    if syntax::list_name(entry).is_some_and(|name| name.len() + 1 == entry.len()) {
        return Some(ListEntry::Other(text, forms, label.map(str::to_owned)));
    }
    let (term, problems) = syntax::parse_term(&text.value, forms, label);
    faults.extend(problems.into_iter().map(|problem| when::fault_in(&text, problem)));
    term.map(|term| ListEntry::Term(term, text))
}

/// The lists in every form that rules use, each made once.
pub(super) struct Wordings(Mutex<HashMap<Forms, Arc<Lists>>>);

impl Wordings {
    /// Starts with `lists`, which are in plain forms.
    pub(super) fn new(lists: Lists) -> Self {
        Self(Mutex::new(HashMap::from([(Forms::Plain, Arc::new(lists))])))
    }

    /// The lists in `forms`.
    pub(super) fn with_forms(&self, forms: Forms) -> Arc<Lists> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lists) = made.get(&forms) {
            return Arc::clone(lists);
        }
        let lists = Arc::new(made[&Forms::Plain].with(forms));
        made.insert(forms, Arc::clone(&lists));
        lists
    }
}

struct Resolver<'d, 'f> {
    definitions: &'d Definitions,
    partial: bool,
    done: BTreeMap<String, Arc<TermList>>,
    /// The lists that are being resolved, the outermost first.
    open: Vec<&'d str>,
    faults: &'f mut Vec<Fault>,
}

impl<'d> Resolver<'d, '_> {
    /// Resolves a list that is defined.
    fn list(&mut self, name: &str) -> Option<Arc<TermList>> {
        if let Some(done) = self.done.get(name) {
            return Some(Arc::clone(done));
        }
        let (name, definition) = self.definitions.by_name.get_key_value(name)?;
        self.open.push(name);
        let mut terms = Vec::new();
        let mut seen = HashSet::new();
        for entry in &definition.entries {
            let found = match entry {
                ListEntry::Term(term, _) => vec![Arc::new(term.clone())],
                ListEntry::Other(other, forms, label) => {
                    self.terms_of(other, *forms, label.as_deref())
                }
            };
            terms.extend(found.into_iter().filter(|term| {
                seen.insert((term.text.clone(), term.stemmer, term.capitals.is_some()))
            }));
        }
        self.open.pop();
        let list = match definition.from {
            Some(_) => term_list::list_of_rows(name, definition.rows.clone()),
            None => TermList { name: name.clone(), terms, rows: Vec::new() },
        };
        let list = Arc::new(list);
        self.done.insert(name.clone(), Arc::clone(&list));
        Some(list)
    }

    /// The terms of the list that the entry `other` names, in `forms`. A term without a label gets
    /// `label`.
    fn terms_of(&mut self, other: &'d Text, forms: Forms, label: Option<&str>) -> Vec<Arc<Term>> {
        let name = other.value.trim().trim_start_matches('$');
        if let Err(fault) = self.check(other, name) {
            self.faults.extend(fault);
            return Vec::new();
        }
        let labelled = |term: &Arc<Term>| {
            if forms == Forms::Plain && (label.is_none() || term.label.is_some()) {
                return Arc::clone(term);
            }
            let label = term.label.clone().or_else(|| label.map(str::to_owned));
            Arc::new(Term { label, ..Term::clone(term).with(forms) })
        };
        self.list(name).map_or(Vec::new(), |list| list.terms.iter().map(labelled).collect())
    }

    /// Whether the list can be resolved. An error is its fault, or `None` if a file that could not
    /// be read may define the list.
    fn check(&self, other: &Text, name: &str) -> Result<(), Option<Fault>> {
        let whole = 0..other.value.len();
        if let Some(start) = self.open.iter().position(|open| *open == name) {
            let circle: Vec<String> =
                self.open[start..].iter().chain([&name]).map(|name| format!("${name}")).collect();
            let message =
                format!("the term list `${name}` would contain itself: {}", circle.join(" → "));
            return Err(Some(other.fault(whole, message).help("remove one of these entries")));
        }
        if self.open.len() > DEEPEST {
            let message = format!("term lists are nested more than {DEEPEST} deep here");
            return Err(Some(other.fault(whole, message).help("name fewer lists in lists")));
        }
        if self.definitions.by_name.contains_key(name) {
            return Ok(());
        }
        if self.partial {
            return Err(None);
        }
        let fault = other.fault(whole, format!("there is no term list `${name}`"));
        let near = nearest(name, self.definitions.by_name.keys().map(String::as_str));
        Err(Some(match near {
            Some(near) => fault.help(format!("did you mean `${near}`?")),
            None => fault.help(
                "term lists stand under `terms` in any rule file; a price goes in double quotes",
            ),
        }))
    }
}
