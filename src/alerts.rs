//! From a match to what is sent: alerts, receivers, throttling, silences, digests and notifier
//! health.

pub mod absence;
pub mod admit;
pub mod breaker;
pub mod calendar;
pub mod condition_state;
pub mod copies;
pub mod desk_links;
pub mod digest;
pub mod draft;
mod match_result;
pub mod notice;
mod notification;
pub mod outcome;
pub mod plan;
mod receiver;
pub mod receiver_health;
pub mod retry;
mod rule_match;
pub mod send_queue;
pub mod silence;
mod story_summary;
pub mod volume;
pub mod width;

pub use draft::NewAlert;
pub use match_result::MatchResult;
pub use notification::{Content, Notification};
pub use receiver::Receiver;
pub use rule_match::{RuleMatch, title};
pub use story_summary::StorySummary;
