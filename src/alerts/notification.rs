//! What one message says.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alerts::desk_links::DeskLinks;
use crate::alerts::rule_match::RuleMatch;
use crate::alerts::story_summary::StorySummary;
use crate::alerts::{copies, digest, notice};
use tidings_rules::story::{FeedEntry, Read};

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
    /// Pages of the desk about it, of an alert where the desk has a public address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desk: Option<DeskLinks>,
    /// What it is about.
    #[serde(flatten)]
    pub content: Content,
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
        /// The change that this story brings, if its event was notified before.
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
