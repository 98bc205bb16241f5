//! Runs the clauses of one rule for a story. `program.rs` defines their form.

use std::ops::Range;

use super::compiled::Engine;
use super::document_index::DocumentIndex;
use super::occurrences::{self, WordRange};
use super::opcode as op;
use super::program::QUAD;
use crate::language::scope::Scope;
use crate::language::truth::Truth;
use crate::story::{Carrier, LanguageTag, Story};
use crate::text::sentences;

/// For each shared node, whether it holds, if that is decided.
#[derive(Debug, Default)]
pub(super) struct Decided {
    known: Vec<Option<bool>>,
    touched: Vec<u32>,
}

/// A run of programs for one story.
#[derive(Debug)]
pub(super) struct ProgramRun<'r> {
    pub(super) engine: &'r Engine,
    pub(super) story: &'r Story,
    pub(super) carriers: &'r [Carrier],
    pub(super) index: &'r mut DocumentIndex,
    pub(super) decided: &'r mut Decided,
    /// The occurrences of the two operands of a clause.
    pub(super) found: &'r mut [Vec<WordRange>; 2],
}

/// The current sentence or paragraph.
#[derive(Clone, Debug)]
pub(super) struct CurrentUnit {
    /// The number of its text.
    text: usize,
    words: Range<u32>,
    bytes: Range<usize>,
}

/// Nodes in sequence.
struct Branches<'c> {
    code: &'c [u32],
    at: usize,
    left: u32,
}

impl Iterator for Branches<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let at = self.at;
        self.at = end(self.code, at);
        Some(at)
    }
}

/// The end of the node at `at`.
fn end(code: &[u32], at: usize) -> usize {
    match code[at] & 0xff {
        op::ALL_OF | op::ANY_OF | op::NONE_OF => at + 1 + (code[at] >> 8) as usize,
        op::NOT => end(code, at + 1),
        op::FEATURE | op::PATTERN | op::COMPARE | op::SITE | op::LANG | op::SHARED => at + 2,
        op::ALL | op::ANY | op::COUNT | op::SOME | op::PAIR | op::AT_LEAST | op::WITHIN => {
            at + code[at + 1] as usize
        }
        unknown => {
            debug_assert!(false, "no node is of kind {unknown}");
            code.len()
        }
    }
}

impl Decided {
    /// Removes the results of the last story, and makes room for `count` shared nodes.
    pub(super) fn clear(&mut self, count: usize) {
        for number in self.touched.drain(..) {
            self.known[number as usize] = None;
        }
        self.known.resize(count, None);
    }
}

impl ProgramRun<'_> {
    /// Whether the node at `at` holds. `part` is the current unit, if there is one.
    pub(super) fn holds(&mut self, at: usize, part: Option<&CurrentUnit>) -> bool {
        let code = &*self.engine.program.code;
        let (op, above) = (code[at] & 0xff, code[at] >> 8);
        let group = || code[at + 1..=at + above as usize].iter();
        let branches = |at| Branches { code, at, left: above };
        match op {
            op::ALL_OF => group().all(|feature| self.index.found_features.in_text(*feature)),
            op::ANY_OF => self.any_feature(&code[at + 1..=at + above as usize]),
            op::NONE_OF => !group().any(|feature| self.index.found_features.in_text(*feature)),
            op::ALL => branches(at + 2).all(|branch| self.holds(branch, part)),
            op::ANY => branches(at + 2).any(|branch| self.holds(branch, part)),
            op::COUNT => {
                let least = code[at + 2] as usize;
                branches(at + 3).filter(|branch| self.holds(*branch, part)).take(least).count()
                    == least
            }
            op::NOT => !self.holds(at + 1, part),
            op::FEATURE => self.feature_is_in_view(code[at + 1], above, part),
            op::SOME => self.any_occurrence(at + 2, above, part, |_| true),
            op::PAIR => self.pair_holds(at, above, part),
            op::AT_LEAST => {
                self.collect(0, at + 3, above, part);
                occurrences::count_disjoint(&mut self.found[0]) >= code[at + 2] as usize
            }
            op::WITHIN => self.holds_within(at, above, part),
            op::PATTERN => self.pattern_holds(code[at + 1] as usize, above, part),
            op::COMPARE => self.comparison_holds(code[at + 1] as usize),
            op::SITE => self.index.found_features.contains(code[at + 1]),
            op::LANG => self.language_matches(code[at + 1] as usize),
            op::SHARED => self.shared_node_holds(code[at + 1] as usize),
            unknown => {
                debug_assert!(false, "no node is of kind {unknown}");
                false
            }
        }
    }

    /// Whether headline or text has one of `features`, whose number is a multiple of four.
    fn any_feature(&self, features: &[u32]) -> bool {
        let (quads, _) = features.as_chunks::<QUAD>();
        quads.iter().any(|quad| {
            quad.iter()
                .fold(false, |any, feature| any | self.index.found_features.in_text(*feature))
        })
    }

    /// The words of the scope or of the current unit.
    fn view(&self, leaf_scope: u32, part: Option<&CurrentUnit>) -> Range<u32> {
        match (scope_of(leaf_scope), part) {
            (Some(scope), _) => self.index.view(scope),
            (None, Some(part)) => part.words.clone(),
            (None, None) => 0..0,
        }
    }

    fn feature_is_in_view(
        &mut self,
        feature: u32,
        leaf_scope: u32,
        part: Option<&CurrentUnit>,
    ) -> bool {
        if !self.index.found_features.contains(feature) {
            return false;
        }
        self.index.locate_features();
        !self.index.words_with_feature(feature, &self.view(leaf_scope, part)).is_empty()
    }

    /// Calls `found` with the occurrences of the operand at `at`, until it returns true. Returns
    /// whether it did.
    fn any_occurrence(
        &mut self,
        at: usize,
        leaf_scope: u32,
        part: Option<&CurrentUnit>,
        found: impl FnMut(WordRange) -> bool,
    ) -> bool {
        let view = self.view(leaf_scope, part);
        occurrences::any_occurrence(
            (self.engine, self.story, self.carriers),
            self.index,
            at,
            &view,
            found,
        )
    }

    /// Collects the occurrences of the operand at `at` for one side of a pair.
    fn collect(&mut self, side: usize, at: usize, leaf_scope: u32, part: Option<&CurrentUnit>) {
        let mut found = std::mem::take(&mut self.found[side]);
        found.clear();
        self.any_occurrence(at, leaf_scope, part, |one| {
            found.push(one);
            false
        });
        self.found[side] = found;
    }

    fn pair_holds(&mut self, at: usize, leaf_scope: u32, part: Option<&CurrentUnit>) -> bool {
        let code = &*self.engine.program.code;
        let (kind, most, right) = (code[at + 2], code[at + 3], at + code[at + 4] as usize);
        self.collect(0, at + 5, leaf_scope, part);
        if self.found[0].is_empty() {
            return false;
        }
        self.collect(1, right, leaf_scope, part);
        let [left, right] = &mut *self.found;
        left.sort_unstable();
        right.sort_unstable();
        match kind {
            op::PAIR_NEAR => {
                occurrences::any_in_order(left, right, most, self.index)
                    || occurrences::any_in_order(right, left, most, self.index)
            }
            op::PAIR_ONEAR => occurrences::any_in_order(left, right, most, self.index),
            op::PAIR_EXCEPT => occurrences::any_outside(left, right),
            unknown => {
                debug_assert!(false, "no pair is of kind {unknown}");
                false
            }
        }
    }

    /// Whether the node after `at` holds for one sentence or paragraph.
    fn holds_within(&mut self, at: usize, leaf_scope: u32, part: Option<&CurrentUnit>) -> bool {
        let is_paragraph = self.engine.program.code[at + 2] == op::UNIT_PARAGRAPH;
        match (scope_of(leaf_scope), part) {
            (None, None) => false,
            (None, Some(part)) => self.holds_within_segment(at + 3, is_paragraph, part),
            (Some(scope), _) => (0..self.index.texts.all().len()).any(|text| {
                let segment = self.segment(text, scope);
                segment.is_some_and(|segment| {
                    self.holds_within_segment(at + 3, is_paragraph, &segment)
                })
            }),
        }
    }

    /// The part of a text that is in `scope`.
    fn segment(&self, text: usize, scope: Scope) -> Option<CurrentUnit> {
        let (words, bytes) = self.index.texts.segment(
            text,
            scope,
            &self.index.words,
            (self.story, self.carriers),
        )?;
        Some(CurrentUnit { text, words, bytes })
    }

    /// Whether the node at `at` holds for a sentence or paragraph, or the part of it in `segment`.
    fn holds_within_segment(
        &mut self,
        at: usize,
        is_paragraph: bool,
        segment: &CurrentUnit,
    ) -> bool {
        if segment.words.is_empty() {
            return false;
        }
        let text = self.index.texts.all()[segment.text].clone();
        let raw = text.text(self.story, self.carriers);
        if !is_paragraph {
            self.index.texts.set_sentences(segment.text, || sentences(&raw));
        }
        let mut number = 0;
        let mut last = 0..0;
        loop {
            let next = if is_paragraph {
                self.index.paragraph_behind(&text.words, &last, raw.len())
            } else {
                self.index.texts.sentence(segment.text, number)
            };
            let Some(bytes) = next else { return false };
            let part = self.index.part_of(&text.words, (&segment.words, &segment.bytes), &bytes);
            if let Some((words, bytes)) = part
                && self.holds(at, Some(&CurrentUnit { text: segment.text, words, bytes }))
            {
                return true;
            }
            number += 1;
            last = bytes;
        }
    }

    fn pattern_holds(&self, pattern: usize, leaf_scope: u32, part: Option<&CurrentUnit>) -> bool {
        let pattern = &self.engine.program.patterns[pattern];
        let is_in = |part: &CurrentUnit| {
            let raw = self.index.texts.all()[part.text].text(self.story, self.carriers);
            pattern.find(&raw[part.bytes.clone()]).is_some()
        };
        match scope_of(leaf_scope) {
            None => part.is_some_and(is_in),
            Some(scope) => {
                let mut segments =
                    (0..self.index.texts.all().len()).filter_map(|text| self.segment(text, scope));
                segments.any(|segment| is_in(&segment))
            }
        }
    }

    fn comparison_holds(&self, number: usize) -> bool {
        let (comparison, wanted) = self.engine.program.comparisons[number];
        let age = self
            .story
            .published
            .map(|published| self.story.first_seen.as_second() - published.as_second());
        let words = self.index.view(Scope::Text).len();
        comparison.truth(Some(words), age) == Truth::from(wanted)
    }

    fn language_matches(&self, number: usize) -> bool {
        let range = &self.engine.program.langs[number];
        let lang = self.story.lang.as_deref().and_then(LanguageTag::parse);
        lang.is_some_and(|lang| lang.is_in(range))
    }

    /// Whether a shared node holds. It is decided once for each story.
    fn shared_node_holds(&mut self, number: usize) -> bool {
        if let Some(known) = self.decided.known[number] {
            return known;
        }
        let holds = self.holds(self.engine.program.shared[number] as usize, None);
        self.decided.known[number] = Some(holds);
        self.decided.touched.push(u32::try_from(number).unwrap_or(u32::MAX));
        holds
    }
}

/// The field with that scope number; `None` for the current sentence or paragraph.
fn scope_of(leaf_scope: u32) -> Option<Scope> {
    Scope::ALL.get(leaf_scope as usize).copied()
}
