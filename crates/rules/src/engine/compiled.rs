//! The compiled form of the rules. It is built once and never changes.

use aho_corasick::AhoCorasick;

use super::features::{Feature, Features};
use super::postings::Postings;
use super::program::Program;
use crate::language::scope::Scope;

/// The compiled rules, by their numbers.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(super) features: Features,
    pub(super) postings: Postings,
    pub(super) program: Program,
    /// The programs of rules that are posted under no feature. They run for every story. Rules from
    /// files never need this, because such rules are refused.
    pub(super) always: Box<[u32]>,
    /// The literals that patterns require, and the feature of each.
    pub(super) literals: Option<(AhoCorasick, Box<[Feature]>)>,
    /// For each scope, whether a rule searches it.
    pub(super) fields: [bool; Scope::ALL.len()],
    pub(super) rules: usize,
}

impl Engine {
    /// Whether a rule searches `scope`.
    pub(super) fn reads_scope(&self, scope: Scope) -> bool {
        Scope::ALL.iter().zip(self.fields).any(|(known, named)| *known == scope && named)
    }
}
