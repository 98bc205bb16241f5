//! Silences: what is muted until when, and why somebody wanted it. Pure.

use std::cmp::Reverse;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alerts::RuleMatch;
use crate::alerts::digest::DigestReason;
use crate::alerts::notice::RuleNotice;
use tidings_rules::story::{FeedName, WatchlistRow};

/// A silence: matching alerts are muted for a while, and are sent as one digest at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its row: what people name it by.
    pub id: i64,
    /// What it mutes.
    pub target: SilenceTarget,
    /// Until when.
    pub until: Timestamp,
    /// Why somebody wanted it; may be empty.
    pub why: String,
    /// Since when.
    pub since: Timestamp,
}

/// What a silence mutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind", content = "name")]
pub enum SilenceTarget {
    /// The rule of that name.
    Rule(String),
    /// Every rule with that tag.
    Tag(String),
    /// The rows of that id, of every rule with `each`.
    Row(String),
    /// Stories that only that feed carries.
    Feed(FeedName),
    /// The event of that id.
    Event(String),
}

impl fmt::Display for SilenceTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(name) => write!(f, "rule {name}"),
            Self::Tag(tag) => write!(f, "tag {tag}"),
            Self::Row(id) => write!(f, "row {id}"),
            Self::Feed(name) => write!(f, "feed {name}"),
            Self::Event(id) => write!(f, "event {id}"),
        }
    }
}

/// What silences look at in a rule that matched, or was to match.
#[derive(Clone, Copy, Debug)]
pub struct MatchedRule<'m> {
    /// Its name.
    pub rule: &'m str,
    /// Its tags.
    pub tags: &'m [String],
    /// Its row, if it has `each`.
    pub row: Option<&'m WatchlistRow>,
}

impl<'m> From<&'m RuleMatch> for MatchedRule<'m> {
    fn from(found: &'m RuleMatch) -> Self {
        Self { rule: &found.rule, tags: &found.tags, row: found.row.as_ref() }
    }
}

impl<'m> From<&'m RuleNotice> for MatchedRule<'m> {
    fn from(notice: &'m RuleNotice) -> Self {
        Self { rule: &notice.rule, tags: &notice.tags, row: notice.row.as_ref() }
    }
}

impl Silence {
    /// Whether it mutes a match of `event`, which is in these feeds.
    #[must_use]
    pub fn mutes(&self, matched: MatchedRule<'_>, feeds: &[FeedName], event: &str) -> bool {
        match &self.target {
            SilenceTarget::Rule(name) => matched.rule == *name,
            SilenceTarget::Tag(tag) => matched.tags.contains(tag),
            SilenceTarget::Row(id) => matched.row.is_some_and(|row| row.id == *id),
            SilenceTarget::Feed(name) => !feeds.is_empty() && feeds.iter().all(|feed| feed == name),
            SilenceTarget::Event(id) => event == id,
        }
    }

    /// Why what it mutes is gathered.
    #[must_use]
    pub fn reason(&self) -> DigestReason {
        DigestReason::Silence { id: self.id, why: self.why.clone() }
    }
}

/// The silence that mutes a match of `event` longest, where the event is in these feeds. An alert
/// is muted until the last of its silences ends.
#[must_use]
pub fn longest<'s>(
    silences: &'s [Silence],
    matched: MatchedRule<'_>,
    feeds: &[FeedName],
    event: &str,
) -> Option<&'s Silence> {
    let muting = silences.iter().filter(|one| one.mutes(matched, feeds, event));
    muting.max_by_key(|one| (one.until, Reverse(one.id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidings_rules::story::Severity;

    fn rule_match() -> RuleMatch {
        RuleMatch {
            rule: "arms".to_owned(),
            row: Some(WatchlistRow { id: "36".to_owned(), label: "Ivan Petrov".to_owned() }),
            version: String::new(),
            text_sha256: None,
            severity: Severity::High,
            why: None,
            owner: None,
            tags: vec!["korea".to_owned()],
            condition: None,
            evidence: vec![],
        }
    }

    #[test]
    fn of_several_that_mute_it_the_last_to_end_counts() {
        let at = |minute: i64| Timestamp::from_second(60 * minute).expect("in range");
        let silence = |id, rule: &str, until| {
            let target = SilenceTarget::Rule(rule.to_owned());
            Silence { id, target, until: at(until), why: String::new(), since: at(0) }
        };
        let silences = [
            silence(1, "arms", 9),
            silence(2, "arms", 5),
            silence(3, "oil", 20),
            silence(4, "arms", 9),
        ];
        assert_eq!(
            longest(&silences, (&rule_match()).into(), &[], "e1").map(|one| one.id),
            Some(1)
        );
        assert_eq!(
            longest(&silences[1..3], (&rule_match()).into(), &[], "e1").map(|one| one.id),
            Some(2)
        );
        assert_eq!(longest(&silences[2..3], (&rule_match()).into(), &[], "e1"), None);
    }

    #[test]
    fn it_mutes_its_target_and_nothing_else() {
        let rule_match = rule_match();
        let (wire, paper) = (FeedName("Wire".to_owned()), FeedName("Paper".to_owned()));
        let mutes = |target, feeds: &[&FeedName]| {
            let (until, since) = (Timestamp::MAX, Timestamp::MIN);
            let silence = Silence { id: 1, target, until, why: String::new(), since };
            silence.mutes(
                (&rule_match).into(),
                &feeds.iter().map(|feed| (*feed).clone()).collect::<Vec<_>>(),
                "e1",
            )
        };
        for (target, feeds, expected) in [
            (SilenceTarget::Rule("arms".to_owned()), vec![], true),
            (SilenceTarget::Rule("oil".to_owned()), vec![], false),
            (SilenceTarget::Tag("korea".to_owned()), vec![], true),
            (SilenceTarget::Tag("china".to_owned()), vec![], false),
            (SilenceTarget::Row("36".to_owned()), vec![], true),
            (SilenceTarget::Row("37".to_owned()), vec![], false),
            (SilenceTarget::Row("Ivan Petrov".to_owned()), vec![], false),
            (SilenceTarget::Feed(wire.clone()), vec![&wire], true),
            (SilenceTarget::Feed(wire.clone()), vec![&wire, &paper], false),
            (SilenceTarget::Feed(wire.clone()), vec![], false),
            (SilenceTarget::Event("e1".to_owned()), vec![], true),
            (SilenceTarget::Event("e2".to_owned()), vec![], false),
        ] {
            assert_eq!(mutes(target.clone(), &feeds), expected, "{target}");
        }
    }
}
