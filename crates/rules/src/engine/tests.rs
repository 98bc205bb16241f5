//! Tests that the engine and the plain evaluator decide the same.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{Engine, Frequencies, Scratch};
use crate::engine::naive;
use crate::engine::tokenized_story::TokenizedStory;
use crate::language::print;
use crate::language::term::{Forms, Term};
use crate::language::tree::Tree;
use crate::story::{FeedName, Story};
use crate::tests::cases::CASES;
use crate::text::Stemmer;
use crate::{Carrier, fixture};

/// The thousands of cases of the property test, unless `TIDINGS_TRUTH` sets another number.
/// `.ci/run` sets 120.
const THOUSANDS: u32 = 15;

/// The number of rules that are matched with each story of a case.
const RULES: usize = 20;
const STORIES: usize = 20;

fn term(text: &str, forms: Forms) -> Tree {
    Tree::Term(Arc::new(Term::new(text, false, forms, None).expect("a word")), 0..0)
}

/// The tree, changed so that it does not hold if no term is found.
fn sound(tree: Tree) -> Tree {
    if tree.matches_everything().is_none() {
        tree
    } else {
        Tree::all(vec![term("arms", Forms::Plain), tree])
    }
}

/// The tree with its words in `forms`.
fn with_forms(tree: Tree, forms: Forms) -> Tree {
    match tree {
        Tree::Term(term, span) => Tree::Term(Arc::new(Term::clone(&term).with(forms)), span),
        Tree::And(branches) => {
            Tree::And(branches.into_iter().map(|branch| with_forms(branch, forms)).collect())
        }
        Tree::Or(branches) => {
            Tree::Or(branches.into_iter().map(|branch| with_forms(branch, forms)).collect())
        }
        other => other,
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    let stems = ["en", "ru"]
        .map(|lang| Forms::Stem(Stemmer::for_language(lang).expect("a language with stems")));
    let forms = prop_oneof![3 => Just(Forms::Plain), 1 => Just(Forms::Plural), 1 => proptest::sample::select(stems.to_vec())];
    let texts = prop_oneof![9 => fixture::tame_texts(), 1 => fixture::wild_texts()].boxed();
    (fixture::trees(texts), forms).prop_map(|(tree, forms)| sound(with_forms(tree, forms)))
}

fn carriers() -> Vec<Carrier> {
    let carrier = |name: &str| Carrier { name: FeedName(name.to_owned()), tags: BTreeSet::new() };
    vec![carrier("Oslo News"), carrier("US arms")]
}

/// The rules that the plain evaluator finds.
fn plainly(trees: &[Tree], story: &Story, carriers: &[Carrier]) -> Vec<u32> {
    let tokenized = TokenizedStory::new(story, carriers);
    (0..)
        .zip(trees)
        .filter(|(_, tree)| naive::holds(tree, &tokenized))
        .map(|(number, _)| number)
        .collect()
}

/// Frequencies that give the same rules other anchors.
fn frequencies(turn: usize) -> Frequencies {
    let words = [
        "arms",
        "army",
        "oil",
        "us",
        "u.s",
        "oslo",
        "мир",
        "한국이",
        "北",
        "朝",
        "鮮",
        "the",
        "of",
    ];
    Frequencies::new(words.iter().enumerate().map(|(number, word)| {
        let share = if (number + turn).is_multiple_of(3) { 0.9 } else { 0.001 };
        ((*word).to_owned(), share)
    }))
}

#[test]
fn engine_and_plain_evaluator_agree_whatever_the_frequencies() {
    let thousands = std::env::var("TIDINGS_TRUTH")
        .map_or(THOUSANDS, |thousands| thousands.parse().expect("a number"));
    let rounds = thousands * 1000 / u32::try_from(RULES * STORIES).expect("few");
    let cases = (
        proptest::collection::vec(trees(), RULES),
        proptest::collection::vec(fixture::stories(), STORIES),
        0..3_usize,
    );
    let matched = Cell::new(0);
    TestRunner::new(Config { cases: rounds, ..Config::default() })
        .run(&cases, |(trees, stories, turn)| {
            let engine = Engine::new(&trees, &frequencies(turn));
            let mut scratch = Scratch::new();
            let carriers = carriers();
            for story in &stories {
                let expected = plainly(&trees, story, &carriers);
                let found = engine.matches(story, &carriers, &mut scratch);
                matched.set(matched.get() + found.len());
                for (number, tree) in (0..).zip(&trees) {
                    let (by_engine, plainly) =
                        (found.contains(&number), expected.contains(&number));
                    prop_assert_eq!(
                        by_engine,
                        plainly,
                        "{} of {:?}",
                        print::expression(tree),
                        story
                    );
                }
            }
            Ok(())
        })
        .unwrap_or_else(|why| panic!("{why}"));
    let cases = (rounds as usize) * RULES * STORIES;
    assert!(
        matched.get() > cases / 20,
        "{} of {cases} cases match: too few to say anything",
        matched.get()
    );
}

#[test]
fn what_nothing_calls_up_is_evaluated_all_the_same() {
    let arms = term("arms", Forms::Plain);
    let negated = Tree::negated(arms.clone(), 0..0);
    let either = Tree::any(vec![negated.clone(), term("oil", Forms::Plain)]);
    let trees = [negated, arms, either];
    assert!(trees[0].matches_everything().is_some() && trees[2].matches_everything().is_some());
    let engine = Engine::new(&trees, &Frequencies::empty());
    let mut scratch = Scratch::new();
    for text in ["", "arms", "oil", "arms and oil"] {
        let story = Story::from_words("", text);
        assert_eq!(
            engine.matches(&story, &[], &mut scratch),
            plainly(&trees, &story, &[]),
            "{text:?}"
        );
    }
}

#[test]
fn every_case_is_decided_by_the_engine_as_its_author_means() {
    let cases: Vec<_> = CASES.iter().flat_map(|(_, cases)| *cases).collect();
    let trees: Vec<Tree> =
        cases.iter().map(|(expression, ..)| crate::tests::query(expression).tree).collect();
    let engine = Engine::new(&trees, &Frequencies::default());
    let mut scratch = Scratch::new();
    for (number, (expression, text, expected)) in (0..).zip(cases) {
        let found = engine.matches(&Story::from_words("", *text), &[], &mut scratch);
        assert_eq!(found.contains(&number), *expected, "{expression} in {text:?}");
    }
}
