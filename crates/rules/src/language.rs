//! The language of expressions: its trees, its parser and its printer.

pub(crate) mod comparison;
pub(crate) mod hyphens;
pub(crate) mod lists;
pub(crate) mod operand;
pub(crate) mod pair;
pub(crate) mod pattern;
pub(crate) mod print;
pub(crate) mod row;
pub(crate) mod scope;
pub(crate) mod spelling;
pub(crate) mod syntax;
pub(crate) mod term;
pub(crate) mod term_list;
pub(crate) mod tree;
pub(crate) mod truth;
