//! What people ask of the store and of the configuration. Commands and pages show the same answers.

pub mod attention;
pub mod coverage;
pub mod json;
pub mod moment;
pub mod names;
pub mod node_attention;
pub mod rule_hygiene;
pub mod standing;
pub mod status;
pub mod timeline;
pub mod trial;
pub mod trial_conditions;
