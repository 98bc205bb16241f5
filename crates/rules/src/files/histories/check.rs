//! Decides the histories of a rule as a run would decide them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{History, HistoryItem, TimedExamples};
use crate::condition::{
    Absent, Condition, ConditionProgress, Decision, FirstKey, GroupHistory, GroupMatch, Publishers,
    Sighting, WatchedTime, written_time,
};
use crate::engine::naive;
use crate::engine::tokenized_story::TokenizedStory;
use crate::fault::Fault;
use crate::files::entry::NamedRule;
use crate::language::row;
use crate::language::term_list::ListRow;
use crate::language::tree::Tree;
use crate::rule::keys;
use crate::story::{Story, WatchlistRow};

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
    publishers: &Publishers,
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
    let Some(trial) = HistoryTrial::new(condition, named, rules, publishers) else { return };
    for history in &examples.fires {
        let progress = match trial.outcome(history) {
            HistoryOutcome::Fired(..) => continue,
            HistoryOutcome::Held(progress) => progress,
            HistoryOutcome::Unmatched => "no item matches the rule".to_owned(),
        };
        let message = format!("the condition should be met here, but is not: {progress}");
        faults.push(history.node.fault(message));
    }
    for history in &examples.holds {
        match trial.outcome(history) {
            HistoryOutcome::Fired(item, progress) => {
                let message = format!("the condition should not be met, but is here: {progress}");
                faults.push(item.node.fault(message));
            }
            HistoryOutcome::Held(_) => {}
            HistoryOutcome::Unmatched => {
                let warning = "no item matches the rule, so this history shows nothing";
                let help = "write an item that matches; what must not match stands under `ignores`";
                faults.push(history.node.warning(warning).help(help));
            }
        }
    }
}

/// What becomes of a history.
enum HistoryOutcome<'h, 'd> {
    /// The condition is met at an item.
    Fired(&'h HistoryItem<'d>, String),
    /// It is met at none; how far it got.
    Held(String),
    /// No item matches the rule.
    Unmatched,
}

/// A rule whose histories are tried.
struct HistoryTrial<'r> {
    condition: &'r Condition,
    named: &'r NamedRule,
    /// The rule that `after` names.
    before: Option<&'r NamedRule>,
    /// Whether it has rows of the same list.
    shares_rows: bool,
    /// The names of publishers.
    publishers: &'r Publishers,
}

/// A rule, or a row of a rule with `each`.
struct RuleGroup<'r> {
    row: Option<&'r WatchlistRow>,
    tree: Cow<'r, Tree>,
}

/// An item with a story, for all groups.
struct TriedItem<'h, 'd> {
    item: &'h HistoryItem<'d>,
    story: &'h Story,
    tokenized: TokenizedStory<'h>,
    /// Whether the rule accepts its language.
    is_accepted: bool,
    /// The groups of the rule that `after` names that match it, by the ids of their rows.
    before: HashSet<Option<String>>,
}

impl TriedItem<'_, '_> {
    /// Whether a group of the rule matches it.
    fn matches(&self, group: &RuleGroup<'_>) -> bool {
        self.is_accepted && naive::holds(&group.tree, &self.tokenized)
    }
}

/// What becomes of a history in one group.
enum GroupOutcome<'h, 'd> {
    Fired(&'h HistoryItem<'d>, String),
    /// How far it got, as a number and in words.
    Held(usize, String),
    Unmatched,
}

/// The groups of a rule. Their expressions are made one at a time, because there may be many rows.
fn groups(named: &NamedRule) -> impl Iterator<Item = RuleGroup<'_>> {
    let rows = named.each.as_ref().map_or(&[][..], |list| &list.rows[..]);
    let whole = named.each.is_none();
    let whole = whole.then(|| RuleGroup { row: None, tree: Cow::Borrowed(&*named.tree) });
    let of_row = |row: &'_ Arc<ListRow>| row::tree_of(&named.tree, &row.list);
    let of_rows = rows
        .iter()
        .map(move |row| RuleGroup { row: Some(&row.head), tree: Cow::Owned(of_row(row)) });
    whole.into_iter().chain(of_rows)
}

impl<'r> HistoryTrial<'r> {
    /// `None` if the rule that `after` names is missing, which is another fault.
    fn new(
        condition: &'r Condition,
        named: &'r NamedRule,
        rules: &'r BTreeMap<String, NamedRule>,
        publishers: &'r Publishers,
    ) -> Option<Self> {
        let before = match condition {
            Condition::After { rule, .. } => Some(rules.get(rule)?),
            _ => None,
        };
        let shares_rows = matches!(condition, Condition::After { same_row: true, .. });
        Some(Self { condition, named, before, shares_rows, publishers })
    }

    fn outcome<'h, 'd>(&self, history: &'h History<'d>) -> HistoryOutcome<'h, 'd> {
        let items: Vec<TriedItem<'h, 'd>> =
            history.items.iter().filter_map(|item| self.tried(item)).collect();
        let mut furthest: Option<(usize, String)> = None;
        for group in groups(self.named) {
            let outcome = match self.condition {
                Condition::Absent(absent) => absence(absent, &group, history, &items),
                _ => self.outcome_of(&group, &items),
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
        furthest.map_or(HistoryOutcome::Unmatched, |(_, said)| HistoryOutcome::Held(said))
    }

    fn tried<'h, 'd>(&self, item: &'h HistoryItem<'d>) -> Option<TriedItem<'h, 'd>> {
        let story = item.story.as_ref()?;
        let tokenized = TokenizedStory::new(story, &item.carriers);
        let accepts = |named: &&NamedRule| named.rule.settings.accepts_language(story);
        let matching = self.before.filter(accepts).into_iter().flat_map(groups);
        let matching = matching.filter(|group| naive::holds(&group.tree, &tokenized));
        let before = matching.map(|group| group.id()).collect();
        let is_accepted = accepts(&self.named);
        Some(TriedItem { item, story, tokenized, is_accepted, before })
    }

    /// The outcome of `items` for one group of a rule with `tell`.
    fn outcome_of<'h, 'd>(
        &self,
        group: &RuleGroup<'_>,
        items: &[TriedItem<'h, 'd>],
    ) -> GroupOutcome<'h, 'd> {
        let watch = WatchedTime { known_since: timestamp(KNOWN_SINCE), slots: None };
        let mut matches = GroupHistory::default();
        let mut before: Option<Timestamp> = None;
        let mut furthest: Option<(usize, ConditionProgress)> = None;
        for tried in items {
            let at = time_of(tried.item);
            let is_before = self.is_before(group, tried);
            if is_before && self.records_before_first() {
                before = Some(at);
            }
            if tried.matches(group) {
                let found = FoundMatch::new(self, group, tried);
                let window = self.condition.within().unwrap_or_default();
                let in_window = before.filter(|before| since(*before, at) < window);
                match matches.add(self.condition, &found.at(at, in_window), &watch) {
                    Some(Decision::Fired(progress)) => {
                        return GroupOutcome::Fired(tried.item, progress.to_string());
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
            if is_before {
                before = Some(at);
            }
        }
        furthest.map_or(GroupOutcome::Unmatched, |(reached, progress)| {
            GroupOutcome::Held(reached, progress.to_string())
        })
    }

    /// Whether the rule that `after` names matches the item, in the same row if it has the rows.
    fn is_before(&self, group: &RuleGroup<'_>, tried: &TriedItem<'_, '_>) -> bool {
        if self.shares_rows { tried.before.contains(&group.id()) } else { !tried.before.is_empty() }
    }

    /// Whether a story that matches both rules is recorded for the one that `after` names first:
    /// the matches of a story are in the order of the names.
    fn records_before_first(&self) -> bool {
        self.before.is_some_and(|before| before.rule.name() < self.named.rule.name())
    }
}

impl RuleGroup<'_> {
    /// `said` with the row of the group.
    fn shown(&self, said: &str) -> String {
        self.row.map_or_else(|| said.to_owned(), |row| format!("{row}: {said}"))
    }

    fn id(&self) -> Option<String> {
        self.row.map(|row| row.id.clone())
    }
}

/// What a condition looks at in a match.
struct FoundMatch {
    publisher: String,
    keys: Vec<String>,
}

impl FoundMatch {
    fn new(trial: &HistoryTrial<'_>, group: &RuleGroup<'_>, tried: &TriedItem<'_, '_>) -> Self {
        let (story, tokenized) = (tried.story, &tried.tokenized);
        let sighting =
            Sighting { source: story.source.as_deref(), url: story.url.as_deref(), feed: FEED };
        let publisher = trial.publishers.publisher(sighting);
        let keys = match trial.condition {
            Condition::First { key: FirstKey::Source, .. } => vec![publisher.clone()],
            Condition::First { key, .. } => {
                keys::keys(*key, &group.tree, group.row, story, tokenized)
            }
            _ => Vec::new(),
        };
        Self { publisher, keys }
    }

    fn at(&self, at: Timestamp, before: Option<Timestamp>) -> GroupMatch<'_> {
        GroupMatch { at, event: None, publisher: &self.publisher, keys: &self.keys, before }
    }
}

/// The outcome of `history` for one group of a rule with `absent`. A row counts from its first
/// match on. `items` are those of the history with a story.
fn absence<'h, 'd>(
    absent: &Absent,
    group: &RuleGroup<'_>,
    history: &'h History<'d>,
    items: &[TriedItem<'h, 'd>],
) -> GroupOutcome<'h, 'd> {
    let mut last = history.items.first().filter(|_| group.row.is_none()).map(time_of);
    let mut tried = items.iter();
    for item in &history.items {
        let at = time_of(item);
        let due = last.and_then(|last| absent.due(last, &TimeZone::UTC));
        if due.is_some_and(|due| due <= at) {
            return GroupOutcome::Fired(item, format!("{absent}, due {}", shown(due)));
        }
        let story = item.story.as_ref().and_then(|_| tried.next());
        if story.is_some_and(|tried| tried.matches(group)) {
            last = Some(at);
        }
    }
    let Some(last) = last else { return GroupOutcome::Unmatched };
    let due = absent.due(last, &TimeZone::UTC);
    GroupOutcome::Held(0, format!("{absent} would be due {}", shown(due)))
}

/// A time of a history, as the time since its start.
fn shown(due: Option<Timestamp>) -> String {
    due.map_or_else(
        || "never".to_owned(),
        |due| format!("at {}", written_time(since(timestamp(START), due))),
    )
}

/// How many publishers or events were reached.
fn reached(progress: &ConditionProgress) -> usize {
    match progress {
        ConditionProgress::Publishers(names, _) => names.len(),
        ConditionProgress::Events(count, _) => *count as usize,
        ConditionProgress::Spike(counts, _) => counts.current as usize,
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
