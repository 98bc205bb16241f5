//! Tests of what `first` looks for in a story.

use std::sync::Arc;

use proptest::prelude::*;

use crate::fault::{Source, render};
use crate::story::Story;
use crate::{RuleTexts, Rules, Table};

/// The keys of the matches of a rule with this `when` and `first`.
fn keys(when: &str, key: &str, story: &Story) -> Vec<Vec<String>> {
    let source = |name: &str, text: String| Arc::new(Source { name: name.to_owned(), text });
    let each = if when.contains("$ships") { "each: ships, " } else { "" };
    let text = format!(
        "terms:\n  ships: {{from: ships.csv, term: name, id: id}}\n  agents: [novich*, sarin]\n\
         rules:\n  - {{name: a, {each}when: '{when}', tell: {{first: {key}, in: 1d}}}}\n"
    );
    let table = source("ships.csv", "id,name\n1,Aurora\n2,Boreas\n".to_owned());
    let texts = RuleTexts {
        rules: vec![source("a.yaml", text)],
        tables: vec![Table { source: table, unreadable: None }],
    };
    let mut faults = Vec::new();
    let rules = Rules::load(&texts, None, &mut faults);
    let rules = rules.unwrap_or_else(|| panic!("{}", render(&faults, false)));
    let found = rules.matches(story, &[]);
    let mut scanner = rules.scanner();
    assert_eq!(scanner.scan(story, &[]).count(), found.len());
    for one in &found {
        let quick = scanner.first_keys(&one.rule, story, &[]);
        assert_eq!(quick, one.keys, "{when}: both ways find the same");
    }
    found.into_iter().map(|found| found.keys).collect()
}

fn story(title: &str, body: &str) -> Story {
    Story::from_words(title, body)
}

#[test]
fn every_text_that_a_pattern_matches_is_a_key() {
    let body = "CVE-2027-0003, cve-2027-0004 and CVE-2027-0002.\n\nAlso CVE-2027-0005.";
    let found = keys(r"/CVE-\d{4}-\d{4,}/", "match", &story("CVE-2027-0001 CVE-2027-0002", body));
    let numbers = ["0001", "0002", "0003", "0005"];
    assert_eq!(found, [numbers.map(|number| format!("cve 2027 {number}")).to_vec()]);
}

#[test]
fn wildcards_are_keys_in_the_fields_that_they_search() {
    let story = story("Novichok in Salisbury", "Novichoks and sarin. Bromide, bromine.");
    for (when, expected) in [
        ("novich*", &["novichok", "novichoks"][..]),
        ("title:novich*", &["novichok"]),
        ("$agents", &["novichok", "novichoks"]),
        ("$agents NEAR/3 salisb*", &["novichok", "novichoks", "salisbury"]),
        ("ATLEAST/2(novich*)", &["novichok", "novichoks"]),
        ("SENT(brom* AND bromine)", &["bromide", "bromine"]),
        ("novich* NOT xylo*", &["novichok", "novichoks"]),
        ("novich* EXCEPT (novichok agent*)", &["novichok", "novichoks"]),
        ("sarin OR xylo*", &[]),
    ] {
        assert_eq!(keys(when, "match", &story), [expected], "{when}");
    }
}

#[test]
fn a_match_has_a_hundred_keys_at_most() {
    let numbers: Vec<String> = (1000..1150).map(|number| format!("CVE-2027-{number}")).collect();
    let found = keys(r"/CVE-\d{4}-\d{4,}/", "match", &story("", &numbers.join(" ")));
    assert_eq!(found[0].len(), 100);
}

#[test]
fn authors_tags_and_rows_are_keys() {
    let mut story = story("Aurora sinks near Boreas", "");
    story.authors = vec!["Ána  López".to_owned(), "ana lopez".to_owned(), "…".to_owned()];
    story.tags = vec!["Sea".to_owned()];
    assert_eq!(keys("sinks", "author", &story), [["ana lopez"]]);
    let long = Story { authors: vec!["é".repeat(800)], ..story.clone() };
    assert_eq!(keys("sinks", "author", &long), [["e".repeat(800)]]);
    let long = Story { authors: vec!["a".repeat(1001)], ..story.clone() };
    assert_eq!(keys("sinks", "author", &long), [["a".repeat(1000)]]);
    assert_eq!(keys("sinks", "tag", &story), [["sea"]]);
    assert_eq!(keys("sinks", "source", &story), [[""; 0]]);
    assert_eq!(keys("$ships", "row", &story), [["1"], ["2"]]);
}

#[test]
fn other_rules_have_no_keys() {
    let rules = |line: &str| {
        let text = format!("rules:\n  - {{name: a, when: novich*{line}}}\n");
        let source = Arc::new(Source { name: "a.yaml".to_owned(), text });
        let rules = Rules::load(&vec![source].into(), None, &mut Vec::new()).expect("rules");
        rules.matches(&story("Novichok", ""), &[])[0].keys.len()
    };
    assert_eq!(rules(""), 0);
    assert_eq!(rules(", tell: {events: 3, within: 1h}"), 0);
    assert_eq!(rules(", tell: {first: match, in: 1h}"), 1);
}

proptest! {
    #[test]
    fn both_ways_find_the_same_keys_in_any_text(
        words in prop::collection::vec("(Novi|novi|nová|ноvi|n-o-v|Novi's|novi.|NOVI)[a-zé0-9'’-]{0,5}", 1..20),
        gaps in prop::collection::vec("[ \n,.\u{a0}\u{ad}-]{1,2}", 20),
    ) {
        let text: String = words.iter().zip(&gaps).flat_map(|(word, gap)| [word.as_str(), gap]).collect();
        let story = story("Novichok", &text);
        for when in ["novi*", "title:novi* OR nov*", "body:novi* OR novichok"] {
            keys(when, "match", &story);
        }
    }
}
