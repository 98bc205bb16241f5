//! When to poll a feed next, whether it moved, and how it fares. Pure.

pub mod health;
pub mod moved;
pub mod schedule;
