//! Logs in (RFC 4954), by PLAIN (RFC 4616) or LOGIN.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;

use super::reply::SmtpReply;
use super::wire::{Wire, WireError};
use crate::config::Secret;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    Plain,
    Login,
}

impl Mechanism {
    /// The mechanism of this name in capitals.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "PLAIN" => Some(Self::Plain),
            "LOGIN" => Some(Self::Login),
            _ => None,
        }
    }

    /// The lines for the server: a command, and an answer to each prompt. The text of the prompts
    /// is ignored.
    fn client_lines(self, user: &str, password: &str) -> Vec<String> {
        match self {
            Self::Plain => {
                let initial = STANDARD.encode(format!("\0{user}\0{password}"));
                // A server that ignores the initial response prompts for it.
                vec![format!("AUTH PLAIN {initial}"), initial]
            }
            Self::Login => {
                vec!["AUTH LOGIN".to_owned(), STANDARD.encode(user), STANDARD.encode(password)]
            }
        }
    }
}

/// Logs in by `mechanism` and returns the server's last reply.
pub(super) async fn authenticate(
    wire: &mut Wire,
    mechanism: Mechanism,
    (user, password): &(String, Secret),
) -> Result<SmtpReply, WireError> {
    let mut words = mechanism.client_lines(user, password.0.expose_secret());
    // `*` cancels the login if the server prompts for more (RFC 4954, 4).
    words.push("*".to_owned());
    for word in words {
        let reply = wire.send_command(&word).await?;
        if reply.code != 334 {
            return Ok(reply);
        }
    }
    Err(WireError::NotSmtp("it requests more than a user and a password".to_owned()))
}

/// Whether `reply` says that the mechanism is not known, rather than that the login is wrong.
pub(super) fn is_unknown_mechanism(reply: &SmtpReply) -> bool {
    (500..=504).contains(&reply.code)
}
