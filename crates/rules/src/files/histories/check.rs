//! Decides the histories of a rule as a run would decide them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{History, HistoryItem, TimedExamples};
use crate::condition::{
    Absent, Condition, Decision, FirstKey, GroupHistory, GroupMatch, Progress, Publishers,
    Sighting, Watch, written_time,
};
use crate::engine::naive;
use crate::engine::tokenized_story::TokenizedStory;
use crate::fault::Fault;
use crate::files::entry::NamedRule;
use crate::language::row;
use crate::language::term_list::ListRow;
use crate::language::tree::Tree;
use crate::rule::keys;
use crate::story::Story;

/// The start of every history: a Monday, 00:00 UTC.
const START: &str = "2027-01-04T00:00:00Z";

/// Since when rules are known and feeds are watched: longer than any condition looks back.
const KNOWN_SINCE: &str = "2017-01-02T00:00:00Z";

/// The feed of all items.
const FEED: &str = "example";

/// Checks the timed examples of the rule `named`.
pub(super) fn check(
    examples: &TimedExamples<'_>,
    named: &NamedRule,
    rules: &BTreeMap<String, NamedRule>,
    faults: &mut Vec<Fault>,
) {
    let histories = examples.fires.iter().chain(&examples.holds);
    let Some(condition) = &named.rule.settings.condition else {
        faults.extend(histories.map(|history| {
            let fault = history.node.fault("this rule has no condition that could be met");
            fault.help("write `tell` or `absent`; single stories stand under `matches`")
        }));
        return;
    };
    if examples.fires.is_empty() && examples.holds.is_empty() {
        return;
    }
    let Some(trial) = HistoryTrial::new(condition, named, rules) else { return };
    for history in &examples.fires {
        if let HistoryOutcome::Held(progress) = trial.outcome(history) {
            let message = format!("the condition should be met here, but is not: {progress}");
            faults.push(history.node.fault(message));
        }
    }
    for history in &examples.holds {
        if let HistoryOutcome::Fired(item, progress) = trial.outcome(history) {
            let message = format!("the condition should not be met, but is here: {progress}");
            faults.push(item.node.fault(message));
        }
    }
}

/// What becomes of a history.
enum HistoryOutcome<'h, 'd> {
    /// The condition is met at an item.
    Fired(&'h HistoryItem<'d>, String),
    /// It is met at none; how far it got.
    Held(String),
}

/// A rule whose histories are tried.
struct HistoryTrial<'r> {
    condition: &'r Condition,
    groups: RuleGroups,
    /// The rule that `after` names.
    other: Option<RuleBefore>,
}

/// The expressions of a rule: one, or one for each row.
struct RuleGroups(Vec<RuleGroup>);

struct RuleGroup {
    row: Option<Arc<ListRow>>,
    tree: Tree,
}

/// The rule that `after` names.
struct RuleBefore {
    groups: RuleGroups,
    /// Whether it has rows of the same list.
    shares_rows: bool,
    /// Whether its match of one story is recorded first.
    comes_first: bool,
}

impl RuleGroups {
    fn new(named: &NamedRule) -> Self {
        let Some(list) = &named.each else {
            return Self(vec![RuleGroup { row: None, tree: (*named.tree).clone() }]);
        };
        let of_row = |row: &Arc<ListRow>| RuleGroup {
            row: Some(Arc::clone(row)),
            tree: row::tree_of(&named.tree, &row.list),
        };
        Self(list.rows.iter().map(of_row).collect())
    }
}

impl<'r> HistoryTrial<'r> {
    /// `None` if the rule that `after` names is missing, which is another fault.
    fn new(
        condition: &'r Condition,
        named: &NamedRule,
        rules: &BTreeMap<String, NamedRule>,
    ) -> Option<Self> {
        let other = match condition {
            Condition::After { rule, .. } => {
                let other = rules.get(rule)?;
                let list = |named: &NamedRule| named.each.as_ref().map(|list| list.name.clone());
                Some(RuleBefore {
                    groups: RuleGroups::new(other),
                    shares_rows: list(named).is_some() && list(named) == list(other),
                    comes_first: other.rule.name() < named.rule.name(),
                })
            }
            _ => None,
        };
        Some(Self { condition, groups: RuleGroups::new(named), other })
    }

    fn outcome<'h, 'd>(&self, history: &'h History<'d>) -> HistoryOutcome<'h, 'd> {
        let mut furthest: Option<(usize, String)> = None;
        for group in &self.groups.0 {
            let outcome = match self.condition {
                Condition::Absent(absent) => absence(absent, group, history),
                _ => self.outcome_of(group, history),
            };
            let (reached, said) = match outcome {
                GroupOutcome::Fired(item, said) => {
                    return HistoryOutcome::Fired(item, group.shown(&said));
                }
                GroupOutcome::Held(reached, said) => (reached, said),
                GroupOutcome::Unmatched => continue,
            };
            if furthest.as_ref().is_none_or(|(most, _)| reached > *most) {
                furthest = Some((reached, group.shown(&said)));
            }
        }
        let none = || "no item matches the rule".to_owned();
        HistoryOutcome::Held(furthest.map_or_else(none, |(_, said)| said))
    }

    /// The outcome of `history` for one group of a rule with `tell`.
    fn outcome_of<'h, 'd>(
        &self,
        group: &RuleGroup,
        history: &'h History<'d>,
    ) -> GroupOutcome<'h, 'd> {
        let watch = Watch { known_since: timestamp(KNOWN_SINCE), slots: None };
        let mut matches = GroupHistory::default();
        let mut before: Option<Timestamp> = None;
        let mut furthest: Option<(usize, Progress)> = None;
        for item in &history.items {
            let Some(story) = &item.story else { continue };
            let at = time_of(item);
            let tokenized = TokenizedStory::new(story, &item.carriers);
            let other = self.other.as_ref();
            let after_other = other.filter(|other| other.matches(group, &tokenized));
            if after_other.is_some_and(|other| other.comes_first) {
                before = Some(at);
            }
            if naive::holds(&group.tree, &tokenized) {
                let found = FoundMatch::new(self.condition, group, story, &tokenized);
                let window = self.condition.within().unwrap_or_default();
                let before = before.filter(|before| since(*before, at) < window);
                match matches.add(self.condition, &found.at(at, before), &watch) {
                    Some(Decision::Fired(progress)) => {
                        return GroupOutcome::Fired(item, progress.to_string());
                    }
                    Some(Decision::Held(progress)) => {
                        let reached = reached(&progress);
                        if furthest.as_ref().is_none_or(|(most, _)| reached >= *most) {
                            furthest = Some((reached, progress));
                        }
                    }
                    Some(Decision::Told) | None => {}
                }
            }
            if after_other.is_some_and(|other| !other.comes_first) {
                before = Some(at);
            }
        }
        furthest.map_or(GroupOutcome::Unmatched, |(reached, progress)| {
            GroupOutcome::Held(reached, progress.to_string())
        })
    }
}

/// What becomes of a history in one group.
enum GroupOutcome<'h, 'd> {
    Fired(&'h HistoryItem<'d>, String),
    /// How far it got, as a number and in words.
    Held(usize, String),
    Unmatched,
}

impl RuleGroup {
    /// `said` with the row of the group.
    fn shown(&self, said: &str) -> String {
        match &self.row {
            Some(row) => format!("{}: {said}", row.head),
            None => said.to_owned(),
        }
    }
}

impl RuleBefore {
    /// Whether the rule matches the story, for the row of `group` if it has the same rows.
    fn matches(&self, group: &RuleGroup, tokenized: &TokenizedStory<'_>) -> bool {
        let id = |group: &RuleGroup| group.row.as_ref().map(|row| row.head.id.clone());
        let mut groups = self.groups.0.iter();
        groups.any(|other| {
            (!self.shares_rows || id(other) == id(group)) && naive::holds(&other.tree, tokenized)
        })
    }
}

/// What a condition looks at in a match.
struct FoundMatch {
    publisher: String,
    keys: Vec<String>,
}

impl FoundMatch {
    fn new(
        condition: &Condition,
        group: &RuleGroup,
        story: &Story,
        tokenized: &TokenizedStory<'_>,
    ) -> Self {
        let sighting =
            Sighting { source: story.source.as_deref(), url: story.url.as_deref(), feed: FEED };
        let publisher = Publishers::default().publisher(sighting);
        let row = group.row.as_ref().map(|row| &row.head);
        let keys = match condition {
            Condition::First { key: FirstKey::Source, .. } => vec![publisher.clone()],
            Condition::First { key, .. } => keys::keys(*key, &group.tree, row, story, tokenized),
            _ => Vec::new(),
        };
        Self { publisher, keys }
    }

    fn at(&self, at: Timestamp, before: Option<Timestamp>) -> GroupMatch<'_> {
        GroupMatch { at, event: None, publisher: &self.publisher, keys: &self.keys, before }
    }
}

/// The outcome of `history` for one group of a rule with `absent`. A row counts from its first
/// match on.
fn absence<'h, 'd>(
    absent: &Absent,
    group: &RuleGroup,
    history: &'h History<'d>,
) -> GroupOutcome<'h, 'd> {
    let first = group.row.is_none().then(|| history.items.first().map(time_of));
    let mut last = first.flatten();
    for item in &history.items {
        let at = time_of(item);
        let due = last.and_then(|last| absent.due(last, &TimeZone::UTC));
        if due.is_some_and(|due| due <= at) {
            return GroupOutcome::Fired(item, format!("{absent}, due {}", shown(due)));
        }
        let is_match = item.story.as_ref().is_some_and(|story| {
            naive::holds(&group.tree, &TokenizedStory::new(story, &item.carriers))
        });
        if is_match {
            last = Some(at);
        }
    }
    let due = last.and_then(|last| absent.due(last, &TimeZone::UTC));
    match last {
        Some(_) => GroupOutcome::Held(0, format!("{absent} would be due {}", shown(due))),
        None => GroupOutcome::Unmatched,
    }
}

/// A time of a history, as the time since its start.
fn shown(due: Option<Timestamp>) -> String {
    due.map_or_else(
        || "never".to_owned(),
        |due| format!("at {}", written_time(since(timestamp(START), due))),
    )
}

/// How many publishers or events were reached.
fn reached(progress: &Progress) -> usize {
    match progress {
        Progress::Publishers(names, _) => names.len(),
        Progress::Events(count, _) => *count as usize,
        Progress::Spike(counts, _) => counts.current as usize,
        _ => 0,
    }
}

fn time_of(item: &HistoryItem<'_>) -> Timestamp {
    timestamp(START).checked_add(item.at).expect("a history lasts ten years at most")
}

fn timestamp(text: &str) -> Timestamp {
    text.parse().expect("a constant time")
}

fn since(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or(Duration::ZERO)
}
