//! The conditions of rules over the matches of a backtest: what each match makes of its group, and
//! which absences are told.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::headline::Headline;
use super::matching::{GroupedHit, Matcher};
use super::sightings::StorySighting;
use tidings_rules::Rule;
use tidings_rules::condition::{
    Absent, Condition, ConditionProgress, Decision, FirstKey, GroupHistory, GroupMatch, WatchedTime,
};

/// The most stories of a window that are kept: the newest.
const MOST_KEPT: usize = 100;

/// A story that matched, as far as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MatchedStory {
    /// Its id in the output.
    pub(crate) id: String,
    /// When it counts.
    pub(crate) at: Timestamp,
    /// Its headline, with that time.
    pub(crate) headline: Headline,
}

/// What a condition makes of a match.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum GroupResult {
    /// It is told to nobody, unless a later match fires.
    Held(ConditionProgress),
    /// The condition is met.
    Fired(Arc<PastFiring>),
    /// It is told by itself, because the condition was met before.
    Told,
    /// Its event was counted before, and it is told to nobody.
    Copy,
    /// A run would not match the story.
    NoNews,
}

/// A match that meets a condition.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PastFiring {
    /// When.
    pub(crate) at: Timestamp,
    /// How far the condition is met.
    pub(crate) progress: ConditionProgress,
    /// The number of stories that its message has.
    pub(crate) count: usize,
    /// The newest of them, oldest first.
    pub(crate) stories: Vec<Arc<MatchedStory>>,
}

/// A match of a rule with a condition.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct GroupMatchResult {
    /// The index of its name in [`Matcher::names`].
    pub(crate) place: usize,
    /// What the condition makes of it.
    pub(crate) result: GroupResult,
}

/// An absence that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToldAbsence {
    /// The index of the rule's name in [`Matcher::names`].
    pub(crate) place: usize,
    /// The last match, or the start of the backtest.
    pub(crate) since: Timestamp,
    /// When it is told.
    pub(crate) due: Timestamp,
}

/// What conditions make of one story.
#[derive(Debug, Default)]
pub(crate) struct StoryResults {
    /// The absences that are told before it.
    pub(crate) absences: Vec<ToldAbsence>,
    /// Its matches of rules with conditions.
    pub(crate) matches: Vec<GroupMatchResult>,
}

/// The groups of all rules with conditions.
pub(crate) struct Groups<'m> {
    matcher: &'m Matcher,
    zone: TimeZone,
    start: Timestamp,
    /// By the number of the rule, from its first match on.
    by_number: HashMap<usize, Group<'m>, RandomState>,
    /// The last matches of the rules that others name in `after`, by name.
    before: HashMap<&'m str, LastMatches, RandomState>,
    /// When absences may be due, with the numbers of their rules. A later match defers it.
    due: BinaryHeap<Reverse<(Timestamp, usize)>>,
}

struct Group<'m> {
    rule: &'m Rule,
    /// `None`: others name the rule in `after`.
    condition: Option<&'m Condition>,
    /// Whether others name it.
    is_named: bool,
    history: GroupHistory,
    /// The newest stories that are held in the window.
    held: VecDeque<Arc<MatchedStory>>,
    /// Whether it is among the absences that may be due.
    is_awaited: bool,
}

#[derive(Default)]
struct LastMatches {
    of_rule: Option<Timestamp>,
    /// By the ids of rows.
    of_rows: HashMap<String, Timestamp, RandomState>,
}

impl<'m> Groups<'m> {
    /// The groups of a backtest whose first story comes at `start`: absences begin then.
    pub(crate) fn new(matcher: &'m Matcher, zone: TimeZone, start: Timestamp) -> Self {
        let named = matcher.rules().filter_map(|(_, rule)| match &rule.settings.condition {
            Some(Condition::After { rule, .. }) => Some((&**rule, LastMatches::default())),
            _ => None,
        });
        let mut groups = Self {
            matcher,
            zone,
            start,
            by_number: HashMap::default(),
            before: named.collect(),
            due: BinaryHeap::new(),
        };
        for (number, rule) in matcher.rules().filter(|(_, rule)| rule.row().is_none()) {
            if let Some(Condition::Absent(absent)) = &rule.settings.condition {
                groups.await_absence(number, absent, start);
            }
        }
        groups
    }

    /// Decides about the matches of a story: those of rules with conditions, and of rules that
    /// others name in `after`, in the order of the rules. The absences until then are told before.
    pub(crate) fn add(
        &mut self,
        story: &Arc<MatchedStory>,
        sighting: &StorySighting,
        hits: &[GroupedHit],
        watch: &WatchedTime,
    ) -> Vec<GroupMatchResult> {
        let mut results = Vec::with_capacity(hits.len());
        for hit in hits {
            let Group { rule, condition, is_named, .. } = *self.group(hit.number);
            if let Some(condition) = condition {
                let result = if sighting.is_news {
                    self.decide((rule, condition), hit, story, sighting, watch)
                } else {
                    GroupResult::NoNews
                };
                results.push(GroupMatchResult { place: hit.place, result });
            }
            if is_named && sighting.is_news {
                self.note_before(rule, story.at);
            }
        }
        results
    }

    fn decide(
        &mut self,
        (rule, condition): (&Rule, &Condition),
        hit: &GroupedHit,
        story: &Arc<MatchedStory>,
        sighting: &StorySighting,
        watch: &WatchedTime,
    ) -> GroupResult {
        let publisher = &*sighting.publisher;
        let of_source = matches!(condition, Condition::First { key: FirstKey::Source, .. });
        let own = of_source.then(|| publisher.to_owned());
        let found = GroupMatch {
            at: story.at,
            event: Some(sighting.event),
            publisher,
            keys: if of_source { own.as_slice() } else { &hit.keys },
            before: self.last_before(rule, condition, story.at),
        };
        let group = self.group(hit.number);
        let Some(decision) = group.history.add(condition, &found, watch) else {
            return GroupResult::Copy;
        };
        let result = group.result(condition, decision, story);
        if let Condition::Absent(absent) = condition {
            self.await_absence(hit.number, absent, story.at);
        }
        result
    }

    /// The last match in the window of the rule that `after` names.
    fn last_before(&self, rule: &Rule, condition: &Condition, at: Timestamp) -> Option<Timestamp> {
        let Condition::After { rule: other, within, same_row } = condition else { return None };
        let last = self.before.get(&**other)?;
        let last = match rule.row() {
            Some(row) if *same_row => last.of_rows.get(&row.id).copied(),
            _ => last.of_rule,
        };
        let since = at.checked_sub(*within).ok();
        last.filter(|last| since.is_none_or(|since| *last > since))
    }

    fn note_before(&mut self, rule: &Rule, at: Timestamp) {
        let Some(last) = self.before.get_mut(rule.name()) else { return };
        last.of_rule = Some(at);
        if let Some(row) = rule.row() {
            last.of_rows.insert(row.id.clone(), at);
        }
    }

    /// The absences that are told until `at`, in the order of their times.
    pub(crate) fn tell_absences(&mut self, at: Timestamp) -> Vec<ToldAbsence> {
        let mut told = Vec::new();
        while let Some(Reverse((due, number))) = self.due.peek().copied()
            && due <= at
        {
            self.due.pop();
            let start = self.start;
            let group = self.group(number);
            let Some(Condition::Absent(absent)) = group.condition else { continue };
            let since = group.history.last_match().unwrap_or(start);
            group.is_awaited = false;
            match absent.due(since, &self.zone) {
                Some(now_due) if now_due > due => self.await_absence(number, absent, since),
                _ => {
                    self.group(number).history.tell_absence(since);
                    told.push(ToldAbsence { place: self.matcher.place(number), since, due });
                }
            }
        }
        told
    }

    /// Notes when an absence of the group is due if nothing matches it after `last`. If it is noted
    /// already, that is found out when it is due.
    fn await_absence(&mut self, number: usize, absent: &Absent, last: Timestamp) {
        if !self.group(number).is_awaited
            && let Some(due) = absent.due(last, &self.zone)
        {
            self.group(number).is_awaited = true;
            self.due.push(Reverse((due, number)));
        }
    }

    /// The group of the rule of this number.
    fn group(&mut self, number: usize) -> &mut Group<'m> {
        self.by_number.entry(number).or_insert_with(|| {
            let rule = self.matcher.rule(number).expect("numbers are those of the matcher");
            Group {
                rule,
                condition: rule.settings.condition.as_ref(),
                is_named: self.before.contains_key(rule.name()),
                history: GroupHistory::default(),
                held: VecDeque::new(),
                is_awaited: false,
            }
        })
    }
}

impl Group<'_> {
    /// What the decision about a match makes of the stories that are held.
    fn result(
        &mut self,
        condition: &Condition,
        decision: Decision,
        story: &Arc<MatchedStory>,
    ) -> GroupResult {
        let window = condition.has_episodes();
        let row = self.rule.row();
        match decision {
            Decision::Told => GroupResult::Told,
            Decision::Held(progress) => {
                if window {
                    self.hold(condition, story);
                }
                GroupResult::Held(progress.with_row(row))
            }
            Decision::Fired(progress) => {
                self.drop_old(condition, story.at);
                let mut stories: Vec<_> = self.held.drain(..).collect();
                stories.push(Arc::clone(story));
                let in_window = self.history.events_in_window(condition, story.at);
                let count = if window { in_window } else { 1 };
                let progress = progress.with_row(row);
                let firing = PastFiring { at: story.at, progress, count, stories };
                GroupResult::Fired(Arc::new(firing))
            }
        }
    }

    fn hold(&mut self, condition: &Condition, story: &Arc<MatchedStory>) {
        self.drop_old(condition, story.at);
        if self.held.len() == MOST_KEPT {
            self.held.pop_front();
        }
        self.held.push_back(Arc::clone(story));
    }

    /// Drops the stories that left the window that ends at `at`.
    fn drop_old(&mut self, condition: &Condition, at: Timestamp) {
        let since = condition.within().and_then(|within| at.checked_sub(within).ok());
        while self.held.front().is_some_and(|one| since.is_some_and(|since| one.at <= since)) {
            self.held.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
