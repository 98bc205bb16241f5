//! Matches news stories against many boolean rules, and returns the words that prove each match.
#![doc = include_str!("../README.md")]

pub mod fault;
pub mod story;
pub mod text;
pub mod yaml;

pub mod condition;
mod engine;
mod explain;
mod files;
mod language;
mod lint;
mod phrases;
mod query;
mod rule;
mod rules;

pub use engine::Frequencies;
pub use explain::Clause;
pub use files::{named_tables, table_path, tables_of};
pub use language::truth::Truth;
pub use lint::is_common_word;
pub use phrases::{PhraseAdvice, PhraseSearch};
pub use query::{Query, TermLists};
pub use rule::Rule;
pub use rule::outcome::{Explained, Match};
pub use rule::settings::Settings;
pub use rule::texts::{KnownNames, RuleConfig, RuleTexts, Table};
pub use rules::{CheckedRules, ParsedRules, RowChanges, Rules, Scanner};
pub use story::{Carrier, FeedFilter};

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
