//! The error of a setting whose fault was reported.

/// A setting has a fault, which is among the faults.
pub(super) struct Faulty;
