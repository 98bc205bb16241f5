//! The mark of a setting whose fault is recorded.

/// A fault was found, and is among the faults.
pub(super) struct Faulty;
