//! From a feed's bytes to its items: formats, discovery, lists of feeds, and what an item is known
//! by.

mod choice;
mod depth;
pub mod discover;
pub mod document;
pub mod hints;
pub mod identity;
mod json;
pub mod opml;
pub mod parse;
mod repair;
mod sniff;
mod standard;
mod tag;
mod xml;
