//! The words of a story that made a rule match, each in the sentence that holds it.

use std::sync::Arc;

use super::excerpt;
use super::page::{Page, Place, Stretch, View};
use super::print;
use super::scope::Scope;
use super::tree::{Term, Tree};
use crate::story::{Evidence, Field};
use crate::text::sentence_around;

/// Terms shown of one rule, at most.
const MOST_TERMS: usize = 20;

/// Terms shown of one list, at most.
const MOST_OF_A_LIST: usize = 3;

/// The length of a sentence that is shown whole, in bytes.
const SENTENCE: usize = 300;

/// One piece for every term of `tree` that stands in `page` and is not negated, in the order of the expression, at most twenty.
///
/// A term found where no reader looks (address, source, author, language, tags) is named with its field, and the title is shown without a mark.
pub(crate) fn evidence(tree: &Tree, page: &Page<'_>) -> Vec<Evidence> {
    let mut search = Search { page, found: Vec::new() };
    search.collect(tree, Scope::Text, true);
    search.found
}

struct Search<'p> {
    page: &'p Page<'p>,
    found: Vec<Evidence>,
}

impl Search<'_> {
    /// Takes in what `tree` finds in `scope`; `wanted`: it stands behind an even number of negations.
    fn collect(&mut self, tree: &Tree, scope: Scope, wanted: bool) {
        let left = MOST_TERMS - self.found.len();
        match tree {
            Tree::Term(term, _) if wanted => self.take(std::slice::from_ref(term), scope, left.min(1)),
            Tree::List(list, _) if wanted => self.take(&list.terms, scope, left.min(MOST_OF_A_LIST)),
            Tree::Pair(pair, _) if wanted => {
                let found = pair.find(self.page, &self.page.view(scope)).unwrap_or_default();
                let shown = found.into_iter().take(left).map(|(term, at)| piece(term, &at, scope, self.page));
                self.found.extend(shown);
            }
            Tree::Term(..) | Tree::List(..) | Tree::Pair(..) => {}
            Tree::And(branches) | Tree::Or(branches) => {
                for branch in branches {
                    self.collect(branch, scope, wanted);
                }
            }
            Tree::Not(branch, _) => self.collect(branch, scope, !wanted),
            Tree::In(scope, branch, _) => self.collect(branch, *scope, wanted),
        }
    }

    /// Takes in the first `most` of `terms` that are found.
    fn take(&mut self, terms: &[Arc<Term>], scope: Scope, most: usize) {
        let view = self.page.view(scope);
        let found = terms.iter().filter_map(|term| find(term, self.page, scope, &view)).take(most);
        self.found.extend(found);
    }
}

fn find(term: &Term, page: &Page<'_>, scope: Scope, view: &View) -> Option<Evidence> {
    if !page.has(term, view) {
        return None;
    }
    let first = page.occurrences(term, view).next();
    Some(first.map_or_else(|| unseen(term, scope, page), |first| piece(term, &first, scope, page)))
}

/// What shows `term` at `stretch`.
fn piece(term: &Term, stretch: &Stretch, scope: Scope, page: &Page<'_>) -> Evidence {
    page.place(stretch).map_or_else(|| unseen(term, scope, page), |place| show(term, &place, page))
}

fn show(term: &Term, place: &Place, page: &Page<'_>) -> Evidence {
    let text = page.text(place.field);
    let sentence = sentence_around(text, &place.span);
    let mark = place.span.start - sentence.start..place.span.end - sentence.start;
    let (sentence, mark) = excerpt::around(&text[sentence], &mark, SENTENCE);
    Evidence { term: term.text.clone(), label: term.label.clone(), field: place.field, sentence, marks: vec![mark] }
}

fn unseen(term: &Term, scope: Scope, page: &Page<'_>) -> Evidence {
    let (sentence, _) = excerpt::around(page.text(Field::Title), &(0..0), SENTENCE);
    let term_text = format!("{}:{}", scope.as_str(), print::term_text(term));
    Evidence { term: term_text, label: term.label.clone(), field: Field::Title, sentence, marks: Vec::new() }
}
