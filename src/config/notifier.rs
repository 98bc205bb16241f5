//! The settings of notifiers.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::config::template::Template;

/// A way to notify people.
#[derive(Clone, Debug, PartialEq)]
pub enum Notifier {
    /// Standard output.
    Console(ConsoleFormat),
    /// Mail over SMTP.
    Email(Email),
    /// An HTTP POST of a webhook.
    Webhook(Webhook),
}

/// The format of the console notifier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConsoleFormat {
    /// Text for a person.
    #[default]
    Text,
    /// One JSON object for each line.
    Json,
}

/// A mail server, the sender and the recipients.
#[derive(Clone, Debug, PartialEq)]
pub struct Email {
    /// Host name or address of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: MailSecurity,
    /// Our name in `EHLO`: a fully qualified name or an address literal.
    pub helo: String,
    /// User and password, if the server requires a login.
    pub login: Option<(String, Secret)>,
    /// The authorities that are trusted in addition to the system's for the server's certificate.
    pub ca: Vec<Authority>,
    /// The sender.
    pub from: lettre::message::Mailbox,
    /// The recipients: at least one, each once.
    pub to: Vec<lettre::message::Mailbox>,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// `smtps://`: TLS from the first byte (RFC 8314).
    Tls,
    /// `smtp+starttls://`: an upgrade to TLS that must succeed (RFC 3207).
    StartTls,
    /// `smtp://`: no protection.
    Plain,
}

/// The certificate of an authority, in DER (X.509), checked to be readable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Authority(pub Vec<u8>);

/// A webhook and its secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    /// The address of its requests. It is secret, because addresses of webhooks hold tokens.
    pub url: SecretUrl,
    /// The form of its messages.
    pub body: WebhookBody,
    /// The key of each message that names its recipient, if the format needs one.
    pub addressed: Option<Addressed>,
    /// Signing keys, decoded from `whsec_…`. Each key signs every message. Without keys, messages
    /// are not signed.
    pub secrets: Vec<SigningKey>,
    /// Headers of its requests with `Authorization`. They are sensitive, and their values are not
    /// shown.
    pub headers: http::HeaderMap,
    /// The authorities that are trusted in addition to the system's for the server's certificate.
    pub ca: Vec<Authority>,
}

/// The form of a webhook's messages.
#[derive(Clone, Debug, PartialEq)]
pub enum WebhookBody {
    /// The format of a service.
    Format(WebhookFormat),
    /// The user's own template.
    Template(Template),
}

/// The message format of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookFormat {
    /// The JSON of Tidings, in the form of Standard Webhooks.
    Standard,
    /// Incoming webhooks of Slack and Mattermost.
    Slack,
    /// Discord's webhooks.
    Discord,
    /// Workflows of Microsoft Teams.
    Teams,
    /// Telegram's Bot API.
    Telegram,
    /// ntfy.
    Ntfy,
    /// PagerDuty's Events API, version 2.
    PagerDuty,
}

/// A key of a message that names its recipient. It is added when the message is sent, because the
/// store keeps no secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Addressed {
    /// The key's name in the service's format.
    pub key: &'static str,
    /// The value of the key.
    pub to: Secret,
}

/// A password or token. It is not printed.
#[derive(Clone, Debug)]
pub struct Secret(pub SecretString);

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self(secret.into())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

/// An address that must not be shown whole. Only its scheme, host and port are printed.
#[derive(Clone, PartialEq)]
pub struct SecretUrl(pub Url);

impl std::fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

/// The bytes of a Standard Webhooks key.
#[derive(Clone, Debug)]
pub struct SigningKey(pub secrecy::SecretSlice<u8>);

impl PartialEq for SigningKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}
