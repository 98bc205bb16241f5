//! The opcodes of a program's nodes, and numbers with a fixed meaning.
//!
//! The head of a node has its opcode in the lowest byte and a count or a scope number above it.
//! Each opcode lists what follows its head.

/// All features are in headline or text: count above; the features.
pub(super) const ALL_OF: u32 = 0;
/// One of the features is in headline or text: count above; the features. Some appear twice to fill
/// a quad ([`QUAD`](super::program::QUAD)).
pub(super) const ANY_OF: u32 = 1;
/// None of the features is in headline or text: count above; the features.
pub(super) const NONE_OF: u32 = 2;
/// Every branch holds: count above; length, branches.
pub(super) const ALL: u32 = 3;
/// A branch holds: count above; length, branches.
pub(super) const ANY: u32 = 4;
/// At least a number of branches hold: count above; length, the number, branches.
pub(super) const COUNT: u32 = 5;
/// The branch does not hold: the branch.
pub(super) const NOT: u32 = 6;
/// A feature is found: scope above; the feature.
pub(super) const FEATURE: u32 = 7;
/// One of some phrases is found: scope above; length, operand.
pub(super) const SOME: u32 = 8;
/// Two operands have the required position: scope above; length, [`PAIR_NEAR`] or another kind,
/// distance, start of the right operand, left operand, right operand.
pub(super) const PAIR: u32 = 9;
/// An operand is in at least a number of places: scope above; length, the number, operand.
pub(super) const AT_LEAST: u32 = 10;
/// The branch holds within one sentence or paragraph: scope above; length, [`UNIT_SENTENCE`] or
/// [`UNIT_PARAGRAPH`], branch.
pub(super) const WITHIN: u32 = 11;
/// A pattern matches: scope above; its number.
pub(super) const PATTERN: u32 = 12;
/// A comparison holds: its number.
pub(super) const COMPARE: u32 = 13;
/// The host is in a site: the feature.
pub(super) const SITE: u32 = 14;
/// The language is in a range: the number of the range.
pub(super) const LANG: u32 = 15;
/// A node of several rules, decided once for each story: its number.
pub(super) const SHARED: u32 = 16;

/// The kinds of [`PAIR`].
pub(super) const PAIR_NEAR: u32 = 0;
pub(super) const PAIR_ONEAR: u32 = 1;
pub(super) const PAIR_EXCEPT: u32 = 2;

/// The units of [`WITHIN`].
pub(super) const UNIT_SENTENCE: u32 = 0;
pub(super) const UNIT_PARAGRAPH: u32 = 1;
