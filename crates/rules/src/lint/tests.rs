//! Tests of each warning: when it appears, when it does not, and that it is right.

use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;

use super::{MOST, expression_warnings, never_holds};
use crate::Rules;
use crate::engine::naive;
use crate::engine::tokenized_story::TokenizedStory;
use crate::fault::{Source, render};
use crate::language::lists::Lists;
use crate::language::scope::Scope;
use crate::language::syntax;
use crate::language::term::{Forms, Term};
use crate::language::term_list::TermList;
use crate::lint::list_cache::ListCache;
use crate::story::Story;
use crate::text::Stemmer;

fn lists(forms: Forms) -> Lists {
    let term = |text: &&str| Arc::new(Term::new(text, false, forms, None).expect("a word"));
    let list = |name: &str, texts: &[&str]| {
        Arc::new(TermList {
            name: name.to_owned(),
            terms: texts.iter().map(term).collect(),
            rows: Vec::new(),
        })
    };
    let all = [
        list("weapons", &["arms", "weapon*"]),
        list("agencies", &["ICE", "FBI"]),
        list("ab", &["a", "b"]),
    ];
    let by_name = all.into_iter().map(|list| (list.name.clone(), list)).collect();
    Lists { by_name, forms, ..Lists::default() }
}

fn warnings_in(text: &str, forms: Forms) -> Vec<String> {
    let (tree, problems) = syntax::parse(text, &lists(forms));
    let tree = tree.unwrap_or_else(|| panic!("{text}: {problems:?}"));
    let line = |problem: syntax::ExpressionProblem| {
        format!(
            "{}: {} | {}",
            &text[problem.span],
            problem.message,
            problem.help.unwrap_or_default()
        )
    };
    expression_warnings(&tree, &ListCache::default()).into_iter().map(line).collect()
}

fn warnings(text: &str) -> Vec<String> {
    warnings_in(text, Forms::Plain)
}

/// Each expression, followed by its warnings.
fn listed(expressions: &[&str]) -> String {
    expressions.iter().fold(String::new(), |mut listed, expression| {
        let _ = writeln!(listed, "{expression}\n    {}", warnings(expression).join("\n    "));
        listed
    })
}

fn assert_silent(expressions: &[&str]) {
    for expression in expressions {
        assert_eq!(warnings(expression), Vec::<String>::new(), "{expression}");
    }
}

#[test]
fn a_term_that_another_beside_it_finds_is_reported() {
    let listed = listed(&[
        "weapon* OR weapons",
        "weapons OR oil OR weapon*",
        "North Korea OR Korea",
        "coal OR Coal OR coal",
        "title:(North Korea OR Korea)",
        "title:Korea OR (title:North Korea)",
        "$weapons OR weapons",
        "$weapons OR arms OR $weapons",
        "cs(Arms) OR arms",
        "(weapon* OR weapons) NEAR/5 Russia",
        "Russia ONEAR/5 (weapon* OR weapons)",
        "(North Korea OR Korea) EXCEPT Korea Strait",
        "ANY/2(weapon*, weapons, oil)",
        "SENT(Russia AND (weapon* OR weapons))",
    ]);
    insta::assert_snapshot!("again", listed);
    assert_silent(&[
        "weapon* AND weapons",
        "weapon* OR missiles",
        "North Korea OR South Korea",
        "North Korea OR title:Korea",
        "(North Korea OR Korea) NEAR/5 arms",
        "Turkey EXCEPT (Turkey breast OR roast Turkey breast)",
        "ATLEAST/3(weapon* OR weapons)",
        "cs(Arms) OR cs(ARMS)",
        "arm OR arms",
        "site:(rt.com.de OR rt.com) AND oil",
    ]);
    assert_eq!(warnings_in("arm OR arms", Forms::Plural).len(), 1);
}

#[test]
fn what_can_never_hold_is_reported() {
    let listed = listed(&[
        "oil AND NOT oil",
        "Russia NOT (Russia OR Moscow)",
        "North Korea AND NOT Korea",
        "weapons NOT $weapons",
        "$weapons NOT $weapons",
        "$weapons NOT (arms OR weapon*)",
        "oil EXCEPT oil",
        "roast turkey EXCEPT turkey",
        "SENT(oil AND gas) AND NOT gas",
        "title:oil AND NOT text:oil",
        "lead:oil AND NOT oil",
        "(oil NEAR/5 gas) AND NOT gas",
        "(oil NEAR/5 gas) NOT (oil NEAR/5 gas)",
        "ATLEAST/2(oil) NOT oil",
        "ANY/2(oil, gas, coal) NOT (oil OR gas)",
        "oil AND lang:en AND lang:de",
        "oil AND site:rt.com AND site:(bbc.co.uk OR cnn.com)",
        "oil AND words < 10 AND words > 100",
        "oil AND words >= 10 AND NOT words > 9",
        "oil AND age < 1h AND age > 1d",
        "Russia AND ((oil NOT oil) OR gas)",
        "title:(oil AND NOT oil)",
        "oil NOT (gas OR NOT gas)",
        "SENT(oil AND gas) AND NOT PARA(oil AND gas)",
        "PARA(oil AND gas) AND NOT (oil AND gas)",
        "words < 0",
        "oil AND NOT words >= 0",
        "arms AND age < 0d",
        "arms AND lang:klingon",
        "arms AND lang:(en OR jp)",
    ]);
    insta::assert_snapshot!("never", listed);
    assert_silent(&[
        "oil AND NOT gas",
        "Korea AND NOT North Korea",
        "Turkey EXCEPT roast Turkey",
        "(oil OR gas) NOT oil",
        "oil AND NOT title:oil",
        "lead:oil AND NOT body:oil",
        "oil AND NOT SENT(oil AND gas)",
        "oil AND NOT (oil NEAR/5 gas)",
        "oil AND NOT (oil EXCEPT oil tanker)",
        "oil AND NOT ATLEAST/2(oil)",
        "ANY/2(oil, gas, coal) NOT oil",
        "ANY/1($weapons, oil) NOT arms",
        "oil AND lang:en AND lang:en-GB",
        "oil AND site:rt.com AND site:russian.rt.com",
        "oil AND words > 10 AND words < 100",
        "oil AND words >= 10 AND NOT words > 10",
        "$weapons NOT arms",
        "arms AND NOT cs(Arms)",
        "SENT(oil AND NOT gas) AND gas",
    ]);
}

#[test]
fn a_wildcard_behind_a_common_beginning_is_reported() {
    insta::assert_snapshot!(
        "wide",
        listed(&["con* AND Russia", "Russia NOT int*", "oil NEAR/5 pro*", "title:the* AND oil"])
    );
    assert_silent(&[
        "weapon* AND Russia",
        "nuclear con*",
        "tank*",
        "con AND Russia",
        "site:com AND oil",
        "김정은 AND oil",
    ]);
}

#[test]
fn a_cyrillic_word_in_one_form_is_reported_once() {
    let listed = listed(&[
        "Россия AND Москва",
        "Северная Корея",
        "Путин NEAR/5 oil",
        "title:Україна",
        "oil OR NOT NOT Киев",
    ]);
    insta::assert_snapshot!("cyrillic", listed);
    assert_silent(&[
        "Росси*",
        "=Россия",
        "=\"Северная Корея\"",
        "КНДР",
        "Северная Коре*",
        "ЦБ",
        "Ελλάδα",
        "url:россия AND oil",
    ]);
    assert_eq!(
        warnings_in("Россия", Forms::Stem(Stemmer::for_language("ru").expect("known"))),
        Vec::<String>::new()
    );
}

#[test]
fn a_word_of_two_alphabets_is_reported_with_the_word_that_is_meant() {
    for (written, meant) in
        [("Росcия", "Россия"), ("Pоссия AND oil", "Россия"), ("Кim", "Kim"), ("ВTБ", "ВТБ")]
    {
        let listed = warnings(written);
        assert!(
            listed.iter().any(|listed| listed.contains(&format!("write `{meant}`"))),
            "{written}: {listed:?}"
        );
    }
    assert_silent(&["Росси*", "IT-компани*", "iPhone'ом", "Kim", "url:Росcия AND oil"]);
}

#[test]
fn a_pattern_in_small_letters_or_in_capitals_is_reported() {
    for (pattern, wider) in
        [("/freight rates?/", "/(?i)freight rates?/"), ("/SANCTIONS?/", "/(?i)SANCTIONS?/")]
    {
        let listed = warnings(pattern);
        assert!(listed.len() == 1 && listed[0].contains(wider), "{listed:?}");
    }
    assert_silent(&[
        "/(?i)arms/",
        "/CVE-\\d{4}/",
        "/Freight rates?/",
        "/[Aa]rms deals?/",
        "/(?i:arms) deals?/",
    ]);
}

#[test]
fn other_words_that_a_stem_or_wildcard_finds_are_named() {
    let english = Forms::Stem(Stemmer::for_language("en").expect("known"));
    let said = warnings_in("import AND ship", english).concat();
    assert!(said.contains("the stem of `import` also finds importan"), "{said}");
    assert!(said.contains("`forms: inflected`"), "{said}");
    let said = warnings("import* AND ship").concat();
    assert!(said.contains("`import*` also finds importan"), "{said}");
    assert!(warnings_in("ship AND tank", english).is_empty());
    assert!(warnings_in("=import AND ship", english).is_empty());
    assert_silent(&["govern* AND ship", "weapon*", "terror* AND ship"]);
}

#[test]
fn longer_words_of_scripts_without_spaces_are_named() {
    let said = warnings("印度 AND 石油").concat();
    assert!(said.contains("`印度` is also a part of 印度尼西亚"), "{said}");
    assert!(said.contains("印度 EXCEPT (印度尼西亚 OR 印度洋)"), "{said}");
    assert!(warnings("인도").concat().contains("인도네시아"));
    assert_silent(&["印度尼西亚", "朝鲜战争", "=인도"]);
}

#[test]
fn a_name_that_is_a_common_word_is_reported_where_it_stands_alone() {
    let listed = listed(&[
        "US",
        "ICE OR Russia",
        "title:Apple",
        "\"WHO\" AND lang:en",
        "Target NOT Shell",
        "ATLEAST/1(May) OR ANY/1(May, Russia)",
        "$agencies",
        "$agencies AND words > 100",
    ]);
    insta::assert_snapshot!("common", listed);
    assert_silent(&[
        "cs(US)",
        "US AND sanctions",
        "US NEAR/5 sanctions",
        "SENT(US AND sanctions)",
        "ANY/2(US, Russia)",
        "$agencies AND border",
        "us OR ice",
        "U.S.",
        "Russia",
        "Apple pie",
        "source:Time AND oil",
        "Turkey EXCEPT roast turkey",
    ]);
}

#[test]
fn so_many_warnings_are_reported_and_the_rest_counted() {
    let texts: Vec<String> =
        (0..40).flat_map(|n| [format!("word{n}x*"), format!("word{n}xs")]).collect();
    let found = warnings(&texts.join(" OR "));
    assert_eq!(found.len(), MOST + 1);
    assert!(found[MOST].contains("15 more warnings"), "{}", found[MOST]);
}

fn rendered(text: &str) -> String {
    let mut faults = Vec::new();
    let source = Arc::new(Source { name: "rules/a.yaml".to_owned(), text: text.to_owned() });
    assert!(
        Rules::load(&vec![source].into(), None, &mut faults).is_some(),
        "{}",
        render(&faults, false)
    );
    render(&faults, false)
}

#[test]
fn warnings_of_rules_and_lists_are_shown_in_their_file() {
    let file = r#"
terms:
  weapons: [weapon*, weapons, missile, con*, missile]
  more: [$weapons, weaponry]
  kim: {any: [Kim, Ким Чен Ын], stem: {ru: [Путин]}}
  moscow: [Москва, Кремль]
  agencies: {label: Agencies, any: [ICE, US]}
rules:
  - name: a
    when: >-
      ($more OR $kim)
      AND (Russia OR "Russia")
  - {name: b, when: {all: [Russia, {any: [oil*, oils]}], not: [Russia]}}
  - {name: c, when: $moscow, stem: ru}
  - {name: d, when: $agencies}
  - {name: e, when: "$agencies AND (ICE OR US)"}
"#;
    insta::assert_snapshot!("file", rendered(file));
}

#[test]
fn what_is_shipped_is_not_warned_of() {
    for file in
        [include_str!("../../../../rules/korea.yaml"), include_str!("../../../../rules/cyber.yaml")]
    {
        assert_eq!(rendered(file), "");
    }
    let guide = include_str!("../../../../docs/rules.md");
    let examples = guide.split("```rule\n").skip(1).filter_map(|example| example.lines().next());
    let trees = examples.filter_map(|example| syntax::parse(example, &Lists::default()).0);
    let listed: Vec<_> =
        trees.flat_map(|tree| expression_warnings(&tree, &ListCache::default())).collect();
    assert!(listed.is_empty(), "{listed:?}");
}

#[test]
fn a_sound_file_is_not_warned_of() {
    let file = r"
terms:
  dprk: [North Korea, North Korean, DPRK, Pyongyang]
  kim: {label: Kim Jong Un, any: [Kim Jong Un, 김정은, Ким Чен Ын*], stem: {ru: [Ким Чен Ын]}}
  all: {label: Anything, any: [$dprk, $kim]}
rules:
  - {name: a, when: Russia AND $all NOT (football OR Olympics)}
  - {name: b, when: {all: [Russia, {any: [arms, weapon*]}], not: [football]}}
";
    assert_eq!(rendered(file), "");
}

#[test]
fn huge_lists_and_many_rules_cost_little() {
    let names: Vec<String> = (0..20_000).map(|n| format!("Al person{n} of{}", n % 7)).collect();
    let mut file = format!("terms:\n  names: [{}]\nrules:\n", names.join(", "));
    for n in 0..3000 {
        let names = if n % 500 == 0 { "$names AND " } else { "" };
        let _ = writeln!(
            file,
            "  - {{name: r{n}, when: {names}(Russia{n} OR arms OR weapon*) NOT (Al OR football)}}"
        );
    }
    let (tree, _) = syntax::parse(&names.join(" OR "), &Lists::default());
    assert!(expression_warnings(&tree.expect("it parses"), &ListCache::default()).is_empty());
    assert_eq!(rendered(&file), "");
    for hostile in ["a ".repeat(100_000), "aaa* ".repeat(100_000)] {
        let hostile = hostile.trim();
        let both = syntax::parse(&format!("({hostile}) OR ({hostile} b)"), &Lists::default())
            .0
            .expect("it parses");
        assert!(expression_warnings(&both, &ListCache::default()).len() < 2);
    }
}

/// Expressions of few words, which often clash.
fn expressions() -> impl Strategy<Value = String> {
    let word = proptest::sample::select(vec![
        "a", "b", "a b", "cs(A)", "$ab", "abc*", "abcd", "=a", "A.B.", "cs(AB)",
    ]);
    let leaf = prop_oneof![
        8 => word.clone().prop_map(str::to_owned),
        1 => (word.clone(), 0..3_usize, word.clone()).prop_map(|(one, n, other)| format!("({one} NEAR/{n} {other})")),
        1 => (word.clone(), word.clone()).prop_map(|(one, other)| format!("({one} EXCEPT {other})")),
        1 => (1..3_usize, word).prop_map(|(n, one)| format!("ATLEAST/{n}({one})")),
        1 => (proptest::sample::select(vec!["<", ">", "<=", ">="]), 0..4_usize).prop_map(|(sign, n)| format!("words {sign} {n}")),
        1 => proptest::sample::select(vec!["lang:en", "lang:de", "lang:(en-GB OR fr)"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let many = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            4 => many.clone().prop_map(|all| format!("({})", all.join(" AND "))),
            1 => many.clone().prop_map(|all| format!("({})", all.join(" OR "))),
            1 => (1..3_usize, many).prop_map(|(n, all)| format!("ANY/{n}({})", all.join(", "))),
            3 => inner.clone().prop_map(|one| format!("(NOT {one})")),
            1 => (proptest::sample::select(vec!["title:", "body:", "lead:", "text:", "SENT", "PARA"]), inner)
                .prop_map(|(field, one)| format!("{field}({one})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_said_never_to_hold_holds_of_no_text(
        required in expressions(),
        excluded in expressions(),
        texts in proptest::collection::vec(("[aAbB .]{0,6}", "(a|A|b|abc|abcd|AB|A\\.B\\.|[ .]|\n\n){0,8}"), 20),
        lang in proptest::option::of(proptest::sample::select(vec!["en", "en-GB", "de", "fr"])),
    ) {
        let (tree, _) = syntax::parse(&format!("{required} AND NOT {excluded}"), &lists(Forms::Plain));
        // Some are refused because of a field in a field.
        let Some(tree) = tree else { return Ok(()) };
        if never_holds::clash(&tree, Scope::Text, &ListCache::default()).is_some() {
            for (title, body) in texts {
                let story = Story { lang: lang.map(str::to_owned), ..Story::from_words(&title, &body) };
                prop_assert!(!naive::holds(&tree, &TokenizedStory::new(&story, &[])), "{title:?} {body:?}");
            }
        }
    }

    #[test]
    fn what_is_said_to_be_found_already_can_be_left_out(
        texts in proptest::collection::vec(("[aAbB .]{0,6}", "(a|A|b|abc|abcd|AB|A\\.B\\.|[ .]|\n\n){0,8}"), 20),
        words in proptest::collection::vec(
            proptest::sample::select(vec!["a", "b", "a b", "cs(A)", "$ab", "abc*", "abcd", "=a", "A.B.", "cs(AB)", "AB"]), 2..5),
        near in any::<bool>(),
    ) {
        let written = |words: &[&str]| {
            let link = if near { " NEAR/2 b" } else { "" };
            format!("({}){link}", words.join(" OR "))
        };
        let parse = |words: &[&str]| syntax::parse(&written(words), &lists(Forms::Plain)).0;
        let Some(tree) = parse(&words) else { return Ok(()) };
        for problem in expression_warnings(&tree, &ListCache::default()) {
            let names = |word: &&str| problem.message.starts_with(&format!("`{word}` "));
            let Some(last) = words.iter().rposition(names) else { continue };
            let mut others = words.clone();
            others.remove(last);
            let Some(shorter) = parse(&others) else { continue };
            for (title, body) in &texts {
                let story = Story::from_words(title, body);
                let page = TokenizedStory::new(&story, &[]);
                prop_assert_eq!(naive::holds(&tree, &page), naive::holds(&shorter, &page), "{} {:?}", problem.message, body);
            }
        }
    }
}
