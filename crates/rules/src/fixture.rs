//! Lists, trees and stories for tests.

use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use crate::language::comparison::{Comparison, Sign};
use crate::language::lists::Lists;
use crate::language::pair::{Pair, Proximity};
use crate::language::pattern::Pattern;
use crate::language::scope::Scope;
use crate::language::term::{Forms, Term};
use crate::language::term_list::TermList;
use crate::language::tree::{TextUnit, Tree};
use crate::story::Story;

/// Two term lists.
pub(crate) fn lists() -> Lists {
    let term = |text: &str| Arc::new(Term::new(text, false, Forms::Plain, None).expect("a word"));
    let list = |name: &str, texts: [&str; 2]| {
        Arc::new(TermList {
            name: name.to_owned(),
            terms: texts.map(term).to_vec(),
            rows: Vec::new(),
        })
    };
    let all = [list("dprk", ["North Korea", "DPRK"]), list("weapons", ["arms", "weapons"])];
    let by_name = all.into_iter().map(|list| (list.name.clone(), list)).collect();
    Lists { by_name, ..Lists::default() }
}

/// Fields that take any term.
const WORDY: [Scope; 8] = [
    Scope::Title,
    Scope::Lead,
    Scope::Body,
    Scope::Text,
    Scope::Url,
    Scope::Source,
    Scope::Author,
    Scope::Tag,
];

/// Whether the tree can stand in a field or in SENT.
fn is_about_words(tree: &Tree) -> bool {
    !matches!(tree, Tree::In(..) | Tree::Compare(..)) && tree.branches().iter().all(is_about_words)
}

/// Term texts of every unusual form. A text that begins with `^` asks for its capitals. A text that
/// ends in `h` stands in quotes with a `=`.
pub(crate) fn wild_texts() -> BoxedStrategy<String> {
    prop_oneof![
        "[a-z]{1,3}( [a-z]{1,3})?",
        "[a-z]{3}[*]?( [a-z]{3}[*]?)?",
        "\\^[a-zA-Z]{1,3}( [A-Z]{3}[*]?)?",
        "(AND|or|not|U\\.S\\.|-x|a\\*|=a|\\$a|x:y|NEAR/5|\\(a\\)|'a'|cs|words|é|/a/|a,b|SENT|age<2d)( [a-z]{1,2}| not| \"x\")?",
        "=[a-z]{3}( =?[a-z]{3}[*]?)?",
        "\\PC{1,6}",
    ]
    .boxed()
}

/// Term texts of few words, which [`stories`] often contain.
pub(crate) fn tame_texts() -> BoxedStrategy<String> {
    prop_oneof![
        2 => "(\\^US|U\\.S\\.|arms|army|arm\\*|oil|Oslo|\\^Oslo|мир|한국|北朝鮮|=arms)( (arms|oil|ar?ms\\*|US))?",
        1 => "(US|U\\. S\\.|Oslo's|\\^Oslo’s|\\$5bn|5%|1000|1,000|3\\.5|مصر|المصر|=مصر|ישראל|インド|北朝鲜|Xi’an|\\^Xi)( oil)?",
    ]
    .boxed()
}

/// Stories in the words of [`tame_texts`] and others, in several sentences and paragraphs, with and
/// without the other parts of a story.
pub(crate) fn stories() -> impl Strategy<Value = Story> {
    let words = "((arms|army|ARMS|Arms|oil|OIL|US|us|U\\.S\\.|Oslo|Öslo|oslo|мир|МИР|한국이|北朝鮮|the|of|[$€]5bn|5 ?%|U\\. S\\.|1[, .]?000|3[.,]5|(ل|ولل|ال)?مصر|(ב|ומה)?ישראל|インド(ネシア)?|Xi’an)( |, |-|\\. |\\.\\n|! |\\n\\n|’s |\n)){0,24}";
    let age = proptest::option::of(-5..500_000_i64);
    (words, words, age, any::<[bool; 3]>()).prop_map(|(title, body, age, [url, author, lang])| {
        Story {
            published: age.map(|age| Timestamp::UNIX_EPOCH - jiff::SignedDuration::from_secs(age)),
            url: url.then(|| "https://www.oil.example/arms-army".to_owned()),
            authors: if author { vec!["Oslo Arms".to_owned()] } else { Vec::new() },
            tags: if author { vec!["oil".to_owned()] } else { Vec::new() },
            source: author.then(|| "The Oslo army".to_owned()),
            lang: lang.then(|| "en-GB".to_owned()),
            ..Story::from_words(title.replace('\n', " "), body)
        }
    })
}

/// Comparisons with any number.
fn comparisons() -> impl Strategy<Value = Tree> {
    let sign = proptest::sample::select(Sign::ALL.to_vec());
    (sign, any::<bool>(), 0..1_000_000_u32).prop_map(|(sign, is_age, number)| {
        let comparison = if is_age {
            Comparison::Age(sign, number.into())
        } else {
            Comparison::Words(sign, number)
        };
        Tree::Compare(comparison, 0..0)
    })
}

/// Any tree that an expression can write, except for its spans, with terms of these texts and the
/// lists of [`lists`].
pub(crate) fn trees(texts: BoxedStrategy<String>) -> impl Strategy<Value = Tree> {
    let term = texts.prop_filter_map("no word in it", |text| {
        let (cased, text) =
            text.strip_prefix('^').map_or((false, text.as_str()), |text| (true, text));
        let has_both = text.contains('"') && text.contains(['“', '”', '„', '«', '»']);
        let term =
            Term::new(text, text.ends_with('h'), Forms::Plain, None).ok().filter(|_| !has_both)?;
        Some(Tree::Term(Arc::new(if cased { term.cased() } else { term }), 0..0))
    });
    let list = Just(Tree::List(Arc::clone(&lists().by_name["dprk"]), 0..0));
    let leaf = prop_oneof![4 => term, 1 => list].boxed();
    let operand = proptest::collection::vec(leaf.clone(), 1..3)
        .prop_map(|choices| Tree::any(choices).into_operand().expect("terms and lists"));
    let link = prop_oneof![
        (0..1000_usize).prop_map(Proximity::Near),
        (0..9_usize).prop_map(Proximity::Onear),
        Just(Proximity::Except)
    ];
    let pair = (operand.clone(), link, operand.clone())
        .prop_map(|(left, link, right)| Tree::Pair(Box::new(Pair { left, link, right }), 0..0));
    let at_least =
        (1..9_usize, operand).prop_map(|(least, operand)| Tree::AtLeast(least, operand, 0..0));
    let pattern = "([a-z]{4}|arms|oil)( \\\\/|[+?]|\\.\\*|[(]x[)])?[a-z]?"
        .prop_filter_map("no letters in a row", |text| {
            Some(Tree::Pattern(Arc::new(Pattern::new(&text).ok()?), 0..0))
        });
    let comparison = comparisons();
    prop_oneof![8 => leaf, 2 => pair, 1 => at_least, 1 => pattern, 1 => comparison].prop_recursive(
        5,
        24,
        4,
        |inner| {
            let about_words =
                inner.clone().prop_filter("no field in a field", is_about_words).boxed();
            let unit = prop_oneof![Just(TextUnit::Sentence), Just(TextUnit::Paragraph)];
            prop_oneof![
                (unit, about_words.clone()).prop_map(|(unit, tree)| Tree::Within(
                    unit,
                    Box::new(tree),
                    0..0
                )),
                proptest::collection::vec(inner.clone(), 1..4).prop_map(|items| Tree::AnyOf(
                    items.len().div_ceil(2),
                    items,
                    0..0
                )),
                proptest::collection::vec(inner.clone(), 1..4).prop_map(Tree::all),
                proptest::collection::vec(inner.clone(), 1..4).prop_map(Tree::any),
                inner.clone().prop_map(|tree| Tree::negated(tree, 0..0)),
                (proptest::sample::select(WORDY.to_vec()), about_words)
                    .prop_map(|(scope, tree)| Tree::In(scope, Box::new(tree), 0..0)),
            ]
        },
    )
}
