//! The terms that must not be found, and the clauses that cannot hold without them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::clash::{Clash, at_once, written};
use crate::language::operand::{Choice, Operand};
use crate::language::pair::Proximity;
use crate::language::print;
use crate::language::scope::Scope;
use crate::language::term::Term;
use crate::language::term_list::TermList;
use crate::language::tree::{TextUnit, Tree};
use crate::lint::index::TermIndex;
use crate::lint::list_cache::ListCache;

/// The most terms of a list that are examined.
const LISTED: usize = 200;

/// The terms that must not be found, by field.
#[derive(Default)]
pub(super) struct ExcludedTerms<'t> {
    terms: Vec<(Arc<Term>, Range<usize>)>,
    by_scope: HashMap<&'static str, TermIndex>,
    lists: Vec<(Scope, &'t Arc<TermList>, Range<usize>)>,
    /// Clauses that must not hold, in canonical form.
    clauses: HashMap<(&'static str, String), Range<usize>>,
}

impl<'t> ExcludedTerms<'t> {
    pub(super) fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.lists.is_empty() && self.clauses.is_empty()
    }

    /// Records that `tree` must not hold. Clauses that must then hold go to `required`.
    pub(super) fn add(
        &mut self,
        tree: &'t Tree,
        scope: Scope,
        required: &mut Vec<(&'t Tree, Scope)>,
    ) {
        match tree {
            Tree::Term(term, span) => self.add_term(term, scope, span),
            Tree::List(list, span) => self.lists.push((scope, list, span.clone())),
            Tree::Or(branches) | Tree::AnyOf(1, branches, _) => {
                for branch in branches {
                    self.add(branch, scope, required);
                }
            }
            Tree::In(scope, branch, _) => self.add(branch, *scope, required),
            Tree::AtLeast(1, operand, span) => self.add_operand(operand, scope, span),
            Tree::Not(branch, _) => required.push((branch, scope)),
            other => {
                self.clauses.insert((scope.as_str(), print::expression(other)), other.span());
            }
        }
    }

    /// Records that no term of `operand`, which belongs to an operator at `span`, may be found.
    pub(super) fn add_operand(&mut self, operand: &'t Operand, scope: Scope, span: &Range<usize>) {
        for choice in operand.choices() {
            match choice {
                Choice::Term(term) => self.add_term(term, scope, span),
                Choice::List(list) => self.lists.push((scope, list, span.clone())),
            }
        }
    }

    fn add_term(&mut self, term: &Arc<Term>, scope: Scope, span: &Range<usize>) {
        self.by_scope.entry(scope.as_str()).or_default().add(self.terms.len(), term);
        self.terms.push((Arc::clone(term), span.clone()));
    }

    /// Why `tree` cannot hold in `scope`. `part` means that `tree` is inside a sentence or
    /// paragraph; then only its words count.
    pub(super) fn refutes(
        &self,
        tree: &Tree,
        scope: Scope,
        part: bool,
        cache: &ListCache,
    ) -> Option<Clash> {
        let whole = if part { None } else { self.as_a_whole(tree, scope) };
        whole.or_else(|| match tree {
            Tree::Term(term, _) => self.clash(term, scope, cache),
            Tree::List(list, _) => self.lists(list, scope, cache),
            Tree::Or(branches) => self.all(branches, scope, part, cache),
            Tree::And(branches) => {
                branches.iter().find_map(|branch| self.refutes(branch, scope, part, cache))
            }
            Tree::In(scope, branch, _) => self.refutes(branch, *scope, part, cache),
            Tree::Within(_, branch, _) => self.refutes(branch, scope, true, cache),
            Tree::Pair(pair, _) => {
                let right = pair.link != Proximity::Except;
                let left = self.operand(&pair.left, scope, cache);
                left.or_else(|| self.operand(&pair.right, scope, cache).filter(|_| right))
            }
            Tree::AtLeast(_, operand, _) => self.operand(operand, scope, cache),
            Tree::AnyOf(least, items, _) => self.too_many(*least, items, scope, part, cache),
            Tree::Pattern(..) | Tree::Compare(..) | Tree::Not(..) => None,
        })
    }

    /// A clash if this clause must not hold.
    fn as_a_whole(&self, tree: &Tree, scope: Scope) -> Option<Clash> {
        if self.clauses.is_empty() || matches!(tree, Tree::Term(..) | Tree::List(..) | Tree::In(..))
        {
            return None;
        }
        let barred = |tree: &Tree| self.clauses.get(&(scope.as_str(), print::expression(tree)));
        if let Some(span) = barred(tree) {
            let why = format!("{} must hold, and must not", written(tree));
            return Some(Clash { span: span.clone(), why });
        }
        let (wider, span) =
            wider(tree).into_iter().find_map(|wider| Some((written(&wider), barred(&wider)?)))?;
        let why = format!("where {} holds, so does {wider}, which must not", written(tree));
        Some(Clash { span: span.clone(), why })
    }

    fn all(&self, branches: &[Tree], scope: Scope, part: bool, cache: &ListCache) -> Option<Clash> {
        let mut clashes = branches.iter().map(|branch| self.refutes(branch, scope, part, cache));
        let first = clashes.next()??;
        clashes.all(|clash| clash.is_some()).then_some(first)
    }

    /// A clash if fewer than `least` of `items` can hold.
    fn too_many(
        &self,
        least: usize,
        items: &[Tree],
        scope: Scope,
        part: bool,
        cache: &ListCache,
    ) -> Option<Clash> {
        let mut left: usize = items.iter().map(Tree::weight).sum();
        items.iter().find_map(|item| {
            let clash = self.refutes(item, scope, part, cache)?;
            left -= item.weight();
            (left < least).then_some(clash)
        })
    }

    fn operand(&self, operand: &Operand, scope: Scope, cache: &ListCache) -> Option<Clash> {
        let mut first = None;
        for choice in operand.choices() {
            let clash = match choice {
                Choice::Term(term) => self.clash(term, scope, cache),
                Choice::List(list) => self.lists(list, scope, cache),
            };
            first.get_or_insert(clash?);
        }
        first
    }

    /// Why no term of `list` can be found.
    fn lists(&self, list: &Arc<TermList>, scope: Scope, cache: &ListCache) -> Option<Clash> {
        let same = self
            .lists
            .iter()
            .find(|(of, excluded, _)| of.holds(scope) && excluded.name == list.name);
        if let Some((_, _, span)) = same {
            let why = format!("`${}` must be there, and must not", list.name);
            return Some(Clash { span: span.clone(), why });
        }
        let mut clashes = list.terms.iter().map(|term| self.clash(term, scope, cache));
        let first = clashes.next()??;
        (list.terms.len() <= LISTED && clashes.all(|clash| clash.is_some())).then_some(first)
    }

    fn clash(&self, term: &Arc<Term>, scope: Scope, cache: &ListCache) -> Option<Clash> {
        let (by, span) = self.by(term, scope, cache)?;
        Some(Clash { span, why: at_once(term, &by) })
    }

    /// The first term of `operand`, and the excluded term that is found wherever it is. `None` if
    /// any term of `operand` has no such excluded term.
    pub(super) fn all_of(
        &self,
        operand: &Operand,
        scope: Scope,
        cache: &ListCache,
    ) -> Option<(Arc<Term>, Arc<Term>)> {
        let mut first = None;
        for choice in operand.choices() {
            let terms = match choice {
                Choice::Term(term) => std::slice::from_ref(term),
                Choice::List(list) => list.terms.as_slice(),
            };
            for term in terms {
                let (by, _) = self.by(term, scope, cache)?;
                first.get_or_insert_with(|| (Arc::clone(term), by));
            }
        }
        first
    }

    /// An excluded term that is found wherever `term` is found in `scope`, and its place.
    fn by(
        &self,
        term: &Arc<Term>,
        scope: Scope,
        cache: &ListCache,
    ) -> Option<(Arc<Term>, Range<usize>)> {
        let fits = |by: &Term| match scope {
            Scope::Site | Scope::Lang => by.text.eq_ignore_ascii_case(&term.text),
            _ => true,
        };
        for wider in Scope::ALL.into_iter().filter(|wider| wider.holds(scope)) {
            let index = self.by_scope.get(wider.as_str());
            if let Some(entry) =
                index.and_then(|index| index.covering(term, |entry| fits(&entry.term)))
            {
                return Some((Arc::clone(&entry.term), self.terms[entry.number].1.clone()));
            }
        }
        self.lists.iter().filter(|(wider, ..)| wider.holds(scope)).find_map(|(_, list, span)| {
            let index = cache.index(list);
            let entry = index.covering(term, |entry| fits(&entry.term))?;
            Some((Arc::clone(&entry.term), span.clone()))
        })
    }
}

/// The clauses that hold wherever `tree` holds. A sentence is part of its paragraph and of the
/// text.
/// text.
fn wider(tree: &Tree) -> Vec<Tree> {
    match tree {
        Tree::Within(unit, inner, span) if has_no_exception(inner) => {
            let paragraph = Tree::Within(TextUnit::Paragraph, inner.clone(), span.clone());
            let text = inner.as_ref().clone();
            if *unit == TextUnit::Sentence { vec![paragraph, text] } else { vec![text] }
        }
        _ => Vec::new(),
    }
}

/// Whether `tree` stays true if text is added.
fn has_no_exception(tree: &Tree) -> bool {
    match tree {
        Tree::Not(..) | Tree::Compare(..) => false,
        Tree::Pair(pair, _) => pair.link != Proximity::Except,
        _ => tree.branches().iter().all(has_no_exception),
    }
}

impl Scope {
    /// Whether this field contains all words of `other`.
    fn holds(self, other: Self) -> bool {
        match self {
            Self::Text => matches!(other, Self::Text | Self::Lead | Self::Title | Self::Body),
            Self::Lead => matches!(other, Self::Lead | Self::Title),
            _ => self == other,
        }
    }
}
