//! Counts what a backtest finds. The size of the counts does not depend on the number of stories.

use std::collections::BTreeMap;
use std::time::Duration;

use super::batch::SourceStory;
use super::firings::{ConditionCounts, FiringChange, NamedFirings, count_results};
use super::groups::StoryResults;
use super::headline::Headline;
use super::matching::Hits;

/// The number of headlines that are kept for each count: the newest.
const HEADLINES: usize = 3;

/// The counts over all stories.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Stories that were matched.
    pub(crate) stories: usize,
    /// Stories that any rule matched.
    pub(crate) matched: usize,
    /// The stories that each rule matched, in the order of the names of the rules.
    pub(crate) rules: Vec<StoryCount>,
    /// The changes by other rules, by the name of the rule. Rules without a change are left out.
    pub(crate) changes: BTreeMap<String, Change>,
    /// What conditions made of matches.
    pub(crate) conditions: ConditionCounts,
    /// The changes of firings by other rules, by the name of the rule.
    pub(crate) firing_changes: BTreeMap<String, FiringChange>,
    /// Lines that were no stories.
    pub(crate) faulty: usize,
    /// The time of matching, without reading and printing.
    pub(crate) matching: Duration,
}

/// What other rules would change about the matches of one rule.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// Stories that only the other version matches.
    pub(crate) adds: StoryCount,
    /// Stories that only this version matches.
    pub(crate) drops: StoryCount,
}

/// The rules whose match of one story changes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Differences<'n> {
    /// The names of the rules that match it newly.
    pub(crate) adds: Vec<&'n str>,
    /// The names of the rules that no longer match it.
    pub(crate) drops: Vec<&'n str>,
}

/// Stories, counted, with the headlines of the newest.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct StoryCount {
    /// How many.
    pub(crate) count: usize,
    /// The newest headlines, newest first. Undated headlines are last. If two have the same date,
    /// the one that was read later is first.
    pub(crate) newest: Vec<Headline>,
}

impl Tally {
    /// Empty counts for this number of rules.
    pub(crate) fn new(rules: usize) -> Self {
        Self {
            rules: std::iter::repeat_with(StoryCount::default).take(rules).collect(),
            ..Self::default()
        }
    }

    /// Counts a story that these rules matched.
    pub(crate) fn add_story(&mut self, entry: &SourceStory, hits: &Hits) {
        self.stories += 1;
        self.matched += usize::from(!hits.is_empty());
        for place in hits {
            self.rules[*place].add(entry);
        }
    }

    /// Counts what other rules would change about a story.
    pub(crate) fn add_changes(&mut self, entry: &SourceStory, changes: &Differences<'_>) {
        for name in &changes.adds {
            self.change_of_rule(name).adds.add(entry);
        }
        for name in &changes.drops {
            self.change_of_rule(name).drops.add(entry);
        }
    }

    /// Counts what conditions make of a story.
    pub(crate) fn add_results(&mut self, results: &StoryResults) {
        count_results(&mut self.conditions, results);
    }

    /// Counts what other rules would change about the firings at a story.
    pub(crate) fn add_firing_changes(&mut self, adds: &NamedFirings<'_>, drops: &NamedFirings<'_>) {
        for (name, firing) in adds {
            self.firing_changes.entry((*name).to_owned()).or_default().adds.add(firing.clone());
        }
        for (name, firing) in drops {
            self.firing_changes.entry((*name).to_owned()).or_default().drops.add(firing.clone());
        }
    }

    /// The numbers of firings that other rules would add and drop.
    pub(crate) fn firing_change_counts(&self) -> (usize, usize) {
        self.firing_changes
            .values()
            .fold((0, 0), |(adds, drops), it| (adds + it.adds.count, drops + it.drops.count))
    }

    fn change_of_rule(&mut self, name: &str) -> &mut Change {
        self.changes.entry(name.to_owned()).or_default()
    }

    /// The number of matches of all rules.
    pub(crate) fn match_count(&self) -> usize {
        self.rules.iter().map(|found| found.count).sum()
    }

    /// The numbers of matches that other rules would add and drop.
    pub(crate) fn change_counts(&self) -> (usize, usize) {
        self.changes
            .values()
            .fold((0, 0), |(adds, drops), it| (adds + it.adds.count, drops + it.drops.count))
    }

    /// The time of matching alone, in microseconds for each story; 0 without stories.
    pub(crate) fn micros_per_story(&self) -> f64 {
        let stories = u32::try_from(self.stories).unwrap_or(u32::MAX);
        self.matching.as_secs_f64() * 1e6 / f64::from(stories.max(1))
    }
}

impl StoryCount {
    fn add(&mut self, entry: &SourceStory) {
        self.count += 1;
        let date = Headline::date_of(entry);
        let place = self.newest.partition_point(|other| other.date > date);
        if place < HEADLINES {
            self.newest.insert(place, Headline::of(entry));
            self.newest.truncate(HEADLINES);
        }
    }
}

/// The names only in `then`, and the names only in `now`. All lists are sorted.
pub(crate) fn find_differences<'n>(now: &[&'n str], then: &[&'n str]) -> Differences<'n> {
    let lacks = |list: &[&str], name: &str| list.binary_search(&name).is_err();
    let adds = then.iter().filter(|name| lacks(now, name)).copied().collect();
    let drops = now.iter().filter(|name| lacks(then, name)).copied().collect();
    Differences { adds, drops }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use tidings_rules::story::Story;

    fn entry(title: &str, published: Option<i64>) -> SourceStory {
        let at = |second| Timestamp::from_second(second).unwrap();
        let story = Story {
            title: title.to_owned(),
            body: "The text.".to_owned(),
            url: None,
            published: published.map(at),
            first_seen: at(0),
            lang: None,
            authors: vec![],
            tags: vec![],
            source: None,
        };
        SourceStory { id: String::new(), story, carriers: None }
    }

    fn newest(entries: &[(&str, Option<i64>)]) -> Vec<String> {
        let mut found = StoryCount::default();
        for (title, published) in entries {
            found.add(&entry(title, *published));
        }
        assert_eq!(found.count, entries.len());
        found.newest.into_iter().map(|headline| headline.title).collect()
    }

    #[test]
    fn the_newest_headlines_are_kept_newest_first() {
        assert_eq!(
            newest(&[("a", Some(3)), ("b", Some(9)), ("c", None), ("d", Some(5)), ("e", Some(1))]),
            ["b", "d", "a"]
        );
        assert_eq!(newest(&[("a", None), ("b", None), ("c", None), ("d", None)]), ["d", "c", "b"]);
        assert_eq!(newest(&[(" ", None)]), ["The text."]);
    }

    #[test]
    fn a_headline_is_kept_no_longer_than_a_person_reads() {
        assert_eq!(newest(&[(&"é".repeat(10_000), None)])[0].chars().count(), 300);
    }

    #[test]
    fn stories_matches_and_changes_are_counted() {
        let mut tally = Tally::new(2);
        for (hits, adds, drops) in [
            (vec![0, 1], vec![], vec!["a"]),
            (vec![], vec!["b"], vec![]),
            (vec![1], vec![], vec![]),
        ] {
            tally.add_story(&entry("x", None), &hits);
            tally.add_changes(&entry("x", None), &Differences { adds, drops });
        }
        assert_eq!((tally.stories, tally.matched, tally.match_count()), (3, 2, 3));
        assert_eq!(tally.change_counts(), (1, 1));
        assert_eq!(tally.changes.keys().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn the_time_of_a_story_is_its_share_of_matching() {
        let tally = Tally { stories: 4, matching: Duration::from_millis(2), ..Tally::default() };
        assert!((tally.micros_per_story() - 500.0).abs() < 1e-6);
        assert!(Tally::default().micros_per_story().abs() < 1e-6);
    }

    #[test]
    fn differences_are_what_one_side_has_alone() {
        assert_eq!(
            find_differences(&["a", "b"], &["b", "c"]),
            Differences { adds: vec!["c"], drops: vec!["a"] }
        );
        assert_eq!(find_differences(&[], &[]), Differences { adds: vec![], drops: vec![] });
    }
}
