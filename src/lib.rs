//! Tidings watches the news and tells you.

pub mod alert;
pub mod config;
pub mod fault;
pub mod feed;
pub mod notify;
pub mod rule;
pub mod store;
pub mod story;
pub mod text;
pub mod yaml;
