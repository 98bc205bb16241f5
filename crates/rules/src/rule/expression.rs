//! The expression of a rule: its tree, or its text if there are many rules.

use std::sync::Arc;

use crate::language::lists::Lists;
use crate::language::print;
use crate::language::syntax;
use crate::language::tree::Tree;

/// The most rules whose trees are kept. The tree of an expression with five words takes about 2,300
/// bytes, its text 60 (`benches/load.rs`).
pub(crate) const MOST_KEPT_TREES: usize = 1_000;

/// The expression of a rule. Clones share it.
#[derive(Clone, Debug)]
pub(crate) enum RuleExpression {
    /// The tree.
    Tree(Arc<Tree>),
    /// The tree in canonical form, which parses to the same tree.
    Text(Arc<str>),
}

impl RuleExpression {
    /// Replaces the tree by its text, if the text parses to the same tree. That of deep clauses,
    /// and of terms with several kinds of quotation marks, does not. `was_expression` is whether
    /// the rule was written as one expression.
    pub(crate) fn compact(&mut self, was_expression: bool, lists: &Lists) {
        let Self::Tree(tree) = self else { return };
        let text = print::expression(tree);
        // An expression without quotation marks always parses again, so the check is skipped to
        // save time.
        let is_plain = was_expression && !text.contains(['"', '“', '”', '„', '«', '»']);
        let parses_again = || {
            let (parsed, _) = syntax::parse(&text, lists);
            parsed.is_some_and(|parsed| print::expression(&parsed) == text)
        };
        if is_plain || parses_again() {
            *self = Self::Text(text.into());
        }
    }

    /// The tree. `lists` must be those of [`RuleExpression::compact`].
    pub(crate) fn tree(&self, lists: &Lists) -> Arc<Tree> {
        match self {
            Self::Tree(tree) => Arc::clone(tree),
            Self::Text(text) => {
                let (tree, _) = syntax::parse(text, lists);
                Arc::new(tree.expect("`compact` keeps only texts that parse with the same lists"))
            }
        }
    }
}
