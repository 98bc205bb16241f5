//! Matches rules or one expression against a batch of stories.

use std::collections::HashMap;
use std::path::Path;

use rayon::prelude::*;

use super::batch::SourceStory;
use crate::rule_files;
use tidings_rules::fault::Fault;
use tidings_rules::story::WatchlistRow;
use tidings_rules::{Carrier, Query, Rules};

/// The rules that matched one story, as ascending indices of [`Matcher::names`].
pub(crate) type Hits = Vec<usize>;

/// The rules or the expression that stories are matched against.
pub(crate) struct Matcher {
    /// The names of the rules, sorted. A rule with `each` has one name for each row. An expression
    /// is its own name.
    pub(crate) names: Vec<String>,
    /// The rule and the row of each name that has a row.
    pub(crate) rows: HashMap<String, (String, WatchlistRow)>,
    /// The index in `names` for the number of each rule.
    places: Vec<usize>,
    target: MatchTarget,
}

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
    /// Loads the rules of a file or folder. Names of notifiers and feeds are not checked, so no
    /// configuration is needed.
    pub(crate) fn from_rule_files(path: &Path, faults: &mut Vec<Fault>) -> Result<Self, LoadError> {
        let files = rule_files::read_rule_files(path).map_err(LoadError::Unreadable)?;
        let rules =
            Rules::load(&rule_files::rule_texts(&files), None, faults).ok_or(LoadError::Broken)?;
        let (names, places) = sort_names(rules.iter().map(|rule| rule.title()).collect());
        let rows = rules
            .iter()
            .filter_map(|rule| Some((rule.title(), (rule.name().to_owned(), rule.row()?.clone()))));
        let rows = rows.collect();
        let every = rules.every_carrier();
        Ok(Self { names, rows, places, target: MatchTarget::Rules(Box::new(rules), every) })
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
            target: MatchTarget::Expression(query),
        })
    }

    /// Returns the rules that match each of `stories`, in their order. Uses the threads of the
    /// current pool.
    pub(crate) fn match_stories(&self, stories: &[SourceStory]) -> Vec<Hits> {
        stories.par_iter().map(|entry| self.match_story(entry)).collect()
    }

    fn match_story(&self, entry: &SourceStory) -> Hits {
        match &self.target {
            MatchTarget::Rules(rules, every) => {
                let carriers = entry.carriers.as_ref().unwrap_or(every);
                let mut scanner = rules.scanner();
                let mut hits: Hits = scanner
                    .scan(&entry.story, carriers)
                    .map(|(number, _)| self.places[number])
                    .collect();
                hits.sort_unstable();
                hits
            }
            MatchTarget::Expression(query) => {
                let carriers = entry.carriers.as_deref().unwrap_or_default();
                query.holds(&entry.story, carriers).then_some(0).into_iter().collect()
            }
        }
    }
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
        Matcher::from_rule_files(folder.path(), &mut faults)
            .ok()
            .unwrap_or_else(|| panic!("{faults:?}"))
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
        assert_eq!(matcher.match_stories(&stories), expected);
    }

    #[test]
    fn an_expression_is_called_by_itself_and_needs_no_feed() {
        let matcher = Matcher::from_expression("arms", None, &mut Vec::new()).ok().unwrap();
        assert_eq!(matcher.names, ["arms"]);
        assert_eq!(
            matcher.match_stories(&[entry("arms", Some(vec![])), entry("farms", None)]),
            [vec![0], vec![]]
        );
    }

    #[test]
    fn broken_rules_and_unreadable_folders_are_different_errors() {
        let mut faults = Vec::new();
        let broken = Matcher::from_expression("(arms", None, &mut faults);
        assert!(matches!(broken, Err(LoadError::Broken)));
        assert_eq!(faults.len(), 1);
        let gone = Matcher::from_rule_files(Path::new("/no/such/folder"), &mut faults);
        assert!(matches!(gone, Err(LoadError::Unreadable(why)) if why.contains("/no/such/folder")));
    }
}
