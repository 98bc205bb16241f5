//! YAML text to one finished configuration: every fault reported at once, with its place.

mod env;
mod feeds;
mod headers;
mod hosts;
mod lists;
mod load;
mod mask;
mod network;
mod notifiers;
mod paths;
mod poll;
mod proxy;
mod reader;
mod retain;
mod routing;
mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use secrecy::SecretString;
use url::Url;

use tidings_rules::story::delivery::DeliveryPolicy;
use tidings_rules::story::{FeedName, NotifierName, Severity};

pub use hosts::{HostSetting, HostSettings};
pub use lists::{Listed, ReadList, named};
pub use load::load;
pub use proxy::Proxy;
pub use template::{Template, Writes};

/// All that a person configured, checked: nothing downstream looks again.
#[derive(Clone, Debug)]
pub struct Config {
    /// The store's `SQLite` file.
    pub store: PathBuf,
    /// The folder of rule files.
    pub rules: PathBuf,
    /// The zone that times are shown in.
    pub zone: TimeZone,
    /// Who hears of a rule that names nobody.
    pub notify: DefaultNotifiers,
    /// What is polled; names are unique.
    pub feeds: Vec<FeedConfig>,
    /// Who can be told.
    pub notifiers: BTreeMap<NotifierName, Notifier>,
    /// How often each of them wants to be told.
    pub manners: BTreeMap<NotifierName, DeliveryPolicy>,
    /// When and how feeds are polled.
    pub poll: Poll,
    /// What may be reached, and how it is addressed.
    pub network: Network,
    /// How single hosts want to be asked for feeds and pages.
    pub hosts: HostSettings,
    /// How long the store keeps what it holds.
    pub retain: Retain,
}

/// How long the store keeps what it holds; `None`: for ever. Neither is under seven days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retain {
    /// The texts of stories that no alert tells of, since they were first seen.
    pub stories: Option<Duration>,
    /// Alerts with their stories, and what became of their messages.
    pub alerts: Option<Duration>,
}

/// Who hears of a rule that names nobody. Every name stands in `Config::notifiers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultNotifiers {
    /// Those for a severity that `by_severity` does not hold.
    pub default: BTreeSet<NotifierName>,
    /// Those for a severity.
    pub by_severity: BTreeMap<Severity, BTreeSet<NotifierName>>,
}

impl DefaultNotifiers {
    /// Those who hear of a rule of that severity which names nobody.
    #[must_use]
    pub fn of(&self, severity: Severity) -> &BTreeSet<NotifierName> {
        self.by_severity.get(&severity).unwrap_or(&self.default)
    }

    /// Those who hear of what has no severity: the default, or, where that is nobody, all that are
    /// named.
    #[must_use]
    pub fn anybody(&self) -> BTreeSet<NotifierName> {
        if self.default.is_empty() {
            self.by_severity.values().flatten().cloned().collect()
        } else {
            self.default.clone()
        }
    }
}

/// One feed to poll. It is shown by its name: the address may hold a token from the environment.
#[derive(Clone, PartialEq, Eq)]
pub struct FeedConfig {
    /// Its identity: `name`, else the address as the config writes it, before variables are put in.
    pub name: FeedName,
    /// Where it is: `http`, `https` or `file` (made absolute against the config's folder).
    pub url: Url,
    /// Whether its address may hold a secret, a variable's value or a password: it is not kept or
    /// shown then, nor is any address that it leads to.
    pub is_secret: bool,
    /// What rules can select it by.
    pub tags: BTreeSet<String>,
    /// The time between polls that the user wants, at least the floor.
    pub every: Option<Duration>,
    /// Whether article pages are read for its teasers.
    pub full_text: FullText,
    /// How long after a story was first seen its page is looked at again, though its item is
    /// unchanged: at most twice, ascending.
    pub recheck: Vec<Duration>,
}

impl std::fmt::Debug for FeedConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Whether the page of a teaser is fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FullText {
    /// Whenever a feed gives a teaser and a rule that applies reads the body.
    #[default]
    Always,
    /// The same, but only where the teaser holds a word of such a rule.
    Hinted,
    /// Never: the teaser is the story.
    Never,
}

/// One way of telling people.
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

/// A mail server and whom to write to.
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
    /// User and password, where the server wants them.
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
    /// What a message says of whom it is for, where the format wants that.
    pub addressed: Option<Addressed>,
    /// Signing keys, decoded from `whsec_…`; each signs every message. Empty: unsigned.
    pub secrets: Vec<SigningKey>,
    /// What its requests carry besides the message, `Authorization` among it. Sensitive: no value
    /// is shown.
    pub headers: http::HeaderMap,
    /// Whom to believe besides the system's authorities when the server shows its certificate.
    pub ca: Vec<Authority>,
}

/// What a webhook's messages look like.
#[derive(Clone, Debug)]
pub enum WebhookBody {
    /// As a service wants it.
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

/// A key of a message that says whom it is for. It is added when the message is sent, since the
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

/// When and how feeds are polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    /// The shortest adaptive interval.
    pub min: Duration,
    /// The longest adaptive interval; not under `min`.
    pub max: Duration,
    /// Which items alert at a feed's first poll.
    pub first_poll: FirstPoll,
    /// Requests under way at once, in all.
    pub connections: usize,
    /// Requests under way at once, for one host.
    pub per_host: usize,
    /// The pause between two requests to one host.
    pub gap: Duration,
}

impl Poll {
    /// The shortest time between two polls of a feed: five minutes, a second if its host is one's
    /// `own`.
    #[must_use]
    pub fn floor(own: bool) -> Duration {
        if own { Duration::from_secs(1) } else { Duration::from_mins(5) }
    }
}

/// Which items alert at a feed's first poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstPoll {
    /// Every one.
    All,
    /// None: only what comes later.
    None,
    /// Those published within this time, and undated ones.
    Within(Duration),
}

/// What may be reached, and how it is addressed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Private ranges that feeds, pages and hooks may reach: one's own hosts.
    pub allow: Vec<IpNet>,
    /// A mail or web address that the User-Agent names, so that publishers can write.
    pub contact: Option<String>,
    /// The proxy that feeds, pages and hooks are reached by.
    pub proxy: Option<Proxy>,
}

#[cfg(test)]
mod tests;
