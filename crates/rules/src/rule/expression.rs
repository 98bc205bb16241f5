//! What a rule looks for: its tree, or, where rules are many, the text that parses to it.

use std::sync::Arc;

use crate::language::lists::Lists;
use crate::language::print;
use crate::language::syntax;
use crate::language::tree::Tree;

/// Written rules up to which each keeps its tree. A tree takes about 800 bytes, its text 40.
pub(crate) const MOST_KEPT_TREES: usize = 10_000;

/// The expression of a rule. Clones share it.
#[derive(Clone, Debug)]
pub(crate) enum RuleExpression {
    /// The tree.
    Tree(Arc<Tree>),
    /// The tree in canonical form, which was parsed before and gave the same tree.
    Text(Arc<str>),
}

impl RuleExpression {
    /// Keeps the text in place of the tree, if it parses to the same tree. Deep clauses and terms
    /// with several kinds of quotation marks do not.
    pub(crate) fn compact(&mut self, lists: &Lists) {
        let Self::Tree(tree) = self else { return };
        let text = print::expression(tree);
        let (parsed, _) = syntax::parse(&text, lists);
        if parsed.is_some_and(|parsed| print::expression(&parsed) == text) {
            *self = Self::Text(text.into());
        }
    }

    /// The tree. `lists` are those that [`RuleExpression::compact`] was given.
    pub(crate) fn tree(&self, lists: &Lists) -> Arc<Tree> {
        match self {
            Self::Tree(tree) => Arc::clone(tree),
            Self::Text(text) => {
                let (tree, _) = syntax::parse(text, lists);
                Arc::new(tree.expect("`compact` has parsed this text with the same lists"))
            }
        }
    }
}
