//! A connection over which mails can be handed over, one after the other.

use std::time::Duration;

use super::login::Mechanism;
use super::offer::Offer;
use super::wire::Wire;

/// For the answer to RSET. A connection that is slower may as well be dead.
const RESET: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) wire: Wire,
    pub(super) offer: Offer,
    /// How it logged in.
    pub(super) mechanism: Option<Mechanism>,
    /// Mails that were begun over it.
    pub(super) mails: u32,
}

impl Connection {
    pub(super) fn new(wire: Wire, offer: Offer, mechanism: Option<Mechanism>) -> Self {
        Self { wire, offer, mechanism, mails: 0 }
    }

    /// Whether the server takes no further mail over it, as it said.
    pub(super) fn is_used_up(&self) -> bool {
        self.offer.mails.is_some_and(|most| self.mails >= most)
    }

    /// Resets the conversation after a mail. False if the server closed the connection or answers
    /// out of order.
    pub(super) async fn reset(&mut self) -> bool {
        self.wire.ask_within(RESET, "RSET").await.is_ok_and(|reply| reply.is_positive())
    }
}
