//! The kinds of nodes of a program, and the numbers in them that have a meaning of their own.
//!
//! The head of a node has its kind in the lowest byte; above it stands a count or the number of a
//! scope. What follows the head is listed for each kind.

/// Features of headline or text, all of which are there: count above; the features.
pub(super) const ALL_OF: u32 = 0;
/// The same, any of which is there. Some stand twice, so that there are whole quads
/// ([`QUAD`](super::program::QUAD)).
pub(super) const ANY_OF: u32 = 1;
/// The same, none of which is there.
pub(super) const NONE_OF: u32 = 2;
/// Every branch holds: count above; length, branches.
pub(super) const ALL: u32 = 3;
/// Any branch holds: count above; length, branches.
pub(super) const ANY: u32 = 4;
/// At least so many branches hold: count above; length, how many, branches.
pub(super) const COUNT: u32 = 5;
/// The branch does not hold: the branch.
pub(super) const NOT: u32 = 6;
/// A feature is there: scope above; the feature.
pub(super) const FEATURE: u32 = 7;
/// Any of some phrases is there: scope above; length, operand.
pub(super) const SOME: u32 = 8;
/// Two operands stand so: scope above; length, one of [`PAIR_NEAR`] and its kind, distance, where
/// the right operand begins, left operand, right operand.
pub(super) const PAIR: u32 = 9;
/// An operand is in so many places: scope above; length, how many, operand.
pub(super) const AT_LEAST: u32 = 10;
/// The branch holds within one sentence or paragraph: scope above; length, [`UNIT_SENTENCE`] or
/// [`UNIT_PARAGRAPH`], branch.
pub(super) const WITHIN: u32 = 11;
/// A pattern is found: scope above; its number.
pub(super) const PATTERN: u32 = 12;
/// A comparison holds: its number.
pub(super) const COMPARE: u32 = 13;
/// The host is of a site: the feature.
pub(super) const SITE: u32 = 14;
/// The language is in a range: its number.
pub(super) const LANG: u32 = 15;
/// A node that several rules share, decided once a story: its number.
pub(super) const SHARED: u32 = 16;

/// The kinds of [`PAIR`].
pub(super) const PAIR_NEAR: u32 = 0;
pub(super) const PAIR_ONEAR: u32 = 1;
pub(super) const PAIR_EXCEPT: u32 = 2;

/// The units of [`WITHIN`].
pub(super) const UNIT_SENTENCE: u32 = 0;
pub(super) const UNIT_PARAGRAPH: u32 = 1;
