//! The words of a story that made a rule match, each in the sentence that holds it.

use std::sync::Arc;

use super::excerpt;
use super::naive::{self, Page, Place};
use super::tree::{Term, Tree};
use crate::story::Evidence;
use crate::text::sentence_around;

/// Terms shown of one rule, at most.
const MOST_TERMS: usize = 20;

/// Terms shown of one list, at most.
const MOST_OF_A_LIST: usize = 3;

/// The length of a sentence that is shown whole, in bytes.
const SENTENCE: usize = 300;

/// One piece for every term of `tree` that stands in `page` and is not negated, in the order of the expression, at most twenty.
pub(crate) fn evidence(tree: &Tree, page: &Page<'_>) -> Vec<Evidence> {
    let mut found = Vec::new();
    collect(tree, page, &mut found);
    found.into_iter().map(|(term, place)| show(term, &place, page)).collect()
}

fn collect<'t>(tree: &'t Tree, page: &Page<'_>, found: &mut Vec<(&'t Term, Place)>) {
    let left = MOST_TERMS - found.len();
    let stands = |term: &'t Arc<Term>| naive::find(term, page).map(|place| (term.as_ref(), place));
    match tree {
        Tree::Term(term, _) => found.extend(stands(term).into_iter().take(left)),
        Tree::List(list, _) => found.extend(list.terms.iter().filter_map(stands).take(MOST_OF_A_LIST.min(left))),
        Tree::And(branches) | Tree::Or(branches) => branches.iter().for_each(|branch| collect(branch, page, found)),
        Tree::Not(..) => {}
    }
}

fn show(term: &Term, place: &Place, page: &Page<'_>) -> Evidence {
    let text = page.text(place.field);
    let sentence = sentence_around(text, &place.span);
    let mark = place.span.start - sentence.start..place.span.end - sentence.start;
    let (sentence, mark) = excerpt::around(&text[sentence], &mark, SENTENCE);
    Evidence {
        term: term.text.clone(),
        label: term.label.clone(),
        field: place.field,
        sentence,
        marks: vec![mark],
    }
}
