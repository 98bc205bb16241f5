//! What people ask of the store. Commands and pages show the same answers.

pub mod attention;
pub mod status;
