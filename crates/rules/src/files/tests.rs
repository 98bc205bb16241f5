//! Tests of rule files, and of the faults of broken ones.

use std::sync::Arc;

use super::{LoadedRules, load};
use crate::fault::{Fault, Source, render};
use crate::language::tree::Tree;
use crate::story::{FeedName, NotifierName, Severity};
use crate::{Carrier, FeedFilter, KnownNames, Rule, RuleConfig};

type Rows = Option<Vec<(Arc<Rule>, Arc<Tree>)>>;

fn load_files(files: &[(&str, &str)], config: Option<&RuleConfig>) -> (Rows, Vec<Fault>) {
    let source = |(name, text): &(&str, &str)| {
        Arc::new(Source { name: (*name).to_owned(), text: (*text).to_owned() })
    };
    let sources: Vec<Arc<Source>> = files.iter().map(source).collect();
    let mut faults = Vec::new();
    (load(&sources.into(), config, &mut faults).map(LoadedRules::into_rows), faults)
}

/// The rendered faults of files that do not load.
fn refused(files: &[(&str, &str)]) -> String {
    let known = KnownNames {
        notifiers: ["desk", "console"].map(|name| NotifierName(name.to_owned())).into(),
        feeds: vec![Carrier {
            name: FeedName("Yonhap".to_owned()),
            tags: ["wire".to_owned()].into(),
        }],
        unrouted: [Severity::Low].into(),
    };
    let config = RuleConfig { names: Some(known), ..RuleConfig::default() };
    let (loaded, faults) = load_files(files, Some(&config));
    assert!(loaded.is_none(), "it should not load");
    render(&faults, false)
}

fn rules(files: &[(&str, &str)]) -> Vec<Rule> {
    let (loaded, faults) = load_files(files, None);
    let loaded = loaded.unwrap_or_else(|| panic!("{}", render(&faults, false)));
    loaded.into_iter().map(|(rule, _)| (*rule).clone()).collect()
}

const KOREA: &str = r#"
terms:
  dprk: [North Korea, DPRK, Pyongyang]
  kim: {label: Kim Jong Un, any: [Kim Jong Un, 김정은]}
  all: {label: Any of them, any: [$dprk, $kim, $weapons]}

rules:
  - name: Russia-North Korea arms
    when: >-
      Russia AND ($dprk OR $kim)
      AND $weapons
    severity: high
    why: sanctions desk, resolution 1718
    owner: ana
    tags: [korea]
    notify: desk
    feeds: [tag:wire, Yonhap]
    matches:
      - "Moscow may buy shells: North Korea and Russia discuss an arms sale."
      - {title: DPRK delegation in Russia, body: They spoke of weapons., lang: en, url: "https://example.org/a"}
    ignores:
      - "Farms in Russia import North Korean seaweed."
  - name: As YAML
    when: {all: [Russia, North Korea, {any: [arms, weapons OR shells]}], not: [football, cup]}
"#;

const WEAPONS: &str = "terms:\n  weapons: [arms, weapons]\n";

#[test]
fn a_rule_says_all_that_its_file_says() {
    let rules = rules(&[("a.yaml", KOREA), ("b.yaml", WEAPONS), ("empty.yaml", "")]);
    assert_eq!(
        rules.iter().map(Rule::name).collect::<Vec<_>>(),
        ["As YAML", "Russia-North Korea arms"]
    );
    let rule = &rules[1];
    assert_eq!(rule.settings.severity, Severity::High);
    assert_eq!(rule.settings.why.as_deref(), Some("sanctions desk, resolution 1718"));
    assert_eq!(rule.settings.owner.as_deref(), Some("ana"));
    assert_eq!(rule.settings.tags, ["korea"]);
    assert_eq!(rule.settings.notify, [NotifierName("desk".to_owned())].into());
    let feeds =
        [FeedFilter::Tagged("wire".to_owned()), FeedFilter::Named(FeedName("Yonhap".to_owned()))];
    assert_eq!(rule.settings.feeds, feeds);
    insta::assert_snapshot!(
        "canonical",
        rules.iter().map(Rule::text).collect::<Vec<_>>().join("---\n")
    );
}

#[test]
fn a_version_changes_with_the_lists_that_the_rule_names_and_with_no_others() {
    let version = |weapons: &str| {
        let rules = rules(&[("a.yaml", KOREA), ("b.yaml", weapons)]);
        rules.into_iter().map(|rule| rule.version()).collect::<Vec<_>>()
    };
    let before = version(WEAPONS);
    let after = version("terms:\n  weapons: [arms, weapons, shells]\n");
    assert_eq!(before[0], after[0]);
    assert_ne!(before[1], after[1]);
    assert_eq!(before[1].len(), 64);
}

#[test]
fn both_forms_of_when_compile_to_one_tree() {
    let text = |when: &str| {
        let file = format!("rules:\n  - name: a\n    when: {when}\n");
        rules(&[("a.yaml", &file)]).remove(0).text()
    };
    let pairs = [
        (
            "{all: [Russia, North Korea, {any: [arms, weapons]}], not: [football]}",
            "Russia AND North Korea AND (arms OR weapons) NOT football",
        ),
        ("{any: [Russia AND arms, oil]}", "(Russia AND arms) OR oil"),
        ("{all: Russia, not: [a, b]}", "Russia NOT a NOT b"),
        ("{all: [Russia, NOT sport]}", "Russia NOT sport"),
    ];
    for (yaml, expression) in pairs {
        assert_eq!(text(yaml), text(expression));
    }
}

#[test]
fn broken_expressions_are_shown_in_their_file() {
    let rule = |when: &str| {
        refused(&[("rules/a.yaml", &format!("rules:\n  - name: a\n    when: {when}\n"))])
    };
    insta::assert_snapshot!(
        "open_parenthesis",
        rule("|\n      Russia AND\n      (North Korea OR DPRK AND\n      arms")
    );
    insta::assert_snapshot!("mixed", rule("Russia OR North Korea AND arms"));
    insta::assert_snapshot!("not_alone", rule("NOT sport"));
    insta::assert_snapshot!("or_not", rule("Russia OR NOT sport"));
    insta::assert_snapshot!("tag", rule("!sport AND x"));
    insta::assert_snapshot!("quotes", rule("\"interest rate\" AND fed"));
    insta::assert_snapshot!("yaml_form", rule("{all: [a OR b AND c, (x], any: [], nto: d}"));
    insta::assert_snapshot!("yaml_not_alone", rule("{not: [sport]}"));
    insta::assert_snapshot!("yaml_list", rule("[Russia, arms]"));
}

#[test]
fn every_fault_of_a_rule_is_reported_at_once() {
    insta::assert_snapshot!(
        "keys",
        refused(&[(
            "rules/a.yaml",
            r"
rules:
  - name: a
    when: Russia
    severity: hihg
    notify: [desk, dsek]
    feeds: [Yonhapp, tag:wires, tag:wire]
    backfill: 24h
    colour: red
  - name: b
  - when: arms
  - name: ''
    when: 3
    notify: []
  - just a text
defaults: {severity: low}
"
        )])
    );
}

#[test]
fn names_are_global_over_all_files() {
    let files = [
        ("rules/a.yaml", "terms: {x: [arms]}\nrules:\n  - {name: same, when: $x}\n"),
        ("rules/b.yaml", "terms:\n  x: [oil]\nrules:\n  - name: same\n    when: arms\n"),
    ];
    insta::assert_snapshot!("twice", refused(&files));
}

#[test]
fn broken_lists_are_reported_at_the_entry() {
    insta::assert_snapshot!(
        "lists",
        refused(&[(
            "rules/a.yaml",
            r"
terms:
  a: [one, $b]
  b: [two, $c]
  c: [$a]
  weapons: [arms OR oil, weapon*, '!!!', $wepons, Trinidad and Tobago, '']
  empty: []
  two words: [a]
  sdn: {from: sdn.csv, term: name}
  kim: {label: Kim}
  text: arms
rules:
  - {name: a, when: $empty AND $missing, matches: [nothing]}
"
        )])
    );
}

#[test]
fn examples_that_do_not_hold_say_why() {
    insta::assert_snapshot!(
        "examples",
        refused(&[(
            "rules/a.yaml",
            r#"
terms:
  weapons: [arms, weapons]
rules:
  - name: a
    when: Russia AND ($weapons OR oil) NOT football
    matches:
      - "Farms in Russia"
      - {title: Football, body: Russia buys arms}
      - {titel: arms}
    ignores:
      - "Rússia’s arms"
"#
        )])
    );
}

#[test]
fn a_file_that_is_no_yaml_leaves_no_other_faults_behind() {
    let files = [
        ("rules/a.yaml", "terms:\n  weapons: [arms\n"),
        ("rules/b.yaml", "rules:\n  - {name: b, when: $weapons}\n"),
    ];
    let (loaded, faults) = load_files(&files, None);
    assert!(loaded.is_none());
    assert!(
        faults.iter().all(|fault| fault.source.name == "rules/a.yaml"),
        "{}",
        render(&faults, false)
    );
}

#[test]
fn a_warning_is_reported_and_the_rule_is_in_force() {
    let (loaded, faults) =
        load_files(&[("a.yaml", "rules:\n  - {name: a, when: Russia and arms}\n")], None);
    assert!(loaded.is_some());
    assert_eq!(faults.len(), 1);
}

#[test]
fn names_are_taken_on_trust_where_no_configuration_is_at_hand() {
    let file = "rules:\n  - {name: a, when: arms, notify: nobody, feeds: nothing}\n";
    assert_eq!(rules(&[("a.yaml", file)]).len(), 1);
}

/// Lists that each name the next one twice.
fn chain(length: usize) -> String {
    (0..length).fold(String::new(), |text, n| {
        text + &format!("  a{n}: [$a{next}, $a{next}]\n", next = n + 1)
    })
}

#[test]
fn lists_in_lists_cost_little_however_they_are_nested() {
    let (loaded, faults) =
        load_files(&[("a.yaml", &format!("terms:\n{}  a2000: [arms]\n", chain(2000)))], None);
    assert!(loaded.is_none());
    assert!(faults.iter().any(|fault| fault.message.contains("nested more than 50 deep")));
    let (loaded, _) = load_files(
        &[(
            "a.yaml",
            &format!("terms:\n{}  a40: [arms]\nrules: [{{name: a, when: $a0}}]\n", chain(40)),
        )],
        None,
    );
    assert!(loaded.is_some());
}

#[test]
fn a_rule_that_nobody_would_hear_of_is_refused() {
    let said = refused(&[("a.yaml", "rules:\n  - {name: a, when: arms, severity: low}\n")]);
    assert!(
        said.contains("no notifier would get the alerts of `a`") && said.contains("a.yaml:2:12"),
        "{said}"
    );
    let named = [("a.yaml", "rules:\n  - {name: a, when: arms, severity: low, notify: desk}\n")];
    assert_eq!(rules(&named).len(), 1);
}

#[test]
fn a_file_s_defaults_stand_in_for_what_its_rules_leave_out_and_for_no_other_file() {
    let file = "defaults: {severity: high, owner: ana, tags: [korea], notify: desk}\n\
                rules:\n  - {name: a, when: arms}\n  - {name: b, when: arms, severity: low, tags: []}\n";
    let rules = rules(&[("a.yaml", file), ("b.yaml", "rules:\n  - {name: c, when: arms}\n")]);
    let shown: Vec<_> = rules
        .iter()
        .map(|rule| {
            (
                rule.settings.severity,
                rule.settings.owner.as_deref(),
                rule.settings.tags.len(),
                rule.settings.notify.len(),
            )
        })
        .collect();
    let ana = Some("ana");
    assert_eq!(
        shown,
        [(Severity::High, ana, 1, 1), (Severity::Low, ana, 0, 1), (Severity::Medium, None, 0, 0)]
    );
    assert!(
        refused(&[("a.yaml", "defaults: {when: arms}\n")]).contains("`when` is not known here")
    );
}

#[test]
fn a_rule_that_is_not_enabled_matches_nothing_but_is_checked() {
    let file = |when: &str| {
        format!(
            "rules:\n  - {{name: a, when: {when}, enabled: false}}\n  - {{name: b, when: arms, enabled: true}}\n"
        )
    };
    let rules = rules(&[("a.yaml", &file("oil"))]);
    assert_eq!(rules.iter().map(Rule::name).collect::<Vec<_>>(), ["b"]);
    assert!(refused(&[("a.yaml", &file("(oil"))]).contains("never closed"));
    assert!(refused(&[("a.yaml", &file("oil").replace("false", "no"))]).contains("true or false"));
}

#[test]
fn a_rule_says_how_far_it_is_backfilled() {
    let file = |line: &str| format!("rules:\n  - {{name: a, when: arms{line}}}\n");
    let back = |line: &str| rules(&[("a.yaml", &file(line))])[0].settings.backfill;
    assert_eq!(back(", backfill: 24h"), Some(std::time::Duration::from_hours(24)));
    assert_eq!(back(""), None);
    assert!(refused(&[("a.yaml", &file(", backfill: often"))]).contains("is not a length of time"));
}

#[test]
fn a_rule_names_its_languages_by_tag_code_or_name() {
    let file = "rules:\n  - {name: a, when: arms, lang: [English, rus, iw]}\n";
    assert_eq!(rules(&[("a.yaml", file)])[0].settings.langs, ["en", "ru", "he"]);
}

#[test]
fn an_entry_of_a_list_may_require_its_capitals() {
    let file = "terms: {c: [cs(Chad), Niger]}\nrules:\n  - {name: a, when: $c, matches: [In Chad, niger], ignores: [a chad]}\n";
    assert_eq!(rules(&[("a.yaml", file)]).len(), 1);
    assert!(
        refused(&[("a.yaml", &file.replace("cs(Chad)", "cs(Chad OR Togo)"))])
            .contains("one word or phrase")
    );
}

#[test]
fn odd_languages_and_days_are_reported() {
    let said =
        refused(&[("a.yaml", "rules:\n  - {name: a, when: arms, lang: the sea, expires: soon}\n")]);
    assert!(
        said.contains("`the sea` is not a language") && said.contains("`soon` is not a day"),
        "{said}"
    );
}

#[test]
fn an_example_can_say_all_that_a_field_searches() {
    let file = "rules:\n  - name: a\n    when: source:Yonhap AND author:Kim AND tag:defence AND site:rt.com AND lang:ko\n    matches:\n      \
                - {title: Arms, source: Yonhap, author: [Kim Min, Lee], tag: [defence], url: \"https://www.rt.com/a\", lang: ko}\n    ignores:\n      \
                - {title: Arms, source: KCNA, author: [Kim Min, Lee], tag: defence, url: \"https://www.rt.com/a\", lang: ko}\n";
    assert_eq!(rules(&[("a.yaml", file)]).len(), 1);
    let said = refused(&[("a.yaml", &file.replace("KCNA", "Yonhap News"))]);
    assert!(said.contains("the rule should ignore this example"), "{said}");
}

#[test]
fn an_example_in_a_language_that_the_rule_does_not_read_does_not_match() {
    let file = "rules:\n  - name: a\n    when: arms\n    lang: [en]\n    matches: [arms, {title: Arms, lang: en-GB}]\n    \
                ignores: [{title: Arms, lang: de}]\n";
    assert_eq!(rules(&[("a.yaml", file)]).len(), 1);
    let said = refused(&[("a.yaml", &file.replace("en-GB", "de"))]);
    assert!(said.contains("it accepts only stories in en; this one is in de"), "{said}");
}

#[test]
fn a_list_that_nothing_names_is_warned_about() {
    let file = "terms: {a: [arms], b: [$a, oil], c: [gas]}\nrules:\n  - {name: r, when: $b, enabled: false}\n";
    let (loaded, faults) = load_files(&[("a.yaml", file)], None);
    assert!(loaded.is_some());
    let said: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(said, ["nothing uses the term list `c`"]);
}

#[test]
fn rules_that_match_the_same_stories_are_warned_about() {
    let file = "rules:\n  - {name: a, when: Russia AND arms}\n  - {name: b, when: \"Russia  AND (arms)\"}\n  \
                - {name: c, when: Russia AND arms, feeds: tag:wire}\n  - {name: d, when: Russia AND arms, enabled: false}\n";
    let (loaded, faults) = load_files(&[("a.yaml", file)], None);
    assert_eq!(loaded.expect("it loads").len(), 3);
    let said: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(said, ["this rule matches the same stories as `a`"]);
}

#[test]
fn a_rule_is_made_again_from_its_canonical_form() {
    let file = "terms: {a: [arms, arms deal]}\nrules:\n  - name: r\n    when: {all: [$a, {any: [oil, {not: gas, all: '\"a AND b\"'}]}], not: [x, cs(US)]}\n    stem: en\n";
    let (loaded, faults) = load_files(&[("a.yaml", file)], None);
    for (rule, tree) in loaded.unwrap_or_else(|| panic!("{}", render(&faults, false))) {
        assert_eq!(
            crate::language::print::expression(&rule.tree()),
            crate::language::print::expression(&tree)
        );
        assert_eq!(rule.tree().lists(), tree.lists());
    }
}
