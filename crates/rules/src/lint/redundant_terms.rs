//! Warns of terms that find nothing that another term does not find.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::cover::covers;
use super::index::{IndexedTerm, TermIndex};
use crate::language::operand::{Choice, Operand};
use crate::language::pair::Proximity;
use crate::language::scope::Scope;
use crate::language::syntax::ExpressionProblem;
use crate::language::term::Term;
use crate::language::term_list::TermList;
use crate::language::tree::Tree;
use crate::lint::list_cache::ListCache;
use crate::lint::warning::{shown, warning};
use crate::text::Stemmer;

/// Terms and lists joined by OR, listed in ANY, or in one operand of NEAR.
#[derive(Default)]
struct Siblings<'t> {
    terms: Vec<(Scope, &'t Arc<Term>, Range<usize>)>,
    lists: Vec<(Scope, &'t Arc<TermList>, Range<usize>)>,
}

/// How sibling terms are combined.
#[derive(Clone, Copy, PartialEq)]
enum SiblingKind {
    /// One of them must be found.
    Or,
    /// A number of them must be found.
    Any,
    /// One of them must be found near something. The length of terms matters.
    Near,
}

/// Warns of terms that find nothing that a sibling does not find.
pub(super) fn warn_of_redundant_terms(
    tree: &Tree,
    cache: &ListCache,
    found: &mut Vec<ExpressionProblem>,
) {
    branch(tree, Scope::Text, false, cache, found);
}

/// `is_checked` is whether `tree` is an OR that was checked together with the OR around it.
fn branch(
    tree: &Tree,
    scope: Scope,
    is_checked: bool,
    cache: &ListCache,
    found: &mut Vec<ExpressionProblem>,
) {
    let is_or = matches!(tree, Tree::Or(_));
    match tree {
        Tree::Or(_) if is_checked => {}
        Tree::Or(branches) | Tree::AnyOf(_, branches, _) => {
            let mut siblings = Siblings::default();
            for branch in branches {
                siblings.add(branch, scope, is_or);
            }
            siblings.report(if is_or { SiblingKind::Or } else { SiblingKind::Any }, cache, found);
        }
        Tree::Pair(pair, span) => {
            let left =
                if pair.link == Proximity::Except { SiblingKind::Or } else { SiblingKind::Near };
            Siblings::from_operand(&pair.left, scope, span).report(left, cache, found);
            if pair.link != Proximity::Except {
                Siblings::from_operand(&pair.right, scope, span).report(
                    SiblingKind::Near,
                    cache,
                    found,
                );
            }
        }
        _ => {}
    }
    let scope = if let Tree::In(scope, ..) = tree { *scope } else { scope };
    let is_checked = is_or || (is_checked && matches!(tree, Tree::In(..)));
    tree.branches().iter().for_each(|inner| branch(inner, scope, is_checked, cache, found));
}

impl<'t> Siblings<'t> {
    /// The terms and lists of `operand`, which belongs to an operator at `span`.
    fn from_operand(operand: &'t Operand, scope: Scope, span: &Range<usize>) -> Self {
        let mut siblings = Self::default();
        for choice in operand.choices() {
            match choice {
                Choice::Term(term) => siblings.terms.push((scope, term, span.clone())),
                Choice::List(list) => siblings.lists.push((scope, list, span.clone())),
            }
        }
        siblings
    }

    /// Adds `branch`. For a field in an OR, adds the field's branch.
    fn add(&mut self, branch: &'t Tree, scope: Scope, in_or: bool) {
        match branch {
            Tree::Term(term, span) => self.terms.push((scope, term, span.clone())),
            Tree::List(list, span) => self.lists.push((scope, list, span.clone())),
            Tree::In(scope, inner, _) => self.add(inner, *scope, in_or),
            Tree::Or(branches) if in_or => {
                for branch in branches {
                    self.add(branch, scope, in_or);
                }
            }
            _ => {}
        }
    }

    fn report(&self, kind: SiblingKind, cache: &ListCache, found: &mut Vec<ExpressionProblem>) {
        for scope in Scope::ALL {
            let terms: Vec<_> = self.terms.iter().filter(|(of, ..)| *of == scope).collect();
            let lists: Vec<_> = self.lists.iter().filter(|(of, ..)| *of == scope).collect();
            report_lists(&lists, found);
            if matches!(scope, Scope::Site | Scope::Lang) || terms.len() + lists.len() < 2 {
                continue;
            }
            let index = TermIndex::new(terms.iter().map(|(_, term, _)| *term));
            let indexes: Vec<_> =
                lists.iter().map(|(_, list, _)| (list.name.as_str(), cache.index(list))).collect();
            for (number, (_, term, span)) in terms.iter().enumerate() {
                let fits = |entry: &IndexedTerm| {
                    kind != SiblingKind::Near || entry.term.words.len() == term.words.len()
                };
                let in_terms =
                    index.covering(term, |entry| fits(entry) && is_idle(term, number, entry));
                let in_lists = indexes.iter().find_map(|(name, index)| {
                    let wanted =
                        |entry: &IndexedTerm| fits(entry) && entry.term.label == term.label;
                    Some((&index.covering(term, wanted)?.term, Some(*name)))
                });
                if let Some((wide, list)) = in_terms.map(|entry| (&entry.term, None)).or(in_lists) {
                    found.push(warning(span.clone(), message(term, wide, list), help(kind, term)));
                }
            }
        }
    }
}

/// Whether `term`, with that `number`, is redundant beside `entry`, which covers it. If two terms
/// find the same, the first one stays.
fn is_idle(term: &Arc<Term>, number: usize, entry: &IndexedTerm) -> bool {
    let same = || entry.term.words.len() == term.words.len() && covers(term, &entry.term, 0);
    entry.number != number && entry.term.label == term.label && (entry.number < number || !same())
}

fn report_lists(
    lists: &[&(Scope, &Arc<TermList>, Range<usize>)],
    found: &mut Vec<ExpressionProblem>,
) {
    let mut seen = HashSet::new();
    for (_, list, span) in lists {
        if !seen.insert(&list.name) {
            found.push(warning(
                span.clone(),
                format!("`${}` is here twice", list.name),
                "leave out one of them",
            ));
        }
    }
}

fn message(term: &Term, wide: &Term, list: Option<&str>) -> String {
    let same = term.words == wide.words && term.capitals == wide.capitals;
    match list {
        None if same => format!("{} is here twice", shown(term)),
        None => format!("{} is found by {} already", shown(term), shown(wide)),
        Some(list) if same => format!("{} is in `${list}` already", shown(term)),
        Some(list) => format!("{} is found by {} of `${list}` already", shown(term), shown(wide)),
    }
}

fn help(kind: SiblingKind, term: &Term) -> String {
    match kind {
        SiblingKind::Any => format!(
            "where {} is found, both count: leave it out, or join the two by OR",
            shown(term)
        ),
        SiblingKind::Or | SiblingKind::Near => {
            "leave it out, or make the other narrower".to_owned()
        }
    }
}

/// What tells the terms of a list apart.
fn identity(term: &Term) -> (&str, Option<Stemmer>, bool) {
    (&term.text, term.stemmer, term.capitals.is_some())
}

/// The `own` entries of a list that are redundant beside others of its `terms`.
pub(super) fn redundant_entries(
    own: &[&Term],
    terms: &[Arc<Term>],
) -> Vec<(usize, ExpressionProblem)> {
    if own.is_empty() {
        return Vec::new();
    }
    let index = TermIndex::new(terms);
    let mut numbers: HashMap<_, usize> = HashMap::new();
    for (number, term) in terms.iter().enumerate() {
        numbers.entry(identity(term)).or_insert(number);
    }
    let mut seen = HashMap::new();
    let mut found = Vec::new();
    for (at, term) in own.iter().enumerate() {
        let number = numbers.get(&identity(term)).copied();
        let twin = seen.insert(identity(term), at).map(|_| *term);
        let wide = number.and_then(|number| {
            let term = &terms[number];
            index
                .covering(term, |entry| is_idle(term, number, entry))
                .map(|entry| entry.term.as_ref())
        });
        if let Some(wide) = twin.or(wide) {
            found.push((at, warning(0..0, message(term, wide, None), help(SiblingKind::Or, term))));
        }
    }
    found
}
