//! The operands of one level of an expression, and their joints.

use std::ops::Range;

use crate::language::tree::Tree;

/// The operator between an operand and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// It is the first.
    First,
    And,
    /// `a NOT b`
    AndNot,
    Or,
    /// There is none, which is not reported yet.
    Missing,
    /// An operator that was refused.
    Refused,
}

/// An operand with its negations and its joint.
pub(super) struct ParsedOperand {
    pub(super) joint: Joint,
    /// Whether it has a `NOT` besides that of [`Joint::AndNot`].
    pub(super) negated: bool,
    /// Its text, shortened, with its negations.
    pub(super) text: String,
    /// Its text, shortened, without its negations.
    pub(super) bare: String,
    pub(super) joint_span: Range<usize>,
    pub(super) span: Range<usize>,
    pub(super) tree: Option<Tree>,
}
