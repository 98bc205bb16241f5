//! Matches rules, or their phrases, against stories of the store or of a file of JSON Lines.
//! Prints nothing.

pub(crate) mod batch;
pub(crate) mod conditions;
pub(crate) mod firings;
pub(crate) mod groups;
pub(crate) mod headline;
pub mod lines;
pub mod matching;
pub mod phrases;
pub(crate) mod sightings;
pub mod source;
pub mod stored;
pub mod tally;
pub(crate) mod watch;
