//! What a digest says: why it gathers, and its stories, rule by rule. Pure.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alerts::condition_state::ConditionState;
use crate::alerts::{RuleMatch, StorySummary};
use tidings_rules::story::{Evidence, FeedName, Read, Severity, WatchlistRow};

/// How long a message waits for a receiver that is away before it goes into the late digest.
const LATE_AFTER: Duration = Duration::from_hours(1);

/// The most stories of one message.
const MOST_STORIES: usize = 100;

/// The most bytes of payload that the stories of one message take: beyond them, many servers refuse
/// a request.
const MOST_BYTES: usize = 256 << 10;

/// Many alerts in one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Why they were gathered.
    pub reason: DigestReason,
    /// Which part it is, where all of its stories were too many for one message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<DigestPart>,
    /// Its stories by rule, the gravest rule first.
    pub rules: Vec<DigestGroup>,
}

/// Why alerts are gathered. What has the same reason and is for the same receiver goes into the
/// same digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "what")]
pub enum DigestReason {
    /// A rule, or one row of it, matches so often that only its first alerts are sent at once.
    Burst {
        /// The rule.
        rule: String,
        /// The row, of a rule with `each`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        row: Option<WatchlistRow>,
    },
    /// The rule sends digests only.
    Digest {
        /// The rule.
        rule: String,
    },
    /// Their receiver's quiet hours.
    Quiet,
    /// There were more messages than the receiver's limit allows.
    Limit,
    /// They were muted.
    Silence {
        /// The silence's number.
        id: i64,
        /// Why somebody wanted it; may be empty.
        why: String,
    },
    /// Their receiver was away.
    Late,
    /// The condition of their rule was met, and they were held until then.
    Fired {
        /// The rule.
        rule: String,
        /// The row, of a rule with `each`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        row: Option<WatchlistRow>,
        /// The condition in words.
        condition: String,
        /// What met it, in words.
        progress: String,
        /// When it was met.
        at: Timestamp,
        /// Until when the match that met it counts, if it does for a time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        counts_until: Option<Timestamp>,
    },
}

/// The stories that one rule matched, or one row of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestGroup {
    /// The rule's name.
    pub rule: String,
    /// The row that matched, of a rule with `each`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<WatchlistRow>,
    /// Its severity.
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
    /// How far its condition was met, of a rule with one: when it fired, by the newest story that
    /// met it, or else by the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<ConditionState>,
    /// Its stories, newest first; at least one.
    pub stories: Vec<DigestEntry>,
}

/// One story of a digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestEntry {
    /// The event's id.
    pub event: String,
    /// The story's head.
    pub story: StorySummary,
    /// How much of it the rule saw.
    pub read: Read,
    /// The feed that carried it first.
    pub feed: FeedName,
    /// Its publisher, if the condition of the rule counts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// SHA-256 of the rule's text, in hex.
    pub version: String,
    /// As in [`crate::alerts::RuleMatch`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_sha256: Option<String>,
    /// The words that made the rule match.
    pub evidence: Vec<Evidence>,
}

/// One of several messages that a digest was split into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestPart {
    /// Its number, from 1; `3.1` and `3.2` are the halves of the third part.
    pub number: String,
    /// How many parts there are.
    pub of: usize,
}

impl DigestPart {
    /// The part `number` of so many.
    #[must_use]
    pub fn new(number: usize, of: usize) -> Self {
        Self { number: number.to_string(), of }
    }

    /// The halves of a part, or of a digest that had none.
    #[must_use]
    pub fn halves(whole: Option<&Self>) -> [Self; 2] {
        [1, 2].map(|half| match whole {
            Some(whole) => Self { number: format!("{}.{half}", whole.number), of: whole.of },
            None => Self::new(half, 2),
        })
    }
}

impl fmt::Display for DigestPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "part {} of {}", self.number, self.of)
    }
}

/// The stories of a digest by rule and row, each with its alert.
#[derive(Clone, Debug, Default)]
pub(crate) struct DigestStories(Vec<(DigestGroup, Vec<i64>)>);

impl DigestStories {
    /// Adds a story that a rule matched. The stories of a rule and row come one after the other.
    pub(crate) fn add(&mut self, rule_match: RuleMatch, entry: DigestEntry, alert: i64) {
        let RuleMatch { rule, row, severity, why, owner, tags, condition, .. } = rule_match;
        let id = |row: &Option<WatchlistRow>| row.as_ref().map(|row| row.id.clone());
        match self.0.last_mut() {
            Some((group, alerts)) if group.rule == rule && id(&group.row) == id(&row) => {
                group.severity = group.severity.max(severity);
                let has_met = group.condition.as_ref().is_some_and(ConditionState::is_met_by_it);
                if !has_met && condition.as_ref().is_some_and(ConditionState::is_met_by_it) {
                    group.condition = condition;
                }
                group.stories.push(entry);
                alerts.push(alert);
            }
            _ => {
                let stories = vec![entry];
                let group =
                    DigestGroup { rule, row, severity, why, owner, tags, condition, stories };
                self.0.push((group, vec![alert]));
            }
        }
    }

    /// Puts the gravest rules first.
    pub(crate) fn sort(&mut self) {
        self.0.sort_by_key(|(group, _)| std::cmp::Reverse(group.severity));
    }

    /// The alerts of each part, if the stories are too many for one message; otherwise one part.
    pub(crate) fn divide(&self) -> Vec<Vec<i64>> {
        let entries = self.0.iter().flat_map(|(group, _)| &group.stories);
        let sizes: Vec<usize> = entries
            .map(|entry| serde_json::to_vec(entry).map_or(MOST_BYTES, |json| json.len()))
            .collect();
        let mut rest = self.alerts().into_iter();
        let sizes = part_sizes(&sizes).into_iter();
        sizes.map(|size| rest.by_ref().take(size).collect()).collect()
    }

    /// The alerts, in the order of the stories.
    pub(crate) fn alerts(&self) -> Vec<i64> {
        self.0.iter().flat_map(|(_, alerts)| alerts).copied().collect()
    }

    /// The stories, without their alerts.
    pub(crate) fn into_groups(self) -> Vec<DigestGroup> {
        self.0.into_iter().map(|(group, _)| group).collect()
    }
}

/// How many stories each part of a digest has, in order, whose stories take so many bytes: parts of
/// about the same number, none too large.
fn part_sizes(sizes: &[usize]) -> Vec<usize> {
    let parts = sizes.len().div_ceil(MOST_STORIES).max(1);
    let most = sizes.len().div_ceil(parts);
    let mut shares = Vec::new();
    let mut bytes = 0;
    for size in sizes {
        match shares.last_mut() {
            Some(share) if *share < most && bytes + size <= MOST_BYTES => {
                *share += 1;
                bytes += size;
            }
            _ => {
                shares.push(1);
                bytes = *size;
            }
        }
    }
    shares
}

impl Digest {
    /// A digest of these stories. All that a firing tells met the condition together: each part of
    /// it says so, also one without the story that met it.
    #[must_use]
    pub fn new(
        reason: DigestReason,
        part: Option<DigestPart>,
        mut rules: Vec<DigestGroup>,
    ) -> Self {
        if let DigestReason::Fired { condition, progress, counts_until, .. } = &reason {
            for group in &mut rules {
                let (condition, progress) = (condition.clone(), Some(progress.clone()));
                let counts_until = *counts_until;
                group.condition =
                    Some(ConditionState { condition, met: true, progress, counts_until });
            }
        }
        Self { reason, part, rules }
    }

    /// The number of its stories; one that several rules matched counts once.
    #[must_use]
    pub fn stories(&self) -> usize {
        let events = self.rules.iter().flat_map(|group| &group.stories).map(|entry| &entry.event);
        events.collect::<std::collections::BTreeSet<_>>().len()
    }
}

/// Up to when a message was written that goes into a late digest at `now`: with `away_since`, its
/// receiver was away for as long as it waited. `None` as long as nothing is late.
#[must_use]
pub fn late_before(away_since: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let before = now.checked_sub(LATE_AFTER).ok()?;
    (away_since <= before).then_some(before)
}

/// Whether alerts of that severity go into a late digest: the critical come apart.
#[must_use]
pub fn may_be_late(severity: Severity) -> bool {
    severity < Severity::Critical
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).expect("in range")
    }

    #[test]
    fn parts_are_of_about_the_same_number_and_none_is_too_large() {
        assert!(part_sizes(&[]).is_empty());
        assert_eq!(part_sizes(&[600; 100]), [100]);
        assert_eq!(part_sizes(&[600; 101]), [51, 50]);
        assert_eq!(part_sizes(&vec![600; 2500]), [100; 25]);
        assert_eq!(part_sizes(&[100 << 10; 5]), [2, 2, 1]);
        assert_eq!(part_sizes(&[1 << 20, 1 << 20, 5]), [1, 1, 1]);
    }

    #[test]
    fn halves_are_numbered_below_the_part_that_they_were() {
        let [first, second] = DigestPart::halves(None);
        assert_eq!(
            (first.to_string(), second.to_string()),
            ("part 1 of 2".to_owned(), "part 2 of 2".to_owned())
        );
        let [_, second] = DigestPart::halves(Some(&DigestPart::new(3, 25)));
        assert_eq!(DigestPart::halves(Some(&second))[0].to_string(), "part 3.2.1 of 25");
    }

    #[test]
    fn a_message_is_late_when_it_and_the_outage_are_an_hour_old() {
        assert_eq!(late_before(at(0), at(59)), None);
        assert_eq!(late_before(at(0), at(60)), Some(at(0)));
        assert_eq!(late_before(at(0), at(90)), Some(at(30)));
    }

    #[test]
    fn each_part_of_a_firing_says_what_was_met_in_the_same_words() {
        let part = |state: Option<ConditionState>| {
            let reason = DigestReason::Fired {
                rule: "blast".to_owned(),
                row: None,
                condition: "2 events within 1h".to_owned(),
                progress: "2 events".to_owned(),
                at: at(0),
                counts_until: Some(at(60)),
            };
            let group = DigestGroup {
                rule: "blast".to_owned(),
                row: None,
                severity: Severity::High,
                why: None,
                owner: None,
                tags: Vec::new(),
                condition: state,
                stories: Vec::new(),
            };
            Digest::new(reason, None, vec![group]).rules.remove(0).condition
        };
        let held = ConditionState {
            condition: "2 events within 1h".to_owned(),
            met: false,
            progress: Some("1 of 2 events".to_owned()),
            counts_until: Some(at(30)),
        };
        let met = ConditionState {
            met: true,
            progress: Some("2 events".to_owned()),
            counts_until: Some(at(60)),
            ..held.clone()
        };
        assert_eq!([part(Some(held)), part(None)], [Some(met.clone()), Some(met)]);
    }
}
