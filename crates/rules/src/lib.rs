//! Rules over news: from YAML and expressions to verdicts on stories, with the words that prove
//! them.
//!
//! Pure: no I/O, no clock, no async.

pub mod fault;
pub mod story;
pub mod text;
pub mod yaml;

mod engine;
mod explain;
mod files;
mod language;
mod lint;
mod query;
mod rule;
mod rules;

pub use engine::Frequencies;
pub use engine::truth::Truth;
pub use explain::Clause;
pub use files::tables_of;
pub use lint::is_common_word;
pub use query::Query;
pub use rule::{
    Carrier, Explained, FeedFilter, KnownNames, Match, Rule, RuleTexts, Settings, Table,
};
pub use rules::{CheckedRules, ParsedRules, RowChanges, Rules, Scanner};

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
