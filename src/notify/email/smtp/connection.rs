//! A connection to a mail server, over which mails are sent one after the other.

use std::time::Duration;

use super::login::Mechanism;
use super::wire::Wire;
use crate::notify::email::smtp::extensions::ServerExtensions;

/// The time limit for the answer to RSET. A slower connection counts as dead.
const RESET_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) wire: Wire,
    pub(super) extensions: ServerExtensions,
    /// The mechanism of the login.
    pub(super) mechanism: Option<Mechanism>,
    /// The number of mails that were begun over it.
    pub(super) mails_begun: u32,
}

impl Connection {
    pub(super) fn new(
        wire: Wire,
        extensions: ServerExtensions,
        mechanism: Option<Mechanism>,
    ) -> Self {
        Self { wire, extensions, mechanism, mails_begun: 0 }
    }

    /// Whether the limit that the server stated for a connection is reached.
    pub(super) fn reached_mail_limit(&self) -> bool {
        self.extensions.max_mails.is_some_and(|most| self.mails_begun >= most)
    }

    /// Resets the conversation after a mail. False if the server closed the connection or sends
    /// an unexpected answer.
    pub(super) async fn reset(&mut self) -> bool {
        self.wire
            .send_command_within(RESET_TIMEOUT, "RSET")
            .await
            .is_ok_and(|reply| reply.is_positive())
    }
}
