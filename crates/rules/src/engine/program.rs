//! The clauses of rules as one flat row of numbers.
//!
//! A node is a head (its kind in the lowest byte, above it a count, a field or a flag) and what
//! belongs to it. Nodes that can be passed over unread have their length behind the head. `run.rs`
//! reads what is written here.

use std::sync::Arc;

use super::anchor::rarest;
use super::features::{DocumentFrequencies, Feature, number};
use super::node::{ClauseNode, LeafScope, NodeId, Nodes, PhraseId};
use crate::language::comparison::Comparison;
use crate::language::pair::Proximity;
use crate::language::pattern::Pattern;
use crate::language::scope::Scope;
use crate::language::tree::TextUnit;

/// The kinds of nodes.
pub(super) mod op {
    /// Features of headline or text, all of which are there: their count, they.
    pub(in crate::engine) const ALL_OF: u32 = 0;
    /// The same, any of which is there; some twice, so that there are whole quads
    /// ([`QUAD`](super::QUAD)).
    pub(in crate::engine) const ANY_OF: u32 = 1;
    /// The same, none of which is there.
    pub(in crate::engine) const NONE_OF: u32 = 2;
    /// Every branch: their count, length, they.
    pub(in crate::engine) const ALL: u32 = 3;
    /// Any branch: their count, length, they.
    pub(in crate::engine) const ANY: u32 = 4;
    /// So many branches: their count, length, how many, they.
    pub(in crate::engine) const COUNT: u32 = 5;
    /// Not the branch: it.
    pub(in crate::engine) const NOT: u32 = 6;
    /// A feature is there: sight, feature.
    pub(in crate::engine) const FEATURE: u32 = 7;
    /// Any of some phrases is there: sight, length, operand.
    pub(in crate::engine) const SOME: u32 = 8;
    /// Two operands stand so: sight, length, 0 for NEAR, 1 for ONEAR, 2 for EXCEPT, distance, where
    /// the right operand begins, they.
    pub(in crate::engine) const PAIR: u32 = 9;
    /// An operand in so many places: sight, length, how many, operand.
    pub(in crate::engine) const AT_LEAST: u32 = 10;
    /// The branch within one sentence (0) or paragraph (1): sight, length, unit, it.
    pub(in crate::engine) const WITHIN: u32 = 11;
    /// A pattern is found: sight, its number.
    pub(in crate::engine) const PATTERN: u32 = 12;
    /// A comparison holds: its number.
    pub(in crate::engine) const COMPARE: u32 = 13;
    /// The host is of a site: feature.
    pub(in crate::engine) const SITE: u32 = 14;
    /// The language is in a range: its number.
    pub(in crate::engine) const LANG: u32 = 15;
    /// What others share, decided once a story: its number.
    pub(in crate::engine) const SHARED: u32 = 16;
}

/// How many features of [`op::ANY_OF`] are looked at together: with one branch for all, where each
/// may go either way.
pub(super) const QUAD: usize = 4;

/// The sight that is the sentence or paragraph in hand; fields have the numbers of their places in
/// [`Scope::ALL`].
pub(super) const UNIT: u32 = 15;

/// The lowest bits of a phrase's head: whether its capitals count.
pub(super) const CAPITALS: u32 = 1;

/// The clauses of all rules.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) code: Box<[u32]>,
    /// Where what is shared begins.
    pub(super) shared: Box<[u32]>,
    pub(super) patterns: Box<[Arc<Pattern>]>,
    /// Comparisons, and whether they are to hold or to fail.
    pub(super) comparisons: Box<[(Comparison, bool)]>,
    pub(super) langs: Box<[Box<str>]>,
    /// The capitals of phrases, word by word.
    pub(super) capitals: Box<[Vec<Vec<bool>>]>,
}

impl Program {
    /// The bytes that it takes, but for what compiled patterns do.
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
    shares: &'n DocumentFrequencies,
    code: Vec<u32>,
    /// By node, its number among what is shared.
    shared_numbers: Vec<Option<u32>>,
    shared: Vec<u32>,
    /// What is shared and not written yet.
    unwritten: Vec<(u32, NodeId)>,
    comparisons: Vec<(Comparison, bool)>,
    capitals: Vec<Vec<Vec<bool>>>,
}

impl<'n> ProgramWriter<'n> {
    pub(super) fn new(nodes: &'n Nodes, shares: &'n DocumentFrequencies) -> Self {
        Self {
            nodes,
            shares,
            code: Vec::new(),
            shared_numbers: vec![None; nodes.count()],
            shared: Vec::new(),
            unwritten: Vec::new(),
            comparisons: Vec::new(),
            capitals: Vec::new(),
        }
    }

    /// Writes `head` and the node `id` behind it, but for those of its own features that are
    /// `known` to be there; where it begins.
    pub(super) fn rule(&mut self, head: u32, id: NodeId, known: &[Feature]) -> u32 {
        let start = number(self.code.len());
        self.code.push(head);
        match self.nodes.node(id) {
            ClauseNode::All(branches) => self.all(branches, known),
            _ => self.body(id),
        }
        start
    }

    /// Writes `head` and the node `id`, which others share, behind it; where it begins.
    pub(super) fn group(&mut self, head: u32, id: NodeId) -> u32 {
        let start = number(self.code.len());
        self.code.push(head);
        self.node(id);
        start
    }

    /// The finished program.
    pub(super) fn finish(mut self) -> Program {
        while let Some((shared, id)) = self.unwritten.pop() {
            self.shared[shared as usize] = number(self.code.len());
            self.body(id);
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

    fn node(&mut self, id: NodeId) {
        if self.nodes.parents(id) < 2 || !self.is_worth_sharing(id) {
            return self.body(id);
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

    /// Whether it costs more than to remember it, and looks at the same wherever it stands.
    fn is_worth_sharing(&self, id: NodeId) -> bool {
        let costs = match self.nodes.node(id) {
            ClauseNode::Feature(..) => false,
            ClauseNode::All(branches)
            | ClauseNode::Any(branches)
            | ClauseNode::Count(_, branches) => branches.len() > 2,
            other => other.sight().is_some(),
        };
        costs && !self.nodes.looks_at_unit(id)
    }

    fn body(&mut self, id: NodeId) {
        match self.nodes.node(id) {
            ClauseNode::Feature(LeafScope::Field(Scope::Text), feature) => {
                let feature = self.finished(*feature);
                self.code.extend([head(op::ALL_OF, 1), feature]);
            }
            ClauseNode::Feature(sight, feature) => {
                let feature = self.finished(*feature);
                self.code.extend([head(op::FEATURE, sight_number(*sight)), feature]);
            }
            ClauseNode::Phrase(sight, phrase) => {
                self.with_operand(op::SOME, *sight, &[], &[*phrase]);
            }
            ClauseNode::Some(sight, phrases) => self.with_operand(op::SOME, *sight, &[], phrases),
            ClauseNode::AtLeast(sight, least, phrases) => {
                self.with_operand(op::AT_LEAST, *sight, &[number(*least)], phrases);
            }
            ClauseNode::Pair(sight, link, sides) => self.pair(*sight, *link, sides),
            ClauseNode::Within(sight, unit, branch) => {
                let unit = u32::from(*unit == TextUnit::Paragraph);
                let start = self.open(head(op::WITHIN, sight_number(*sight)));
                self.code.push(unit);
                self.node(*branch);
                self.close(start);
            }
            ClauseNode::Pattern(sight, pattern) => {
                self.code.extend([head(op::PATTERN, sight_number(*sight)), *pattern]);
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
                    self.node(*branch);
                }
            }
            ClauseNode::All(branches) => self.all(branches, &[]),
            ClauseNode::Any(branches) => self.any(branches),
            ClauseNode::Count(least, branches) => {
                let start = self.open(head(op::COUNT, number(branches.len())));
                self.code.push(number(*least));
                branches.iter().for_each(|branch| self.node(*branch));
                self.close(start);
            }
        }
    }

    /// Every branch: those that cost least first.
    fn all(&mut self, branches: &[NodeId], known: &[Feature]) {
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
        there.sort_by(|one, other| self.shares.of(*one).total_cmp(&self.shares.of(*other)));
        let groups = usize::from(!there.is_empty()) + usize::from(!not_there.is_empty());
        let count = groups + others.len();
        let start = (count != 1).then(|| self.open(head(op::ALL, number(count))));
        self.row(op::ALL_OF, &there);
        self.row(op::NONE_OF, &not_there);
        self.others(&others, start);
    }

    fn any(&mut self, branches: &[NodeId]) {
        let there: Vec<Feature> =
            branches.iter().filter_map(|branch| self.text_feature(*branch)).collect();
        let others: Vec<NodeId> = branches
            .iter()
            .copied()
            .filter(|branch| self.text_feature(*branch).is_none())
            .collect();
        let count = usize::from(!there.is_empty()) + others.len();
        let start = (count != 1).then(|| self.open(head(op::ANY, number(count))));
        let last = there.last().copied().unwrap_or_default();
        self.row(
            op::ANY_OF,
            &[&*there, &vec![last; there.len().next_multiple_of(QUAD) - there.len()]].concat(),
        );
        self.others(&others, start);
    }

    /// The last branches of the node that was opened at `start`, or of none.
    fn others(&mut self, others: &[NodeId], start: Option<usize>) {
        for branch in others {
            self.node(*branch);
        }
        if let Some(start) = start {
            self.close(start);
        }
    }

    fn row(&mut self, op: u32, features: &[Feature]) {
        if !features.is_empty() {
            self.code.push(head(op, number(features.len())));
            self.code.extend(features);
        }
    }

    fn pair(&mut self, sight: LeafScope, link: Proximity, [left, right]: &[Box<[PhraseId]>; 2]) {
        let (kind, most) = match link {
            Proximity::Near(most) => (0, most),
            Proximity::Onear(most) => (1, most),
            Proximity::Except => (2, 0),
        };
        let start = self.open(head(op::PAIR, sight_number(sight)));
        self.code.extend([kind, u32::try_from(most).unwrap_or(u32::MAX), 0]);
        let right_at = self.code.len() - 1;
        self.operand(left);
        self.code[right_at] = number(self.code.len() - start);
        self.operand(right);
        self.close(start);
    }

    fn with_operand(&mut self, op: u32, sight: LeafScope, before: &[u32], phrases: &[PhraseId]) {
        let start = self.open(head(op, sight_number(sight)));
        self.code.extend(before);
        self.operand(phrases);
        self.close(start);
    }

    /// How many phrases, and they: each twice its length, which of its words is the rarest, its
    /// capitals if they count, its words.
    fn operand(&mut self, phrases: &[PhraseId]) {
        self.code.push(number(phrases.len()));
        for phrase in phrases {
            let phrase = self.nodes.phrase(*phrase);
            let words: Vec<Feature> =
                phrase.words.iter().map(|word| self.finished(*word)).collect();
            let flag = if phrase.capitals.is_some() { CAPITALS } else { 0 };
            self.code.push(number(words.len()) << 1 | flag);
            self.code.push(number(rarest(&words, |feature| self.shares.of(feature))));
            if let Some(capitals) = &phrase.capitals {
                self.code.push(number(self.capitals.len()));
                self.capitals.push(capitals.clone());
            }
            self.code.extend(words);
        }
    }

    /// The feature whose being in headline or text is all that the node is.
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

    fn open(&mut self, head: u32) -> usize {
        self.code.extend([head, 0]);
        self.code.len() - 2
    }

    fn close(&mut self, start: usize) {
        self.code[start + 1] = number(self.code.len() - start);
    }
}

fn head(op: u32, above: u32) -> u32 {
    assert!(above < 1 << 24, "a clause has less than sixteen million branches");
    op | above << 8
}

fn sight_number(sight: LeafScope) -> u32 {
    match sight {
        LeafScope::Unit => UNIT,
        LeafScope::Field(scope) => {
            Scope::ALL.iter().position(|known| *known == scope).map_or(UNIT, number)
        }
    }
}
