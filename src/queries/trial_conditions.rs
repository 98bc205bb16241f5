//! What the conditions of tried rules would make of their matches.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::trial::Trial;
use crate::backtest::batch::SourceStory;
use crate::backtest::firings::{ConditionCount, ConditionCounts, count_results};
use crate::backtest::groups::{Groups, MatchedStory, StoryResults};
use crate::backtest::headline::Headline;
use crate::backtest::matching::{GroupedHit, Matcher};
use crate::backtest::sightings::StorySighting;
use crate::backtest::watch::PastWatch;
use crate::config::Config;
use crate::store::{Archive, StoreError};
use tidings_rules::Carrier;
use tidings_rules::story::Story;

/// What conditions make of the matches of a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConditionOutcome {
    /// How often a condition is met, or an absence is told.
    pub firings: usize,
    /// Matches that would be told.
    pub told: usize,
    /// Matches that would be held.
    pub held: usize,
    /// Matches that count for nothing: copies, and stories that were no news.
    pub uncounted: usize,
}

/// The matches of rules with conditions among the stories that were tried.
#[derive(Debug, Default)]
pub struct ConditionMatches {
    /// The newest first.
    matches: Vec<(Arc<MatchedStory>, Vec<GroupedHit>)>,
    /// When the oldest story that was tried was first seen.
    oldest: Option<Timestamp>,
}

impl ConditionMatches {
    /// Adds the next older story, which `carriers` carried.
    pub fn add(&mut self, trial: &Trial, uid: &str, story: &Story, carriers: &[Carrier]) {
        let Some(matcher) = trial.conditional() else { return };
        self.oldest = Some(story.first_seen);
        let entry = SourceStory {
            id: uid.to_owned(),
            story: story.clone(),
            carriers: Some(carriers.to_vec()),
        };
        let grouped = matcher.match_story(&entry).grouped;
        if !grouped.is_empty() {
            let (at, headline) = (story.first_seen, Headline::of(&entry));
            self.matches.push((Arc::new(MatchedStory { id: entry.id, at, headline }), grouped));
        }
    }

    /// What the conditions of `trial` make of them until `now`, with what the store knows of their
    /// events. `None`: it has no conditions.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn decide(
        self,
        trial: &Trial,
        archive: &mut Archive,
        config: &Config,
        now: Timestamp,
    ) -> Result<Option<ConditionOutcome>, StoreError> {
        let Some((matcher, start)) = trial.conditional().zip(self.oldest) else { return Ok(None) };
        let ids: Vec<&str> = self.matches.iter().map(|(story, _)| story.id.as_str()).collect();
        let sightings = archive.sightings(&ids).await?;
        let watch = PastWatch::Stored(archive.watched_slots(start).await?).begin(start);
        let mut groups = Groups::new(matcher, TimeZone::clone(&config.zone), start);
        let mut counts = ConditionCounts::default();
        for (story, hits) in self.matches.iter().rev() {
            let sighting = sightings.get(&story.id).map_or_else(StorySighting::of_deleted, |one| {
                StorySighting::of_stored(one, &config.publishers)
            });
            let absences = groups.tell_absences(story.at);
            let results = groups.add(story, &sighting, hits, &watch);
            count_results(&mut counts, &StoryResults { absences, matches: results });
        }
        let absences = groups.tell_absences(now);
        count_results(&mut counts, &StoryResults { absences, matches: Vec::new() });
        Ok(Some(sum(counts.values())))
    }
}

impl Trial {
    /// Its rules, if any has a condition.
    fn conditional(&self) -> Option<&Matcher> {
        self.matcher().filter(|matcher| matcher.has_conditions())
    }
}

fn sum<'c>(counts: impl Iterator<Item = &'c ConditionCount>) -> ConditionOutcome {
    counts.fold(ConditionOutcome::default(), |mut sum, count| {
        sum.firings += count.firings.count;
        sum.told += count.told;
        sum.held += count.held;
        sum.uncounted += count.copies + count.no_news;
        sum
    })
}
