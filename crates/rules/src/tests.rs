//! Tests of the meaning of expressions, and of their evidence.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use super::{Carrier, Query, Rules, TermLists};
use crate::fault::{Source, render};
use crate::story::{FeedName, Field, Read, Story};
use crate::text::tokenise;

pub(crate) mod cases;
mod nested;
mod whole;

fn story(title: &str, body: &str) -> Story {
    Story::from_words(title, body)
}

pub(crate) fn query(expression: &str) -> Query {
    let mut faults = Vec::new();
    Query::parse(expression, &mut faults).unwrap_or_else(|| panic!("{}", render(&faults, false)))
}

/// The reasons why a story that was read whole does not match.
fn reasons(query: &Query, story: &Story) -> Vec<String> {
    query.explain(story, &[], &Read::Full).reasons()
}

fn rules(yaml: &str) -> Rules {
    let mut faults = Vec::new();
    let source = Arc::new(Source { name: "rules/a.yaml".to_owned(), text: yaml.to_owned() });
    Rules::load(&vec![source].into(), None, &mut faults)
        .unwrap_or_else(|| panic!("{}", render(&faults, false)))
}

#[test]
fn every_case_is_decided_as_its_author_means() {
    let cases = cases::CASES
        .iter()
        .flat_map(|(subject, cases)| cases.iter().map(move |case| (subject, case)));
    let wrong: Vec<String> = cases
        .flat_map(|(subject, case)| {
            wrong_in(case).into_iter().map(move |wrong| format!("{subject}: {wrong}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The places in which `case` has another result than expected. A body and a title have the same
/// result, unless the title is in capitals.
fn wrong_in((expression, text, expected): &cases::Case) -> Vec<String> {
    let mut faults = Vec::new();
    let Some(query) = Query::parse(expression, &mut faults) else {
        return vec![render(&faults, false)];
    };
    let title = text.contains(char::is_lowercase).then(|| ("title", story(text, "")));
    let stories = [("body", story("", text))].into_iter().chain(title);
    let wrong = stories.filter(|(_, story)| query.evidence(story, &[]).is_some() != *expected);
    wrong
        .map(|(place, _)| format!("{expression} in the {place} {text:?} is not {expected}"))
        .collect()
}

#[test]
fn title_and_body_are_one_text_for_terms_but_no_phrase_goes_across() {
    let story = story("Talks with North", "Korea sells arms");
    assert!(query("talks AND arms").evidence(&story, &[]).is_some());
    assert!(query("North Korea").evidence(&story, &[]).is_none());
}

#[test]
fn dotted_letters_are_not_found_in_a_title_wholly_in_capitals() {
    assert!(query("U.S.").evidence(&story("TELL US MORE", ""), &[]).is_none());
    assert!(query("U.S.").evidence(&story("Tell the US more", ""), &[]).is_some());
    assert!(query("U.S.").evidence(&story("THE U.S. AND ARMS", ""), &[]).is_some());
}

#[test]
fn a_story_that_does_not_match_is_explained() {
    let query = query("Russia AND (arms OR oil) NOT football");
    let expected = [
        "`Russia` is missing",
        "none of `arms OR oil` is found",
        "`Football` is found, but must not be",
    ];
    assert_eq!(reasons(&query, &story("Football", "Farms")), expected);
    assert_eq!(reasons(&query, &story("Russia", "oil")), Vec::<String>::new());
}

#[test]
fn evidence_shows_each_term_where_it_stands_first() {
    let story = story(
        "Russia buys",
        "It rains.\n\nShells for North\nKorea, and Rússia’s arms. No more arms.",
    );
    let found = query("arms AND North Korea AND (Russia OR oil) NOT football")
        .evidence(&story, &[])
        .expect("it matches");
    let shown: Vec<(&str, Field, &str, &str)> = found
        .iter()
        .map(|one| {
            (
                one.term.as_str(),
                one.field,
                one.sentence.as_str(),
                &one.sentence[one.marks[0].clone()],
            )
        })
        .collect();
    let expected = [
        ("arms", Field::Body, "Shells for North\nKorea, and Rússia’s arms.", "arms"),
        ("North Korea", Field::Body, "Shells for North\nKorea, and Rússia’s arms.", "North\nKorea"),
        ("Russia", Field::Title, "Russia buys", "Russia"),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn evidence_names_the_label_and_few_terms_of_a_list() {
    let rules = rules(
        "terms:\n  kim: {label: Kim Jong Un, any: [Kim Jong Un, 김정은]}\n  all: {label: People, any: [$kim, one, two, three, four]}\n\
         rules:\n  - {name: a, when: $kim}\n  - {name: b, when: $all}\n",
    );
    let found = rules.matches(&story("", "김정은이 one two three four"), &[]);
    let shown: Vec<Vec<(&str, Option<&str>)>> = found
        .iter()
        .map(|one| {
            one.evidence.iter().map(|one| (one.term.as_str(), one.label.as_deref())).collect()
        })
        .collect();
    let people = Some("People");
    assert_eq!(
        shown,
        [
            vec![("김정은", Some("Kim Jong Un"))],
            vec![("김정은", Some("Kim Jong Un")), ("one", people), ("two", people)]
        ]
    );
}

#[test]
fn evidence_names_the_clause_that_it_proves() {
    let story = story("Arms talks", "Russia sells arms. Korea buys.");
    let when = "title:(arms OR oil) AND (Russia NEAR/1 arms OR ATLEAST/2(sells OR buys)) AND SENT(Korea AND (buys OR /buys?/)) AND NOT NOT talks";
    let found = query(when).evidence(&story, &[]).expect("it matches");
    let clauses: Vec<&str> =
        found.iter().map(|one| one.clause.as_deref().expect("it has one")).collect();
    let (near, least, sentence) =
        ("Russia NEAR/1 arms", "ATLEAST/2(sells OR buys)", "SENT(Korea AND (buys OR /buys?/))");
    assert_eq!(
        clauses,
        ["title:arms", near, near, least, least, sentence, sentence, sentence, "talks"]
    );
    let long = format!("ANY/1({}, arms)", vec!["ATLEAST/2(arms OR talks)"; 40].join(", "));
    let clause = format!("SENT({long})");
    let found = query(&clause).evidence(&story, &[]).expect("it matches");
    assert!(
        found[0]
            .clause
            .as_deref()
            .is_some_and(|clause| clause.len() <= 306 && clause.ends_with('…'))
    );
}

#[test]
fn evidence_has_at_most_twenty_terms() {
    let letters: Vec<String> = ('a'..='z').map(String::from).collect();
    let found = query(&letters.join(" AND "))
        .evidence(&story("", &letters.join(" ")), &[])
        .expect("it matches");
    assert_eq!(found.len(), 20);
}

#[test]
fn a_long_sentence_is_cut_around_the_words() {
    let filler = "слово ".repeat(200);
    let found = query("arms")
        .evidence(&story("", &format!("{filler}arms {filler}")), &[])
        .expect("it matches");
    let sentence = &found[0].sentence;
    assert!(
        sentence.len() <= 306 && sentence.starts_with('…') && sentence.ends_with('…'),
        "{sentence}"
    );
    assert_eq!(&sentence[found[0].marks[0].clone()], "arms");
}

#[test]
fn fields_search_what_they_name() {
    let fifty = "word ".repeat(49);
    let story = Story {
        url: Some("https://www.rt.com/news/north-korea".to_owned()),
        lang: Some("en-GB".to_owned()),
        authors: vec!["Ana Smith".to_owned(), "Reuters".to_owned()],
        tags: vec!["Arms Trade".to_owned()],
        ..story("Talks in Seoul", &format!("{fifty} fiftieth late\n\nOil and\nshells"))
    };
    let cases = [
        ("title:Seoul", true),
        ("title:oil", false),
        ("title:(talks AND NOT oil)", true),
        ("body:Seoul", false),
        ("body:shells", true),
        ("lead:Seoul", true),
        ("lead:fiftieth", true),
        ("lead:late", false),
        ("lead:shells", false),
        ("text:Seoul AND text:shells", true),
        ("url:North Korea", true),
        ("url:seoul", false),
        ("site:rt.com", true),
        ("site:WWW.RT.com", true),
        ("site:t.com", false),
        ("site:rt", false),
        ("author:Ana Smith", true),
        ("author:\"Smith Reuters\"", false),
        ("tag:trade", true),
        ("tag:Seoul", false),
        ("Seoul AND lang:en", true),
        ("Seoul AND lang:en-gb", true),
        ("Seoul AND lang:(de OR en-us)", false),
        ("Seoul NOT lang:e1", true),
        ("Reuters", false),
        ("source:Yonhap", false),
    ];
    for (expression, expected) in cases {
        let query = query(expression);
        let evidence = query.evidence(&story, &[]);
        assert_eq!(evidence.is_some(), expected, "{expression}");
        assert!(evidence.is_none_or(|evidence| !evidence.is_empty()), "{expression}");
        assert_eq!(reasons(&query, &story).is_empty(), expected, "{expression}");
    }
}

#[test]
fn capitals_count_for_nothing_in_a_title_wholly_in_capitals() {
    assert!(query("cs(US)").evidence(&story("TELL US MORE", ""), &[]).is_none());
    assert!(query("cs(US)").evidence(&story("THE U.S. SAYS", ""), &[]).is_none());
    assert!(query("cs(US)").evidence(&story("Tell the US", ""), &[]).is_some());
}

#[test]
fn evidence_of_two_that_are_near_shows_both_where_they_are_near() {
    let story = story("Russia", "Arms. Then Russia sells arms.");
    let found = query("Russia NEAR/1 arms").evidence(&story, &[]).expect("it matches");
    let shown: Vec<_> =
        found.iter().map(|one| (one.field, one.sentence.as_str(), one.marks[0].clone())).collect();
    let near = "Then Russia sells arms.";
    assert_eq!(shown, [(Field::Body, near, 5..11), (Field::Body, "Arms.", 0..4)]);
    let reasons =
        reasons(&query("title:(Russia NEAR/1 arms) AND Russia EXCEPT Then Russia"), &story);
    assert_eq!(
        reasons,
        ["`title:(Russia NEAR/1 arms)` is not found (`arms` is missing; it is in the body)"]
    );
}

#[test]
fn a_source_is_the_name_of_a_feed_that_carried_the_story() {
    let rules = rules("rules:\n  - {name: a, when: \"source:(Yonhap News) NOT source:TASS\"}\n");
    let carrier = |name: &str| Carrier { name: FeedName(name.to_owned()), tags: BTreeSet::new() };
    let matched = |carriers: &[Carrier]| rules.matches(&story("", "arms"), carriers).len();
    assert_eq!(matched(&[carrier("other"), carrier("The Yonhap News Agency")]), 1);
    assert_eq!(matched(&[carrier("Yonhap"), carrier("News")]), 0);
    assert_eq!(matched(&[carrier("Yonhap News"), carrier("TASS")]), 0);
}

#[test]
fn a_rule_that_searches_only_other_fields_does_not_read_the_body() {
    let reads =
        |when: &str| rules(&format!("rules:\n  - {{name: a, when: '{when}'}}\n")).reads_body(&[]);
    for when in ["title:arms", "title:(a OR b) NOT url:c", "site:rt.com AND lang:en"] {
        assert!(!reads(when), "{when}");
    }
    for when in ["arms", "title:a AND b", "lead:a", "body:a", "text:a", "title:a NOT b"] {
        assert!(reads(when), "{when}");
    }
}

#[test]
fn what_is_found_outside_the_text_is_named_with_its_field() {
    let story = Story { url: Some("https://rt.com/".to_owned()), ..story("Arms", "") };
    let found = query("site:rt.com AND title:arms").evidence(&story, &[]).expect("it matches");
    let shown: Vec<_> = found
        .iter()
        .map(|one| (one.term.as_str(), one.sentence.as_str(), one.marks.len()))
        .collect();
    assert_eq!(shown, [("site:rt.com", "Arms", 0), ("arms", "Arms", 1)]);
    let reasons = reasons(&query("title:(oil AND (a OR b)) AND url:x NOT site:rt.com"), &story);
    let expected = [
        "`title:oil` is missing",
        "none of `title:(a OR b)` is found",
        "`url:x` is missing",
        "`site:rt.com` is found, but must not be",
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn what_two_negations_want_is_shown() {
    let found =
        query("NOT ((NOT arms) OR oil)").evidence(&story("", "arms"), &[]).expect("it matches");
    assert_eq!(found[0].term, "arms");
}

#[test]
fn a_rule_accepts_only_its_feeds() {
    let rules = rules(
        "rules:\n  - {name: all, when: arms}\n  - {name: named, when: arms, feeds: Yonhap}\n  - {name: tagged, when: arms, feeds: [\"tag:wire\"]}\n",
    );
    let carrier = |name: &str, tag: &str| Carrier {
        name: FeedName(name.to_owned()),
        tags: BTreeSet::from([tag.to_owned()]),
    };
    let names = |carriers: &[Carrier]| -> Vec<String> {
        rules
            .matches(&story("arms", ""), carriers)
            .into_iter()
            .map(|found| found.rule.name().to_owned())
            .collect()
    };
    assert_eq!(names(&[]), ["all"]);
    assert_eq!(names(&[carrier("Yonhap", "korea")]), ["all", "named"]);
    assert_eq!(
        names(&[carrier("other", "wire"), carrier("Yonhap", "x")]),
        ["all", "named", "tagged"]
    );
    assert!(rules.reads_body(&[]));
    assert!(!Rules::default().reads_body(&[]));
}

#[test]
fn a_word_of_a_megabyte_is_found_and_shown_in_short() {
    let word = "a".repeat(1_000_000);
    let found = query(&word).evidence(&story("", &word), &[]).expect("it matches");
    assert!(found[0].sentence.len() < 310);
}

proptest! {
    #[test]
    fn what_evidence_marks_folds_to_the_term(
        words in proptest::collection::vec("[a-zA-Zé가-힣а-яё一-龥ß]{1,4}", 1..4),
        before in "[\\PC .\\n]{0,20}",
        after in "[\\PC .\\n]{0,20}",
    ) {
        let term = words.join(" ");
        let story = story("", &format!("{before} {term}\n{after}"));
        let found = query(&format!("\"{term}\"")).evidence(&story, &[]).expect("the term is there");
        let sentence = &found[0].sentence;
        for mark in &found[0].marks {
            let marked = sentence.get(mark.clone()).expect("on character boundaries");
            let folded = |text: &str| tokenise(text).into_iter().map(|token| token.word).collect::<Vec<_>>();
            let pairs: Vec<_> = folded(marked).into_iter().zip(folded(&term)).collect();
            prop_assert_eq!(pairs.len(), folded(&term).len());
            prop_assert!(pairs.iter().all(|(found, wanted)| found.starts_with(wanted.as_str())), "{} {}", marked, term);
        }
    }
}

#[test]
fn a_rule_accepts_only_its_languages_and_until_its_last_day() {
    let rules = rules("rules:\n  - {name: a, when: arms, lang: [en, RU], expires: 2026-11-24}\n");
    let at = |time: &str| time.parse::<Timestamp>().expect("a time");
    for (lang, first_seen, matches) in [
        (Some("en"), "2026-11-24T23:59:59Z", true),
        (Some("ru-RU"), "2026-11-01T00:00:00Z", true),
        (Some("EN_us"), "2026-11-01T00:00:00Z", true),
        (None, "2026-11-01T00:00:00Z", true),
        (Some("de"), "2026-11-01T00:00:00Z", false),
        (Some("en"), "2026-11-25T00:00:00Z", false),
    ] {
        let story = Story {
            lang: lang.map(str::to_owned),
            first_seen: at(first_seen),
            ..story("", "arms")
        };
        assert_eq!(!rules.matches(&story, &[]).is_empty(), matches, "{lang:?} at {first_seen}");
    }
}

#[test]
fn a_query_may_name_the_lists_of_rule_files_whose_rules_are_broken() {
    let source =
        |name: &str, text: &str| Arc::new(Source { name: name.to_owned(), text: text.to_owned() });
    let load = |text: &str| {
        let files = vec![source("a.yaml", text), source("b.yaml", "terms: {arms: [shells]}\n")];
        TermLists::load(&files.into(), &mut Vec::new())
    };
    let lists =
        load("terms: {kim: [Kim]}\nrules: [{name: x, when: (arms}]\n").expect("sound lists");
    let query = Query::parse_with_lists("$kim AND $arms", &lists, &mut Vec::new()).expect("sound");
    assert!(query.holds(&Story::from_words("Kim sends shells", ""), &[]));
    assert!(!query.holds(&Story::from_words("Kim sends", ""), &[]));
    let mut faults = Vec::new();
    assert!(Query::parse_with_lists("$kin", &lists, &mut faults).is_none());
    assert_eq!(faults[0].help.as_deref(), Some("did you mean `$kim`?"));
    assert!(load("terms: {kim: []}\n").is_none() && load("terms: {\n").is_none());
}
