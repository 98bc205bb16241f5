//! The settings of a rule for its alerts, and for the stories that it accepts.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::condition::Condition;
use crate::story::delivery::{Burst, Cadence};
use crate::story::{Carrier, FeedFilter, LanguageTag, NotifierName, Severity, Story};

/// The settings of a rule for its alerts, and for the stories that it accepts. Rules with equal
/// settings share them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Settings {
    /// The severity of its alerts.
    pub severity: Severity,
    /// The reason for the rule, for people.
    pub why: Option<String>,
    /// The person or desk that maintains it.
    pub owner: Option<String>,
    /// Tags of its alerts, for searches and silences.
    pub tags: Vec<String>,
    /// The notifiers of its alerts. If empty, those of the configuration.
    pub notify: BTreeSet<NotifierName>,
    /// The feeds whose stories it accepts. If empty, all feeds.
    pub feeds: Vec<FeedFilter>,
    /// The languages that it accepts, as BCP 47 primary subtags in lower case. If empty, all
    /// languages. A story without a language is always accepted.
    pub langs: Vec<String>,
    /// The last day, in UTC, on which a story that matches may be first seen.
    pub expires: Option<Date>,
    /// The number of alerts of a burst that are sent at once.
    pub burst: Option<Burst>,
    /// When its alerts are sent, if not at once.
    pub digest: Option<Cadence>,
    /// The age up to which stored stories are matched against a new rule.
    pub backfill: Option<Duration>,
    /// When its matches are told. `None`: each at once.
    pub condition: Option<Condition>,
}

impl Settings {
    /// Whether every story is accepted.
    pub(crate) fn accepts_every_story(&self) -> bool {
        self.feeds.is_empty() && self.langs.is_empty() && self.expires.is_none()
    }

    /// Whether stories from any of `carriers` are accepted.
    #[must_use]
    pub fn accepts_feeds(&self, carriers: &[Carrier]) -> bool {
        self.feeds.is_empty()
            || self.feeds.iter().any(|filter| carriers.iter().any(|feed| feed.passes(filter)))
    }

    /// Whether stories from `carrier` are accepted.
    #[must_use]
    pub fn accepts_feed(&self, carrier: &Carrier) -> bool {
        self.accepts_feeds(std::slice::from_ref(carrier))
    }

    /// Whether the story's language is accepted. A story without a language is accepted.
    pub(crate) fn accepts_language(&self, story: &Story) -> bool {
        let accepts = |tag: LanguageTag<'_>| {
            self.langs.iter().any(|lang| lang.eq_ignore_ascii_case(tag.primary()))
        };
        self.langs.is_empty()
            || story.lang.as_deref().and_then(LanguageTag::parse).is_none_or(accepts)
    }

    /// Whether `story` was first seen by the last day.
    pub(crate) fn is_in_force(&self, story: &Story) -> bool {
        let day = || story.first_seen.to_zoned_datetime(TimeZone::UTC).date();
        self.expires.is_none_or(|last| day() <= last)
    }
}
