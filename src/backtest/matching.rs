//! Matches rules or one expression against a batch of stories.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use rayon::prelude::*;

use super::batch::SourceStory;
use crate::rule_files;
use tidings_rules::condition::Condition;
use tidings_rules::fault::Fault;
use tidings_rules::story::WatchlistRow;
use tidings_rules::{Carrier, Query, Rule, RuleConfig, Rules};

/// The rules that matched one story, as ascending indices of [`Matcher::names`].
pub(crate) type Hits = Vec<usize>;

/// What matched one story.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct StoryMatches {
    /// All rules that matched.
    pub(crate) hits: Hits,
    /// The rules with conditions among them, and those that other rules name in `after`, in the
    /// order of the rules.
    pub(crate) grouped: Vec<GroupedHit>,
}

/// A match of a rule that takes part in conditions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct GroupedHit {
    /// The number of the rule.
    pub(crate) number: usize,
    /// The index of its name in [`Matcher::names`].
    pub(crate) place: usize,
    /// What its `first` looks for.
    pub(crate) keys: Vec<String>,
}

/// The rules or the expression that stories are matched against.
#[derive(Debug)]
pub(crate) struct Matcher {
    /// The names of the rules, sorted. A rule with `each` has one name for each row. An expression
    /// is its own name.
    pub(crate) names: Vec<String>,
    /// The rule and the row of each name that has a row.
    pub(crate) rows: HashMap<String, (String, WatchlistRow)>,
    /// The index in `names` for the number of each rule.
    places: Vec<usize>,
    /// How the rule of each number takes part in conditions. Empty if none does.
    roles: Vec<ConditionRole>,
    target: MatchTarget,
}

/// How a rule takes part in conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConditionRole {
    /// It has none, and no other rule names it in one.
    Bystander,
    /// It has one that does not look for keys, or another rule names it.
    Member,
    /// It has `first`, which looks for keys.
    Keyed,
}

#[derive(Debug)]
enum MatchTarget {
    /// Rules, with feeds that pass every feed filter of the rules.
    Rules(Box<Rules>, Vec<Carrier>),
    Expression(Query),
}

/// Why the rules or the expression cannot be used.
pub(crate) enum LoadError {
    /// The rules or the expression have errors; they are among the faults.
    Broken,
    /// A folder or file cannot be read. The text is a sentence that names it.
    Unreadable(String),
}

impl Matcher {
    /// Loads the rules of a file or folder. `config` is what they read of a configuration.
    pub(crate) fn from_rule_files(
        path: &Path,
        config: Option<&RuleConfig>,
        faults: &mut Vec<Fault>,
    ) -> Result<Self, LoadError> {
        let files = rule_files::read_rule_files(path).map_err(LoadError::Unreadable)?;
        let rules = Rules::load(&rule_files::rule_texts(&files), config, faults)
            .ok_or(LoadError::Broken)?;
        Ok(Self::of_rules(rules))
    }

    /// Matches stories against these rules.
    pub(crate) fn of_rules(rules: Rules) -> Self {
        let (names, places) = sort_names(rules.iter().map(|rule| rule.title()).collect());
        let rows = rules
            .iter()
            .filter_map(|rule| Some((rule.title(), (rule.name().to_owned(), rule.row()?.clone()))));
        let rows = rows.collect();
        let every = rules.every_carrier();
        let by_number = condition_roles(&rules);
        let target = MatchTarget::Rules(Box::new(rules), every);
        Self { names, rows, places, roles: by_number, target }
    }

    /// Compiles one expression.
    pub(crate) fn from_expression(
        expression: &str,
        rules: Option<&Path>,
        faults: &mut Vec<Fault>,
    ) -> Result<Self, LoadError> {
        let query = rule_files::parse_query(expression, rules, faults)
            .map_err(LoadError::Unreadable)?
            .ok_or(LoadError::Broken)?;
        Ok(Self {
            names: vec![expression.to_owned()],
            rows: HashMap::new(),
            places: vec![0],
            roles: Vec::new(),
            target: MatchTarget::Expression(query),
        })
    }

    /// Whether any rule has a condition.
    pub(crate) fn has_conditions(&self) -> bool {
        !self.roles.is_empty()
    }

    /// Whether the rule of each name has a condition.
    pub(crate) fn places_with_conditions(&self) -> impl Iterator<Item = usize> {
        let with = self.rules().filter(|(_, rule)| rule.settings.condition.is_some());
        with.map(|(number, _)| self.place(number))
    }

    /// The rules. An expression has none.
    pub(crate) fn rule_set(&self) -> Option<&Rules> {
        match &self.target {
            MatchTarget::Rules(rules, _) => Some(rules),
            MatchTarget::Expression(_) => None,
        }
    }

    /// The rules with their numbers, in the order of their names. An expression has none.
    pub(crate) fn rules(&self) -> impl Iterator<Item = (usize, &Rule)> {
        self.rule_set().into_iter().flat_map(Rules::iter).map(|rule| &**rule).enumerate()
    }

    /// The rule of this number.
    pub(crate) fn rule(&self, number: usize) -> Option<&Rule> {
        self.rule_set()?.iter().nth(number).map(|rule| &**rule)
    }

    /// The index in `names` for the rule of this number.
    pub(crate) fn place(&self, number: usize) -> usize {
        self.places[number]
    }

    /// Returns what matches each of `stories`, in their order. Uses the threads of the current
    /// pool.
    pub(crate) fn match_stories(&self, stories: &[SourceStory]) -> Vec<StoryMatches> {
        stories.par_iter().map(|entry| self.match_story(entry)).collect()
    }

    /// Returns what matches one story.
    pub(crate) fn match_story(&self, entry: &SourceStory) -> StoryMatches {
        let mut matches = StoryMatches::default();
        match &self.target {
            MatchTarget::Rules(rules, every) => {
                let carriers = entry.carriers.as_ref().unwrap_or(every);
                let mut scanner = rules.scanner();
                for (number, _) in scanner.scan(&entry.story, carriers) {
                    let place = self.places[number];
                    matches.hits.push(place);
                    if self.roles.get(number).is_some_and(|role| *role != ConditionRole::Bystander)
                    {
                        matches.grouped.push(GroupedHit { number, place, keys: Vec::new() });
                    }
                }
                let is_keyed =
                    |hit: &&mut GroupedHit| self.roles[hit.number] == ConditionRole::Keyed;
                for hit in matches.grouped.iter_mut().filter(is_keyed) {
                    let rule = self.rule(hit.number).expect("the number is of a rule");
                    hit.keys = scanner.first_keys(rule, &entry.story, carriers);
                }
                matches.hits.sort_unstable();
            }
            MatchTarget::Expression(query) => {
                let carriers = entry.carriers.as_deref().unwrap_or_default();
                matches.hits.extend(query.holds(&entry.story, carriers).then_some(0));
            }
        }
        matches
    }
}

/// How the rule of each number takes part in conditions. Empty if there are none.
fn condition_roles(rules: &Rules) -> Vec<ConditionRole> {
    let conditions = || rules.iter().filter_map(|rule| rule.settings.condition.as_ref());
    if conditions().next().is_none() {
        return Vec::new();
    }
    let named: HashSet<&str> = conditions()
        .filter_map(|condition| match condition {
            Condition::After { rule, .. } => Some(rule.as_str()),
            _ => None,
        })
        .collect();
    let role = |rule: &Rule| match &rule.settings.condition {
        Some(Condition::First { .. }) => ConditionRole::Keyed,
        Some(_) => ConditionRole::Member,
        None if named.contains(rule.name()) => ConditionRole::Member,
        None => ConditionRole::Bystander,
    };
    rules.iter().map(|rule| role(rule)).collect()
}

/// `names` in order, and the new index of each.
fn sort_names(names: Vec<String>) -> (Vec<String>, Vec<usize>) {
    let mut numbers: Vec<usize> = (0..names.len()).collect();
    numbers.sort_by(|one, other| names[*one].cmp(&names[*other]));
    let mut places = vec![0; names.len()];
    numbers.iter().enumerate().for_each(|(place, number)| places[*number] = place);
    let mut names = names;
    names.sort();
    (names, places)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;

    use super::*;
    use tidings_rules::story::{FeedName, Story};

    fn entry(title: &str, carriers: Option<Vec<Carrier>>) -> SourceStory {
        let story = Story {
            title: title.to_owned(),
            body: String::new(),
            url: None,
            published: None,
            first_seen: Timestamp::UNIX_EPOCH,
            lang: None,
            authors: vec![],
            tags: vec![],
            source: None,
        };
        SourceStory { id: String::new(), story, carriers }
    }

    fn matcher(text: &str) -> Matcher {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rules.yaml"), text).unwrap();
        let mut faults = Vec::new();
        Matcher::from_rule_files(folder.path(), None, &mut faults)
            .ok()
            .unwrap_or_else(|| panic!("{faults:?}"))
    }

    fn hits(matcher: &Matcher, stories: &[SourceStory]) -> Vec<Hits> {
        matcher.match_stories(stories).into_iter().map(|matches| matches.hits).collect()
    }

    const FILTERED: &str = "rules:\n  - {name: c, when: arms}\n  - {name: a, when: arms, feeds: [Wire]}\n  - {name: b, when: arms, feeds: [\"tag:asia\"]}\n";

    #[test]
    fn a_story_without_feeds_is_matched_as_if_every_feed_carried_it_and_others_by_their_own() {
        let matcher = matcher(FILTERED);
        let wire = Carrier { name: FeedName("Wire".to_owned()), tags: BTreeSet::new() };
        let stories = [
            entry("arms", None),
            entry("arms", Some(vec![wire])),
            entry("arms", Some(vec![])),
            entry("", None),
        ];
        let expected = [vec![0, 1, 2], vec![0, 2], vec![2], vec![]];
        assert_eq!(matcher.names, ["a", "b", "c"]);
        assert_eq!(hits(&matcher, &stories), expected);
    }

    #[test]
    fn an_expression_is_called_by_itself_and_needs_no_feed() {
        let matcher = Matcher::from_expression("arms", None, &mut Vec::new()).ok().unwrap();
        assert_eq!(matcher.names, ["arms"]);
        assert_eq!(
            hits(&matcher, &[entry("arms", Some(vec![])), entry("farms", None)]),
            [vec![0], vec![]]
        );
    }

    #[test]
    fn broken_rules_and_unreadable_folders_are_different_errors() {
        let mut faults = Vec::new();
        let broken = Matcher::from_expression("(arms", None, &mut faults);
        assert!(matches!(broken, Err(LoadError::Broken)));
        assert_eq!(faults.len(), 1);
        let gone = Matcher::from_rule_files(Path::new("/no/such/folder"), None, &mut faults);
        assert!(matches!(gone, Err(LoadError::Unreadable(why)) if why.contains("/no/such/folder")));
    }
}
