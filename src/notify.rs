//! One attempt at one delivery. Knows nothing of the store or of rules.

mod console;
mod email;
#[cfg(test)]
mod fixture;
mod format;
mod payload;
mod plain;
mod quote;
mod reply;
mod template;
mod text;
mod view;
mod webhook;

pub(crate) use plain::{plain, printable};

pub use crate::alerts::breaker::{FailureCause, FailureScope};

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alerts::{Notification, Receiver};
use crate::config::{ConsoleFormat, HostSettings, Network, Notifier, WebhookBody};
use crate::http::{HttpClients, NoClient};
use crate::notify::email::Pools;
use crate::notify::webhook::Clients;

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The first hop took responsibility; what it answered.
    Delivered(String),
    /// It may work later.
    Retry(RetryReason),
    /// It will never work as it is: why, as the receiver said it. Never holds a secret.
    Refused(String),
    /// It is too large for the receiver: why, as the receiver said it. Never holds a secret.
    TooLarge(String),
    /// The receiver is no more, and wants to be left alone: nothing is sent to it before the next
    /// run. Why; never holds a secret.
    Gone(String),
}

/// Why an attempt is to be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryReason {
    /// What happened, for a person. Never holds a secret.
    pub why: String,
    /// What kind of failure it was.
    pub cause: FailureCause,
    /// Whom the failure concerns.
    pub scope: FailureScope,
    /// How long the receiver asked us to wait.
    pub after: Option<Duration>,
}

impl Outcome {
    /// A failure of `cause` that concerns the whole notifier and holds no wish to wait.
    fn retry(cause: FailureCause, why: String) -> Self {
        Self::Retry(RetryReason { why, cause, scope: FailureScope::Notifier, after: None })
    }
}

/// What sending needs besides the message.
#[derive(Clone, Debug)]
pub struct SendContext {
    /// How webhooks are reached, and, where the same means fetch, feeds and pages.
    pub reach: HttpClients,
    /// The zone that times are shown in.
    pub zone: TimeZone,
    /// Clients for webhooks with authorities of their own.
    private: Clients,
    /// Connections to mail servers.
    mail: Pools,
}

impl SendContext {
    /// Those that reach what `network` allows, and single hosts as `hosts` says.
    ///
    /// # Errors
    /// Where HTTPS cannot be set up on this machine.
    pub fn new(network: Network, hosts: HostSettings, zone: TimeZone) -> Result<Self, NoClient> {
        Ok(Self {
            reach: HttpClients::new(network, hosts)?,
            zone,
            private: Clients::default(),
            mail: Pools::default(),
        })
    }

    /// Closes connections that are idle for too long, without end; to be called anew after each
    /// attempt.
    pub async fn tend(&self) {
        self.mail.tend().await;
    }

    /// Closes all connections that are kept, within seconds.
    pub async fn close(&self) {
        self.mail.close().await;
    }
}

/// Renders what `notifier` will send for `letter`: these bytes are frozen, and every retry sends
/// the same.
///
/// # Errors
/// In words for a person, where the letter cannot be written (an address that does not parse).
pub fn render(
    notifier: &Notifier,
    receiver: &Receiver,
    letter: &Notification,
    zone: &TimeZone,
) -> Result<Vec<u8>, String> {
    match notifier {
        Notifier::Console(_) => payload::write(letter),
        Notifier::Webhook(webhook) => match &webhook.body {
            WebhookBody::Format(format) => format::render(*format, letter, zone),
            WebhookBody::Template(template) => template::render(template, receiver, letter, zone),
        },
        Notifier::Email(email) => email::render(email, receiver, letter, zone),
    }
}

/// What the console shows of `letter`: as JSON, or for people, in colour where standard output is a
/// terminal. Ends in a line break.
///
/// # Errors
/// Where the letter cannot be put into JSON.
pub fn on_console(
    format: ConsoleFormat,
    letter: &Notification,
    zone: &TimeZone,
) -> Result<String, String> {
    Ok(String::from_utf8_lossy(&console::shown(format, &payload::write(letter)?, zone))
        .into_owned())
}

/// Tries once to deliver `frozen`, the bytes that `render` made for the message `id`. Takes at most
/// half a minute, and by email as long as mail servers may take: minutes for each answer.
pub async fn send(
    notifier: &Notifier,
    means: &SendContext,
    receiver: &Receiver,
    id: &str,
    frozen: &[u8],
    now: Timestamp,
) -> Outcome {
    match notifier {
        Notifier::Console(format) => console::send(*format, frozen, &means.zone).await,
        Notifier::Email(email) => email::send(email, &means.mail, receiver, frozen, now).await,
        Notifier::Webhook(webhook) => {
            webhook::send(webhook, means, receiver, id, frozen, now).await
        }
    }
}
