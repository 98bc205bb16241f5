//! From a feed's address to items: fetching, decoding, parsing, pages, and when to come back. Knows nothing of rules or the store.

pub mod article;
mod date;
mod decode;
pub mod discover;
pub mod fetch;
pub mod guard;
pub mod identity;
mod json;
mod link;
mod markup;
pub mod opml;
pub mod parse;
mod plain;
mod repair;
pub mod schedule;
mod shield;
mod simplify;
mod sniff;
mod xml;
