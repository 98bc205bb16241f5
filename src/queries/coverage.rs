//! What a rule covered in a time: its events, who had them first, how fast, what was lost. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::clock::until;
use crate::polling::health::FeedHealth;
use crate::store::CoveredAlerts;
use tidings_rules::story::{FeedName, Read};

/// What a rule covered in a time.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The rule.
    pub rule: String,
    /// The events that it matched.
    pub events: usize,
    /// Which feeds had events first, most events first.
    pub first: Vec<FirstFeed>,
    /// The median time from the publication of an event to its first sighting.
    pub published_to_seen_seconds: Option<u64>,
    /// The median time from the first sighting to the first delivery.
    pub seen_to_sent_seconds: Option<u64>,
    /// The number of events by the language of their story; `und` if it is not known.
    pub languages: BTreeMap<String, usize>,
    /// The events of which the whole text was not matched.
    pub teasers: usize,
    /// Feeds that the rule reads and that carried no match in this time.
    pub feeds_without_match: Vec<FeedName>,
    /// The number of feeds with a match in this time or the time before.
    pub sources: usize,
    /// Those of them that matched before and do not match now, or that fail or are gone.
    pub lost: Vec<LostFeed>,
}

/// A feed that had events first.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct FirstFeed {
    /// The feed.
    pub feed: String,
    /// The number of events.
    pub events: usize,
}

/// A source that was lost.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct LostFeed {
    /// The feed.
    pub feed: FeedName,
    /// Its health in one word; `None` if it left the configuration or the rule.
    pub health: Option<&'static str>,
}

/// The coverage of `rule`. `scope` are the feeds that it reads, with their health; `before` is what
/// was covered in the time before, of the same length.
#[must_use]
pub fn cover(
    rule: &str,
    scope: &BTreeMap<FeedName, &'static str>,
    covered: &CoveredAlerts,
    before: &CoveredAlerts,
) -> Coverage {
    let (mut known, mut teasers) = (BTreeSet::new(), 0);
    let (mut first, mut languages) = (BTreeMap::new(), BTreeMap::new());
    let (mut published, mut sent) = (Vec::new(), Vec::new());
    for alert in covered.alerts.iter().filter(|alert| alert.rule == rule) {
        // The first match of an event stands for it.
        if !known.insert(alert.event.as_str()) {
            continue;
        }
        if let Some(feed) = &alert.first_feed {
            *first.entry(feed.0.clone()).or_insert(0) += 1;
        }
        let lang = alert.lang.clone().unwrap_or_else(|| "und".to_owned());
        *languages.entry(lang).or_insert(0) += 1;
        teasers += usize::from(alert.read != Read::Full);
        published.extend(alert.published.map(|at| seconds(at, alert.first_seen)));
        sent.extend(alert.sent.map(|at| seconds(alert.first_seen, at)));
    }
    let mut first: Vec<FirstFeed> =
        first.into_iter().map(|(feed, events)| FirstFeed { feed, events }).collect();
    first.sort_by_key(|one| std::cmp::Reverse(one.events));
    let none = BTreeSet::new();
    let matched = covered.feeds.get(rule).unwrap_or(&none);
    let sources: BTreeSet<&FeedName> =
        matched.union(before.feeds.get(rule).unwrap_or(&none)).collect();
    let broken = [FeedHealth::Failing, FeedHealth::Gone].map(FeedHealth::as_str);
    let lost = sources.iter().filter_map(|feed| {
        let health = scope.get(*feed).copied();
        let is_lost = !matched.contains(*feed) || health.is_some_and(|one| broken.contains(&one));
        is_lost.then(|| LostFeed { feed: (*feed).clone(), health })
    });
    Coverage {
        rule: rule.to_owned(),
        events: known.len(),
        first,
        published_to_seen_seconds: median(published),
        seen_to_sent_seconds: median(sent),
        languages,
        teasers,
        feeds_without_match: scope.keys().filter(|feed| !matched.contains(feed)).cloned().collect(),
        lost: lost.collect(),
        sources: sources.len(),
    }
}

/// The seconds between two times; 0 if the second is earlier.
fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    until(to, from).as_secs()
}

/// The lower of the two in the middle, of an even number.
fn median(mut all: Vec<u64>) -> Option<u64> {
    all.sort_unstable();
    all.get(all.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::CoveredAlert;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn alert(
        rule: &str,
        event: &str,
        feed: &str,
        published: i64,
        sent: Option<i64>,
    ) -> CoveredAlert {
        CoveredAlert {
            rule: rule.to_owned(),
            event: event.to_owned(),
            read: if event == "e2" { Read::Teaser("paid".to_owned()) } else { Read::Full },
            lang: Some("en".to_owned()).filter(|_| event != "e3"),
            published: Some(at(published)),
            first_seen: at(100),
            sent: sent.map(at),
            first_feed: Some(FeedName(feed.to_owned())),
        }
    }

    fn name(feed: &str) -> FeedName {
        FeedName(feed.to_owned())
    }

    fn feeds(names: &[&str]) -> BTreeMap<String, BTreeSet<FeedName>> {
        [("arms".to_owned(), names.iter().map(|feed| name(feed)).collect())].into()
    }

    #[test]
    fn an_event_counts_once_and_sources_are_lost_if_they_stop_or_break() {
        let alerts = vec![
            alert("arms", "e1", "wire", 40, Some(103)),
            alert("arms", "e1", "wire", 0, Some(200)),
            alert("arms", "e2", "wire", 90, None),
            alert("arms", "e3", "paper", 120, Some(109)),
            alert("oil", "e4", "radio", 0, None),
        ];
        let covered = CoveredAlerts { alerts, feeds: feeds(&["wire", "paper"]) };
        let before =
            CoveredAlerts { feeds: feeds(&["wire", "radio", "left"]), ..CoveredAlerts::default() };
        let scope = [("wire", "well"), ("paper", "failing"), ("radio", "well"), ("tv", "well")];
        let scope = scope.map(|(feed, health)| (name(feed), health)).into();
        let coverage = cover("arms", &scope, &covered, &before);
        let first = coverage.first.iter().map(|one| (one.feed.as_str(), one.events));
        assert_eq!(first.collect::<Vec<_>>(), [("wire", 2), ("paper", 1)]);
        assert_eq!((coverage.events, coverage.teasers), (3, 1));
        assert_eq!(coverage.published_to_seen_seconds, Some(10), "of 60, 10 and 0");
        assert_eq!(coverage.seen_to_sent_seconds, Some(3), "of 3 and 9");
        assert_eq!(coverage.languages, [("en".to_owned(), 2), ("und".to_owned(), 1)].into());
        assert_eq!(coverage.feeds_without_match, [name("radio"), name("tv")]);
        let lost: Vec<_> = coverage.lost.iter().map(|one| (&*one.feed.0, one.health)).collect();
        let expected = [("left", None), ("paper", Some("failing")), ("radio", Some("well"))];
        assert_eq!((coverage.sources, lost), (4, expected.to_vec()));
    }
}
