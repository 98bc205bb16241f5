//! When a feed is polled next, whether it moved, and its health. Pure.

pub mod health;
pub mod moved;
pub mod schedule;
