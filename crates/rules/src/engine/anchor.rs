//! Chooses the features under which a rule is posted. A story that the rule matches has one of
//! these features and its guard.

use super::features::{DocumentFrequencies, Feature};
use super::node::{ClauseNode, LeafScope, NodeId, Nodes, PhraseId};
use crate::language::pair::Proximity;
use crate::language::scope::Scope;

/// A feature under which a rule is posted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Anchor {
    pub(super) feature: Feature,
    /// A feature that headline or text must have, too, for the rule to hold.
    pub(super) guard: Option<Feature>,
    /// Whether the feature counts only in headline or text.
    pub(super) in_text: bool,
    /// Whether the rule holds if feature and guard are found.
    pub(super) decides: bool,
}

/// Chooses anchors by the rarity of features. Each node is weighed once.
#[derive(Debug)]
pub(super) struct Chooser<'n> {
    nodes: &'n Nodes,
    document_frequencies: &'n DocumentFrequencies,
    /// The share of stories that have a node's features, for each node. `NAN` means not weighed
    /// yet. Infinite means that a story needs no feature.
    weights: Vec<f32>,
    /// For each node, the feature that stands for it, if it has one.
    groups: Vec<Option<Feature>>,
}

/// The context of a node.
#[derive(Clone, Copy, Debug)]
struct Around {
    /// The scope of units.
    scope: LeafScope,
    guard: Option<Feature>,
    /// Whether the rule holds if the node and the guard hold.
    decides: bool,
}

/// The scope outside of units.
const TEXT: LeafScope = LeafScope::Field(Scope::Text);

impl<'n> Chooser<'n> {
    /// A chooser among `nodes`.
    pub(super) fn new(nodes: &'n Nodes, document_frequencies: &'n DocumentFrequencies) -> Self {
        Self {
            nodes,
            document_frequencies,
            weights: vec![f32::NAN; nodes.count()],
            groups: vec![None; nodes.count()],
        }
    }

    /// Makes `feature` stand for the node `id`. It is found if the node holds.
    pub(super) fn set_feature_of(&mut self, id: NodeId, feature: Feature) {
        self.groups[id as usize] = Some(feature);
    }

    /// The anchors of a rule, or of a node that is posted by itself. `None` if it can hold for a
    /// story without any feature.
    pub(super) fn anchors(&mut self, id: NodeId) -> Option<Vec<Anchor>> {
        let mut anchors = Vec::new();
        let around = Around { scope: TEXT, guard: None, decides: true };
        self.weigh(id).is_finite().then(|| {
            self.post(id, around, &mut anchors);
            anchors
        })
    }

    fn weigh(&mut self, id: NodeId) -> f32 {
        let known = self.weights[id as usize];
        if !known.is_nan() {
            return known;
        }
        let nodes = self.nodes;
        let weight = match nodes.node(id) {
            ClauseNode::Feature(_, feature) | ClauseNode::Site(feature) => {
                self.share_of_stories_with(*feature)
            }
            ClauseNode::Phrase(_, phrase) => self.share_of_stories_with(self.rarest(*phrase)),
            ClauseNode::Some(_, phrases) | ClauseNode::AtLeast(_, _, phrases) => {
                self.weigh_any(phrases)
            }
            ClauseNode::Pair(_, Proximity::Except, [left, _]) => self.weigh_any(left),
            ClauseNode::Pair(_, _, [left, right]) => {
                self.weigh_any(left).min(self.weigh_any(right))
            }
            ClauseNode::Within(_, _, branch) => self.weigh(*branch),
            ClauseNode::Pattern(_, pattern) => nodes.patterns[*pattern as usize]
                .1
                .iter()
                .map(|one| self.share_of_stories_with(*one))
                .sum(),
            ClauseNode::Compare(..) | ClauseNode::Lang(_) | ClauseNode::Not(_) => f32::INFINITY,
            ClauseNode::All(branches) => {
                branches.iter().map(|branch| self.weigh(*branch)).fold(f32::INFINITY, f32::min)
            }
            ClauseNode::Any(branches) => branches.iter().map(|branch| self.weigh(*branch)).sum(),
            ClauseNode::Count(least, branches) => {
                self.fewest(*least, branches).into_iter().map(|branch| self.weigh(branch)).sum()
            }
        };
        self.weights[id as usize] = weight;
        weight
    }

    fn share_of_stories_with(&self, feature: Feature) -> f32 {
        self.document_frequencies.frequency_of(self.nodes.features.finished(feature))
    }

    fn weigh_any(&self, phrases: &[PhraseId]) -> f32 {
        phrases.iter().map(|phrase| self.share_of_stories_with(self.rarest(*phrase))).sum()
    }

    /// The rarest word of a phrase.
    fn rarest(&self, phrase: PhraseId) -> Feature {
        let words = &self.nodes.phrase(phrase).words;
        words[rarest(words, |feature| self.share_of_stories_with(feature))]
    }

    /// The fewest branches of which one must hold if `least` of all branches hold: those that are
    /// rarest.
    fn fewest(&mut self, least: usize, branches: &[NodeId]) -> Vec<NodeId> {
        let mut branches = branches.to_vec();
        branches.sort_by(|one, other| self.weigh(*one).total_cmp(&self.weigh(*other)));
        branches.truncate(branches.len() + 1 - least);
        branches
    }

    /// Posts the rarer operand of a pair. The other operand is the guard if it is a single phrase.
    fn post_pair(
        &mut self,
        leaf_scope: LeafScope,
        link: Proximity,
        [left, right]: [&[PhraseId]; 2],
        around: Around,
        anchors: &mut Vec<Anchor>,
    ) {
        let right_is_rarer =
            link != Proximity::Except && self.weigh_any(right) < self.weigh_any(left);
        let (rarer, other) = if right_is_rarer { (right, left) } else { (left, right) };
        let other = match *other {
            [only] if link != Proximity::Except => Some(self.rarest(only)),
            _ => None,
        };
        let guard = other.filter(|_| leaf_scope.is_of_text(around.scope));
        let around = self.guarded(around, guard);
        self.post_any(rarer, leaf_scope, around, anchors);
    }

    fn post(&mut self, id: NodeId, around: Around, anchors: &mut Vec<Anchor>) {
        if let Some(feature) = self.groups[id as usize] {
            let (guard, decides) = (around.guard, around.decides);
            anchors.push(Anchor { feature, guard, in_text: false, decides });
            return;
        }
        let nodes = self.nodes;
        match nodes.node(id) {
            ClauseNode::Feature(leaf_scope, feature) => {
                let decides = around.decides && *leaf_scope == TEXT;
                anchors.push(self.anchor(*feature, *leaf_scope, Around { decides, ..around }));
            }
            ClauseNode::Site(feature) => {
                let feature = nodes.features.finished(*feature);
                let guard = around.guard;
                anchors.push(Anchor { feature, guard, in_text: false, decides: false });
            }
            ClauseNode::Phrase(leaf_scope, phrase) => {
                self.post_any(&[*phrase], *leaf_scope, around, anchors);
            }
            ClauseNode::Some(leaf_scope, phrases) | ClauseNode::AtLeast(leaf_scope, _, phrases) => {
                self.post_any(phrases, *leaf_scope, around, anchors);
            }
            ClauseNode::Pair(leaf_scope, link, [left, right]) => {
                self.post_pair(*leaf_scope, *link, [left, right], around, anchors);
            }
            ClauseNode::Within(leaf_scope, _, branch) => {
                let leaf_scope =
                    if *leaf_scope == LeafScope::Unit { around.scope } else { *leaf_scope };
                self.post(*branch, Around { scope: leaf_scope, decides: false, ..around }, anchors);
            }
            ClauseNode::Pattern(leaf_scope, pattern) => {
                for literal in &nodes.patterns[*pattern as usize].1 {
                    anchors.push(self.anchor(
                        *literal,
                        *leaf_scope,
                        Around { decides: false, ..around },
                    ));
                }
            }
            ClauseNode::All(branches) => self.post_all(branches, around, anchors),
            ClauseNode::Any(branches) => {
                for branch in branches {
                    self.post(*branch, around, anchors);
                }
            }
            ClauseNode::Count(least, branches) => {
                for branch in self.fewest(*least, branches) {
                    self.post(branch, Around { decides: false, ..around }, anchors);
                }
            }
            ClauseNode::Compare(..) | ClauseNode::Lang(_) | ClauseNode::Not(_) => {}
        }
    }

    /// Posts the rarest of `branches`. The guard is the rarest feature that the others require.
    fn post_all(&mut self, branches: &[NodeId], around: Around, anchors: &mut Vec<Anchor>) {
        let weights: Vec<f32> = branches.iter().map(|branch| self.weigh(*branch)).collect();
        let chosen =
            (0..branches.len()).min_by(|one, other| weights[*one].total_cmp(&weights[*other]));
        let Some(chosen) = chosen else { return };
        let others =
            branches.iter().enumerate().filter(|(at, _)| *at != chosen).map(|(_, branch)| *branch);
        let others: Vec<NodeId> = others.collect();
        if let [other] = *others
            && let ClauseNode::Feature(TEXT, feature) = self.nodes.node(other)
            && around.decides
            && around.guard.is_none()
        {
            let guard = Some(self.nodes.features.finished(*feature));
            return self.post(branches[chosen], Around { guard, ..around }, anchors);
        }
        let must = others.iter().filter_map(|branch| self.required_feature(*branch, around.scope));
        let must = must.min_by(|one, other| {
            self.share_of_stories_with(*one).total_cmp(&self.share_of_stories_with(*other))
        });
        let around = Around { decides: false, ..self.guarded(around, must) };
        self.post(branches[chosen], around, anchors);
    }

    fn post_any(
        &self,
        phrases: &[PhraseId],
        leaf_scope: LeafScope,
        around: Around,
        anchors: &mut Vec<Anchor>,
    ) {
        let is_of_text = leaf_scope.is_of_text(around.scope);
        for phrase in phrases {
            let words = &self.nodes.phrase(*phrase).words;
            let rarest_at = rarest(words, |feature| self.share_of_stories_with(feature));
            let others = words
                .iter()
                .enumerate()
                .filter(|(at, word)| *at != rarest_at && **word != words[rarest_at]);
            let second = others.map(|(_, word)| *word).min_by(|one, other| {
                self.share_of_stories_with(*one).total_cmp(&self.share_of_stories_with(*other))
            });
            let around = self.guarded(around, second.filter(|_| is_of_text));
            anchors.push(self.anchor(
                words[rarest_at],
                leaf_scope,
                Around { decides: false, ..around },
            ));
        }
    }

    fn anchor(&self, feature: Feature, leaf_scope: LeafScope, around: Around) -> Anchor {
        let feature = self.nodes.features.finished(feature);
        let guard = around.guard.filter(|guard| *guard != feature);
        let in_text = leaf_scope.is_of_text(around.scope);
        Anchor { feature, guard, in_text, decides: around.decides && in_text }
    }

    /// The context with `guard`, if that is rarer than the present guard.
    fn guarded(&self, around: Around, guard: Option<Feature>) -> Around {
        let guard = guard.map(|guard| self.nodes.features.finished(guard));
        let rarer = match (guard, around.guard) {
            (Some(new), Some(old))
                if self.document_frequencies.frequency_of(new)
                    >= self.document_frequencies.frequency_of(old) =>
            {
                Some(old)
            }
            (new, old) => new.or(old),
        };
        Around { guard: rarer, decides: around.decides && rarer == around.guard, ..around }
    }

    /// A feature that headline or text must have for the node to hold.
    fn required_feature(&self, id: NodeId, around: LeafScope) -> Option<Feature> {
        let rarest = |one: &Feature, other: &Feature| {
            self.share_of_stories_with(*one).total_cmp(&self.share_of_stories_with(*other))
        };
        match self.nodes.node(id) {
            ClauseNode::Feature(leaf_scope, feature) => {
                leaf_scope.is_of_text(around).then_some(*feature)
            }
            ClauseNode::Phrase(leaf_scope, phrase) => {
                leaf_scope.is_of_text(around).then(|| self.rarest(*phrase))
            }
            ClauseNode::Pair(leaf_scope, link, [left, right]) if leaf_scope.is_of_text(around) => {
                let right = if *link == Proximity::Except { None } else { only(right) };
                only(left).into_iter().chain(right).map(|phrase| self.rarest(phrase)).min_by(rarest)
            }
            ClauseNode::AtLeast(leaf_scope, _, phrases) if leaf_scope.is_of_text(around) => {
                only(phrases).map(|phrase| self.rarest(phrase))
            }
            ClauseNode::Within(leaf_scope, _, branch) => self.required_feature(
                *branch,
                if *leaf_scope == LeafScope::Unit { around } else { *leaf_scope },
            ),
            ClauseNode::All(branches) => branches
                .iter()
                .filter_map(|branch| self.required_feature(*branch, around))
                .min_by(rarest),
            _ => None,
        }
    }
}

fn only(phrases: &[PhraseId]) -> Option<PhraseId> {
    if let [only] = phrases { Some(*only) } else { None }
}

/// The index of the rarest of `words`, which must not be empty.
pub(super) fn rarest(words: &[Feature], share: impl Fn(Feature) -> f32) -> usize {
    let rarest =
        (0..words.len()).min_by(|one, other| share(words[*one]).total_cmp(&share(words[*other])));
    rarest.unwrap_or_default()
}
