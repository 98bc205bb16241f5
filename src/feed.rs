//! From a feed's address to items: fetching, decoding, parsing, pages, and when to come back. Knows nothing of rules or the store.

pub mod article;
pub mod fetch;
pub mod guard;
pub mod identity;
pub mod parse;
pub mod schedule;
