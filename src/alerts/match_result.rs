//! What a match of a story comes to.

use std::sync::Arc;

use jiff::Timestamp;

use crate::alerts::NewAlert;
use crate::alerts::copies::{Fingerprint, JoinedEvent};
use crate::alerts::volume::DeliveryPolicies;
use tidings_rules::story::{FeedName, Read};

/// The result of matching a story.
#[derive(Clone, Debug)]
pub struct MatchResult {
    /// How much was read.
    pub read: Read,
    /// What copies of the text are found by; `None` unless it was read in full and is long enough.
    pub fingerprint: Option<Arc<Fingerprint>>,
    /// The event that the story joins as a copy. The store sets it.
    pub joins: Option<JoinedEvent>,
    /// One for every rule that matched; empty if none did.
    pub alerts: Vec<NewAlert>,
    /// The feeds that it was matched for.
    pub feeds: Vec<FeedName>,
    /// When its messages may go out at the earliest.
    pub due: Timestamp,
    /// How many messages receivers want.
    pub policy: Arc<DeliveryPolicies>,
}
