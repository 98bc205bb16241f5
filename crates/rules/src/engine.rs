//! Matches a story against many rules in little more time than against few.
//!
//! The engine is built once and never changes. A rule is posted under features that a story must
//! have for the rule to match (`anchor`). A scan looks up the rules under the features of a story
//! (`document_index`), and runs only their clauses (`program_run`). The engine and the plain
//! evaluator (`naive`) decide the same.

use aho_corasick::AhoCorasick;

use crate::language::scope::Scope;
use crate::language::tree::Tree;
use crate::story::{Carrier, Story};
use anchor::Chooser;
use document_index::DocumentIndex;
use features::{Derived, Feature, number};
use found_features::FoundFeatures;
use node::{ClauseNode, Nodes};
use occurrences::WordRange;
use postings::{FeaturePostings, Posting, PostingTarget, Postings};
use program::ProgramWriter;
use program_run::{Decided, ProgramRun};

pub(crate) use compiled::Engine;
pub use frequency::Frequencies;

mod anchor;
mod characters;
mod compiled;
mod document_index;
mod features;
mod found_features;
mod frequency;
mod indexed_texts;
mod interned;
pub(crate) mod naive;
mod node;
mod occurrences;
mod opcode;
mod postings;
mod program;
mod program_run;
mod sorted;
mod stem_cache;
pub(crate) mod story_part;
pub(crate) mod teaser_hints;
pub(crate) mod tokenized_story;
mod vocabulary;

/// Memory for one story at a time. It is reused, so that after a few stories nothing is allocated.
#[derive(Debug)]
pub(crate) struct Scratch {
    index: DocumentIndex,
    decided: Decided,
    found: [Vec<WordRange>; 2],
    /// The postings of the features that were found, each with whether headline or text has the
    /// feature.
    calls: Vec<(bool, FeaturePostings)>,
    /// The starts of the programs that must run, and then their heads.
    due: Vec<(u32, u32)>,
    /// A bit for each rule: whether its program has run. It is used only for rules with several
    /// postings.
    looked_at: Vec<u64>,
    /// The rules whose bits are set.
    marked: Vec<u32>,
    matched: Vec<u32>,
}

/// A flag in the head of a program: it belongs to a node of several rules, and the number is that
/// of the node's feature.
const GROUP: u32 = 1 << 31;

/// A flag in the head of a rule's program: the rule is posted under several features.
const SEVERAL: u32 = 1 << 30;

/// The number of phrases or branches above which a node of several rules is posted by itself.
const WIDE: usize = 8;

impl Engine {
    /// Builds the engine of `trees`. The number of a rule is the index of its tree. A rule that can
    /// match without any feature is run for every story.
    pub(crate) fn new<'t>(
        trees: impl IntoIterator<Item = &'t Tree>,
        frequencies: &Frequencies,
    ) -> Self {
        let mut nodes = Nodes::default();
        let roots: Vec<u32> = trees.into_iter().map(|tree| nodes.add_rule(tree)).collect();
        let groups: Vec<(u32, Feature)> = groups(&mut nodes);
        let (features, document_frequencies) = nodes.features.finish(frequencies, roots.len());
        let (mut chooser, mut writer) = (
            Chooser::new(&nodes, &document_frequencies),
            ProgramWriter::new(&nodes, &document_frequencies),
        );
        let ever = number(features.count());
        let (mut posted, mut always) = (Vec::new(), Vec::new());
        for (id, feature) in groups {
            let anchors = chooser.anchors(id).unwrap_or_default();
            let feature = nodes.features.finished(feature);
            let at = writer.write_group(GROUP | feature, id);
            posted.extend(anchors.iter().map(|anchor| {
                (
                    anchor.feature,
                    Posting::new(PostingTarget::Program(at), anchor.guard, anchor.in_text, ever),
                )
            }));
            chooser.set_feature_of(id, feature);
        }
        for (rule, root) in (0_u32..).zip(&roots) {
            always.extend(post_rule(rule, *root, ever, (&mut chooser, &mut writer), &mut posted));
        }
        let literals = literals(&nodes);
        let fields = Scope::ALL.map(|scope| nodes.names(scope));
        let postings = Postings::new(features.count(), &posted);
        let program = writer.finish();
        Self {
            features,
            postings,
            program,
            always: always.into(),
            literals,
            fields,
            rules: roots.len(),
        }
    }

    /// The ascending numbers of the rules that hold for `story`, which `carriers` carried.
    ///
    /// The features that are found lead to postings. A posting may stand for a node of several
    /// rules; if the node holds, its own feature is found, too. Each step reads all that it needs
    /// from memory before it uses any of it, so that the reads overlap.
    pub(crate) fn matches<'s>(
        &self,
        story: &Story,
        carriers: &[Carrier],
        scratch: &'s mut Scratch,
    ) -> &'s [u32] {
        scratch.clear(self);
        let Scratch { index: document, decided, found, calls, due, looked_at, marked, matched } =
            scratch;
        document.index(self, story, carriers);
        let mut run = ProgramRun { engine: self, story, carriers, index: document, decided, found };
        let mut seen = 0;
        while run.index.found_features.feature_at(seen).is_some() {
            calls.clear();
            while let Some(feature) = run.index.found_features.feature_at(seen) {
                calls.extend(
                    self.postings
                        .postings_for(feature)
                        .map(|call| (run.index.found_features.in_text(feature), call)),
                );
                seen += 1;
            }
            self.sort_called(calls, &run.index.found_features, matched, due);
            for (at, head) in &mut *due {
                *head = self.program.code[*at as usize];
            }
            for (at, head) in &*due {
                let at = *at as usize;
                let number = head & !(GROUP | SEVERAL);
                let is_new = head & SEVERAL == 0 || mark_rule(looked_at, marked, number);
                if is_new && run.holds(at + 1, None) {
                    if head & GROUP == 0 {
                        matched.push(number);
                    } else {
                        run.index.found_features.insert(number, false);
                    }
                }
            }
        }
        for at in &self.always {
            if run.holds(*at as usize + 1, None) {
                matched.push(self.program.code[*at as usize]);
            }
        }
        matched.sort_unstable();
        matched.dedup();
        matched
    }

    /// Sorts the postings whose guard is found: rules that hold go to `matched`, and programs that
    /// must run go to `due`. It has no branch, because no processor can predict the kind of a
    /// posting.
    fn sort_called(
        &self,
        calls: &[(bool, FeaturePostings)],
        marks: &FoundFeatures,
        matched: &mut Vec<u32>,
        due: &mut Vec<(u32, u32)>,
    ) {
        let most: usize = calls.iter().map(|(_, call)| Postings::count(call)).sum();
        let (mut holding, mut waiting) = (matched.len(), 0);
        matched.resize(holding + most, 0);
        due.resize(most, (0, 0));
        for (in_text, call) in calls {
            for posting in self.postings.iter(call) {
                let passes = marks.in_text(posting.guard) & (*in_text | !posting.is_of_text());
                matched[holding] = posting.number();
                due[waiting].0 = posting.number();
                holding += usize::from(passes & posting.decides());
                waiting += usize::from(passes & !posting.decides());
            }
        }
        matched.truncate(holding);
        due.truncate(waiting);
    }

    /// Its memory in bytes, without compiled patterns.
    pub(crate) fn bytes(&self) -> usize {
        self.features.bytes() + self.postings.bytes() + self.program.bytes()
    }
}

impl Scratch {
    /// Empty memory.
    pub(crate) fn new() -> Self {
        Self {
            index: DocumentIndex::new(),
            decided: Decided::default(),
            found: Default::default(),
            calls: Vec::new(),
            due: Vec::new(),
            looked_at: Vec::new(),
            marked: Vec::new(),
            matched: Vec::new(),
        }
    }

    /// The folded words of `scope` of the last story.
    pub(crate) fn words(&self, scope: Scope) -> impl Iterator<Item = &[u8]> {
        let DocumentIndex { words, texts, .. } = &self.index;
        let numbers = texts.view(scope, words);
        let places = &words.places()[numbers.start as usize..numbers.end as usize];
        places.iter().map(|place| &words.padded(place)[..place.length()])
    }

    fn clear(&mut self, engine: &Engine) {
        for rule in self.marked.drain(..) {
            self.looked_at[rule as usize / 64] = 0;
        }
        self.looked_at.resize(engine.rules.div_ceil(64), 0);
        self.decided.clear(engine.program.shared.len());
        self.matched.clear();
    }
}

/// Marks a rule as run. Returns whether it was unmarked.
fn mark_rule(looked_at: &mut [u64], marked: &mut Vec<u32>, rule: u32) -> bool {
    let (word, bit) = (&mut looked_at[rule as usize / 64], 1 << (rule % 64));
    let is_new = *word & bit == 0;
    *word |= bit;
    if is_new {
        marked.push(rule);
    }
    is_new
}

/// The nodes of several rules with many phrases or branches, each with the feature that stands for
/// it.
fn groups(nodes: &mut Nodes) -> Vec<(u32, Feature)> {
    let is_wide = |node: &ClauseNode| match node {
        ClauseNode::Some(_, phrases) | ClauseNode::AtLeast(_, _, phrases) => phrases.len() > WIDE,
        ClauseNode::Any(branches) => branches.len() > WIDE,
        _ => false,
    };
    let is_group =
        |id: &u32| nodes.parents(*id) > 1 && is_wide(nodes.node(*id)) && !nodes.reads_unit(*id);
    let ids: Vec<u32> = (0..number(nodes.count())).filter(is_group).collect();
    ids.into_iter().map(|id| (id, nodes.features.derived(Derived::Group(id)))).collect()
}

/// Posts a rule, and writes its program if it needs one. Returns the program if the rule is posted
/// under no feature. Every story has the feature `ever`.
fn post_rule(
    rule: u32,
    root: u32,
    ever: Feature,
    (chooser, writer): (&mut Chooser<'_>, &mut ProgramWriter<'_>),
    posted: &mut Vec<(Feature, Posting)>,
) -> Option<u32> {
    let Some(anchors) = chooser.anchors(root) else {
        return Some(writer.write_rule(rule, root, &[]));
    };
    let known = match *anchors {
        [only] if only.in_text => [Some(only.feature), only.guard].into_iter().flatten().collect(),
        _ => Vec::new(),
    };
    let several = if anchors.len() > 1 { SEVERAL } else { 0 };
    let mut program = None;
    for anchor in anchors {
        let target = if anchor.decides {
            PostingTarget::Rule(rule)
        } else {
            PostingTarget::Program(
                *program.get_or_insert_with(|| writer.write_rule(rule | several, root, &known)),
            )
        };
        posted.push((anchor.feature, Posting::new(target, anchor.guard, anchor.in_text, ever)));
    }
    None
}

/// An automaton for the literals of all patterns.
fn literals(nodes: &Nodes) -> Option<(AhoCorasick, Box<[Feature]>)> {
    let pieces: Vec<(&[u8], Feature)> = nodes.features.literals().collect();
    let automaton = AhoCorasick::new(pieces.iter().map(|(piece, _)| piece));
    let features = pieces.iter().map(|(_, feature)| *feature).collect();
    (!pieces.is_empty())
        .then(|| (automaton.expect("patterns are short, and so are their literals"), features))
}

#[cfg(test)]
mod tests;
