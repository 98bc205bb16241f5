//! What a rule says of its alerts and of the stories that it accepts.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::story::delivery::{Burst, Cadence};
use crate::story::{Carrier, FeedFilter, NotifierName, Severity, Story};

/// What a rule says of its alerts and of the stories that it accepts. Rules with equal settings
/// share them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Settings {
    /// How much its alerts matter.
    pub severity: Severity,
    /// Why it exists.
    pub why: Option<String>,
    /// The person or desk that maintains it.
    pub owner: Option<String>,
    /// Tags for alerts and searches.
    pub tags: Vec<String>,
    /// The notifiers that its alerts go to; empty: the configuration's default.
    pub notify: BTreeSet<NotifierName>,
    /// The feeds whose stories it accepts; empty: all.
    pub feeds: Vec<FeedFilter>,
    /// The languages that it accepts, as BCP 47 primary subtags in small letters; empty: all.
    pub langs: Vec<String>,
    /// The last day, in UTC, on which a story may be first seen to match.
    pub expires: Option<Date>,
    /// How many alerts of a burst are sent at once.
    pub burst: Option<Burst>,
    /// When its alerts are sent, if not at once.
    pub digest: Option<Cadence>,
    /// How far back a new rule is matched against stored stories.
    pub backfill: Option<Duration>,
}

impl Settings {
    /// Whether every story is accepted.
    pub(crate) fn accepts_every_story(&self) -> bool {
        self.feeds.is_empty() && self.langs.is_empty() && self.expires.is_none()
    }

    /// Whether stories from any of `carriers` are accepted.
    pub(crate) fn accepts_feeds(&self, carriers: &[Carrier]) -> bool {
        self.feeds.is_empty()
            || self.feeds.iter().any(|filter| carriers.iter().any(|feed| feed.passes(filter)))
    }

    /// Whether `story` is in one of the languages. A story without a language is accepted.
    pub(crate) fn accepts_language(&self, story: &Story) -> bool {
        let primary =
            |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        self.langs.is_empty()
            || story.lang.as_deref().is_none_or(|tag| self.langs.contains(&primary(tag)))
    }

    /// Whether `story` was first seen by the last day.
    pub(crate) fn is_in_force(&self, story: &Story) -> bool {
        let day = || story.first_seen.to_zoned_datetime(TimeZone::UTC).date();
        self.expires.is_none_or(|last| day() <= last)
    }
}
