//! What the engine keeps of its rules: built once, never changed.

use aho_corasick::AhoCorasick;

use super::features::{Feature, Features};
use super::postings::Postings;
use super::program::Program;
use crate::language::scope::Scope;

/// Rules by their numbers, ready to be looked for.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(super) features: Features,
    pub(super) postings: Postings,
    pub(super) program: Program,
    /// The programs of rules that no feature calls up: they are run for every story. What is
    /// refused when rules are read leaves none.
    pub(super) always: Box<[u32]>,
    /// What patterns cannot do without, and the feature of each piece.
    pub(super) literals: Option<(AhoCorasick, Box<[Feature]>)>,
    /// Which fields any rule names.
    pub(super) fields: [bool; Scope::ALL.len()],
    pub(super) rules: usize,
}

impl Engine {
    /// Whether any rule looks into `scope`.
    pub(super) fn reads_scope(&self, scope: Scope) -> bool {
        Scope::ALL.iter().zip(self.fields).any(|(known, named)| *known == scope && named)
    }
}
