//! Stories, the feeds that carried them, and the evidence of matches. Plain data.

mod carrier;
pub mod delivery;
pub mod headline;
mod language;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use carrier::{Carrier, FeedFilter};
pub use language::LanguageTag;

/// The name of a feed. It identifies the feed in the store and in rules, and is unique in a
/// configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeedName(pub String);

/// The name of a notifier in the configuration's `notifiers`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NotifierName(pub String);

/// Identifies a story: its normalised link, or its feed and item key if it has no link that
/// identifies it.
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

/// How much an alert matters. The order is from `Info`, the least, to `Critical`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Only for the record.
    Info,
    /// Can be read at any time.
    Low,
    /// The default.
    #[default]
    Medium,
    /// Should be read on the same day.
    High,
    /// Should wake somebody.
    Critical,
}

impl Severity {
    /// Every severity, in ascending order.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name in configurations, rules and payloads.
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

/// A text of a story that evidence can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// The headline.
    Title,
    /// The text: the article if it was read, else the text of the feed.
    Body,
}

impl Field {
    /// The name in payloads and for people.
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
    /// The whole text, from the feed or from the article page.
    Full,
    /// A part of the article, for example the free part of a paid page. The reason is in words that
    /// follow "part of the article: ".
    Partial(String),
    /// Only the text of the feed. The reason is in words that follow "teaser only: ".
    Teaser(String),
}

impl fmt::Display for Read {
    /// How much was read and why, in words for the reader of an alert.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the whole text"),
            Self::Partial(why) => write!(f, "part of the article: {why}"),
            Self::Teaser(why) => write!(f, "teaser only: {why}"),
        }
    }
}

/// One piece of news. All texts are plain: without markup and entities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// The headline. It may be empty.
    pub title: String,
    /// The text, with a blank line between paragraphs. It may be empty.
    pub body: String,
    /// The address for readers: absolute, with `http`, `https` or `file`.
    pub url: Option<String>,
    /// The time of publication by its publisher.
    pub published: Option<Timestamp>,
    /// The time of the first poll that had it.
    pub first_seen: Timestamp,
    /// The language as a BCP 47 tag, as the feed gives it. It is not checked.
    pub lang: Option<String>,
    /// The people or desks that wrote it.
    pub authors: Vec<String>,
    /// The publisher's own categories.
    pub tags: Vec<String>,
    /// The original publisher, if a feed of many publishers names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Story {
    /// Its headline, or the first words of its text if it has none. Never empty.
    #[must_use]
    pub fn headline(&self) -> Cow<'_, str> {
        headline::headline(&self.title, &self.body)
    }

    /// A story with only these words. It was first seen at the Unix epoch.
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
    /// Its id. It is unique in its list, and stays when other cells of the row change.
    pub id: String,
    /// Its name for people.
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

/// A story in one feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedEntry {
    /// The feed that carried it.
    pub feed: FeedName,
    /// The headline in this feed. It may be empty.
    #[serde(default)]
    pub title: String,
    /// The link in this feed.
    pub url: Option<String>,
    /// The time of the first poll that had it there.
    pub seen: Timestamp,
}

/// Words of a story that prove a match, in their sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The term as the rule writes it. It begins with its field if that is not shown to readers,
    /// such as the address.
    pub term: String,
    /// The label of the term's list entry, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The clause of the rule that the words prove, in canonical form with its field: the smallest
    /// clause that needs no other words, or a whole `SENT` or `PARA`. It is cut if it is very long.
    /// `None` if it was not computed or not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// The field of the sentence: the title if the term's field is not shown to readers.
    pub field: Field,
    /// The sentence as in the story, cut around the words to a readable length.
    pub sentence: String,
    /// The byte ranges of the matched words in `sentence`. They are on character boundaries,
    /// ascend, and do not overlap. Empty if the term's field is not shown to readers.
    pub marks: Vec<Range<usize>>,
}
