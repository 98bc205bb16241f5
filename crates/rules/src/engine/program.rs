//! Writes the clauses of rules as one flat list of numbers.
//!
//! A node is a head and its operands (`opcode`). Nodes that can be skipped have their length after
//! the head. `program_run` reads the list.

use std::sync::Arc;

use super::anchor::rarest;
use super::features::{DocumentFrequencies, Feature, number};
use super::node::{ClauseNode, LeafScope, NodeId, Nodes, PhraseId};
use super::opcode as op;
use crate::language::comparison::Comparison;
use crate::language::pair::Proximity;
use crate::language::pattern::Pattern;
use crate::language::scope::Scope;
use crate::language::tree::TextUnit;

/// The number of features of [`op::ANY_OF`] that are tested together, with one branch for all.
pub(super) const QUAD: usize = 4;

/// The scope number of the current sentence or paragraph. That of a field is its index in
/// [`Scope::ALL`].
pub(super) const UNIT: u32 = 15;

/// The lowest bit of a phrase's head: whether its capitals count.
pub(super) const CAPITALS: u32 = 1;

/// The program of all rules.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) code: Box<[u32]>,
    /// The start of each shared node.
    pub(super) shared: Box<[u32]>,
    pub(super) patterns: Box<[Arc<Pattern>]>,
    /// Comparisons, and whether they must hold or fail.
    pub(super) comparisons: Box<[(Comparison, bool)]>,
    pub(super) langs: Box<[Box<str>]>,
    /// The capitals of phrases, word by word.
    pub(super) capitals: Box<[Vec<Vec<bool>>]>,
}

impl Program {
    /// Its memory in bytes, without compiled patterns.
    pub(super) fn bytes(&self) -> usize {
        let capitals =
            self.capitals.iter().flatten().map(|word| word.len() + size_of::<Vec<bool>>());
        size_of_val(&*self.code)
            + size_of_val(&*self.shared)
            + size_of_val(&*self.comparisons)
            + capitals.sum::<usize>()
    }
}

/// Writes a program.
#[derive(Debug)]
pub(super) struct ProgramWriter<'n> {
    nodes: &'n Nodes,
    document_frequencies: &'n DocumentFrequencies,
    code: Vec<u32>,
    /// For each node, its number among the shared nodes.
    shared_numbers: Vec<Option<u32>>,
    shared: Vec<u32>,
    /// Shared nodes that are not written yet.
    unwritten: Vec<(u32, NodeId)>,
    comparisons: Vec<(Comparison, bool)>,
    capitals: Vec<Vec<Vec<bool>>>,
}

impl<'n> ProgramWriter<'n> {
    pub(super) fn new(nodes: &'n Nodes, document_frequencies: &'n DocumentFrequencies) -> Self {
        Self {
            nodes,
            document_frequencies,
            code: Vec::new(),
            shared_numbers: vec![None; nodes.count()],
            shared: Vec::new(),
            unwritten: Vec::new(),
            comparisons: Vec::new(),
            capitals: Vec::new(),
        }
    }

    /// Writes `head` and then the node `id`, without its features that are `known` to be found.
    /// Returns the start.
    pub(super) fn write_rule(&mut self, head: u32, id: NodeId, known: &[Feature]) -> u32 {
        let start = number(self.code.len());
        self.code.push(head);
        match self.nodes.node(id) {
            ClauseNode::All(branches) => self.write_all(branches, known),
            _ => self.write_body(id),
        }
        start
    }

    /// Writes `head` and then the node `id`, which several rules share. Returns the start.
    pub(super) fn write_group(&mut self, head: u32, id: NodeId) -> u32 {
        let start = number(self.code.len());
        self.code.push(head);
        self.write_node(id);
        start
    }

    /// The finished program.
    pub(super) fn finish(mut self) -> Program {
        while let Some((shared, id)) = self.unwritten.pop() {
            self.shared[shared as usize] = number(self.code.len());
            self.write_body(id);
        }
        Program {
            code: self.code.into(),
            shared: self.shared.into(),
            patterns: self.nodes.patterns.iter().map(|(pattern, _)| Arc::clone(pattern)).collect(),
            comparisons: self.comparisons.into(),
            langs: self.nodes.langs.clone().into(),
            capitals: self.capitals.into(),
        }
    }

    fn write_node(&mut self, id: NodeId) {
        if self.nodes.parents(id) < 2 || !self.is_worth_sharing(id) {
            return self.write_body(id);
        }
        let shared = self.shared_numbers[id as usize].unwrap_or_else(|| {
            let shared = number(self.shared.len());
            self.shared.push(0);
            self.unwritten.push((shared, id));
            shared
        });
        self.shared_numbers[id as usize] = Some(shared);
        self.code.extend([op::SHARED, shared]);
    }

    /// Whether it costs more than a look-up, and searches the same words in every context.
    fn is_worth_sharing(&self, id: NodeId) -> bool {
        let costs = match self.nodes.node(id) {
            ClauseNode::Feature(..) => false,
            ClauseNode::All(branches)
            | ClauseNode::Any(branches)
            | ClauseNode::Count(_, branches) => branches.len() > 2,
            other => other.leaf_scope().is_some(),
        };
        costs && !self.nodes.reads_unit(id)
    }

    fn write_body(&mut self, id: NodeId) {
        match self.nodes.node(id) {
            ClauseNode::Feature(LeafScope::Field(Scope::Text), feature) => {
                let feature = self.finished(*feature);
                self.code.extend([head(op::ALL_OF, 1), feature]);
            }
            ClauseNode::Feature(leaf_scope, feature) => {
                let feature = self.finished(*feature);
                self.code.extend([head(op::FEATURE, scope_number(*leaf_scope)), feature]);
            }
            ClauseNode::Phrase(leaf_scope, phrase) => {
                self.write_with_operand(op::SOME, *leaf_scope, &[], &[*phrase]);
            }
            ClauseNode::Some(leaf_scope, phrases) => {
                self.write_with_operand(op::SOME, *leaf_scope, &[], phrases);
            }
            ClauseNode::AtLeast(leaf_scope, least, phrases) => {
                self.write_with_operand(op::AT_LEAST, *leaf_scope, &[number(*least)], phrases);
            }
            ClauseNode::Pair(leaf_scope, link, sides) => self.write_pair(*leaf_scope, *link, sides),
            ClauseNode::Within(leaf_scope, unit, branch) => {
                let unit = match unit {
                    TextUnit::Sentence => op::UNIT_SENTENCE,
                    TextUnit::Paragraph => op::UNIT_PARAGRAPH,
                };
                let start = self.open_node(head(op::WITHIN, scope_number(*leaf_scope)));
                self.code.push(unit);
                self.write_node(*branch);
                self.close_node(start);
            }
            ClauseNode::Pattern(leaf_scope, pattern) => {
                self.code.extend([head(op::PATTERN, scope_number(*leaf_scope)), *pattern]);
            }
            ClauseNode::Compare(comparison, wanted) => {
                self.code.extend([op::COMPARE, number(self.comparisons.len())]);
                self.comparisons.push((*comparison, *wanted));
            }
            ClauseNode::Site(feature) => {
                let feature = self.finished(*feature);
                self.code.extend([op::SITE, feature]);
            }
            ClauseNode::Lang(lang) => self.code.extend([op::LANG, *lang]),
            ClauseNode::Not(branch) => {
                if let Some(feature) = self.text_feature(*branch) {
                    self.code.extend([head(op::NONE_OF, 1), feature]);
                } else {
                    self.code.push(op::NOT);
                    self.write_node(*branch);
                }
            }
            ClauseNode::All(branches) => self.write_all(branches, &[]),
            ClauseNode::Any(branches) => self.write_any(branches),
            ClauseNode::Count(least, branches) => {
                let start = self.open_node(head(op::COUNT, number(branches.len())));
                self.code.push(number(*least));
                branches.iter().for_each(|branch| self.write_node(*branch));
                self.close_node(start);
            }
        }
    }

    /// Writes an AND of branches, the cheapest first.
    fn write_all(&mut self, branches: &[NodeId], known: &[Feature]) {
        let mut there = Vec::new();
        let (mut not_there, mut others) = (Vec::new(), Vec::new());
        for branch in branches {
            match (self.text_feature(*branch), self.nodes.node(*branch)) {
                (Some(feature), _) => there.push(feature),
                (_, ClauseNode::Not(inner)) => match self.text_feature(*inner) {
                    Some(feature) => not_there.push(feature),
                    None => others.push(*branch),
                },
                _ => others.push(*branch),
            }
        }
        there.retain(|feature| !known.contains(feature));
        there.sort_by(|one, other| {
            self.document_frequencies
                .frequency_of(*one)
                .total_cmp(&self.document_frequencies.frequency_of(*other))
        });
        let groups = usize::from(!there.is_empty()) + usize::from(!not_there.is_empty());
        let count = groups + others.len();
        let start = (count != 1).then(|| self.open_node(head(op::ALL, number(count))));
        self.write_features(op::ALL_OF, &there);
        self.write_features(op::NONE_OF, &not_there);
        self.write_branches(&others, start);
    }

    fn write_any(&mut self, branches: &[NodeId]) {
        let there: Vec<Feature> =
            branches.iter().filter_map(|branch| self.text_feature(*branch)).collect();
        let others: Vec<NodeId> = branches
            .iter()
            .copied()
            .filter(|branch| self.text_feature(*branch).is_none())
            .collect();
        let count = usize::from(!there.is_empty()) + others.len();
        let start = (count != 1).then(|| self.open_node(head(op::ANY, number(count))));
        let last = there.last().copied().unwrap_or_default();
        self.write_features(
            op::ANY_OF,
            &[&*there, &vec![last; there.len().next_multiple_of(QUAD) - there.len()]].concat(),
        );
        self.write_branches(&others, start);
    }

    /// Writes the last branches of the node that begins at `start`, or of no node.
    fn write_branches(&mut self, others: &[NodeId], start: Option<usize>) {
        for branch in others {
            self.write_node(*branch);
        }
        if let Some(start) = start {
            self.close_node(start);
        }
    }

    fn write_features(&mut self, op: u32, features: &[Feature]) {
        if !features.is_empty() {
            self.code.push(head(op, number(features.len())));
            self.code.extend(features);
        }
    }

    fn write_pair(
        &mut self,
        leaf_scope: LeafScope,
        link: Proximity,
        [left, right]: &[Box<[PhraseId]>; 2],
    ) {
        let (kind, most) = match link {
            Proximity::Near(most) => (op::PAIR_NEAR, most),
            Proximity::Onear(most) => (op::PAIR_ONEAR, most),
            Proximity::Except => (op::PAIR_EXCEPT, 0),
        };
        let start = self.open_node(head(op::PAIR, scope_number(leaf_scope)));
        self.code.extend([kind, u32::try_from(most).unwrap_or(u32::MAX), 0]);
        let right_at = self.code.len() - 1;
        self.write_operand(left);
        self.code[right_at] = number(self.code.len() - start);
        self.write_operand(right);
        self.close_node(start);
    }

    fn write_with_operand(
        &mut self,
        op: u32,
        leaf_scope: LeafScope,
        before: &[u32],
        phrases: &[PhraseId],
    ) {
        let start = self.open_node(head(op, scope_number(leaf_scope)));
        self.code.extend(before);
        self.write_operand(phrases);
        self.close_node(start);
    }

    /// Writes an operand: the number of phrases, then each phrase. A phrase is twice its length,
    /// the index of its rarest word, its capitals if they count, and its words.
    fn write_operand(&mut self, phrases: &[PhraseId]) {
        self.code.push(number(phrases.len()));
        for phrase in phrases {
            let phrase = self.nodes.phrase(*phrase);
            let words: Vec<Feature> =
                phrase.words.iter().map(|word| self.finished(*word)).collect();
            let flag = if phrase.capitals.is_some() { CAPITALS } else { 0 };
            self.code.push(number(words.len()) << 1 | flag);
            self.code.push(number(rarest(&words, |feature| {
                self.document_frequencies.frequency_of(feature)
            })));
            if let Some(capitals) = &phrase.capitals {
                self.code.push(number(self.capitals.len()));
                self.capitals.push(capitals.clone());
            }
            self.code.extend(words);
        }
    }

    /// The feature of a node that only requires it in headline or text.
    fn text_feature(&self, id: NodeId) -> Option<Feature> {
        match self.nodes.node(id) {
            ClauseNode::Feature(LeafScope::Field(Scope::Text), feature) => {
                Some(self.finished(*feature))
            }
            _ => None,
        }
    }

    fn finished(&self, feature: Feature) -> Feature {
        self.nodes.features.finished(feature)
    }

    fn open_node(&mut self, head: u32) -> usize {
        self.code.extend([head, 0]);
        self.code.len() - 2
    }

    fn close_node(&mut self, start: usize) {
        self.code[start + 1] = number(self.code.len() - start);
    }
}

fn head(op: u32, above: u32) -> u32 {
    assert!(above < 1 << 24, "a clause has less than sixteen million branches");
    op | above << 8
}

fn scope_number(leaf_scope: LeafScope) -> u32 {
    match leaf_scope {
        LeafScope::Unit => UNIT,
        LeafScope::Field(scope) => {
            Scope::ALL.iter().position(|known| *known == scope).map_or(UNIT, number)
        }
    }
}
