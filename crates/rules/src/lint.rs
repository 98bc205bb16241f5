//! Warns of valid parts of expressions and lists that are probably mistakes.
//!
//! Pure functions of finished trees. Every warning follows from the words of the terms alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fault::Level;
use crate::language::scope::Scope;
use crate::language::syntax::ExpressionProblem;
use crate::language::term::Term;
use crate::language::tree::Tree;
use list_cache::ListCache;
use warning::{TermWarning, warning};

mod capitals_in_patterns;
mod common_words;
mod cover;
mod cyrillic;
mod index;
pub(crate) mod list_cache;
mod longer_words;
mod mixed_alphabets;
mod never_holds;
mod other_words;
mod redundant_terms;
mod visit;
mod warning;

pub use common_words::is_common_word;
pub(crate) use common_words::why_everywhere;
pub(crate) use never_holds::unknown_language;

/// The most warnings of one expression or list.
const MOST: usize = 25;

/// The warnings about an expression, in the order of their places. If there are more than [`MOST`],
/// a last warning counts the rest.
pub(crate) fn expression_warnings(tree: &Tree, cache: &ListCache) -> Vec<ExpressionProblem> {
    let mut found = Vec::new();
    redundant_terms::warn_of_redundant_terms(tree, cache, &mut found);
    never_holds::warn_of_clauses_that_never_hold(tree, cache, &mut found);
    common_words::warn_of_common_words(tree, cache, &mut found);
    warn_of_terms(tree, &mut found);
    capitals_in_patterns::warn_of_capitals(tree, &mut found);
    cyrillic::warn_of_cyrillic_forms(tree, &mut found);
    found.sort_by_key(|problem| problem.span.start);
    if let Some(first) = found.get(MOST).map(|problem| problem.span.clone()) {
        let more = and_more(found.len());
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

/// The warnings about a list with `terms`, which include those of other lists. `own` are the terms
/// of its own entries. Each warning has the index of its entry in `own`; its span is not used.
/// `stemmed` means that every rule that names the list uses stems.
pub(crate) fn list_warnings(
    own: &[&Term],
    terms: &[Arc<Term>],
    stemmed: bool,
) -> Vec<(usize, ExpressionProblem)> {
    let mut found: BTreeMap<usize, Vec<ExpressionProblem>> = BTreeMap::new();
    for (at, problem) in
        redundant_terms::redundant_entries(own, terms).into_iter().chain(entries_with_warnings(own))
    {
        found.entry(at).or_default().push(problem);
    }
    if let Some((at, problem)) = cyrillic::cyrillic_entries(own).filter(|_| !stemmed) {
        found.entry(at).or_default().push(problem);
    }
    let mut found: Vec<(usize, ExpressionProblem)> = found
        .into_iter()
        .flat_map(|(at, problems)| problems.into_iter().map(move |problem| (at, problem)))
        .collect();
    if let Some(first) = found.get(MOST).map(|(at, problem)| (*at, problem.span.clone())) {
        let message = and_more(found.len());
        found.truncate(MOST);
        found.push((
            first.0,
            ExpressionProblem { level: Level::Warning, span: first.1, message, help: None },
        ));
    }
    found
}

/// The checks of a term by itself.
const OF_A_TERM: [fn(&Term) -> Option<TermWarning>; 4] = [
    common_words::too_wide,
    other_words::also_found,
    longer_words::part_of_longer,
    mixed_alphabets::mixed,
];

fn warn_of_terms(tree: &Tree, found: &mut Vec<ExpressionProblem>) {
    visit::visit_terms(tree, &mut |term, span, scope| {
        if !matches!(scope, Scope::Url | Scope::Site | Scope::Lang) {
            let all = OF_A_TERM.iter().filter_map(|check| check(term));
            found.extend(all.map(|(message, help)| warning(span.clone(), message, help)));
        }
    });
}

/// The warnings about the entries of a list by themselves, each with its index.
fn entries_with_warnings(own: &[&Term]) -> impl Iterator<Item = (usize, ExpressionProblem)> {
    own.iter().enumerate().flat_map(|(at, term)| {
        let all = OF_A_TERM.iter().filter_map(|check| check(term));
        all.map(move |(message, help)| (at, warning(0..0, message, help)))
    })
}

fn and_more(all: usize) -> String {
    match all - MOST {
        1 => "one more warning like those above is not shown".to_owned(),
        more => format!("{more} more warnings like those above are not shown"),
    }
}

#[cfg(test)]
mod tests;
