//! From a feed's address to items: fetching, decoding, parsing, pages, and when to come back. Knows nothing of rules or the store.

pub mod article;
mod choice;
mod date;
mod decode;
mod depth;
pub mod discover;
pub mod fetch;
pub mod guard;
pub mod hints;
pub mod identity;
mod json;
mod link;
mod markup;
pub mod moved;
pub mod opml;
pub mod parse;
mod plain;
mod repair;
pub mod robots;
pub mod schedule;
mod shield;
mod simplify;
mod sniff;
mod standard;
mod tag;
mod xml;

pub(crate) use decode::decode_undeclared;
