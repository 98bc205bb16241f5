//! Tidings watches the news and tells you: feeds are polled, stories matched against rules, and what matched is delivered.
//!
//! The modules in the order that a story passes through them, after the plain data and the texts that people write:

/// Files that a person named, read within bounds.
pub mod files;

/// The configuration: what is watched, who is told.
pub mod config;

/// A feed's address becomes items; an article's page becomes text.
pub mod feed;

/// A match becomes an alert: what is told, and to whom.
pub mod alert;

/// One attempt to deliver one message.
pub mod notify;

/// What must survive a crash.
pub mod store;

/// All of it, running.
pub mod daemon;

/// What a person types and reads.
pub mod cli;
