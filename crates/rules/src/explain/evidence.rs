//! The words of a story that made a rule match, each in its sentence.

use std::ops::Range;
use std::sync::Arc;

use super::excerpt;
use crate::engine::naive;
use crate::engine::naive::occurrences::Occurrence;
use crate::engine::tokenized_story::{ShownPlace, StoryView, TokenizedStory};
use crate::language::print;
use crate::language::scope::Scope;
use crate::language::term::Term;
use crate::language::tree::Tree;
use crate::language::truth::Truth;
use crate::story::{Evidence, Field};
use crate::text::sentence_around;

/// The most terms of one rule that are shown.
const MOST_TERMS: usize = 20;

/// The most terms of a list, and places of an ATLEAST, that are shown.
const MOST_OF_A_LIST: usize = 3;

/// The longest sentence or clause that is shown whole, in bytes.
const SENTENCE: usize = 300;

/// The part of a story that a clause searches: a field, or a part of one.
#[derive(Clone, Copy)]
pub(crate) struct ClauseScope<'v> {
    /// The field that the expression names.
    pub(crate) field: Option<Scope>,
    pub(crate) view: &'v StoryView,
}

/// Evidence for every term of `tree` that is found in `tokenized` and is not negated, in the order
/// of the expression, at most twenty.
///
/// A term in a text that is not shown to readers (address, source, author, language, tags) has its
/// field as a prefix. Its sentence is the title, without a mark.
pub(crate) fn evidence(tree: &Tree, tokenized: &TokenizedStory<'_>) -> Vec<Evidence> {
    let mut found = Vec::new();
    collect(
        tree,
        ClauseScope { field: None, view: &tokenized.view(Scope::Text) },
        tokenized,
        true,
        &mut found,
    );
    found
}

/// Adds the evidence of `tree`. `wanted` is whether the number of negations around it is even.
fn collect(
    tree: &Tree,
    clause_scope: ClauseScope<'_>,
    tokenized: &TokenizedStory<'_>,
    wanted: bool,
    found: &mut Vec<Evidence>,
) {
    match tree {
        Tree::And(branches) | Tree::Or(branches) | Tree::AnyOf(_, branches, _) => {
            for branch in branches {
                collect(branch, clause_scope, tokenized, wanted, found);
            }
        }
        Tree::Not(branch, _) => collect(branch, clause_scope, tokenized, !wanted, found),
        Tree::In(scope, branch, _) => {
            collect(
                branch,
                ClauseScope { field: Some(*scope), view: &tokenized.view(*scope) },
                tokenized,
                wanted,
                found,
            );
        }
        Tree::Within(unit, branch, _) => {
            let holding = tokenized
                .units(*unit, clause_scope.view)
                .find(|part| naive::truth(branch, tokenized, part) == Truth::True);
            if let Some(view) = holding {
                let before = found.len();
                collect(
                    branch,
                    ClauseScope { view: &view, ..clause_scope },
                    tokenized,
                    wanted,
                    found,
                );
                prove(&mut found[before..], tree, clause_scope);
            }
        }
        leaf if wanted => {
            let before = found.len();
            found.extend(
                evidence_of_leaf(leaf, clause_scope, tokenized)
                    .into_iter()
                    .take(MOST_TERMS - before),
            );
            prove(&mut found[before..], leaf, clause_scope);
        }
        _ => {}
    }
}

/// Makes `clause` the clause of the evidence `found`.
fn prove(found: &mut [Evidence], clause: &Tree, clause_scope: ClauseScope<'_>) {
    if !found.is_empty() {
        let (clause, _) =
            excerpt::around(&print::in_field(clause, clause_scope.field), &(0..0), SENTENCE);
        for evidence in found {
            evidence.clause = Some(clause.clone());
        }
    }
}

/// The words that `leaf`, which has no branches, finds.
pub(crate) fn evidence_of_leaf(
    leaf: &Tree,
    clause_scope: ClauseScope<'_>,
    tokenized: &TokenizedStory<'_>,
) -> Vec<Evidence> {
    let pieces = |found: &[Occurrence<'_>]| -> Vec<Evidence> {
        found
            .iter()
            .take(MOST_OF_A_LIST)
            .map(|(term, at)| {
                piece(term, tokenized.shown_place(term, at), clause_scope.field, tokenized)
            })
            .collect()
    };
    match leaf {
        Tree::Term(term, _) => {
            evidence_of_term(term, clause_scope, tokenized).into_iter().collect()
        }
        Tree::List(list, _) => evidence_of_terms(&list.terms, clause_scope, tokenized),
        Tree::Pair(pair, _) => pieces(&pair.find(tokenized, clause_scope.view).unwrap_or_default()),
        Tree::AtLeast(_, operand, _) => pieces(&operand.places(tokenized, clause_scope.view)),
        Tree::Pattern(pattern, _) => {
            let named = |place| {
                SoughtTerm { text: print::expression(leaf), label: None }.at(
                    place,
                    clause_scope.field,
                    tokenized,
                )
            };
            let found = tokenized.search(pattern, clause_scope.view);
            found
                .map(|(text, span)| named(tokenized.shown_place_of_bytes(text, span)))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

fn evidence_of_terms(
    terms: &[Arc<Term>],
    clause_scope: ClauseScope<'_>,
    tokenized: &TokenizedStory<'_>,
) -> Vec<Evidence> {
    terms
        .iter()
        .filter_map(|term| evidence_of_term(term, clause_scope, tokenized))
        .take(MOST_OF_A_LIST)
        .collect()
}

/// The evidence of the first occurrence of `term`.
fn evidence_of_term(
    term: &Term,
    clause_scope: ClauseScope<'_>,
    tokenized: &TokenizedStory<'_>,
) -> Option<Evidence> {
    let first = tokenized.occurrences(term, clause_scope.view).next();
    let is_found = first.is_some() || tokenized.contains(term, clause_scope.view);
    is_found.then(|| {
        piece(
            term,
            first.and_then(|first| tokenized.shown_place(term, &first)),
            clause_scope.field,
            tokenized,
        )
    })
}

fn piece(
    term: &Term,
    place: Option<ShownPlace>,
    field: Option<Scope>,
    tokenized: &TokenizedStory<'_>,
) -> Evidence {
    let text = if place.is_some() { term.text.clone() } else { print::term_text(term) };
    SoughtTerm { text, label: term.label.clone() }.at(place, field, tokenized)
}

/// The term that was searched.
struct SoughtTerm {
    text: String,
    label: Option<String>,
}

impl SoughtTerm {
    /// The evidence at `place`. Without a place, the term is in a text that is not shown: its field
    /// becomes a prefix, and the title is shown.
    fn at(
        self,
        place: Option<ShownPlace>,
        asked: Option<Scope>,
        tokenized: &TokenizedStory<'_>,
    ) -> Evidence {
        let Self { text: term, label } = self;
        let Some(ShownPlace { field, span }) = place else {
            let sentence = excerpt::head(tokenized.text(Field::Title), SENTENCE);
            let term = asked.map_or(term.clone(), |field| format!("{}:{term}", field.as_str()));
            return Evidence {
                term,
                label,
                clause: None,
                field: Field::Title,
                sentence,
                marks: Vec::new(),
            };
        };
        let (sentence, mark) = in_sentence(tokenized.text(field), &span);
        Evidence { term, label, clause: None, field, sentence, marks: vec![mark] }
    }
}

/// The sentence of `text` around the bytes `span`, cut to a readable length, and the range of
/// `span` in it.
fn in_sentence(text: &str, span: &Range<usize>) -> (String, Range<usize>) {
    let sentence = sentence_around(text, span);
    // A pattern may also match the space around a sentence.
    let mark = span.start.max(sentence.start) - sentence.start
        ..span.end.min(sentence.end) - sentence.start;
    excerpt::around(&text[sentence], &mark, SENTENCE)
}
