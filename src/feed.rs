//! Reads feeds: formats, discovery of feeds, lists of feeds, and the identity of items.

pub mod bounded;
mod choice;
mod depth;
pub mod discover;
pub mod document;
pub mod hints;
pub mod identity;
mod json;
pub mod opml;
pub mod parse;
mod publisher;
mod repair;
mod sniff;
mod standard;
mod tag;
mod xml;
