//! YAML text to one finished configuration: every fault reported at once, with its place.

mod env;
mod feeds;
mod headers;
mod hosts;
mod listed;
mod lists;
mod load;
mod mask;
mod network;
mod notifier;
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
use url::Url;

use tidings_rules::story::delivery::DeliveryPolicy;
use tidings_rules::story::{FeedName, NotifierName, Severity};

pub use crate::config::listed::{Listed, ReadList};
pub use hosts::{HostSetting, HostSettings};
pub use lists::named;
pub use load::load_config;
pub use notifier::{
    Addressed, Authority, ConsoleFormat, Email, MailSecurity, Notifier, SecretUrl, SigningKey,
    Webhook, WebhookBody, WebhookFormat,
};
pub use proxy::Proxy;
pub use template::{Template, Writes};

/// The whole configuration, checked. No later code checks it again.
#[derive(Clone, Debug)]
pub struct Config {
    /// The store's `SQLite` file.
    pub store: PathBuf,
    /// The folder of rule files.
    pub rules: PathBuf,
    /// The zone that times are shown in.
    pub zone: TimeZone,
    /// The notifiers of rules without `notify`.
    pub notify: DefaultNotifiers,
    /// What is polled; names are unique.
    pub feeds: Vec<FeedConfig>,
    /// The notifiers by name.
    pub notifiers: BTreeMap<NotifierName, Notifier>,
    /// The delivery policy of each notifier that has one.
    pub delivery_policies: BTreeMap<NotifierName, DeliveryPolicy>,
    /// When and how feeds are polled.
    pub poll: Poll,
    /// What may be reached, and how it is addressed.
    pub network: Network,
    /// Settings for single hosts, for their feeds and pages.
    pub hosts: HostSettings,
    /// How long the store keeps what it holds.
    pub retain: Retain,
}

/// How long the store keeps data; `None`: for ever. Each period is at least seven days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retain {
    /// The texts of stories without an alert, counted from when they were first seen.
    pub stories: Option<Duration>,
    /// Alerts with their stories, and what became of their messages.
    pub alerts: Option<Duration>,
}

/// The notifiers of rules without `notify`. Every name is a key of `Config::notifiers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultNotifiers {
    /// Those for a severity that `by_severity` does not hold.
    pub default: BTreeSet<NotifierName>,
    /// Those for a severity.
    pub by_severity: BTreeMap<Severity, BTreeSet<NotifierName>>,
}

impl DefaultNotifiers {
    /// The notifiers of a rule of that severity without `notify`.
    #[must_use]
    pub fn receivers_of(&self, severity: Severity) -> &BTreeSet<NotifierName> {
        self.by_severity.get(&severity).unwrap_or(&self.default)
    }

    /// The notifiers of messages without a severity: the default, or, if that is empty, all that
    /// are named.
    #[must_use]
    pub fn all_receivers(&self) -> BTreeSet<NotifierName> {
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
    /// The configured time between polls; at least the floor.
    pub every: Option<Duration>,
    /// Whether article pages are read for its teasers.
    pub full_text: FullText,
    /// The ages of a story at which its page is rechecked, although its item is unchanged: at most
    /// two, ascending.
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
