//! Matches rules, or their phrases, against stories of the store or of a file of JSON Lines.
//! Prints nothing.

pub(crate) mod batch;
pub mod lines;
pub mod matching;
pub mod phrases;
pub mod source;
pub mod stored;
pub mod tally;
