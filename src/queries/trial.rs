//! An expression or a rule that a person tries against stored stories, before it is in a file.

use std::path::Path;
use std::sync::Arc;

use crate::backtest::matching::Matcher;
use crate::backtest::stored::carrier_by_name;
use crate::rule_files;
use tidings_rules::fault::{Fault, Source};
use tidings_rules::story::{Evidence, FeedName, Read, Story};
use tidings_rules::{Carrier, Clause, Query, RuleConfig, RuleTexts, Rules, Truth};

/// An expression, or rules.
#[derive(Debug)]
pub enum Trial {
    /// An expression, as in a rule's `when`.
    Expression(Box<Query>),
    /// Rules, as in a rule file.
    Rules(TrialRules),
}

/// Rules that are tried.
#[derive(Debug)]
pub struct TrialRules(Box<Matcher>);

/// What a trial finds in a story.
#[derive(Debug, PartialEq)]
pub enum TrialResult {
    /// It matches, by these words.
    Match(Vec<Evidence>),
    /// One condition is missing: which, in words. The other words are these.
    Near(String, Vec<Evidence>),
    /// It does not match.
    Miss,
}

impl Trial {
    /// Reads `text`: an expression, a rule, or a whole rule file. An expression may name the term
    /// lists of the rules at `folder`. Rules read this of the configuration.
    ///
    /// Adds every fault to `faults`. `None` if any is an error.
    ///
    /// # Errors
    /// The rules at `folder` are needed and cannot be read. The error is a sentence.
    pub fn parse(
        text: &str,
        folder: &Path,
        config: &RuleConfig,
        faults: &mut Vec<Fault>,
    ) -> Result<Option<Self>, String> {
        if !is_rule(text) {
            let query = rule_files::parse_query(text.trim(), Some(folder), faults)?;
            return Ok(query.map(Box::new).map(Self::Expression));
        }
        let source = Arc::new(Source { name: "rule".to_owned(), text: rule_file(text) });
        let texts = RuleTexts { rules: vec![source], tables: Vec::new() };
        let rules = Rules::load(&texts, Some(config), faults);
        Ok(rules.map(|rules| Self::Rules(TrialRules(Box::new(Matcher::of_rules(rules))))))
    }

    /// What matches stories against its rules. `None`: it is an expression.
    pub(super) fn matcher(&self) -> Option<&Matcher> {
        match self {
            Self::Expression(_) => None,
            Self::Rules(TrialRules(matcher)) => Some(matcher),
        }
    }

    /// What it finds in `story`, which `carriers` carried and of which `read` was read.
    #[must_use]
    pub fn examine(&self, story: &Story, carriers: &[Carrier], read: &Read) -> TrialResult {
        match self {
            Self::Expression(query) => match query.evidence(story, carriers) {
                Some(evidence) => TrialResult::Match(evidence),
                None => near_or_miss(&query.explain(story, carriers, read), None),
            },
            Self::Rules(TrialRules(tried)) => {
                let Some(rules) = tried.rule_set() else { return TrialResult::Miss };
                let matches = rules.matches(story, carriers);
                if !matches.is_empty() {
                    let evidence = matches.into_iter().flat_map(|one| one.evidence);
                    return TrialResult::Match(evidence.collect());
                }
                let explained = rules
                    .iter()
                    .filter_map(|rule| rules.explain(rule.name(), None, story, carriers, read));
                let mut results =
                    explained.map(|one| near_or_miss(&one.clause, one.filtered_out.as_deref()));
                let near = results.find(|result| *result != TrialResult::Miss);
                near.unwrap_or(TrialResult::Miss)
            }
        }
    }
}

/// The feeds as rules see them. `known` are those of the configuration.
#[must_use]
pub fn carriers(feeds: &[FeedName], known: &[Carrier]) -> Vec<Carrier> {
    feeds.iter().map(|name| carrier_by_name(name, known)).collect()
}

/// Whether `text` is a rule or a rule file. An expression has no line that begins with these keys.
fn is_rule(text: &str) -> bool {
    let keys = ["when:", "rules:"];
    text.lines().any(|line| {
        let line = line.trim_start().trim_start_matches("- ").trim_start();
        keys.iter().any(|key| line.starts_with(key))
    })
}

/// A rule file with the rules of `text`, which is one already, or has a list of rules, or one rule.
fn rule_file(text: &str) -> String {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    if lines().any(|line| line.starts_with("rules:")) {
        return text.to_owned();
    }
    let is_list = lines().next().is_some_and(|line| line.trim_start().starts_with("- "));
    let (first, others) = if is_list { ("  ", "\n  ") } else { ("  - ", "\n    ") };
    format!("rules:\n{first}{}\n", lines().collect::<Vec<_>>().join(others))
}

/// A story that lacks one condition is near, if it has words of the others.
fn near_or_miss(clause: &Clause, filtered_out: Option<&str>) -> TrialResult {
    let mut evidence = Vec::new();
    gather_evidence(clause, &mut evidence);
    let mut missing = clause.reasons();
    missing.extend(filtered_out.map(str::to_owned));
    match <[String; 1]>::try_from(missing) {
        Ok([missing]) if !evidence.is_empty() => TrialResult::Near(missing, evidence),
        _ => TrialResult::Miss,
    }
}

/// The words of the clauses that hold.
fn gather_evidence(clause: &Clause, evidence: &mut Vec<Evidence>) {
    if clause.truth == Truth::True {
        evidence.extend(clause.evidence.iter().cloned());
    }
    for inner in &clause.clauses {
        gather_evidence(inner, evidence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(text: &str) -> Result<Trial, String> {
        let mut faults = Vec::new();
        let folder = Path::new("/nowhere");
        let parsed = Trial::parse(text, folder, &RuleConfig::default(), &mut faults).unwrap();
        parsed.ok_or_else(|| tidings_rules::fault::render(&faults, false))
    }

    fn result(text: &str, title: &str) -> TrialResult {
        let story = Story::from_words(title, "");
        trial(text).unwrap().examine(&story, &[], &Read::Full)
    }

    #[test]
    fn an_expression_a_rule_a_list_and_a_file_are_read() {
        for text in [
            "Russia AND arms",
            "  Russia AND arms\n",
            "name: a\nwhen: Russia AND arms",
            "when: Russia AND arms\nname: a\nseverity: high\n",
            "- name: a\n  when: Russia AND arms\n- name: b\n  when: oil\n",
            "rules:\n  - {name: a, when: Russia AND arms}\n",
            "name: a\nwhen:\n  all: [Russia, arms]\n",
        ] {
            let found = result(text, "Russia sells arms");
            assert!(
                matches!(&found, TrialResult::Match(evidence) if evidence.len() == 2),
                "{text}"
            );
            assert_eq!(result(text, "Snow in May"), TrialResult::Miss, "{text}");
        }
    }

    #[test]
    fn a_story_that_lacks_one_condition_says_which() {
        for text in ["Russia AND arms", "name: a\nwhen: Russia AND arms"] {
            let TrialResult::Near(missing, evidence) = result(text, "Russia sells oil") else {
                panic!("{text} is near");
            };
            assert!(missing.contains("arms"), "{missing}");
            assert_eq!(evidence.len(), 1);
        }
        let mut story = Story::from_words("Russia sells oil", "");
        story.lang = Some("en".to_owned());
        let german = trial("name: a\nwhen: Russia\nlang: de").unwrap();
        assert!(matches!(german.examine(&story, &[], &Read::Full), TrialResult::Near(..)));
        assert_eq!(result("Russia AND arms AND deal", "Russia sells oil"), TrialResult::Miss);
    }

    #[test]
    fn a_rule_with_after_is_tried_with_the_rule_that_it_names() {
        let after = "- name: b\n  when: closed\n  tell: {after: a, within: 1h}\n";
        let why = trial(after).unwrap_err();
        assert!(why.contains("a trial needs both rules in its text"), "{why}");
        assert!(trial(&format!("{after}- name: a\n  when: call-up\n")).is_ok());
    }

    #[test]
    fn a_fault_says_where_it_is() {
        for text in ["Russia AND", "name: a\nwhen: Russia AND", "name: a\nwhen: Russia\nwhy_not: 1"]
        {
            let why = trial(text).unwrap_err();
            assert!(why.contains("error: ") && why.contains(':'), "{why}");
        }
    }

    #[test]
    fn an_expression_of_great_depth_is_an_answer() {
        let text = "(".repeat(10_000) + "arms" + &")".repeat(10_000);
        drop(trial(&text));
        drop(trial(&("NOT ".repeat(10_000) + "arms")));
        drop(trial(&format!("name: a\nwhen: {text}")));
    }
}
