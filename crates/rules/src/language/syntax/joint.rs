//! The operands of one level of an expression, and what joins them.

use std::ops::Range;

use crate::language::tree::Tree;

/// What joins an operand to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// It is the first.
    First,
    And,
    /// `a NOT b`
    AndNot,
    Or,
    /// Nothing, and that is yet to be reported.
    Missing,
    /// Something that was refused.
    Refused,
}

/// An operand with its negations, and what joins it to the one before.
pub(super) struct ParsedOperand {
    pub(super) joint: Joint,
    /// Whether `NOT` stands before it, the one of [`Joint::AndNot`] not counted.
    pub(super) negated: bool,
    /// As it was written, in short, with its negations.
    pub(super) text: String,
    /// The same without them.
    pub(super) bare: String,
    pub(super) joint_span: Range<usize>,
    pub(super) span: Range<usize>,
    pub(super) tree: Option<Tree>,
}
