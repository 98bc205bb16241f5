//! Nests each construct of the grammar in each other, thousands deep. The result is a fault with
//! its place or a valid rule, never an abort.

use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;

use crate::Rules;
use crate::fault::{Fault, Level, Source, render};

/// The texts before and after an expression for each construct.
const CONSTRUCTS: [(&str, &str); 22] = [
    ("(", ")"),
    ("NOT ", ""),
    ("a NOT ", ""),
    ("title: ", ""),
    ("title:", ""),
    ("body:(", ")"),
    ("=", ""),
    ("\"", "\""),
    ("cs(", ")"),
    ("SENT(", ")"),
    ("PARA(b AND ", ")"),
    ("ATLEAST/2(", ")"),
    ("ANY/1(", ", b)"),
    ("ANY/1(b, ", ")"),
    ("a AND ", ""),
    ("a OR (", ")"),
    ("a NEAR/5 ", ""),
    ("a NEAR/5 (", ")"),
    ("a EXCEPT ", ""),
    ("/arms", "/"),
    ("-", ""),
    ("（", "）"),
];

/// The same for clauses that are written as YAML.
const CLAUSES: [(&str, &str); 5] =
    [("{all: [", "]}"), ("{any: [", "]}"), ("{not: [", "]}"), ("[", "]"), ("{all: ", "}")];

fn nested<'t>(parts: &[(&'t str, &'t str)], times: usize, core: &str) -> String {
    let around = || parts.iter().cycle().take(times);
    let before: String = around().map(|(before, _)| *before).collect();
    let behind: Vec<&str> = around().map(|(_, behind)| *behind).collect();
    before + core + &behind.into_iter().rev().collect::<String>()
}

/// Loads a rule file, and uses its rules as a run does.
fn load(text: String) -> Vec<Fault> {
    let source = Arc::new(Source { name: "a.yaml".to_owned(), text });
    let mut faults = Vec::new();
    let rules = Rules::load(&vec![source].into(), None, &mut faults);
    let is_broken = faults.iter().any(|fault| fault.level == Level::Error);
    assert_eq!(rules.is_none(), is_broken, "{}", render(&faults, false));
    for rule in rules.iter().flat_map(Rules::iter) {
        assert!(
            !rule.text().is_empty()
                && format!("{:?}", rule.tree()).len() > 1
                && rule.tree() == rule.tree()
        );
    }
    assert!(faults.iter().all(|fault| fault.source.text.get(fault.span.clone()).is_some()));
    faults
}

fn rule(when: &str) -> String {
    format!("rules:\n  - name: a\n    when: {when}\n")
}

fn of_expression(expression: &str) -> String {
    rule(&format!("'{}'", expression.replace('\'', "''")))
}

#[test]
fn each_construct_by_itself_ends_in_a_fault_or_a_rule_however_deep_it_is() {
    for part in CONSTRUCTS {
        for times in [50, 10_000] {
            load(of_expression(&nested(&[part], times, "a")));
        }
    }
    for part in CLAUSES {
        for times in [10, 20, 10_000] {
            load(rule(&nested(&[part], times, "arms")));
        }
    }
    assert!(!load(of_expression(&"title: ".repeat(10_000))).is_empty());
}

#[test]
fn a_flat_expression_of_100_000_operands_is_a_rule() {
    for operator in [" OR ", " AND ", " NOT "] {
        let words: Vec<String> = (0..100_000).map(|n| format!("word{n}")).collect();
        let faults = load(of_expression(&words.join(operator)));
        assert!(faults.is_empty(), "{}", render(&faults, false));
    }
}

#[test]
fn lists_in_lists_and_aliases_of_aliases_end_in_a_fault() {
    let mut lists = "terms:\n".to_owned();
    for n in 0..5000 {
        let _ = writeln!(lists, "  l{n}: [$l{}]", n + 1);
    }
    assert!(!load(format!("{lists}  l5000: [arms]\n{}", rule("$l0"))).is_empty());
    let mut deep = "x0: &x0 {all: [arms]}\n".to_owned();
    let mut wide = "x0: &x0 [a, a, a, a, a, a, a, a, a]\n".to_owned();
    for n in 1..12 {
        let _ =
            writeln!(deep, "x{n}: &x{n} {}", nested(&[CLAUSES[0]], 20, &format!("*x{}", n - 1)));
        let _ = writeln!(wide, "x{n}: &x{n} [{}]", vec![format!("*x{}", n - 1); 9].join(", "));
    }
    let long = format!(
        "text: &long {}\nmany: [{}]\n",
        "x".repeat(100_000),
        vec!["*long"; 1000].join(", ")
    );
    for (text, said) in
        [(deep, "nested too deep"), (wide, "too many values"), (long, "too much text")]
    {
        let faults = load(text + &rule("arms"));
        assert!(
            faults.iter().any(|fault| fault.message.contains(said)),
            "{said}: {}",
            render(&faults, false)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn constructs_in_one_another_end_in_a_fault_or_a_rule(
        parts in prop::collection::vec(prop::sample::select(CONSTRUCTS.to_vec()), 1..5),
        clauses in prop::collection::vec(prop::sample::select(CLAUSES.to_vec()), 1..3),
        times in prop_oneof![1..130_usize, 2000..5000_usize],
        depth in 0..20_usize,
    ) {
        let expression = nested(&parts, times, "a");
        load(of_expression(&expression));
        let quoted = format!("'{}'", expression.replace('\'', "''"));
        load(rule(&nested(&clauses, depth, &quoted)));
    }
}
