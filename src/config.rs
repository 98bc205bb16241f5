//! Reads YAML to one checked configuration, and reports every fault at once with its place.

mod changes;
mod env;
mod faulty;
mod feed_keys;
mod feeds;
mod headers;
mod heartbeat;
mod hosts;
mod listed;
mod lists;
mod load;
mod mask;
mod network;
mod notifier;
mod notifiers;
mod password;
mod paths;
mod poll;
mod proxy;
mod publishers;
mod reader;
mod receiving;
mod report;
mod retain;
mod routing;
mod server_address;
mod shared;
mod store;
mod store_place;
mod template;
mod web;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use url::Url;

use tidings_rules::condition::Publishers;
use tidings_rules::story::delivery::DeliveryPolicy;
use tidings_rules::story::{FeedName, NotifierName, Severity};

pub use crate::config::listed::{Listed, ReadList};
pub use changes::ConfigChanges;
pub use heartbeat::Heartbeat;
pub use hosts::{HostSetting, HostSettings};
pub use lists::named;
pub use load::{LoadedConfig, load_config};
pub use notifier::{
    Addressed, Authority, ConsoleFormat, Email, MailSecurity, Notifier, Secret, SecretUrl,
    SigningKey, Webhook, WebhookBody, WebhookFormat,
};
pub use proxy::Proxy;
pub use report::ReportTimes;
pub use server_address::AddressFault;
pub use store_place::{ServerAddress, ServerEncryption, StorePlace};
pub use template::{Template, Writes};
pub use web::{Access, AccessToken, TrustedPeer, TrustedProxy, VisitorRole, Web, WebAddress};

/// The whole configuration. It is checked, and no later code checks it again.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the store is.
    pub store: StorePlace,
    /// The folder of rule files.
    pub rules: PathBuf,
    /// The time zone in which times are shown.
    pub zone: TimeZone,
    /// The names of publishers, by which rules count them.
    pub publishers: Publishers,
    /// The notifiers of rules without `notify`.
    pub notify: DefaultNotifiers,
    /// The feeds that are polled.
    pub feeds: Vec<FeedConfig>,
    /// The feeds that receive stories. The names of both kinds are unique together.
    pub receiving: Vec<ReceivingFeed>,
    /// The notifiers by name.
    pub notifiers: BTreeMap<NotifierName, Notifier>,
    /// The delivery policy of each notifier that has one.
    pub delivery_policies: BTreeMap<NotifierName, DeliveryPolicy>,
    /// When feeds are polled, and with how many requests.
    pub poll: Poll,
    /// Which private addresses may be reached, by which proxy, and with which contact.
    pub network: Network,
    /// The settings of single hosts for their feeds and pages.
    pub hosts: HostSettings,
    /// How long the store keeps data.
    pub retain: Retain,
    /// When a report of the service is sent; `None`: never.
    pub report: Option<ReportTimes>,
    /// The dead man's switch that is called while all is well; `None`: there is none.
    pub heartbeat: Option<Heartbeat>,
    /// The web listener; `None`: there is none.
    pub web: Option<Web>,
}

impl Config {
    /// The names of all feeds: first those that are polled.
    pub fn feed_names(&self) -> impl Iterator<Item = &FeedName> {
        let polled = self.feeds.iter().map(|feed| &feed.name);
        polled.chain(self.receiving.iter().map(|feed| &feed.name))
    }

    /// The feeds that rules select by their tags: each name with its tags.
    pub fn feed_tags(&self) -> impl Iterator<Item = (&FeedName, &BTreeSet<String>)> {
        let polled = self.feeds.iter().map(|feed| (&feed.name, &feed.tags));
        polled.chain(self.receiving.iter().map(|feed| (&feed.name, &feed.tags)))
    }

    /// The shortest time between two polls of `feed`.
    #[must_use]
    pub fn floor(&self, feed: &FeedConfig) -> Duration {
        Poll::floor(self.network.owns(&feed.url))
    }
}

/// How long the store keeps data. `None` means for ever. Each period is at least seven days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retain {
    /// For the texts of stories without an alert, counted from when they were first seen.
    pub stories: Option<Duration>,
    /// For alerts with their stories and the outcomes of their messages.
    pub alerts: Option<Duration>,
}

/// The notifiers of rules without `notify`. Every name is a key of `Config::notifiers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultNotifiers {
    /// The notifiers for the severities that `by_severity` lacks.
    pub default: BTreeSet<NotifierName>,
    /// The notifiers for single severities.
    pub by_severity: BTreeMap<Severity, BTreeSet<NotifierName>>,
}

impl DefaultNotifiers {
    /// The notifiers of a rule with that severity and without `notify`.
    #[must_use]
    pub fn receivers_of(&self, severity: Severity) -> &BTreeSet<NotifierName> {
        self.by_severity.get(&severity).unwrap_or(&self.default)
    }

    /// The notifiers of messages without a severity: `default`, or every named notifier if that is
    /// empty.
    #[must_use]
    pub fn all_receivers(&self) -> BTreeSet<NotifierName> {
        if self.default.is_empty() {
            self.by_severity.values().flatten().cloned().collect()
        } else {
            self.default.clone()
        }
    }
}

/// A feed to poll. It is shown by its name, because its address may hold a token from the
/// environment.
#[derive(Clone, PartialEq, Eq)]
pub struct FeedConfig {
    /// Its identity: `name`, else its address as the configuration has it, with variables not
    /// replaced.
    pub name: FeedName,
    /// Its address: `http`, `https` or `file`. A relative path was joined to the configuration's
    /// folder.
    pub url: Url,
    /// Whether its address may hold a secret: the value of a variable, or a password. Then neither
    /// this address nor an address that it redirects to is stored or shown.
    pub is_secret: bool,
    /// The tags by which rules select it.
    pub tags: BTreeSet<String>,
    /// The configured time between polls, at least [`Poll::floor`].
    pub every: Option<Duration>,
    /// Whether article pages are fetched for its teasers.
    pub full_text: FullText,
    /// The ages of a story at which its page is rechecked although its item is unchanged: at most
    /// two, ascending.
    pub recheck: Vec<Duration>,
}

impl std::fmt::Debug for FeedConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A feed that is not polled: it receives stories from elsewhere (`tidings ingest`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivingFeed {
    /// Its identity.
    pub name: FeedName,
    /// The tags by which rules select it.
    pub tags: BTreeSet<String>,
}

/// Whether the page of a teaser is fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FullText {
    /// If a rule that applies to the feed reads the body.
    #[default]
    Always,
    /// If, in addition, the teaser holds a word of such a rule.
    Hinted,
    /// Never. Rules match the teaser.
    Never,
}

/// When feeds are polled, and with how many requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    /// The shortest adaptive interval.
    pub min: Duration,
    /// The longest adaptive interval, at least `min`.
    pub max: Duration,
    /// The items that alert at a feed's first poll.
    pub first_poll: FirstPoll,
    /// The most requests at once.
    pub connections: usize,
    /// The most requests to one host at once.
    pub per_host: usize,
    /// The pause between two requests to one host.
    pub gap: Duration,
}

impl Poll {
    /// The shortest time between two polls of a feed: five minutes, or a second if its host is the
    /// user's own.
    #[must_use]
    pub fn floor(own: bool) -> Duration {
        if own { Duration::from_secs(1) } else { Duration::from_mins(5) }
    }
}

/// Which items alert at a feed's first poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstPoll {
    /// All items.
    All,
    /// No items. Only later items alert.
    None,
    /// The items that were published within this time, and items without a date.
    Within(Duration),
}

/// How hosts are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Private ranges that feeds, pages and webhooks may reach: the user's own hosts.
    pub allow: Vec<IpNet>,
    /// A mail or web address in the User-Agent, so that publishers can write.
    pub contact: Option<String>,
    /// The proxy for feeds, pages and webhooks.
    pub proxy: Option<Proxy>,
}

#[cfg(test)]
mod tests;
