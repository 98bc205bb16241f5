//! The conditions of one or two sets of rules over the stories of a backtest, in their order.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::batch::SourceStory;
use super::groups::{Groups, MatchedStory, StoryResults};
use super::headline::Headline;
use super::matching::{Matcher, StoryMatches};
use super::sightings::StorySighting;
use super::source::{SourceError, StorySource};
use super::watch::PastWatch;
use tidings_rules::condition::{Publishers, WatchedTime};

/// What a backtest with conditions knows beside its stories.
pub(crate) struct ConditionSetting {
    /// The zone of the hours of `absent`.
    pub(crate) zone: TimeZone,
    /// The names of publishers.
    pub(crate) publishers: Publishers,
    /// When feeds were watched.
    pub(crate) watch: PastWatch,
}

/// The results for the stories of a batch: of the first set of rules, and of the other.
pub(crate) type BatchResults = (Vec<StoryResults>, Option<Vec<StoryResults>>);

/// The conditions of all rules of a backtest.
pub(crate) struct ConditionTrial<'m> {
    base: &'m Matcher,
    other: Option<&'m Matcher>,
    setting: ConditionSetting,
    clock: StoryClock,
    /// From the first story on.
    begun: Option<BegunTrial<'m>>,
}

/// The conditions from the first story on.
struct BegunTrial<'m> {
    /// Since then all rules are known.
    watch: WatchedTime,
    /// The time of the last story.
    last: Timestamp,
    base: Groups<'m>,
    other: Option<Groups<'m>>,
}

/// The times at which stories count. They never go back.
#[derive(Debug, Default)]
struct StoryClock {
    now: Option<Timestamp>,
    /// The stories that have no date, or are older than the one before them.
    late: usize,
}

impl StoryClock {
    /// When stories count: when they were first seen; of a file, when they were published. A story
    /// without a date, or one that is older than the story before it, counts at the time of that
    /// one. Those before the first with a date count at its time; without any date, now.
    fn times_of(&mut self, stories: &[SourceStory]) -> Vec<Timestamp> {
        let first = stories.iter().find_map(date);
        stories
            .iter()
            .map(|entry| {
                let own = date(entry);
                let now = own.max(self.now).or(first).unwrap_or(entry.story.first_seen);
                self.late += usize::from(own != Some(now));
                self.now = Some(now);
                now
            })
            .collect()
    }
}

/// The date of a story: when it was first seen; of a file, when it was published.
fn date(entry: &SourceStory) -> Option<Timestamp> {
    let has_date = entry.carriers.is_some() || entry.story.published.is_some();
    has_date.then_some(entry.story.first_seen)
}

impl<'m> ConditionTrial<'m> {
    /// A trial of the rules of `base`, and of `other` if there are others to compare with. `None`
    /// if no rule has a condition.
    pub(crate) fn new(
        base: &'m Matcher,
        other: Option<&'m Matcher>,
        setting: ConditionSetting,
    ) -> Option<Self> {
        let has_conditions = base.has_conditions() || other.is_some_and(Matcher::has_conditions);
        has_conditions.then(|| Self {
            base,
            other,
            setting,
            clock: StoryClock::default(),
            begun: None,
        })
    }

    /// The stories so far that have no date, or are older than the one before them.
    pub(crate) fn late_stories(&self) -> usize {
        self.clock.late
    }

    /// Decides about the matches of these stories.
    pub(crate) fn decide(
        &mut self,
        source: &mut StorySource,
        stories: &[SourceStory],
        base: &[StoryMatches],
        other: Option<&[StoryMatches]>,
    ) -> Result<BatchResults, SourceError> {
        let times = self.clock.times_of(stories);
        let is_grouped = |place: usize| {
            let has = |matches: &[StoryMatches]| !matches[place].grouped.is_empty();
            has(base) || other.is_some_and(has)
        };
        let grouped: Vec<usize> = (0..stories.len()).filter(|place| is_grouped(*place)).collect();
        let wanted: Vec<_> =
            grouped.iter().map(|place| (&stories[*place], times[*place])).collect();
        let sightings = source.sightings(&wanted, &self.setting.publishers)?;
        let mut sighted = grouped.iter().copied().zip(sightings).peekable();
        let mut results = (Vec::with_capacity(stories.len()), other.map(|_| Vec::new()));
        for (place, entry) in stories.iter().enumerate() {
            let at = times[place];
            let found = sighted.next_if(|(next, _)| *next == place).map(|(_, sighting)| {
                let headline = Headline { date: Some(at), ..Headline::of(entry) };
                (Arc::new(MatchedStory { id: entry.id.clone(), at, headline }), sighting)
            });
            let begun = self.begun_at(at);
            let own = begun.base.results(at, found.as_ref(), &base[place], &begun.watch);
            results.0.push(own);
            if let (Some(groups), Some(other), Some(results)) =
                (&mut begun.other, other, &mut results.1)
            {
                results.push(groups.results(at, found.as_ref(), &other[place], &begun.watch));
            }
        }
        Ok(results)
    }

    /// The absences that are told after the last story, until `until`. `None`: until that story.
    pub(crate) fn finish(
        &mut self,
        until: Option<Timestamp>,
    ) -> (StoryResults, Option<StoryResults>) {
        let Some(BegunTrial { last, base, other, .. }) = &mut self.begun else {
            return Default::default();
        };
        let until = until.map_or(*last, |until| until.max(*last));
        let results = |groups: &mut Groups<'_>| StoryResults {
            absences: groups.tell_absences(until),
            matches: Vec::new(),
        };
        (results(base), other.as_mut().map(results))
    }

    /// The trial when a story comes at `at`. It begins with the first.
    fn begun_at(&mut self, at: Timestamp) -> &mut BegunTrial<'m> {
        let ConditionSetting { zone, watch, .. } = &self.setting;
        let begun = self.begun.get_or_insert_with(|| {
            let groups = |matcher| Groups::new(matcher, zone.clone(), at);
            let (base, other) = (groups(self.base), self.other.map(groups));
            BegunTrial { watch: watch.begin(at), last: at, base, other }
        });
        watch.note(&mut begun.watch, begun.last, at);
        begun.last = at;
        begun
    }
}

impl Groups<'_> {
    fn results(
        &mut self,
        at: Timestamp,
        found: Option<&(Arc<MatchedStory>, StorySighting)>,
        matches: &StoryMatches,
        watch: &WatchedTime,
    ) -> StoryResults {
        let absences = self.tell_absences(at);
        let matches =
            found.map(|(story, sighting)| self.add(story, sighting, &matches.grouped, watch));
        StoryResults { absences, matches: matches.unwrap_or_default() }
    }
}
