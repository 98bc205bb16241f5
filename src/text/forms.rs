//! Other forms of a word: its number in English, its stem in many languages.

mod number;
mod stem;

#[expect(unused_imports, reason = "the rule language asks for it by `forms:`")]
pub(crate) use number::other_numbers;
#[expect(unused_imports, reason = "the rule language asks for it by `stem:`")]
pub(crate) use stem::Stemmer;
