//! Other forms of a word: its number in English, its cases in Slavic languages, its stem in many
//! languages.

mod declension;
mod number;
mod stem;

pub(crate) use declension::{Declined, Slavic, declined};
pub(crate) use number::other_numbers;
pub(crate) use stem::Stemmer;
