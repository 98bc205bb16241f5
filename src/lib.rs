//! Tidings polls news feeds, matches every story against rules, and delivers what matched.
//!
//! The modules stand in the order in which a story passes through them.

/// The only reader of clocks, and the only addition to a time.
pub mod clock;

/// Reads the files that a person names, within bounds.
pub mod files;

/// The configuration: which feeds are polled, and who is notified.
pub mod config;

/// The guarded HTTP client of feeds, pages, `robots.txt` and webhooks.
pub mod http;

/// What feeds and pages share: encodings, HTML, links and dates.
pub mod markup;

/// From a feed's bytes to its items.
pub mod feed;

/// When to poll a feed next, and its health.
pub mod polling;

/// From an article's page to its text.
pub mod article;

/// Rule folders: read, and kept in their last good version.
pub mod rule_files;

/// From a match to what is sent, and when.
pub mod alerts;

/// The states of a story and of a message, and what moves them.
pub mod lifecycle;

/// What a running daemon counts and measures.
pub mod metrics;

/// The shares of the work of many nodes.
pub mod shares;

/// What must survive a crash: the only SQL.
pub mod store;

/// One attempt to deliver one message.
pub mod notify;

/// Stories from elsewhere, as JSON Lines.
pub mod ingest;

/// Rules over many stories of the past.
pub mod backtest;

/// What commands and pages show of the store.
pub mod queries;

/// The web listener: health and metrics.
pub mod web;

/// The running program.
pub mod daemon;

/// The commands: what a person types and reads.
pub mod cli;
