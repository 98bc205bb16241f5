//! Warns of valid parts of expressions and lists that are probably mistakes.
//!
//! Pure functions of finished trees. Every warning follows from the words of the terms alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fault::Level;
use crate::language::syntax::ExpressionProblem;
use crate::language::term::Term;
use crate::language::tree::Tree;
use list_cache::ListCache;

mod capitals_in_patterns;
mod common_words;
mod cover;
mod cyrillic;
mod index;
pub(crate) mod list_cache;
mod mixed_alphabets;
mod never_holds;
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
    mixed_alphabets::warn_of_mixed_alphabets(tree, &mut found);
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
    for (at, problem) in redundant_terms::redundant_entries(own, terms)
        .into_iter()
        .chain(common_words::common_entries(own))
        .chain(mixed_alphabets::mixed_entries(own))
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

fn and_more(all: usize) -> String {
    match all - MOST {
        1 => "one more warning like those above is not shown".to_owned(),
        more => format!("{more} more warnings like those above are not shown"),
    }
}

#[cfg(test)]
mod tests;
