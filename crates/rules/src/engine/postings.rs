//! The postings: the rules and programs that each feature selects.

use std::ops::Range;

use super::features::Feature;

/// A rule, or a node of several rules, under one of its features.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posting {
    /// The start of its program, or its number if it [`DECIDES`]; with the flag [`IN_TEXT`].
    target: u32,
    /// The guard: a feature that must also be in headline or text. Without a guard, it is the
    /// feature of every story.
    pub(super) guard: Feature,
}

/// A flag: the rule holds if feature and guard are found.
const DECIDES: u32 = 1 << 31;

/// A flag: the feature counts only in headline or text.
const IN_TEXT: u32 = 1 << 30;

/// The target of a posting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PostingTarget {
    /// A rule that holds.
    Rule(u32),
    /// A program that must run.
    Program(u32),
}

/// The postings of all features.
#[derive(Debug, Default)]
pub(super) struct Postings {
    /// For each feature, the start of its postings.
    starts: Box<[u32]>,
    postings: Box<[Posting]>,
}

/// The postings of one feature. The first is stored here, so that one read from memory brings the
/// first posting and the place of the others.
#[derive(Clone, Debug)]
pub(super) struct FeaturePostings {
    first: Posting,
    more: Range<u32>,
}

impl Posting {
    /// Creates a posting. `always` is the feature of every story.
    pub(super) fn new(
        target: PostingTarget,
        guard: Option<Feature>,
        in_text: bool,
        always: Feature,
    ) -> Self {
        let (number, flag) = match target {
            PostingTarget::Rule(rule) => (rule, DECIDES),
            PostingTarget::Program(at) => (at, 0),
        };
        assert!(number < IN_TEXT, "rules have less than four gigabytes of clauses");
        let in_text = if in_text { IN_TEXT } else { 0 };
        Self { target: number | flag | in_text, guard: guard.unwrap_or(always) }
    }

    /// Whether the feature counts only in headline or text.
    #[inline]
    pub(super) fn is_of_text(self) -> bool {
        self.target & IN_TEXT != 0
    }

    /// Whether the target is a rule that holds, and not a program.
    #[inline]
    pub(super) fn decides(self) -> bool {
        self.target & DECIDES != 0
    }

    /// The number of the rule, or the start of the program.
    #[inline]
    pub(super) fn number(self) -> u32 {
        self.target & !(DECIDES | IN_TEXT)
    }
}

impl Postings {
    /// Sorts `posted` by feature. `features` is the number of features.
    pub(super) fn new(features: usize, posted: &[(Feature, Posting)]) -> Self {
        let mut starts = vec![0_u32; features + 1];
        for (feature, _) in posted {
            starts[*feature as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut postings = vec![Posting { target: 0, guard: 0 }; posted.len()];
        for (feature, posting) in posted {
            postings[next[*feature as usize] as usize] = *posting;
            next[*feature as usize] += 1;
        }
        Self { starts: starts.into(), postings: postings.into() }
    }

    /// The postings of `feature`, if it has any.
    #[inline]
    pub(super) fn postings_for(&self, feature: Feature) -> Option<FeaturePostings> {
        let (start, end) = (self.starts[feature as usize], self.starts[feature as usize + 1]);
        (start < end)
            .then(|| FeaturePostings { first: self.postings[start as usize], more: start + 1..end })
    }

    /// The postings of `call`.
    pub(super) fn iter<'c>(
        &'c self,
        call: &'c FeaturePostings,
    ) -> impl Iterator<Item = &'c Posting> {
        let more = &self.postings[call.more.start as usize..call.more.end as usize];
        std::iter::once(&call.first).chain(more)
    }

    /// The number of postings of `call`.
    #[inline]
    pub(super) fn count(call: &FeaturePostings) -> usize {
        call.more.len() + 1
    }

    /// Their memory in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.starts) + size_of_val(&*self.postings)
    }
}
