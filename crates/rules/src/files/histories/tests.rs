//! Tests of timed examples: each kind of condition is met by a history, and not met by another.

use std::sync::Arc;

use crate::condition::Publishers;
use crate::fault::{Source, render};
use crate::{RuleConfig, RuleTexts, Rules, Table};

/// What is said of a rule file. Empty if it is sound.
fn said(text: &str) -> String {
    said_with(text, None)
}

fn said_with(text: &str, config: Option<&RuleConfig>) -> String {
    let source =
        |name: &str, text: &str| Arc::new(Source { name: name.to_owned(), text: text.to_owned() });
    let table = source("ships.csv", "id,name\n1,Aurora\n2,Boreas\n");
    let texts = RuleTexts {
        rules: vec![source("a.yaml", text)],
        tables: vec![Table { source: table, unreadable: None }],
    };
    let mut faults = Vec::new();
    let _ = Rules::load(&texts, config, &mut faults);
    render(&faults, false)
}

const SHIPS: &str = "terms:\n  ships: {from: ships.csv, term: name, id: id}\n";

/// What is warned of a history of `holds` without a match.
const UNMATCHED: &str = "no item matches the rule, so this history shows nothing";

/// Asserts that the rule of `lines` is met by the history `fires`, and not by `holds`.
#[track_caller]
fn assert_met(lines: &str, fires: &str, holds: &str) {
    let file = |examples: &str| format!("{SHIPS}rules:\n  - name: a\n    {lines}\n{examples}");
    // The list is used, so that it is not warned of.
    let user = "  - {name: z, when: $ships AND zzz}\n";
    let sound = said(&file(&format!("    fires: {fires}\n    holds: {holds}\n{user}")));
    let is_unmatched = sound.contains(UNMATCHED) && !sound.contains("error: ");
    assert!(sound.is_empty() || is_unmatched, "{sound}");
    let held = said(&file(&format!("    fires: {holds}\n{user}")));
    assert!(held.contains("the condition should be met here, but is not: "), "{held}");
    let refused = said(&file(&format!("    holds: {fires}\n{user}")));
    assert!(refused.contains("the condition should not be met, but is here: "), "{refused}");
}

#[test]
fn an_item_in_a_language_that_the_rule_does_not_read_does_not_match() {
    let items = |lang: &str| {
        let first = "{at: 0, site: afp.com, title: blast, lang: en}";
        format!("[{first}, {{at: 1m, site: dpa.com, title: blast, lang: {lang}}}]")
    };
    let lines = "when: blast\n    lang: [en]\n    tell: {publishers: 2, within: 1h}";
    assert_met(lines, &items("en"), &items("de"));
}

#[test]
fn publishers_have_the_names_of_the_configuration() {
    let publishers = Publishers::new([("BBC", ["bbc.co.uk", "bbc.com", "BBC News"])]);
    let config = RuleConfig { names: None, publishers };
    for from in ["site: bbc.co.uk", "source: bbc news"] {
        let file = |key: &str| {
            let bbc = "{at: 0, site: www.bbc.com, title: blast}";
            let items = format!("[{bbc}, {{at: 1m, {from}, title: blast}}]");
            let tell = "{publishers: 2, within: 1h}";
            format!("rules: [{{name: a, when: blast, tell: {tell}, {key}: {items}}}]\n")
        };
        let (fires, holds) = (file("fires"), file("holds"));
        assert_eq!(said(&fires), "", "{fires}");
        assert_eq!(said_with(&holds, Some(&config)), "", "{holds}");
        let refused = said_with(&fires, Some(&config));
        assert!(refused.contains("1 of 2 publishers: BBC"), "{refused}");
    }
}

#[test]
fn a_site_is_the_name_of_a_host() {
    let file = |site: &str| {
        let items = format!("[{{at: 0, site: '{site}', title: blast}}, {{at: 1m, title: blast}}]");
        let tell = "{events: 2, within: 1h}";
        format!("rules: [{{name: a, when: blast, tell: {tell}, fires: {items}}}]\n")
    };
    for site in ["afp.com", "www.bbc.co.uk.", "münchen.example", "192.0.2.7", "[2001:db8::1]"] {
        assert_eq!(said(&file(site)), "", "{site}");
    }
    for site in
        ["Agence France", "afp", "https://afp.com/", "afp.com/en", "afp..com", "a_b.com", ""]
    {
        let said = said(&file(site));
        assert!(said.contains("is not the name of a host"), "{site}: {said}");
    }
}

#[test]
fn a_history_without_a_match_shows_nothing() {
    let file = |lines: &str, holds: &str| {
        format!(
            "{SHIPS}rules:\n  - {{name: z, when: $ships}}\n  - name: a\n    {lines}\n    holds: {holds}\n"
        )
    };
    let events = "when: blast\n    tell: {events: 2, within: 1h}";
    let unmatched = "[{at: 0, title: Storm}, {at: 1m, title: Storm}]";
    let said_of = |lines: &str, holds: &str| said(&file(lines, holds));
    assert_eq!(said_of(events, "[{at: 0, title: blast}, {at: 1m, title: Storm}]"), "");
    assert!(said_of(events, unmatched).contains(UNMATCHED));
    let both = said_of(events, &format!("[[{{at: 0, title: blast}}], {unmatched}]"));
    assert_eq!(both.matches(UNMATCHED).count(), 1, "{both}");
    let absent = "when: blast\n    absent: {for: 1h}";
    assert_eq!(said_of(absent, "[{at: 0}, {at: 59m}]"), "", "it counts from the first item on");
    let row = "each: ships\n    when: $ships\n    absent: {for: 1h}";
    assert!(said_of(row, "[{at: 0}, {at: 59m}]").contains(UNMATCHED));
}

#[test]
fn publishers_and_events_are_counted_in_the_window() {
    assert_met(
        "when: blast\n    tell: {publishers: 2, within: 1h}",
        "[{at: 0, site: afp.com, title: A blast}, {at: 59m, site: www.yna.co.kr, title: A blast}]",
        "[[{at: 0, site: afp.com, title: A blast}, {at: 1h, site: yna.co.kr, title: A blast}],
          [{at: 0s, site: afp.com, title: A blast}, {at: 1m, site: www.afp.com, title: A blast}],
          [{at: 0, site: afp.com, title: A blast}, {at: 1m, site: yna.co.kr, title: A storm}]]",
    );
    assert_met(
        "when: blast\n    tell: {events: 2, within: 1h}",
        "[{at: 0, title: A blast}, {at: 1m}, {at: 59m, title: A blast}]",
        "[{at: 0, title: A blast}, {at: 60m, title: A blast}]",
    );
    assert_met(
        "when: blast\n    tell: {spike: 5, within: 1h, against: 1d, least: 2}",
        "[{at: 0, title: A blast}, {at: 2d, title: A blast}, {at: 49h, title: A blast},
          {at: 49h 1m, title: A blast}]",
        "[{at: 0, title: A blast}, {at: 2h, title: A blast}]",
    );
}

#[test]
fn what_is_first_is_a_key_without_a_match() {
    assert_met(
        r"when: '/CVE-\d{4}-\d+/'
    tell: {first: match, in: 1d}",
        "[{at: 0, title: It is CVE-2027-1234}]",
        "[{at: 0, title: No number}]",
    );
    for (key, field) in [("author", "author: Ana"), ("tag", "tag: sea"), ("source", "source: AFP")]
    {
        assert_met(
            &format!("when: blast\n    tell: {{first: {key}, in: 1d}}"),
            &format!("[{{at: 0, title: Storm}}, {{at: 1h, title: A blast, {field}}}]"),
            &format!("[{{at: 0, title: Storm, {field}}}]"),
        );
    }
    assert_met(
        "each: ships\n    when: $ships\n    tell: {first: row, in: 1d}",
        "[{at: 0, title: Boreas sails}]",
        "[{at: 0, title: Cassandra sails}]",
    );
}

#[test]
fn a_match_comes_after_one_of_another_rule() {
    let file = |second: &str, examples: &str| {
        let name = if second == "b" { ("b", "a") } else { ("a", "b") };
        format!(
            "rules:\n  - {{name: {}, when: call-up}}\n  - name: {}\n    when: closed\n    \
             tell: {{after: {}, within: 1h}}\n{examples}",
            name.1, name.0, name.1
        )
    };
    let fires = "    fires: [{at: 0, title: The call-up}, {at: 59m, title: It is closed}]\n";
    let holds = "    holds: [[{at: 0, title: The call-up}, {at: 60m, title: It is closed}],
      [{at: 0, title: It is closed}, {at: 1m, title: The call-up}]]\n";
    let both = "[{at: 0, title: Closed after the call-up}]\n";
    for second in ["a", "b"] {
        assert_eq!(said(&file(second, &format!("{fires}{holds}"))), "");
    }
    assert_eq!(said(&file("b", &format!("    fires: {both}"))), "");
    assert_eq!(said(&file("a", &format!("    holds: {both}"))), "");
}

#[test]
fn rows_are_counted_apart() {
    assert_met(
        "each: ships\n    when: $ships AND sinks\n    tell: {events: 2, within: 1h}",
        "[{at: 0, title: Aurora sinks}, {at: 1m, title: Aurora sinks}]",
        "[{at: 0, title: Aurora sinks}, {at: 1m, title: Boreas sinks}]",
    );
    assert_met(
        "each: ships\n    when: $ships\n    absent: {for: 1h}",
        "[{at: 0, title: Aurora}, {at: 30m, title: Boreas}, {at: 1h, title: Boreas}]",
        "[{at: 0, title: Aurora}, {at: 59m, title: Aurora}, {at: 1h}]",
    );
}

#[test]
fn rules_with_one_list_come_after_one_another_in_the_same_row() {
    let file = |each: &str, of_other: &str, examples: &str| {
        format!(
            "{SHIPS}rules:\n  - {{name: a, {each}when: {of_other}}}\n  - name: b\n    each: ships\n    \
             when: $ships AND sinks\n    tell: {{after: a, within: 1h}}\n    {examples}\n"
        )
    };
    let same = "[{at: 0, title: Aurora sails}, {at: 1m, title: Aurora sinks}]";
    let other = "[{at: 0, title: Boreas sails}, {at: 1m, title: Aurora sinks}]";
    let of_rows = |examples: &str| said(&file("each: ships, ", "$ships AND sails", examples));
    assert_eq!(of_rows(&format!("fires: {same}\n    holds: {other}")), "");
    let of_any = |examples: &str| said(&file("", "sails", examples));
    assert_eq!(of_any(&format!("fires: [{same}, {other}]")), "");
    let refused = of_rows(&format!("fires: {other}"));
    assert!(refused.contains("but is not: Aurora (1): no match of a before"), "{refused}");
}

#[test]
fn nothing_is_absent_before_its_time() {
    assert_met(
        "when: briefing\n    absent: {for: 2h, from: \"06:00\", to: \"22:00\", days: mon-fri}",
        "[[{at: 7h, title: The briefing}, {at: 9h}], [{at: 0}, {at: 8h}],
          [{at: 4d 21h, title: The briefing}, {at: 7d 7h}]]",
        "[[{at: 7h, title: The briefing}, {at: 8h 59m}], [{at: 0}, {at: 7h 59m}],
          [{at: 4d 21h, title: The briefing}, {at: 7d 6h 59m}]]",
    );
}

#[test]
fn faults_of_timed_examples() {
    insta::assert_snapshot!(
        "faults",
        said(
            r"
rules:
  - name: a
    when: blast
    tell: {publishers: 3, within: 6h}
    fires:
      - [{at: 0, site: afp.com, title: A blast}, {at: 1h, site: yna.co.kr, title: A blast}]
      - [{at: 0, site: afp.com, title: A storm}]
    holds:
      - {at: 0, site: afp.com, title: A blast}
      - {at: 1h, site: yna.co.kr, title: A blast}
      - {at: 2h, site: apnews.com, title: A blast}
  - name: b
    when: storm
    fires: [{at: 0, title: storm}]
  - name: c
    when: briefing
    absent: {for: 2h}
    fires: [{at: 0, title: A briefing}, {at: 1h}]
"
        )
    );
    insta::assert_snapshot!(
        "malformed",
        said(
            r"
rules:
  - name: a
    when: blast
    tell: {publishers: 3, within: 6h}
    fires: {at: 0, title: A blast}
    holds:
      - []
      - [{at: 1h, title: A blast}, {at: 0, title: A blast}]
      - [{title: A blast}, {at: soon}, {at: 0, titel: x}, {at: 0, site: a.com, url: b.com}]
      - [{at: 4000d}]
"
        )
    );
}
