//! Tests of the trees of valid expressions, and of the problems of others.

use proptest::prelude::*;

use super::problems::MOST_PROBLEMS;
use super::*;
use crate::fault::Level;
use crate::fixture::{lists, trees, wild_texts};
use crate::language::print;
use crate::language::term::Forms;

mod doubts;
mod foreign;

fn parsed(expression: &str) -> Tree {
    let (tree, problems) = parse(expression, &lists());
    tree.unwrap_or_else(|| panic!("{expression}: {problems:?}"))
}

/// Each problem with its words, its message and its help.
fn problems(expression: &str) -> Vec<String> {
    let (tree, problems) = parse(expression, &lists());
    assert_eq!(
        tree.is_none(),
        problems.iter().any(|problem| problem.level == Level::Error),
        "{expression}"
    );
    let line = |problem: ExpressionProblem| {
        let help = problem.help.map_or(String::new(), |help| format!(" | {help}"));
        format!("{}: {}{help}", &expression[problem.span], problem.message)
    };
    problems.into_iter().map(line).collect()
}

/// Each expression, followed by its problems.
fn describe(expressions: &[&str]) -> String {
    let described = expressions
        .iter()
        .map(|expression| format!("{expression}\n    {}\n", problems(expression).join("\n    ")));
    described.collect::<Vec<_>>().concat()
}

#[test]
fn expressions_print_in_canonical_form() {
    let cases = [
        ("Russia", "Russia"),
        ("  North \n  Korea ", "North Korea"),
        ("\"North Korea\"", "North Korea"),
        ("“a AND b”", "\"a AND b\""),
        ("“the \"big\" one”", "“the \"big\" one”"),
        ("\"artillery shell*\"", "artillery shell*"),
        ("Trinidad and Tobago", "\"Trinidad and Tobago\""),
        ("a NOT b", "a AND NOT b"),
        ("NOT NOT a", "a"),
        ("a AND (b AND (c))", "a AND b AND c"),
        ("(a OR b) OR c", "a OR b OR c"),
        ("(a AND b) OR $dprk", "(a AND b) OR $dprk"),
        ("a NOT (b OR c)", "a AND NOT (b OR c)"),
        ("a AND (b OR NOT c)", "a AND (b OR (NOT c))"),
        ("\"-x\"", "\"-x\""),
        ("cs(\"US\") NEAR/5 b", "cs(US) NEAR/5 b"),
        ("title:cs(US Army)", "title:cs(US Army)"),
        ("a NEAR/5 \"b\" AND c", "(a NEAR/5 b) AND c"),
        ("title:a ONEAR/0 (b c OR $dprk)", "title:(a ONEAR/0 (b c OR $dprk))"),
        ("NOT Turkey EXCEPT (roast Turkey) AND x", "NOT (Turkey EXCEPT roast Turkey) AND x"),
        ("title:\"North Korea\" AND body: (a OR b)", "title:North Korea AND body:(a OR b)"),
        ("NOT tag:5g AND source:(rt.com OR $dprk)", "NOT tag:5g AND source:(rt.com OR $dprk)"),
        ("=arms =deal", "=arms =deal"),
        ("=\"arms deal\"", "=\"arms deal\""),
        ("title:=arms NEAR/2 =“deal”", "title:(=arms NEAR/2 =\"deal\")"),
        ("SENT (a AND b)", "SENT(a AND b)"),
        ("title:PARA(a OR b) AND c", "title:PARA(a OR b) AND c"),
        ("ATLEAST/3 (a OR $dprk OR cs(US))", "ATLEAST/3(a OR $dprk OR cs(US))"),
        ("NOT ANY/2(a,b AND c , $dprk)", "NOT ANY/2(a, b AND c, $dprk)"),
        ("ANY/1(a, ANY/2((b), c, d OR e))", "ANY/1(a, ANY/2(b, c, d OR e))"),
        (
            "a AND /b+ \\/ arms/ AND NOT title: /arms (deal|trade)/",
            "a AND /b+ \\/ arms/ AND NOT title:/arms (deal|trade)/",
        ),
        ("a AND words>=100 AND NOT age < 48h", "a AND words >= 100 AND NOT age < 2d"),
        ("צה\"ל AND b", "צה\"ל AND b"),
    ];
    for (expression, canonical) in cases {
        assert_eq!(print::expression(&parsed(expression)), canonical, "{expression}");
    }
}

#[test]
fn spans_are_those_of_the_text() {
    let text = "(Rússia OR $dprk) NOT “North Korea”";
    let Tree::And(branches) = parsed(text) else { panic!("a conjunction") };
    let [Tree::Or(names), not @ Tree::Not(inner, _)] = branches.as_slice() else {
        panic!("{branches:?}")
    };
    let shown: Vec<&str> =
        names.iter().chain([not, inner.as_ref()]).map(|tree| &text[tree.span()]).collect();
    assert_eq!(shown, ["Rússia", "$dprk", "NOT “North Korea”", "“North Korea”"]);
}

#[test]
fn what_holds_of_nothing_found_is_seen() {
    let cases = [
        ("NOT a", Some("NOT a")),
        ("a OR NOT b", Some("NOT b")),
        ("a AND (b OR NOT c)", None),
        ("NOT a NOT b", Some("NOT a NOT b")),
        ("NOT (a AND NOT b)", Some("NOT (a AND NOT b)")),
        ("NOT (a OR NOT b)", None),
        ("$dprk", None),
        ("title:NATO", None),
        ("a NEAR/5 b", None),
        ("NOT a EXCEPT b", Some("NOT a EXCEPT b")),
        ("title:(a AND NOT b)", None),
        ("title:(NOT a)", Some("title:(NOT a)")),
        ("lang:en", Some("lang:en")),
        ("a OR NOT lang:en", Some("NOT lang:en")),
        ("a AND lang:en", None),
        ("a NOT lang:(en OR de)", None),
        ("words > 5", Some("words > 5")),
        ("a OR age < 2d", Some("age < 2d")),
        ("a NOT age < 2d", None),
        ("/arms/", None),
        ("SENT(a NOT b)", None),
        ("a OR NOT SENT(b AND c)", Some("NOT SENT(b AND c)")),
        ("SENT(NOT a)", Some("SENT(NOT a)")),
        ("NOT SENT(NOT a)", Some("NOT SENT(NOT a)")),
        ("ATLEAST/2(a)", None),
        ("ANY/1(a, NOT b)", Some("ANY/1(a, NOT b)")),
        ("ANY/2(a, NOT b, c)", None),
        ("ANY/2(a, NOT b, NOT c)", Some("ANY/2(a, NOT b, NOT c)")),
        ("NOT ANY/3(a, NOT b, NOT c)", Some("NOT ANY/3(a, NOT b, NOT c)")),
        ("a AND NOT ANY/2(NOT b, NOT c)", None),
    ];
    for (expression, guilty) in cases {
        let tree = parsed(expression);
        assert_eq!(
            tree.matches_everything().map(|tree| &expression[tree.span()]),
            guilty,
            "{expression}"
        );
    }
}

#[test]
fn faults_are_reported_at_the_very_word_with_what_to_write() {
    let described = describe(&[
        "",
        "()",
        "(a OR b",
        "a OR b)",
        "((a)",
        "\"North Korea AND arms",
        "“North Korea\" AND arms",
        "AND a",
        "a AND",
        "a AND OR b",
        "NOT",
        "a OR (b AND)",
        "!!!",
        "a AND \"\"",
        "\"North Korea\" arms",
        "\"North Korea\" (arms OR oil)",
        "(a OR b) and c",
        "a or $dprk",
        "Russia and Korea",
        "Russia AND not sport",
        "a OR b AND c",
        "a AND b OR c AND d",
        "a OR b NOT c",
        "NOT a OR b",
        "a OR NOT b OR c",
        "Russia AND (arms OR oil AND North   Korea)",
        "$dprkk",
        "$other",
        "$100 AND arms",
    ]);
    insta::assert_snapshot!("own", described);
}

#[test]
fn functions_comparisons_and_patterns_used_wrongly_are_reported_with_what_to_write() {
    let described = describe(&[
        "SENT()",
        "SENT(NOT arms)",
        "SENT(title:Russia AND arms)",
        "arms AND SENT(Russia AND words > 5)",
        "arms AND title:(Russia AND age < 2d)",
        "ATLEAST/0(arms)",
        "ATLEAST/2000(arms)",
        "ATLEAST/3(Russia AND arms)",
        "ATLEAST/3(arms",
        "ANY/3(a, b)",
        "ANY/0(a, b)",
        "ANY/2(a, , b)",
        "ANY/2(a, b,)",
        "ANY/2(a, (b, c))",
        "ANY/2(3,000, tons)",
        "site:(rt.com OR SENT(a))",
        "arms AND lang:/en-us/",
        "/arms? deals?",
        "/arms?/i",
        "/home/user/file",
        "Russia /arms/",
        "/(arms/",
        "/\\w+/",
        "words >= many AND arms",
        "words = 100 AND arms",
        "arms AND age < 2",
        "arms AND words >=",
        "words >= 100",
    ]);
    insta::assert_snapshot!("special", described);
}

#[test]
fn operators_between_two_operands_used_wrongly_are_reported_with_what_to_write() {
    let described = describe(&[
        "Russia NEAR arms",
        "Russia ONEAR/ arms",
        "NEAR/5 arms",
        "Russia NEAR/5",
        "Russia EXCEPT AND arms",
        "a NEAR/5 b NEAR/5 c NEAR/5 d",
        "a NEAR/5 (b AND c)",
        "(a NEAR/5 b) EXCEPT c",
        "title:a NEAR/5 title:b",
        "Russia NEAR/5 NOT arms",
        "Russia NEAR/100000000000000000000 arms",
        "site:(rt.com NEAR/5 ru)",
    ]);
    insta::assert_snapshot!("between", described);
}

#[test]
fn capitals_are_asked_of_one_term_only() {
    let described =
        describe(&["cs(US OR ICE)", "cs() AND arms", "cs($dprk)", "cs(US", "cs(US) arms"]);
    insta::assert_snapshot!("capitals", described);
}

#[test]
fn fields_used_wrongly_are_reported_with_what_to_write() {
    let described = describe(&[
        "titel:Russia",
        "title: AND arms",
        "title:NOT arms",
        "(title:)",
        "title:(Russia OR body:arms)",
        "title:title:arms",
        "site:(rt.com OR rtnews*)",
        "arms AND site:https://rt.com/news",
        "lang:(en OR \"plain English\")",
        "arms title:Russia",
    ]);
    insta::assert_snapshot!("fields", described);
}

#[test]
fn an_entry_of_a_list_is_one_phrase() {
    for (entry, phrase) in [
        ("North Korea", "North Korea"),
        ("\"a AND b\"", "a AND b"),
        ("Trinidad and Tobago", "Trinidad and Tobago"),
        ("artillery shell*", "artillery shell*"),
    ] {
        let (found, problems) = parse_term(entry, Forms::Plain, None);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(found.map(|term| term.text), Some(phrase.to_owned()));
    }
    for entry in ["", "!", "a OR b", "AND", "(a)", "\"a\" b", "$a b", "a*", "a \"b\"", "\"a"] {
        let (found, problems) = parse_term(entry, Forms::Plain, None);
        assert!(found.is_none() && problems.len() == 1, "{entry}: {problems:?}");
    }
}

#[test]
fn a_wildcard_wants_enough_before_it_and_nothing_behind() {
    for expression in [
        "weapon*",
        "\"artillery shell*\"",
        "F-16*",
        "U.S.A.*",
        "ро*",
        "金*",
        "weapon*, OR missile*",
    ] {
        assert_eq!(problems(expression), Vec::<String>::new());
    }
    let described = describe(&[
        "ar*",
        "Russia AND \"of ar*\"",
        "*",
        "*weapon",
        "wea*on",
        "\"weapon *\"",
        "weapon**",
        "Russia's*",
        "р* AND weapon*",
    ]);
    insta::assert_snapshot!("wildcards", described);
}

#[test]
fn hostile_expressions_cost_little_and_end_in_a_readable_fault() {
    let deep = format!("{}a{}", "(".repeat(100), ")".repeat(100));
    assert!(problems(&deep).is_empty());
    let too_deep = problems(&format!("{}a{}", "(".repeat(10_000), ")".repeat(10_000)));
    assert_eq!(too_deep.len(), 1, "{too_deep:?}");
    for (part, times) in [
        ("(", 300_000),
        ("((a) ", 100_000),
        (")", 300_000),
        ("a OR b AND ", 50_000),
        ("a* ", 100_000),
        ("+a ", 100_000),
        ("\"a\" ", 100_000),
        ("NOT ", 100_000),
        ("$x ", 100_000),
        ("and ", 100_000),
        ("/", 300_000),
        ("a OR NOT ", 50_000),
        ("ANY/2(", 100_000),
        ("SENT(a ", 100_000),
        ("ANY/2(a,", 100_000),
        ("ATLEAST/2(a) ", 50_000),
        ("/a", 150_000),
        ("words > ", 50_000),
        ("=\"a\" ", 50_000),
    ] {
        let found = problems(&part.repeat(times));
        let longest = found.iter().map(String::len).max().unwrap_or_default();
        assert!(!found.is_empty() && found.len() <= MOST_PROBLEMS, "{part}: {}", found.len());
        assert!(part == "and " || part == "$x " || longest < times * part.len(), "{part}");
    }
    assert_eq!(problems(&format!("{}(", "a and b AND ".repeat(100))).len(), MOST_PROBLEMS + 1);
    assert!(problems(&vec!["arms"; 200_000].join(" OR ")).is_empty());
    assert!(problems(&format!("NOT {}a", "NOT ".repeat(100_001))).is_empty());
}

fn without_spans(tree: Tree) -> Tree {
    let all = |branches: Vec<Tree>| branches.into_iter().map(without_spans).collect();
    let one = |branch: Tree| Box::new(without_spans(branch));
    match tree {
        Tree::Term(term, _) => Tree::Term(term, 0..0),
        Tree::List(list, _) => Tree::List(list, 0..0),
        Tree::Pattern(pattern, _) => Tree::Pattern(pattern, 0..0),
        Tree::Compare(comparison, _) => Tree::Compare(comparison, 0..0),
        Tree::Pair(pair, _) => Tree::Pair(pair, 0..0),
        Tree::AtLeast(least, operand, _) => Tree::AtLeast(least, operand, 0..0),
        Tree::AnyOf(least, items, _) => Tree::AnyOf(least, all(items), 0..0),
        Tree::Within(unit, branch, _) => Tree::Within(unit, one(*branch), 0..0),
        Tree::And(branches) => Tree::And(all(branches)),
        Tree::Or(branches) => Tree::Or(all(branches)),
        Tree::Not(branch, _) => Tree::Not(one(*branch), 0..0),
        Tree::In(scope, branch, _) => Tree::In(scope, one(*branch), 0..0),
    }
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same_tree(tree in trees(wild_texts())) {
        let printed = print::expression(&tree);
        let (parsed, problems) = parse(&printed, &lists());
        prop_assert!(problems.is_empty(), "{}: {:?}", printed, problems);
        prop_assert_eq!(parsed.map(without_spans), Some(tree), "{}", printed);
    }

    #[test]
    fn both_readings_of_a_mixture_parse_and_differ(
        words in proptest::collection::vec("(NOT )?[x-z]", 5),
        operators in proptest::collection::vec(prop_oneof![Just(" AND "), Just(" OR "), Just(" NOT ")], 4),
    ) {
        let expression = words.iter().zip(operators.into_iter().chain([""])).map(|(word, operator)| format!("{word}{operator}"));
        let (tree, problems) = parse(&expression.collect::<String>(), &lists());
        prop_assert_eq!(tree.is_none(), problems.len() == 1);
        if let Some(help) = problems.into_iter().find_map(|problem| problem.help) {
            let readings: Vec<&str> = help.split('`').skip(1).step_by(2).collect();
            let trees: Vec<String> = readings.iter().map(|reading| print::expression(&parsed(reading))).collect();
            prop_assert!(trees.len() == 2 && trees[0] != trees[1], "{help}");
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "([a-z\"“()$/*=!+&|:~^?<>0-9é,-]|AND|OR|NOT|NEAR|ANY/2\\(|SENT\\(|words ?[<>]|age<| |\\PC){0,30}") {
        for problem in problems(&text) {
            prop_assert!(!problem.is_empty());
        }
        let (_, found) = parse_term(&text, Forms::Plain, None);
        prop_assert!(found.iter().all(|problem| text.get(problem.span.clone()).is_some()));
    }
}

#[test]
fn fields_in_fields_behind_operators_take_no_stack() {
    for operator in ["NEAR/5", "EXCEPT"] {
        let problems = problems(&format!("{}a", format!("a {operator} title:").repeat(50_000)));
        assert!(
            problems.iter().any(|problem| problem.contains("inside another field")),
            "{problems:?}"
        );
    }
}
