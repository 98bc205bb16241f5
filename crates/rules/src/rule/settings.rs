//! What a rule says of its alerts and of the stories that it accepts.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::story::delivery::{Burst, Cadence};
use crate::story::{Carrier, FeedFilter, NotifierName, Severity, Story};

/// What a rule says of its alerts and of the stories that it looks at. Rules that say the same
/// share it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Settings {
    /// How much its alerts matter.
    pub severity: Severity,
    /// Why it exists.
    pub why: Option<String>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Who hears of it; empty: the configuration's default.
    pub notify: BTreeSet<NotifierName>,
    /// Which feeds it looks at; empty: all.
    pub feeds: Vec<FeedFilter>,
    /// Which languages it looks at, as BCP 47 primary subtags in small letters; empty: all.
    pub langs: Vec<String>,
    /// The last day, in UTC, on which a story may be first seen to match.
    pub expires: Option<Date>,
    /// How many of a burst of alerts are told at once.
    pub burst: Option<Burst>,
    /// When its alerts are told, if not at once.
    pub digest: Option<Cadence>,
    /// How far it looks back over stories that were there before it, when it is new.
    pub backfill: Option<Duration>,
}

impl Settings {
    /// Whether every story is looked at.
    pub(crate) fn accepts_every_story(&self) -> bool {
        self.feeds.is_empty() && self.langs.is_empty() && self.expires.is_none()
    }

    /// Whether stories from any of `carriers` are looked at.
    pub(crate) fn accepts_feeds(&self, carriers: &[Carrier]) -> bool {
        self.feeds.is_empty()
            || self.feeds.iter().any(|filter| carriers.iter().any(|feed| feed.passes(filter)))
    }

    /// Whether `story` is in one of the languages. One that does not say its language may be in
    /// any.
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
