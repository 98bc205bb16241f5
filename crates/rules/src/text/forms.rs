//! Other forms of a word: its number in English, its cases in Slavic languages, its stem in many
//! languages.

pub(crate) mod attached;
mod declension;
mod inflection;
mod number;
mod stem;

pub(crate) use declension::Declined;
pub(crate) use inflection::inflected;
pub(crate) use number::other_numbers;
pub(crate) use stem::Stemmer;
