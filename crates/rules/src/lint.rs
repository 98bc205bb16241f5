//! What is allowed and yet probably not meant: warnings about an expression, and about the terms of
//! a list.
//!
//! Pure functions over finished trees. Nothing is said that cannot be shown from the words of the
//! terms alone.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::fault::Level;
use crate::language::syntax::ExpressionProblem;
use crate::language::term::{Term, TermList};
use crate::language::tree::Tree;
use index::TermIndex;

mod again;
mod alphabets;
mod capitals;
mod common;
mod cover;
mod cyrillic;
mod index;
mod never;
mod visit;

pub use common::is_common_word;
pub(crate) use common::is_everywhere;
pub(crate) use never::unknown_language;

/// Warnings of one expression or list: who has that many wants to see them mended first.
const MOST: usize = 25;

/// What is known of the lists that expressions name: each is looked at once, and only for what is
/// asked of it.
#[derive(Default)]
pub(crate) struct ListCache(Mutex<HashMap<usize, Arc<CachedList>>>);

/// A list and what is known of it; the list is kept, so that its address stays its own.
struct CachedList {
    list: Arc<TermList>,
    index: OnceLock<Arc<TermIndex>>,
    common: OnceLock<Option<Arc<Term>>>,
}

impl ListCache {
    fn of(&self, list: &Arc<TermList>) -> Arc<CachedList> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || CachedList {
            list: Arc::clone(list),
            index: OnceLock::new(),
            common: OnceLock::new(),
        };
        Arc::clone(known.entry(Arc::as_ptr(list).addr()).or_insert_with(|| Arc::new(new())))
    }

    fn index(&self, list: &Arc<TermList>) -> Arc<TermIndex> {
        let known = self.of(list);
        Arc::clone(known.index.get_or_init(|| Arc::new(TermIndex::new(&known.list.terms))))
    }

    /// A term of `list` that is a common word, too.
    fn common(&self, list: &Arc<TermList>) -> Option<Arc<Term>> {
        let known = self.of(list);
        let find = || known.list.terms.iter().find(|term| common::is_common(term)).cloned();
        known.common.get_or_init(find).clone()
    }
}

/// The warnings about an expression, in the order of their places; what is too many is counted in a
/// last one.
pub(crate) fn expression(tree: &Tree, memo: &ListCache) -> Vec<ExpressionProblem> {
    let mut found = Vec::new();
    again::look(tree, memo, &mut found);
    never::look(tree, memo, &mut found);
    common::look(tree, memo, &mut found);
    alphabets::look(tree, &mut found);
    capitals::look(tree, &mut found);
    cyrillic::look(tree, &mut found);
    found.sort_by_key(|problem| problem.span.start);
    if let Some(first) = found.get(MOST).map(|problem| problem.span.clone()) {
        let more = more(found.len());
        found.truncate(MOST);
        found.push(ExpressionProblem {
            level: Level::Warning,
            span: first,
            message: more,
            help: None,
        });
    }
    found
}

/// The warnings about a list that has `terms`, those of other lists among them, of which `own`
/// stand in its entries: which of `own`, what is wrong with it, and what to do; spans say nothing,
/// the entry is meant. `stemmed`: every rule that names it asks for stems.
pub(crate) fn list(
    own: &[&Term],
    terms: &[Arc<Term>],
    stemmed: bool,
) -> Vec<(usize, ExpressionProblem)> {
    let mut found: BTreeMap<usize, Vec<ExpressionProblem>> = BTreeMap::new();
    for (at, problem) in again::in_list(own, terms)
        .into_iter()
        .chain(common::in_list(own))
        .chain(alphabets::in_list(own))
    {
        found.entry(at).or_default().push(problem);
    }
    if let Some((at, problem)) = cyrillic::in_list(own).filter(|_| !stemmed) {
        found.entry(at).or_default().push(problem);
    }
    let mut found: Vec<(usize, ExpressionProblem)> = found
        .into_iter()
        .flat_map(|(at, problems)| problems.into_iter().map(move |problem| (at, problem)))
        .collect();
    if let Some(first) = found.get(MOST).map(|(at, problem)| (*at, problem.span.clone())) {
        let message = more(found.len());
        found.truncate(MOST);
        found.push((
            first.0,
            ExpressionProblem { level: Level::Warning, span: first.1, message, help: None },
        ));
    }
    found
}

fn more(all: usize) -> String {
    match all - MOST {
        1 => "one more warning like those above is not shown".to_owned(),
        more => format!("{more} more warnings like those above are not shown"),
    }
}

fn warning(
    span: std::ops::Range<usize>,
    message: impl Into<String>,
    help: impl Into<String>,
) -> ExpressionProblem {
    ExpressionProblem {
        level: Level::Warning,
        span,
        message: message.into(),
        help: Some(help.into()),
    }
}

/// A term as a warning shows it, cut where it is long.
fn shown(term: &Term) -> String {
    let text = crate::language::print::term_text(term);
    format!("`{}`", crate::explain::excerpt::around(&text, &(0..0), 60).0)
}

#[cfg(test)]
mod tests;
