//! Counts what conditions make of the matches of a backtest. The size of the counts does not depend
//! on the number of stories.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;
use jiff::Timestamp;

use super::groups::{GroupResult, PastFiring, StoryResults, ToldAbsence};
use super::headline::Headline;
use tidings_rules::condition::ConditionProgress;

/// What conditions made of matches, by the index of the name of the rule.
pub(crate) type ConditionCounts = HashMap<usize, ConditionCount, RandomState>;

/// The number of firings that are kept for each count: the newest.
const FIRINGS: usize = 3;

/// The number of headlines that are kept for each firing: the newest.
const HEADLINES: usize = 3;

/// What the condition of a rule made of its matches.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ConditionCount {
    /// Matches that are told, in the message of a firing or by themselves.
    pub(crate) told: usize,
    /// Matches that are told to nobody.
    pub(crate) held: usize,
    /// Matches that came while the usual rate was not known.
    pub(crate) learning: usize,
    /// Matches whose event was counted before.
    pub(crate) copies: usize,
    /// Matches that a run would not make.
    pub(crate) no_news: usize,
    /// How often the condition is met, or an absence is told and ends.
    pub(crate) firings: FiringCount,
}

/// Firings and ends of absences, counted, with the newest.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FiringCount {
    /// How many firings.
    pub(crate) count: usize,
    /// How many matches that end an absence.
    pub(crate) ends: usize,
    /// The newest of both, oldest first.
    pub(crate) newest: VecDeque<RuleFiring>,
}

/// A firing, as far as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShownFiring {
    /// When.
    pub(crate) at: Timestamp,
    /// How far the condition is met, in words. `None`: nothing matched since that time.
    pub(crate) progress: Result<String, Timestamp>,
    /// The newest stories of its message, newest first.
    pub(crate) stories: Vec<Headline>,
    /// How many stories the message has more.
    pub(crate) more: usize,
}

/// What other rules would change about the firings of one rule.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FiringChange {
    /// Firings of the other version only.
    pub(crate) adds: FiringCount,
    /// Firings of this version only.
    pub(crate) drops: FiringCount,
}

/// A firing of a rule at one story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RuleFiring {
    /// A match meets the condition.
    Match(Arc<PastFiring>),
    /// An absence is told.
    Absence(ToldAbsence),
}

/// The firings at one story, each with the name of its rule.
pub(crate) type NamedFirings<'r> = Vec<(&'r str, RuleFiring)>;

/// The firings at one story. `names`: those of the matcher.
pub(crate) fn firings<'r>(results: &'r StoryResults, names: &'r [String]) -> NamedFirings<'r> {
    let absences = results
        .absences
        .iter()
        .map(|absence| (names[absence.place].as_str(), RuleFiring::Absence(absence.clone())));
    let matches = results.matches.iter().filter_map(|one| match &one.result {
        GroupResult::Fired(firing) => {
            Some((names[one.place].as_str(), RuleFiring::Match(Arc::clone(firing))))
        }
        _ => None,
    });
    absences.chain(matches).collect()
}

/// The firings that only `other` has. All are those at one story.
pub(crate) fn only_in<'r>(
    other: &NamedFirings<'r>,
    firings: &NamedFirings<'_>,
) -> NamedFirings<'r> {
    let is_in = |(name, firing): &(&str, RuleFiring)| {
        firings.iter().any(|(known, one)| known == name && one.is_same(firing))
    };
    other.iter().filter(|one| !is_in(one)).cloned().collect()
}

impl RuleFiring {
    /// Whether both are one firing of two versions of a rule, at the same story.
    fn is_same(&self, other: &RuleFiring) -> bool {
        match (self, other) {
            (Self::Match(_), RuleFiring::Match(_)) => true,
            (Self::Absence(one), RuleFiring::Absence(other)) => one.due == other.due,
            _ => false,
        }
    }

    /// Whether it is the match that ends an absence. The absence was counted when it was told.
    fn ends_absence(&self) -> bool {
        match self {
            Self::Match(firing) => matches!(firing.progress, ConditionProgress::Present(_)),
            Self::Absence(_) => false,
        }
    }

    /// What is shown of it.
    pub(crate) fn shown(&self) -> ShownFiring {
        match self {
            Self::Match(firing) => {
                let newest = firing.stories.iter().rev().take(HEADLINES);
                let stories: Vec<Headline> = newest.map(|story| story.headline.clone()).collect();
                let more = firing.count - stories.len();
                let progress = Ok(firing.progress.to_string());
                ShownFiring { at: firing.at, progress, stories, more }
            }
            Self::Absence(absence) => ShownFiring {
                at: absence.due,
                progress: Err(absence.since),
                stories: Vec::new(),
                more: 0,
            },
        }
    }
}

impl FiringCount {
    /// Counts a firing, or the end of an absence, which is the newest.
    pub(crate) fn add(&mut self, firing: RuleFiring) {
        let is_end = firing.ends_absence();
        self.ends += usize::from(is_end);
        self.count += usize::from(!is_end);
        if self.newest.len() == FIRINGS {
            self.newest.pop_front();
        }
        self.newest.push_back(firing);
    }
}

/// Counts the results of one story.
pub(crate) fn count_results(counts: &mut ConditionCounts, results: &StoryResults) {
    for absence in &results.absences {
        let count = counts.entry(absence.place).or_default();
        count.firings.add(RuleFiring::Absence(absence.clone()));
    }
    for one in &results.matches {
        counts.entry(one.place).or_default().add(&one.result);
    }
}

impl ConditionCount {
    fn add(&mut self, result: &GroupResult) {
        match result {
            GroupResult::Held(progress) => {
                self.held += 1;
                self.learning += usize::from(*progress == ConditionProgress::Learning);
            }
            GroupResult::Fired(firing) => {
                // The others of its message were held.
                self.held -= firing.count - 1;
                self.told += firing.count;
                self.firings.add(RuleFiring::Match(Arc::clone(firing)));
            }
            GroupResult::Told => self.told += 1,
            GroupResult::Copy => self.copies += 1,
            GroupResult::NoNews => self.no_news += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidings_rules::condition::FirstKey;

    #[test]
    fn an_absence_and_the_match_that_ends_it_are_one_firing() {
        let at = Timestamp::UNIX_EPOCH;
        let meets = |progress| {
            let firing = PastFiring { at, progress, stories: Vec::new(), count: 1 };
            RuleFiring::Match(Arc::new(firing))
        };
        let mut firings = FiringCount::default();
        firings.add(RuleFiring::Absence(ToldAbsence { place: 0, since: at, due: at }));
        firings.add(meets(ConditionProgress::Present(at)));
        firings.add(meets(ConditionProgress::New(FirstKey::Tag, Vec::new())));
        assert_eq!((firings.count, firings.ends, firings.newest.len()), (2, 1, 3));
    }
}
