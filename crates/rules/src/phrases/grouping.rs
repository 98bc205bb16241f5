//! The words of a phrase in groups, each a shorter phrase, joined by AND.

use std::sync::Arc;

use crate::language::term::Term;
use crate::language::tree::Tree;

/// Two shorter phrases or more.
pub(super) struct Grouping {
    pub(super) parts: Vec<Arc<Term>>,
}

impl Grouping {
    /// All of its parts, in a story.
    pub(super) fn tree(&self) -> Tree {
        let parts = self.parts.iter().map(|part| Tree::Term(Arc::clone(part), 0..0));
        Tree::all(parts.collect())
    }
}
