//! Tests that explanations agree with matches, and that they show the exact words.

use proptest::prelude::*;

use super::*;
use crate::Query;
use crate::engine::naive;
use crate::fixture::{stories, tame_texts, trees};
use crate::story::{Read, Story};

fn explained(expression: &str, title: &str, body: &str) -> Clause {
    let query = Query::parse(expression, &mut Vec::new()).expect("a sound expression");
    query.explain(&Story::from_words(title, body), &[], &Read::Full)
}

fn notes(expression: &str, text: &str) -> String {
    explained(expression, "", text).reasons().join("; ")
}

/// Asserts the notes on each expression and text.
fn assert_notes(cases: &[(&str, &str, &str)]) {
    for (expression, text, expected) in cases {
        assert_eq!(notes(expression, text), *expected, "{expression} in {text:?}");
    }
}

#[test]
fn notes_on_a_missing_term_name_what_is_nearest_to_it() {
    assert_notes(&[
        ("arms", "oil", "`arms` is missing"),
        (
            "weapon",
            "Weapons",
            "`weapon` is missing (`Weapons` is there, which `forms: plural` would find)",
        ),
        (
            "Russia",
            "Russian oil",
            "`Russia` is missing (`Russian` is there, which `Russia*` would find)",
        ),
        (
            "Kazakhstan",
            "Kazahstan",
            "`Kazakhstan` is missing (`Kazahstan` is there: another spelling?)",
        ),
        ("мир", "мйр", "`мир` is missing (`мйр` is there, with other accents or vowel signs)"),
        ("cs(US)", "told us", "`cs(US)` is missing (`us` is there, in other capitals)"),
        ("U.S.", "told us", "`U.S.` is missing (`us` is there, in other capitals)"),
        (
            "North Korea",
            "Korea, north",
            "`North Korea` is missing (its words are there, but not next to each other)",
        ),
        ("ATLEAST/3(arms)", "arms and arms", "`ATLEAST/3(arms)` is missing (2 of 3 places)"),
        (
            "/Arms deal/",
            "arms deal",
            "`/Arms deal/` is not found (`arms deal` would match if capitals did not count: /(?i)Arms deal/)",
        ),
        ("arms AND words > 9", "arms", "`words > 9` does not hold (the story has one word)"),
        ("arms AND age < 2d", "arms", "`age < 2d` cannot be decided (the story has no date)"),
        (
            "ANY/2(arms, oil, gas)",
            "oil",
            "too few of `ANY/2(arms, oil, gas)` are found (2 must hold)",
        ),
        ("arms AND lang:de", "arms", "`lang:de` is missing (its language is not known)"),
        ("site:rt.com", "arms", "`site:rt.com` is missing (it has no address)"),
        ("title:arms", "arms", "`title:arms` is missing (it is in the body)"),
    ]);
}

#[test]
fn notes_on_words_that_stand_apart_name_the_nearest_places() {
    assert_notes(&[
        (
            "arms NEAR/1 oil",
            "arms for much more oil",
            "`arms NEAR/1 oil` is not found (nearest: `arms` and `oil`, with 3 words between)",
        ),
        (
            "arms NEAR/9 oil",
            "arms\n\noil",
            "`arms NEAR/9 oil` is not found (both are there, but never in one paragraph)",
        ),
        (
            "arms ONEAR/9 oil",
            "oil, arms",
            "`arms ONEAR/9 oil` is not found (`oil` is before `arms`, not after it)",
        ),
        ("arms NEAR/9 oil", "oil", "`arms NEAR/9 oil` is not found (`arms` is missing)"),
        (
            "oil EXCEPT oil price",
            "oil price",
            "`oil EXCEPT oil price` is not found (it is found only as a part of `oil price`)",
        ),
        (
            "SENT(arms AND oil)",
            "Oil. Arms.",
            "`SENT(arms AND oil)` is in no sentence (nearest sentence: «Oil.»)",
        ),
        (
            "SENT(arms AND oil)",
            "Gas.",
            "`SENT(arms AND oil)` is in no sentence (no sentence has any of it)",
        ),
        (
            "SENT(arms NEAR/1 oil)",
            "Arms for more oil.",
            "`SENT(arms NEAR/1 oil)` is in no sentence (nearest: `Arms` and `oil`, with 2 words between)",
        ),
        (
            "SENT(arms NEAR/1 oil)",
            "No arms. Oil.",
            "`SENT(arms NEAR/1 oil)` is in no sentence (it is found, but not in one sentence)",
        ),
    ]);
}

#[test]
fn what_was_not_read_is_not_known_to_be_missing() {
    let query =
        Query::parse("title:arms AND (oil OR gas) NOT football", &mut Vec::new()).expect("sound");
    let story = Story::from_words("Arms", "A teaser without the word.");
    let teaser = Read::Teaser("the server answered 404".to_owned());
    let clause = query.explain(&story, &[], &teaser);
    let truths: Vec<Truth> = clause.clauses.iter().map(|clause| clause.truth).collect();
    assert_eq!(
        (clause.truth, truths),
        (Truth::Unknown, vec![Truth::True, Truth::Unknown, Truth::Unknown])
    );
    let partial = Read::Partial("the page is behind a paywall".to_owned());
    assert_eq!(query.explain(&story, &[], &partial).truth, Truth::Unknown);
    let whole = query.explain(&story, &[], &Read::Full);
    assert_eq!(whole.truth, Truth::False);
    let headline =
        Query::parse("title:oil", &mut Vec::new()).expect("sound").explain(&story, &[], &teaser);
    assert_eq!(headline.truth, Truth::False, "a headline is always whole");
}

/// The evidence of `clause` and of all clauses in it.
fn all_evidence(clause: &Clause) -> Vec<&Evidence> {
    clause.evidence.iter().chain(clause.clauses.iter().flat_map(all_evidence)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_explained_is_what_is_decided(tree in trees(tame_texts()), story in stories()) {
        let tokenized = TokenizedStory::new(&story, &[]);
        let clause = explain(&tree, &tokenized);
        prop_assert_eq!(clause.truth, naive::truth(&tree, &tokenized, &tokenized.view(Scope::Text)), "{}", clause.text);
        prop_assert_eq!(clause.reasons().is_empty(), clause.truth == Truth::True, "{}", clause.text);
    }

    #[test]
    fn what_is_marked_is_what_was_looked_for(tree in trees(tame_texts()), story in stories()) {
        for evidence in all_evidence(&explain(&tree, &TokenizedStory::new(&story, &[]))) {
            let term = if evidence.term.starts_with('/') { evidence.term.clone() } else { format!("“{}”", evidence.term) };
            let holds = |expression: &str, marked: &str| {
                let query = Query::parse(expression, &mut Vec::new());
                query.is_some_and(|query| query.holds(&Story::from_words("", marked), &[]))
            };
            for mark in &evidence.marks {
                let marked = evidence.sentence.get(mark.clone()).expect("on character boundaries");
                prop_assert!(holds(&term, marked) || holds(&format!("cs({term})"), marked), "{} in {}", term, marked);
            }
        }
    }
}

#[test]
fn a_long_text_is_explained_whatever_is_asked() {
    let long = "Arms for oil, oil for arms! Oslo. ".repeat(2_000);
    let word = "x".repeat(70_000);
    for expression in [
        "arms NEAR/0 Oslo",
        "zebra ONEAR/900 (arms OR oil)",
        "arms EXCEPT (arms OR oil)",
        "SENT(zebra AND oil)",
        "PARA(arms AND NOT oil)",
        "ATLEAST/1000(arms OR oil)",
        "ANY/3(zebra, arms, xenon)",
        "/(?i)(arms|oil)+ zebra/",
        "North Korea AND Osla AND cs(ARMS)",
        "arms AND words < 5",
    ] {
        for text in [&long, &word] {
            let clause = explained(expression, "", text);
            assert!(clause.reasons().iter().all(|reason| reason.len() < 2_000), "{expression}");
        }
    }
}
