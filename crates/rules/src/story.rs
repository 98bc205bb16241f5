//! Plain data: a story, the feeds that carried it, and the evidence that a rule matched it.

mod carrier;
pub mod delivery;
pub mod headline;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use carrier::{Carrier, FeedFilter};

/// The name of a feed: its identity in the store and in rules, unique in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeedName(pub String);

/// The name of a notifier, as the configuration's `notifiers` gives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NotifierName(pub String);

/// What makes two items the same story: the normalised link, or feed and item key where there is no
/// link to go by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoryKey(pub String);

impl fmt::Display for FeedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NotifierName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for StoryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much an alert matters. Ordered: `Info` is the least.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For the record.
    Info,
    /// Worth a look some time.
    Low,
    /// The default.
    #[default]
    Medium,
    /// Worth a look today.
    High,
    /// Worth waking somebody.
    Critical,
}

impl Severity {
    /// Every severity, least first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word that configurations, rules and payloads use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// A part of a story that a rule can search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// The headline.
    Title,
    /// The text: the article where it was read, else what the feed gave.
    Body,
}

impl Field {
    /// The word that payloads and people use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Body => "body",
        }
    }
}

/// How much of a story was read before it was matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "what", content = "why")]
pub enum Read {
    /// The whole text: the feed gave it, or the article page did.
    Full,
    /// Only what the feed gave, and why not more, in words for the reader of the alert.
    Teaser(String),
}

/// One piece of news, as rules see it and alerts show it. All texts are plain: no markup, no
/// entities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// The headline; may be empty.
    pub title: String,
    /// The text, paragraphs parted by a blank line; may be empty.
    pub body: String,
    /// Where people read it: an absolute `http`, `https` or `file` address.
    pub url: Option<String>,
    /// When its publisher says it appeared.
    pub published: Option<Timestamp>,
    /// When a poll first saw it.
    pub first_seen: Timestamp,
    /// BCP 47 tag as the feed gives it.
    pub lang: Option<String>,
    /// The people or desks that wrote it.
    pub authors: Vec<String>,
    /// The publisher's own categories.
    pub tags: Vec<String>,
    /// The source that a feed with many sources names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Story {
    /// Its headline, or what stands in for it; never empty.
    #[must_use]
    pub fn headline(&self) -> Cow<'_, str> {
        headline::headline(&self.title, &self.body)
    }

    /// A story that has only these words; first seen at the epoch.
    #[must_use]
    pub fn from_words(title: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            body: body.into(),
            url: None,
            published: None,
            first_seen: Timestamp::UNIX_EPOCH,
            lang: None,
            authors: Vec::new(),
            tags: Vec::new(),
            source: None,
        }
    }
}

/// A row of a watchlist, as alerts and silences name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WatchlistRow {
    /// Its id: unique in its list, and the same whatever else of the row changes.
    pub id: String,
    /// What people call it.
    pub label: String,
}

impl fmt::Display for WatchlistRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.id == self.label {
            f.write_str(&self.label)
        } else {
            write!(f, "{} ({})", self.label, self.id)
        }
    }
}

/// One feed's copy of a story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedEntry {
    /// The feed that carried it.
    pub feed: FeedName,
    /// The headline of this copy; may be empty.
    #[serde(default)]
    pub title: String,
    /// The link that this feed gave.
    pub url: Option<String>,
    /// When a poll first saw it there.
    pub seen: Timestamp,
}

/// Words of a story that made a rule match, in the sentence that holds them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The term as the rule writes it.
    pub term: String,
    /// The label of the term list that the term stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The clause of the rule that the words prove, in canonical form and with its field: the
    /// smallest that no other words have a part in, or all of a `SENT` or `PARA`; cut if it is very
    /// long. `None` where it was not computed or not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// Where the sentence stands.
    pub field: Field,
    /// The sentence, as the story has it, cut to a readable length around the words.
    pub sentence: String,
    /// Byte ranges of the matched words in `sentence`: on character boundaries, ascending, not
    /// overlapping.
    pub marks: Vec<Range<usize>>,
}
