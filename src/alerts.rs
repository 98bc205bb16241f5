//! From a match to what is sent: the alert's identity, its evidence, and which receivers are told.

pub mod admit;
pub mod breaker;
pub mod calendar;
pub mod copies;
pub mod digest;
pub mod draft;
pub mod notice;
pub mod silence;
pub mod volume;
pub mod width;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alerts::volume::Throttle;
use tidings_rules::story::{
    Evidence, FeedEntry, NotifierName, Read, Severity, WatchlistRow, headline,
};

/// One rule that matched one story, ready to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAlert {
    /// What the alert says of the rule and its evidence.
    pub told: RuleMatch,
    /// What tells several alerts of one rule and story apart: the row's id; empty unless the rule
    /// has `each`.
    pub occasion: String,
    /// How often its rule wants to be told.
    pub pace: Throttle,
    /// Everybody who is to hear of it: no receiver twice.
    pub receivers: Vec<Receiver>,
}

/// What a message says of one rule that matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleMatch {
    /// The rule's name.
    pub rule: String,
    /// The row that matched, of a rule with `each`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<WatchlistRow>,
    /// SHA-256 of the rule's text, in hex: which version of the rule it was.
    pub version: String,
    /// [`draft::text_hash`] of the story as the rule saw it; `None` of alerts that were kept before
    /// there was such a hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_sha256: Option<String>,
    /// The rule's severity.
    pub severity: Severity,
    /// The rule's `why`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The rule's `owner`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The rule's tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The words that made it match.
    pub evidence: Vec<Evidence>,
}

impl RuleMatch {
    /// The rule's name, and the row that matched.
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.rule, self.row.as_ref())
    }
}

/// A rule's name, and behind it the row of it that is meant.
#[must_use]
pub fn title(rule: &str, row: Option<&WatchlistRow>) -> String {
    row.map_or_else(|| rule.to_owned(), |row| format!("{rule}: {row}"))
}

/// One address that one notifier reaches: what a message is addressed to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Receiver {
    /// The notifier that sends.
    pub notifier: NotifierName,
    /// The mail address; empty for notifiers that have one receiver.
    pub recipient: String,
}

impl fmt::Display for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.recipient.as_str() {
            "" => write!(f, "{}", self.notifier),
            recipient => write!(f, "{} ({recipient})", self.notifier),
        }
    }
}

/// What one message says: all that a notifier needs to render it. Serialised, it is the payload of
/// webhooks and of console JSON Lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The message's key: unique for ever, the same in every retry; `webhook-id` and Message-ID are
    /// made of it.
    pub id: String,
    /// When the message was first written down.
    pub created: Timestamp,
    /// When it was first sent. A retry keeps it.
    #[serde(default)]
    pub sent: Timestamp,
    /// What it is about.
    #[serde(flatten)]
    pub content: Content,
}

/// What a message shows of a story: enough to know what it is and where to read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorySummary {
    /// The headline; may be empty.
    pub title: String,
    /// The first words of the text, where there is no headline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<String>,
    /// Where to read it.
    pub url: Option<String>,
    /// When its publisher says it appeared.
    pub published: Option<Timestamp>,
    /// When a poll first saw it.
    pub first_seen: Timestamp,
    /// BCP 47 tag as the feed gives it.
    pub lang: Option<String>,
}

impl StorySummary {
    /// The headline, or what stands in for it; never empty.
    #[must_use]
    pub fn headline(&self) -> &str {
        if self.title.trim().is_empty() {
            self.opening.as_deref().unwrap_or(headline::NONE)
        } else {
            &self.title
        }
    }
}

/// What a message is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "type")]
pub enum Content {
    /// A story that rules matched. (`type: alert`)
    Alert {
        /// The event's id, unique for ever: later messages of the same event carry the same.
        event: String,
        /// The story's head.
        story: StorySummary,
        /// How much of it was read.
        read: Read,
        /// What this story says anew, where the event was told before and this is an update of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        update: Option<copies::CopyUpdate>,
        /// The feeds that carried it, first seen first.
        feeds: Vec<FeedEntry>,
        /// The rules that matched, in the order of their names; one with `each` once for every row
        /// that did.
        rules: Vec<RuleMatch>,
    },
    /// Many stories that rules matched. (`type: digest`)
    Digest(digest::Digest),
    /// What happened to a receiver or a feed. (`type: notice`)
    Notice(notice::About),
    /// A trial, sent by `tidings notify`. (`type: test`)
    Test,
}
