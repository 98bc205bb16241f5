//! The parts that feeds and pages share: encodings, HTML tokens, plain text, links and dates.

pub(crate) mod bytes;
pub(crate) mod date;
pub(crate) mod decode;
pub(crate) mod elements;
pub(crate) mod escape;
pub(crate) mod link;
pub(crate) mod plain;
pub(crate) mod shield;
pub(crate) mod tokens;
