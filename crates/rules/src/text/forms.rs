//! Other forms of a word: its number in English, its stem in many languages.

pub(crate) mod attached;
mod inflection;
mod number;
mod stem;

pub(crate) use inflection::inflected;
pub(crate) use number::other_numbers;
pub(crate) use stem::Stemmer;
