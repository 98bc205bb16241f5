//! The states of a story and of a message, and what moves them from one to the next.
//!
//! Everything here is a table: a status and an event give the next status, and what the store
//! changes beside it. The store reads the status, asks the table, and applies the answer in the
//! same transaction. Nothing else in Tidings decides about a status.

pub mod message;
pub mod page_wait;
pub mod story;
