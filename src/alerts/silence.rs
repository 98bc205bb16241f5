//! Silences: what is muted until when, and why somebody wanted it. Pure.

use std::cmp::Reverse;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alerts::Told;
use crate::alerts::digest::Reason;
use tidings_rules::story::FeedName;

/// A wish not to be told of something for a while. What it mutes comes as one digest at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its row: what people name it by.
    pub id: i64,
    /// What it mutes.
    pub target: Target,
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
pub enum Target {
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

impl fmt::Display for Target {
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

impl Silence {
    /// Whether it mutes what `told` says of `event`, which these feeds carry.
    #[must_use]
    pub fn mutes(&self, told: &Told, feeds: &[FeedName], event: &str) -> bool {
        match &self.target {
            Target::Rule(name) => told.rule == *name,
            Target::Tag(tag) => told.tags.contains(tag),
            Target::Row(id) => told.row.as_ref().is_some_and(|row| row.id == *id),
            Target::Feed(name) => !feeds.is_empty() && feeds.iter().all(|feed| feed == name),
            Target::Event(id) => event == id,
        }
    }

    /// Why what it mutes is gathered.
    #[must_use]
    pub fn reason(&self) -> Reason {
        Reason::Silence { id: self.id, why: self.why.clone() }
    }
}

/// Of these silences, the one that mutes longest what `told` says of `event`, which these feeds
/// carry: what several mute is muted until the last of them ends.
#[must_use]
pub fn longest<'s>(
    silences: &'s [Silence],
    told: &Told,
    feeds: &[FeedName],
    event: &str,
) -> Option<&'s Silence> {
    let muting = silences.iter().filter(|one| one.mutes(told, feeds, event));
    muting.max_by_key(|one| (one.until, Reverse(one.id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidings_rules::story::{Row, Severity};

    fn told() -> Told {
        Told {
            rule: "arms".to_owned(),
            row: Some(Row { id: "36".to_owned(), label: "Ivan Petrov".to_owned() }),
            version: String::new(),
            text_sha256: None,
            severity: Severity::High,
            why: None,
            owner: None,
            tags: vec!["korea".to_owned()],
            evidence: vec![],
        }
    }

    #[test]
    fn of_several_that_mute_it_the_last_to_end_counts() {
        let at = |minute: i64| Timestamp::from_second(60 * minute).expect("in range");
        let silence = |id, rule: &str, until| {
            let target = Target::Rule(rule.to_owned());
            Silence { id, target, until: at(until), why: String::new(), since: at(0) }
        };
        let silences = [
            silence(1, "arms", 9),
            silence(2, "arms", 5),
            silence(3, "oil", 20),
            silence(4, "arms", 9),
        ];
        assert_eq!(longest(&silences, &told(), &[], "e1").map(|one| one.id), Some(1));
        assert_eq!(longest(&silences[1..3], &told(), &[], "e1").map(|one| one.id), Some(2));
        assert_eq!(longest(&silences[2..3], &told(), &[], "e1"), None);
    }

    #[test]
    fn it_mutes_its_target_and_nothing_else() {
        let told = told();
        let (wire, paper) = (FeedName("Wire".to_owned()), FeedName("Paper".to_owned()));
        let mutes = |target, feeds: &[&FeedName]| {
            let (until, since) = (Timestamp::MAX, Timestamp::MIN);
            let silence = Silence { id: 1, target, until, why: String::new(), since };
            silence.mutes(
                &told,
                &feeds.iter().map(|feed| (*feed).clone()).collect::<Vec<_>>(),
                "e1",
            )
        };
        for (target, feeds, expected) in [
            (Target::Rule("arms".to_owned()), vec![], true),
            (Target::Rule("oil".to_owned()), vec![], false),
            (Target::Tag("korea".to_owned()), vec![], true),
            (Target::Tag("china".to_owned()), vec![], false),
            (Target::Row("36".to_owned()), vec![], true),
            (Target::Row("37".to_owned()), vec![], false),
            (Target::Row("Ivan Petrov".to_owned()), vec![], false),
            (Target::Feed(wire.clone()), vec![&wire], true),
            (Target::Feed(wire.clone()), vec![&wire, &paper], false),
            (Target::Feed(wire.clone()), vec![], false),
            (Target::Event("e1".to_owned()), vec![], true),
            (Target::Event("e2".to_owned()), vec![], false),
        ] {
            assert_eq!(mutes(target.clone(), &feeds), expected, "{target}");
        }
    }
}
