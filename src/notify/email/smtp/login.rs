//! Logging in (RFC 4954), by PLAIN (RFC 4616) or LOGIN.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::reply::SmtpReply;
use super::wire::{Wire, WireError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    Plain,
    Login,
}

impl Mechanism {
    /// The one of that name, in capitals.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "PLAIN" => Some(Self::Plain),
            "LOGIN" => Some(Self::Login),
            _ => None,
        }
    }

    /// What is said to the server: a command, and what follows each of its prompts. Its prompts are
    /// not looked at.
    fn client_lines(self, user: &str, password: &str) -> Vec<String> {
        match self {
            Self::Plain => {
                let initial = STANDARD.encode(format!("\0{user}\0{password}"));
                // A server that passes over what comes with the command asks for it once more.
                vec![format!("AUTH PLAIN {initial}"), initial]
            }
            Self::Login => {
                vec!["AUTH LOGIN".to_owned(), STANDARD.encode(user), STANDARD.encode(password)]
            }
        }
    }
}

/// Logs in by `mechanism`: what the server says of it in the end.
pub(super) async fn authenticate(
    wire: &mut Wire,
    mechanism: Mechanism,
    (user, password): &(String, SecretString),
) -> Result<SmtpReply, WireError> {
    let mut words = mechanism.client_lines(user, password.expose_secret());
    // Whoever asks for more than the mechanism has gets this end (RFC 4954, 4).
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
