//! Tests of conditions as rule files write them, and of their timed examples.

use std::sync::Arc;

use super::super::{LoadedRules, load};
use crate::fault::{Source, render};
use crate::{Rule, RuleTexts, Table};

fn texts(text: &str) -> RuleTexts {
    let source =
        |name: &str, text: &str| Arc::new(Source { name: name.to_owned(), text: text.to_owned() });
    let table = source("ships.csv", "id,name\n1,Aurora\n2,Boreas\n");
    RuleTexts {
        rules: vec![source("a.yaml", text)],
        tables: vec![Table { source: table, unreadable: None }],
    }
}

fn rules(text: &str) -> Result<Vec<Rule>, String> {
    let mut faults = Vec::new();
    let loaded = load(&texts(text), None, &mut faults).map(LoadedRules::into_rows);
    let said = render(&faults, false);
    let loaded = loaded.filter(|_| faults.is_empty()).ok_or(said)?;
    Ok(loaded.into_iter().map(|(rule, _)| (*rule).clone()).collect())
}

fn rule(line: &str) -> String {
    format!("rules:\n  - name: a\n    when: blast*\n    {line}\n")
}

/// The condition of a rule with this line, in words.
fn condition(line: &str) -> Result<String, String> {
    let rules = rules(&rule(line))?;
    Ok(rules[0].settings.condition.as_ref().map_or_else(String::new, ToString::to_string))
}

#[test]
fn every_kind_of_condition_is_read() {
    for (line, expected) in [
        ("tell: {publishers: 3, within: 6h}", "3 publishers within 6h"),
        ("tell: {events: 1000, within: 31d}", "1000 events within 31d"),
        (
            "tell: {spike: 5, within: 2h, against: 14d, least: 4}",
            "5 times the usual rate within 2h, against 14d, at least 4 events",
        ),
        (
            "tell: {spike: 2, within: 1h, against: 2h}",
            "2 times the usual rate within 1h, against 2h, at least 3 events",
        ),
        (
            "tell: {spike: 2, within: 1h, against: 2h, least: 1}",
            "2 times the usual rate within 1h, against 2h, at least 1 event",
        ),
        ("tell: {first: match, in: 7d}", "first match in 7d"),
        ("tell: {first: tag, in: 1m}", "first tag in 1m"),
        (
            "absent: {for: 2h, from: \"06:00\", to: \"22:00\", days: mon-fri}",
            "no match for 2h from 06:00 to 22:00 on mon, tue, wed, thu, fri",
        ),
        ("absent: {for: 2h, days: [sat, sun]}", "no match for 2h on sat, sun"),
        ("why: none", ""),
    ] {
        assert_eq!(condition(line).as_deref(), Ok(expected), "{line}");
    }
}

#[test]
fn nonsense_is_refused_with_advice() {
    let lines = [
        "tell: 3",
        "tell: {within: 6h}",
        "tell: {publishers: 1, within: 6h}",
        "tell: {publishers: 3}",
        "tell: {publisher: 3, within: 6h}",
        "tell: {events: 3, publishers: 3, within: 6h}",
        "tell: {publishers: 2.5, within: 6h}",
        "tell: {publishers: many, within: 6}",
        "tell: {events: 3, within: [6h]}",
        "tell: {events: 3, in: 6h}",
        "tell: {first: tag, within: 30d}",
        "tell: {spike: 5, within: 7m, against: soon}",
        "tell: {events: 3, within: 59s}",
        "tell: {events: 3, within: 32d}",
        "tell: {events: 3, wihtin: 1h}",
        "tell: {spike: 5, within: 2h}",
        "tell: {spike: 5, within: 2h, against: 61m}",
        "tell: {spike: 5, within: 2h, against: 3h}",
        "tell: {spike: 5, within: 2h, against: 91d}",
        "tell: {spike: 5, within: 2h, against: 14d, least: 0}",
        "tell: {first: sauce, in: 1d}",
        "tell: {first: row, in: 1d}",
        "tell: {first: tag, in: 1097d}",
        "tell: {after: a, within: 1h}",
        "tell: {after: bb, within: 1h}",
        "absent: {from: \"06:00\", to: \"22:00\"}",
        "absent: {for: 2h, from: \"06:00\"}",
        "absent: {for: 2h, from: \"06:00\", to: \"6:00\"}",
        "absent: {for: 2h, days: weekdays}",
        "{tell: {events: 3, within: 1h}, absent: {for: 2h}}",
    ];
    let of_line = |line: &str| {
        let line = line.trim_start_matches('{');
        let line = if line.ends_with("}}") && line.contains("absent: {for: 2h}}") {
            line.trim_end_matches("}}").replace("}, absent", "}\n    absent") + "}"
        } else {
            line.to_owned()
        };
        format!("# {line}\n{}\n", condition(&line).expect_err(&line))
    };
    insta::assert_snapshot!("refused", lines.map(of_line).concat());
}

#[test]
fn a_key_without_a_value_is_refused() {
    for (line, key) in [
        ("tell:", "tell"),
        ("absent: ~", "absent"),
        ("tell: {events: 3, within: 1h}\n    fires:", "fires"),
        ("tell: {events: 3, within: 1h}\n    holds: null", "holds"),
        ("tell: {events: , within: 1h}", "events"),
        ("tell: {spike: 3, within: 1h, against: 14d, least: }", "least"),
        ("absent: {for: 1h, days: }", "days"),
        ("absent: {for: 1h, from: , to: }", "from"),
        ("tell: {events: 3, within: 1h}\n    fires: [{at: 0, title: }]", "title"),
        ("feeds:", "feeds"),
        ("each:", "each"),
        ("matches:", "matches"),
        ("enabled:", "enabled"),
        ("burst:", "burst"),
        ("digest: {at: \"08:00\", days: }", "days"),
        ("expires: ~", "expires"),
    ] {
        let said = condition(line).expect_err(line);
        assert!(said.contains(&format!("error: the key `{key}` has no value")), "{line}: {said}");
    }
    let said = condition("tell: {events: 3, within: }").expect_err("no window");
    assert_eq!(said.matches("error: ").count(), 1, "{said}");
    let said = rules("defaults: {owner: }\n").expect_err("no owner");
    assert!(said.contains("the key `owner` has no value"), "{said}");
}

#[test]
fn a_first_match_needs_a_pattern_or_a_wildcard() {
    let text = |when: &str| {
        format!("rules:\n  - {{name: a, when: '{when}', tell: {{first: match, in: 1d}}}}\n")
    };
    for when in [r"/CVE-\d+/", "flaw AND novich*", "a NEAR/5 (bbb OR novich*)", "tag:cve*"] {
        assert!(rules(&text(when)).is_ok(), "{when}");
    }
    for when in ["flaw", "flaw NOT novich*", "flaw EXCEPT novich*"] {
        let said = rules(&text(when)).expect_err(when);
        assert!(said.contains("a regular expression or a wildcard"), "{when}: {said}");
    }
}

#[test]
fn a_rule_comes_after_an_enabled_rule() {
    let text = |of_other: &str| {
        format!(
            "rules:\n  - {{name: b, when: closed, tell: {{after: a, within: 1h}}}}\n  \
             - {{name: a, when: called up, {of_other}}}\n"
        )
    };
    assert!(rules(&text("enabled: true")).is_ok());
    assert!(rules(&text("tell: {after: b, within: 1h}")).is_ok());
    let said = rules(&text("enabled: false")).expect_err("not enabled");
    assert!(said.contains("the rule `a` is not enabled"), "{said}");
}

#[test]
fn a_rule_after_an_expired_rule_is_warned_of() {
    for (own, today, is_warned) in [
        ("", "2027-06-30", false),
        ("", "2027-07-01", true),
        ("expires: 2027-06-30, ", "2027-07-01", false),
    ] {
        let text = format!(
            "rules:\n  - {{name: b, when: closed, {own}tell: {{after: a, within: 1h}}}}\n  \
             - {{name: a, when: called up, expires: 2027-06-30}}\n"
        );
        let loaded = load(&texts(&text), None, &mut Vec::new()).expect("rules");
        let found = loaded.warn_of_expired(today.parse().expect("a day"));
        let said = render(&found, false);
        assert_eq!(said.contains("it expired on 2027-06-30"), is_warned, "{own}{today}: {said}");
        assert_eq!(said.is_empty(), !is_warned);
    }
}

#[test]
fn defaults_have_no_condition() {
    let said = rules("defaults: {tell: {events: 3, within: 1h}}\n").expect_err("defaults");
    assert!(said.contains("the key `tell` is not known here"), "{said}");
}

#[test]
fn an_edit_of_the_condition_is_another_version() {
    let of = |line: &str| rules(&rule(line)).expect("a rule")[0].record();
    let lines = [
        "why: x",
        "tell: {events: 3, within: 1h}\n    why: x",
        "tell: {events: 4, within: 1h}\n    why: x",
        "tell: {first: match, in: 365d}\n    why: x",
        "tell: {spike: 5, within: 2h, against: 14d}\n    why: x",
        "absent: {for: 2h}\n    why: x",
        "absent: {for: 2h, from: \"06:00\", to: \"22:00\", days: mon-fri}\n    why: x",
    ];
    let records: Vec<(String, String)> = lines.map(of).to_vec();
    let versions: std::collections::BTreeSet<&String> =
        records.iter().map(|(version, _)| version).collect();
    assert_eq!(versions.len(), lines.len());
    assert!(!records[0].1.contains("tell"), "{}", records[0].1);
    let texts: Vec<&str> = records.iter().map(|(_, text)| text.as_str()).collect();
    insta::assert_snapshot!("records", texts.join("\n"));
    for (_, text) in &records {
        let again = text.replace('\n', "\n    ").trim_end().replacen("name", "- name", 1);
        let again = format!("rules:\n  {again}\n");
        let again = rules(&again).unwrap_or_else(|said| panic!("{text}\n{said}"));
        assert_eq!(again[0].text(), *text);
    }
}

#[test]
fn rules_with_other_conditions_are_not_alike() {
    let text = |first: u32, second: u32| {
        let one = |name: &str, least: u32| {
            format!("  - {{name: {name}, when: arms, tell: {{events: {least}, within: 1h}}}}\n")
        };
        format!("rules:\n{}{}", one("a", first), one("b", second))
    };
    assert!(rules(&text(2, 3)).is_ok());
    let said = rules(&text(2, 2)).expect_err("a warning");
    assert!(said.contains("matches the same stories as `a`"), "{said}");
}
