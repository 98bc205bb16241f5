//! Expressions as nodes. Negation is only at the leaves, and equal nodes are shared.

use std::sync::Arc;

use foldhash::HashMap;
use url::Host;

use super::features::{Collector, Derived, Feature, number};
use super::interned::Interned;
use crate::language::comparison::Comparison;
use crate::language::operand::{Choice, Operand};
use crate::language::pair::{Pair, Proximity};
use crate::language::pattern::Pattern;
use crate::language::scope::Scope;
use crate::language::term::Term;
use crate::language::term_list::TermList;
use crate::language::tree::{TextUnit, Tree};
use crate::story::LanguageTag;

/// The number of a node.
pub(super) type NodeId = u32;

/// The number of a phrase.
pub(super) type PhraseId = u32;

/// The number of terms of a list from which they become one node.
const MANY: usize = 8;

/// The scope of a leaf: a field, or the current sentence or paragraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum LeafScope {
    Field(Scope),
    Unit,
}

/// A clause.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum ClauseNode {
    /// The feature is found.
    Feature(LeafScope, Feature),
    /// The phrase is found, or the word with its capitals.
    Phrase(LeafScope, PhraseId),
    /// One of the phrases is found.
    Some(LeafScope, Box<[PhraseId]>),
    /// A left and a right phrase are found in the required position.
    Pair(LeafScope, Proximity, [Box<[PhraseId]>; 2]),
    /// The phrases are found in this number of places that do not overlap.
    AtLeast(LeafScope, usize, Box<[PhraseId]>),
    /// The branch holds within one unit.
    Within(LeafScope, TextUnit, NodeId),
    /// The pattern with this number matches.
    Pattern(LeafScope, u32),
    /// The comparison is known to hold, or known not to hold.
    Compare(Comparison, bool),
    /// The host is in the site.
    Site(Feature),
    /// The language is in the range with this number.
    Lang(u32),
    /// The leaf does not hold.
    Not(NodeId),
    /// Every branch holds. True without branches.
    All(Box<[NodeId]>),
    /// A branch holds. False without branches.
    Any(Box<[NodeId]>),
    /// At least this number of branches hold.
    Count(usize, Box<[NodeId]>),
}

/// Words in sequence.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct NodePhrase {
    pub(super) words: Box<[Feature]>,
    /// The required capitals of each word, if capitals count.
    pub(super) capitals: Option<Vec<Vec<bool>>>,
}

/// All nodes of all rules, with their phrases, patterns and lists.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    pub(super) features: Collector,
    all: Interned<ClauseNode>,
    /// The number of nodes and rules that contain each node.
    parents: Vec<u32>,
    phrases: Interned<NodePhrase>,
    /// The lists that were added. They are kept, so that their addresses stay unique.
    lists: HashMap<*const TermList, (Arc<TermList>, Box<[PhraseId]>)>,
    /// Each pattern with its literals.
    pub(super) patterns: Vec<(Arc<Pattern>, Box<[Feature]>)>,
    pub(super) langs: Vec<Box<str>>,
}

impl Nodes {
    /// Adds the nodes of a rule, and returns its root.
    pub(super) fn add_rule(&mut self, tree: &Tree) -> NodeId {
        let node = self.tree(tree, LeafScope::Field(Scope::Text), true);
        self.parents[node as usize] += 1;
        node
    }

    pub(super) fn node(&self, id: NodeId) -> &ClauseNode {
        &self.all[id]
    }

    pub(super) fn phrase(&self, id: PhraseId) -> &NodePhrase {
        &self.phrases[id]
    }

    /// The number of nodes.
    pub(super) fn count(&self) -> usize {
        self.all.count()
    }

    /// The number of nodes and rules that contain `id`.
    pub(super) fn parents(&self, id: NodeId) -> u32 {
        self.parents[id as usize]
    }

    /// Whether a node searches `scope`.
    pub(super) fn names(&self, scope: Scope) -> bool {
        self.all.iter().any(|node| node.leaf_scope() == Some(LeafScope::Field(scope)))
    }

    /// Whether it searches the current sentence or paragraph.
    pub(super) fn reads_unit(&self, id: NodeId) -> bool {
        let node = self.node(id);
        match node.leaf_scope() {
            Some(leaf_scope) => leaf_scope == LeafScope::Unit,
            None => node.branches().iter().any(|branch| self.reads_unit(*branch)),
        }
    }

    /// The node that holds if `tree` is known to be `wanted`.
    fn tree(&mut self, tree: &Tree, leaf_scope: LeafScope, wanted: bool) -> NodeId {
        match tree {
            Tree::Not(branch, _) => self.tree(branch, leaf_scope, !wanted),
            Tree::In(scope, branch, _) => self.tree(branch, LeafScope::Field(*scope), wanted),
            Tree::And(branches) if wanted => {
                self.branches(branches, leaf_scope, wanted, ClauseNode::All)
            }
            Tree::Or(branches) if !wanted => {
                self.branches(branches, leaf_scope, wanted, ClauseNode::All)
            }
            Tree::And(branches) | Tree::Or(branches) => {
                self.branches(branches, leaf_scope, wanted, ClauseNode::Any)
            }
            Tree::AnyOf(least, items, _) => self.any_of(*least, items, leaf_scope, wanted),
            Tree::Compare(comparison, _) => self.add(ClauseNode::Compare(*comparison, wanted)),
            leaf => {
                let node = self.leaf(leaf, leaf_scope);
                let id = self.add(node);
                if wanted { id } else { self.add(ClauseNode::Not(id)) }
            }
        }
    }

    fn branches(
        &mut self,
        branches: &[Tree],
        leaf_scope: LeafScope,
        wanted: bool,
        of: fn(Box<[NodeId]>) -> ClauseNode,
    ) -> NodeId {
        let nodes: Box<[NodeId]> =
            branches.iter().map(|branch| self.tree(branch, leaf_scope, wanted)).collect();
        self.add(of(nodes))
    }

    /// The node for at least `least` of the items. If it is not `wanted`, so many items must fail
    /// that fewer than `least` hold.
    fn any_of(
        &mut self,
        least: usize,
        items: &[Tree],
        leaf_scope: LeafScope,
        wanted: bool,
    ) -> NodeId {
        let mut nodes = Vec::new();
        for item in items {
            match item {
                Tree::List(list, _) => {
                    for term in &list.terms {
                        let node = self.term(term, leaf_scope);
                        let id = self.add(node);
                        nodes.push(if wanted { id } else { self.add(ClauseNode::Not(id)) });
                    }
                }
                other => nodes.push(self.tree(other, leaf_scope, wanted)),
            }
        }
        let least = if wanted { least } else { nodes.len() + 1 - least };
        let nodes = nodes.into_boxed_slice();
        match least {
            1 => self.add(ClauseNode::Any(nodes)),
            all if all == nodes.len() => self.add(ClauseNode::All(nodes)),
            least => self.add(ClauseNode::Count(least, nodes)),
        }
    }

    fn leaf(&mut self, leaf: &Tree, leaf_scope: LeafScope) -> ClauseNode {
        let never = ClauseNode::Any(Box::default());
        let is_of_words = !matches!(leaf_scope, LeafScope::Field(Scope::Site | Scope::Lang));
        match leaf {
            Tree::Term(term, _) => self.term(term, leaf_scope),
            Tree::List(list, _) if list.terms.len() > MANY && is_of_words => {
                ClauseNode::Some(leaf_scope, self.list(list))
            }
            Tree::List(list, _) => {
                let terms = list.terms.iter().map(|term| {
                    let node = self.term(term, leaf_scope);
                    self.add(node)
                });
                ClauseNode::Any(terms.collect())
            }
            _ if !is_of_words => never,
            Tree::Pattern(pattern, _) => ClauseNode::Pattern(leaf_scope, self.pattern(pattern)),
            Tree::Pair(pair, _) => self.pair(pair, leaf_scope),
            Tree::AtLeast(least, operand, _) => {
                ClauseNode::AtLeast(leaf_scope, *least, self.operand(operand))
            }
            Tree::Within(unit, branch, _) => {
                ClauseNode::Within(leaf_scope, *unit, self.tree(branch, LeafScope::Unit, true))
            }
            _ => never,
        }
    }

    fn pair(&mut self, pair: &Pair, leaf_scope: LeafScope) -> ClauseNode {
        ClauseNode::Pair(
            leaf_scope,
            pair.link,
            [self.operand(&pair.left), self.operand(&pair.right)],
        )
    }

    fn term(&mut self, term: &Term, leaf_scope: LeafScope) -> ClauseNode {
        match leaf_scope {
            LeafScope::Field(Scope::Site) => match Host::parse(&term.text) {
                Ok(site) => {
                    ClauseNode::Site(self.features.derived(Derived::Site(site.to_string())))
                }
                Err(_) => ClauseNode::Any(Box::default()),
            },
            LeafScope::Field(Scope::Lang) => self.lang(&term.text),
            _ => match &term.respelled {
                None => self.term_as_spelled(term, leaf_scope),
                Some(other) => {
                    let spellings = [term, other.as_ref()].map(|spelling| {
                        let node = self.term_as_spelled(spelling, leaf_scope);
                        self.add(node)
                    });
                    ClauseNode::Any(spellings.into())
                }
            },
        }
    }

    fn term_as_spelled(&mut self, term: &Term, leaf_scope: LeafScope) -> ClauseNode {
        if term.words.len() == 1 && term.capitals.is_none() {
            ClauseNode::Feature(leaf_scope, self.features.word(&term.words[0]))
        } else {
            ClauseNode::Phrase(leaf_scope, self.phrase_of(term))
        }
    }

    fn operand(&mut self, operand: &Operand) -> Box<[PhraseId]> {
        let mut phrases: Vec<PhraseId> = match operand.choices() {
            // Rules with `each` name the same long list once for every row.
            [Choice::List(list)] if list.terms.len() > MANY => self.list(list).into(),
            _ => {
                let spellings = operand.terms().flat_map(Term::spellings);
                spellings.map(|spelling| self.phrase_of(spelling)).collect()
            }
        };
        phrases.sort_unstable();
        phrases.dedup();
        phrases.into()
    }

    fn list(&mut self, list: &Arc<TermList>) -> Box<[PhraseId]> {
        if let Some((_, phrases)) = self.lists.get(&Arc::as_ptr(list)) {
            return phrases.clone();
        }
        let spellings = list.terms.iter().flat_map(|term| term.spellings());
        let phrases: Box<[PhraseId]> = spellings.map(|spelling| self.phrase_of(spelling)).collect();
        self.lists.insert(Arc::as_ptr(list), (Arc::clone(list), phrases.clone()));
        phrases
    }

    fn phrase_of(&mut self, term: &Term) -> PhraseId {
        let words = term.words.iter().map(|word| self.features.word(word)).collect();
        self.phrases.intern(NodePhrase { words, capitals: term.capitals.clone() }).0
    }

    fn pattern(&mut self, pattern: &Arc<Pattern>) -> u32 {
        if let Some(known) = self.patterns.iter().position(|(known, _)| known == pattern) {
            return number(known);
        }
        let literals = pattern
            .literals()
            .into_iter()
            .map(|literal| self.features.derived(Derived::Literal(literal)));
        let literals = literals.collect();
        self.patterns.push((Arc::clone(pattern), literals));
        number(self.patterns.len() - 1)
    }

    fn lang(&mut self, written: &str) -> ClauseNode {
        let Some(range) = LanguageTag::parse(written).map(|tag| tag.to_string()) else {
            return ClauseNode::Any(Box::default());
        };
        let known = self.langs.iter().position(|known| **known == range).unwrap_or_else(|| {
            self.langs.push(range.into());
            self.langs.len() - 1
        });
        ClauseNode::Lang(number(known))
    }

    /// The number of `node`, or of its branch if it has only one.
    fn add(&mut self, node: ClauseNode) -> NodeId {
        if let ClauseNode::All(branches) | ClauseNode::Any(branches) = &node
            && let [only] = **branches
        {
            return only;
        }
        let (id, is_new) = self.all.intern(node);
        if is_new {
            for branch in self.all[id].branches() {
                self.parents[*branch as usize] += 1;
            }
            self.parents.push(0);
        }
        id
    }
}

impl ClauseNode {
    /// The scope of a leaf.
    pub(super) fn leaf_scope(&self) -> Option<LeafScope> {
        match self {
            Self::Feature(leaf_scope, _)
            | Self::Phrase(leaf_scope, _)
            | Self::Some(leaf_scope, _)
            | Self::Pair(leaf_scope, ..)
            | Self::AtLeast(leaf_scope, ..)
            | Self::Within(leaf_scope, ..)
            | Self::Pattern(leaf_scope, _) => Some(*leaf_scope),
            _ => None,
        }
    }

    /// The nodes that it consists of.
    pub(super) fn branches(&self) -> &[NodeId] {
        match self {
            Self::All(branches) | Self::Any(branches) | Self::Count(_, branches) => branches,
            Self::Not(branch) | Self::Within(_, _, branch) => std::slice::from_ref(branch),
            _ => &[],
        }
    }
}

impl LeafScope {
    /// Whether it searches headline and text only. `around` is the scope of the current unit.
    pub(super) fn is_of_text(self, around: Self) -> bool {
        let field = if self == Self::Unit { around } else { self };
        matches!(field, Self::Field(Scope::Text | Scope::Title | Scope::Body | Scope::Lead))
    }
}
