//! Whether two headlines of similar texts report two events. Pure.

use super::alignment::{Alignment, align};
use super::replacement::{Figure, common, facts_of_both, is_figure};
use super::vocabulary::{is_function_word, is_negation};
use super::word::{CopyWord, CopyWordKind};

/// How two headlines differ.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeadlineDifference {
    /// One rewrites the other, or adds to it.
    Nothing,
    /// These figures differ, and the other words are the same.
    Figures(Vec<Figure>),
    /// The same form with another name, number or word.
    Event,
}

/// How the headline `later` differs from `earlier`. A rewritten headline shares few words with the
/// other. A headline of the same form shares the positions of its words.
pub(super) fn headline_difference(earlier: &[CopyWord], later: &[CopyWord]) -> HeadlineDifference {
    let alignment = align(earlier, later);
    if !are_of_one_form(earlier, later, &alignment) {
        return HeadlineDifference::Nothing;
    }
    let denials = |words: &[CopyWord]| words.iter().filter(|w| is_negation(&w.text)).count();
    if denials(earlier) != denials(later)
        || facts_of_both(earlier, later) != facts_of_both(later, earlier)
    {
        return HeadlineDifference::Event;
    }
    let mut figures = Vec::new();
    for hunk in &alignment.hunks {
        let is_content = |word: &CopyWord| !is_function_word(&word.text);
        let was: Vec<usize> = hunk.was.clone().filter(|at| is_content(&earlier[*at])).collect();
        let now: Vec<usize> = hunk.now.clone().filter(|at| is_content(&later[*at])).collect();
        if was.is_empty() || now.is_empty() {
            continue;
        }
        let are_figures = was.len() == now.len()
            && was.iter().all(|at| is_figure(earlier, *at))
            && now.iter().all(|at| is_figure(later, *at));
        if !are_figures {
            return HeadlineDifference::Event;
        }
        figures.extend(was.iter().zip(&now).map(|(was, now)| Figure {
            was: earlier[*was].text.clone(),
            now: later[*now].text.clone(),
        }));
    }
    if figures.is_empty() {
        HeadlineDifference::Nothing
    } else {
        HeadlineDifference::Figures(figures)
    }
}

/// Whether two headlines are of one form. Most words are the same; or half of them, and the others
/// are replaced one for one; or all are names and numbers in the same order of kinds.
fn are_of_one_form(earlier: &[CopyWord], later: &[CopyWord], alignment: &Alignment) -> bool {
    let (short, long) = (earlier.len().min(later.len()), earlier.len().max(later.len()));
    if short == 0 || alignment.hunks.is_empty() {
        return false;
    }
    let is_most = |of: usize, parts: usize| alignment.same * parts >= long * of;
    let is_one_for_one = alignment.hunks.iter().all(|hunk| hunk.was.len() == hunk.now.len());
    let has_case =
        |words: &[CopyWord]| words.iter().any(|word| word.text.chars().any(char::is_lowercase));
    if !has_case(earlier) || !has_case(later) {
        return is_most(3, 4);
    }
    let are_facts = |words: &[CopyWord]| {
        words.len() <= 6
            && words.iter().all(|w| matches!(w.kind, CopyWordKind::Name | CopyWordKind::Number))
    };
    let kinds_agree = earlier.iter().zip(later).all(|(one, other)| one.kind == other.kind);
    is_most(3, 4)
        || common(earlier, later).count() * 4 >= long * 3
        || (is_one_for_one && is_most(1, 2))
        || (short == long && short >= 2 && kinds_agree && are_facts(earlier))
}
