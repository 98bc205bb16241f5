//! The settings of a notifier.

use secrecy::SecretString;
use url::Url;

use crate::config::template::Template;

/// One way to notify people.
#[derive(Clone, Debug)]
pub enum Notifier {
    /// Standard output.
    Console(ConsoleFormat),
    /// Mail over SMTP.
    Email(Email),
    /// An HTTP POST in the form of Standard Webhooks.
    Webhook(Webhook),
}

/// How the console notifier writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConsoleFormat {
    /// For a person.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// A mail server, the sender and the recipients.
#[derive(Clone, Debug)]
pub struct Email {
    /// Host name or address of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: MailSecurity,
    /// What we call ourselves to it: a fully qualified name or an address literal.
    pub helo: String,
    /// User and password, if the server requires a login.
    pub login: Option<(String, SecretString)>,
    /// Whom to believe besides the system's authorities when the server shows its certificate.
    pub ca: Vec<Authority>,
    /// The sender.
    pub from: lettre::message::Mailbox,
    /// The recipients: at least one, none twice.
    pub to: Vec<lettre::message::Mailbox>,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// `smtps://`: TLS from the first byte (RFC 8314).
    Tls,
    /// `smtp+starttls://`: an upgrade that must succeed (RFC 3207).
    StartTls,
    /// `smtp://`: none.
    Plain,
}

/// The certificate of an authority, in DER (X.509), known to be readable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Authority(pub Vec<u8>);

/// A webhook and its secrets.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Where to post. Secret: hook addresses carry tokens.
    pub url: SecretUrl,
    /// What its messages look like.
    pub body: WebhookBody,
    /// The key of each message that names its recipient, if the format needs one.
    pub addressed: Option<Addressed>,
    /// Signing keys, decoded from `whsec_…`; each signs every message. Empty: unsigned.
    pub secrets: Vec<SigningKey>,
    /// Headers of its requests, `Authorization` included. Sensitive: no value is shown.
    pub headers: http::HeaderMap,
    /// Whom to believe besides the system's authorities when the server shows its certificate.
    pub ca: Vec<Authority>,
}

/// What a webhook's messages look like.
#[derive(Clone, Debug)]
pub enum WebhookBody {
    /// In the format of a service.
    Format(WebhookFormat),
    /// As the user wrote it.
    Template(Template),
}

/// The form of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookFormat {
    /// Our own JSON, in the form of Standard Webhooks.
    Standard,
    /// Slack's incoming webhooks, and Mattermost's.
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
#[derive(Clone, Debug)]
pub struct Addressed {
    /// The service's own key.
    pub key: &'static str,
    /// What it holds.
    pub to: SecretString,
}

/// An address that must not be shown whole: only scheme, host and port are printed.
#[derive(Clone)]
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
