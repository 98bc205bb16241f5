//! `docs/config.schema.json` and `docs/rules.schema.json` have the keys that the readers ask for
//! and no others, accept every example and refuse what is wrong.

mod described;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{DOCUMENTS, blocks, folder_of_examples, read, root};
use crate::support::tidings::Folder;
use described::{DescribedMapping, EditorSchema};

/// The beginning of keys that no reader knows, and that are like no key.
const UNKNOWN: &str = "qqqqqqqqqqqqqqqq";

/// What the fault of an unknown key says of the keys that the reader asked for.
const ASKED: &str = "the keys here are: ";

/// Keys that no rule file of the documents has, in every place.
const MORE_RULES: &str = r#"
defaults: {why: a, owner: b, tags: [c], notify: console, feeds: Wire, lang: en, expires: 2099-01-01,
  forms: {stem: en}, burst: {first: 3, then: 30m}, digest: 1h, backfill: 24h, severity: low}
terms:
  names: {label: Names, any: [Kim], stem: {ru: [Ким]}}
  table: {from: sdn.csv, term: name, aliases: aka, split: ";", id: ent_num}
rules:
  - name: All
    each: table
    when: {all: $table, any: [arms, {not: [peace], all: [war]}], not: [football]}
    digest: {at: "08:00", days: [mon-fri, sun]}
    forms: plural
    enabled: false
    matches: {title: [a, b], body: c, url: d, source: e, author: [f], lang: en, tag: [g]}
    ignores: [h]
  - {name: Short, when: $names, stem: ru}
"#;

/// Configurations that both the reader and the schema refuse, with the place of the fault.
const WRONG_CONFIGS: [(&str, &str); 23] = [
    ("stroe: sqlite:a.db", ""),
    ("store: a.db", "/store"),
    ("store: {url: 'sqlite:a.db'}", "/store/url"),
    ("feeds: https://example.org/feed.xml", "/feeds"),
    ("feeds: [example.org]", "/feeds/0"),
    ("feeds: [{name: Wire}]", "/feeds/0"),
    ("feeds: [{url: 'https://example.org', every: 15}]", "/feeds/0/every"),
    ("feeds: [{url: 'https://example.org', full_text: often}]", "/feeds/0/full_text"),
    ("feeds: [{opml: a.opml, recheck: 1h}]", "/feeds/0"),
    ("feeds: [{from: ingest}]", "/feeds/0"),
    ("feeds: [{name: a, from: elsewhere}]", "/feeds/0/from"),
    ("notifiers: {a: {format: text}}", "/notifiers/a"),
    ("notifiers: {a: {type: mail}}", "/notifiers/a/type"),
    ("notifiers: {a: {type: console, to: a@example.org}}", "/notifiers/a"),
    ("notifiers: {a: {type: console, limit: 30}}", "/notifiers/a/limit"),
    ("notifiers: {a: {type: webhook, format: telegram, url: 'https://a.org'}}", "/notifiers/a"),
    ("notifiers: {a: {type: webhook, url: 'https://a.org', chat: b}}", "/notifiers/a/chat"),
    ("poll: {connections: 0}", "/poll/connections"),
    ("hosts: {example.org: {http1: perhaps}}", "/hosts/example.org/http1"),
    ("web: {listen: 'unix:a', write: perhaps}", "/web/write"),
    ("web: {listen: 'unix:a', public: desk.example.org}", "/web/public"),
    ("web: {listen: 'unix:a', auth: {header: X-User}}", "/web/auth"),
    ("web: {listen: 'unix:a', auth: {tokens_file: tokens.txt, from: unix}}", "/web/auth"),
];

/// The same for rule files.
const WRONG_RULES: [(&str, &str); 12] = [
    ("rule: []", ""),
    ("rules: {name: a, when: b}", "/rules"),
    ("rules: [{name: a}]", "/rules/0"),
    ("rules: [{name: a, when: b, severity: grave}]", "/rules/0/severity"),
    ("rules: [{name: a, when: [b, c]}]", "/rules/0/when"),
    ("rules: [{name: a, when: b, expires: tomorrow}]", "/rules/0/expires"),
    ("rules: [{name: a, when: $t}]\nterms: {t: arms}", "/terms/t"),
    ("defaults: {when: a}", "/defaults"),
    ("rules: [{name: a, when: b, tell: {events: 2, within: 1h, least: 2}}]", "/rules/0/tell"),
    ("rules: [{name: a, when: b, tell: {events: 2, within: 1h, against: 7d}}]", "/rules/0/tell"),
    ("rules: [{name: a, when: b, tell: {first: source, in: 1d, within: 1h}}]", "/rules/0/tell"),
    ("rules: [{name: a, when: b, absent: {for: 2h, from: '06:00'}}]", "/rules/0/absent"),
];

/// Rule files that both the reader and the schema accept.
const RIGHT_RULES: [&str; 5] = [
    "",
    "rules:",
    "{defaults: , terms: , rules: }",
    "rules: [{name: a, when: b, backfill: 0}]",
    "rules: [{name: a, when: b, digest: 1.5h, tell: {first: source, in: 1d 1.5h}}]",
];

fn config_schema() -> EditorSchema {
    EditorSchema::new(&read("docs/config.schema.json"))
}

fn rules_schema() -> EditorSchema {
    EditorSchema::new(&read("docs/rules.schema.json"))
}

fn yaml(place: &str, text: &str) -> Value {
    serde_yaml::from_str(text).unwrap_or_else(|why| panic!("{place}: {why}\n{text}"))
}

/// All configurations of the repository, with their places.
fn configs() -> Vec<(String, String)> {
    let blocks =
        DOCUMENTS.iter().filter(|name| **name != "docs/rules.md").flat_map(|name| blocks(name));
    let yaml = blocks.filter(|block| {
        block.language.split(' ').next() == Some("yaml") && !block.language.contains("rules/")
    });
    let files = ["config.example.yaml", "packaging/debian/config.yaml"];
    let files = files.map(|name| (name.to_owned(), read(name)));
    yaml.map(|block| (block.place, block.text)).chain(files).collect()
}

/// All rule files of the repository, with their places.
fn rule_files() -> Vec<(String, String)> {
    let blocks = DOCUMENTS.iter().flat_map(|name| blocks(name).into_iter().map(move |b| (name, b)));
    let rules = blocks.filter(|(name, block)| {
        let of_guide = **name == "docs/rules.md" && block.language.starts_with("yaml");
        of_guide || block.language.contains("rules/")
    });
    let folder = std::fs::read_dir(root().join("rules")).expect("a folder");
    let files = folder.map(|entry| {
        let name = format!("rules/{}", entry.expect("an entry").file_name().display());
        (name.clone(), read(&name))
    });
    let more = ("MORE_RULES".to_owned(), MORE_RULES.to_owned());
    rules.map(|(_, block)| (block.place, block.text)).chain(files).chain([more]).collect()
}

#[test]
fn every_example_is_valid() {
    for (schema, files) in [(config_schema(), configs()), (rules_schema(), rule_files())] {
        assert!(files.len() > 8, "the examples were not found");
        for (place, text) in files {
            let faults = schema.faults(&yaml(&place, &text));
            assert!(faults.is_empty(), "{place}: {faults:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readers_and_the_schemas_refuse_what_is_wrong() {
    for (text, place) in WRONG_CONFIGS {
        let faults = config_schema().faults(&yaml(place, text));
        assert!(
            faults.iter().any(|fault| fault.starts_with(&format!("{place}: "))),
            "{text}: {faults:#?}"
        );
        let said = folder_of_examples(text).command(&["check"]).await;
        assert_eq!(said.code, 78, "{text}: {}", said.errors);
    }
    for (text, place) in WRONG_RULES {
        let faults = rules_schema().faults(&yaml(place, text));
        assert!(
            faults.iter().any(|fault| fault.starts_with(&format!("{place}: "))),
            "{text}: {faults:#?}"
        );
        let said = Folder::new("", &[("a.yaml", text)]).command(&["check", "rules"]).await;
        assert_eq!(said.code, 65, "{text}: {}", said.errors);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reader_and_the_schema_of_rules_accept_empty_keys_and_fractions() {
    for text in RIGHT_RULES {
        let faults = rules_schema().faults(&yaml(text, text));
        assert!(faults.is_empty(), "{text}: {faults:#?}");
        let said = Folder::new("", &[("a.yaml", text)]).command(&["check", "rules"]).await;
        assert_eq!(said.code, 0, "{text}: {}", said.errors);
    }
}

/// Writes an unknown key into each mapping of `mappings`. The key ends with the mapping's number.
fn with_unknown_keys(document: &Value, mappings: &[DescribedMapping]) -> String {
    let mut document = document.clone();
    for (number, mapping) in mappings.iter().enumerate() {
        let at = document.pointer_mut(&mapping.place).expect("the mapping");
        at[format!("{UNKNOWN}{number}")] = Value::from(1);
    }
    document.to_string()
}

/// The keys that a reader asked for in the mapping of each number, from the faults of
/// `check --format json`.
fn asked_keys(output: &str) -> BTreeMap<usize, BTreeSet<String>> {
    let faults = output.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let keys = faults.filter_map(|fault| {
        let (_, rest) = fault["message"].as_str()?.split_once(UNKNOWN)?;
        let number = rest.split('`').next()?.parse().ok()?;
        let asked = fault["help"].as_str()?.strip_prefix(ASKED)?;
        Some((number, asked.split(", ").map(str::to_owned).collect()))
    });
    keys.collect()
}

/// Compares what the schema has with what `check` says that the reader asked for, in every mapping
/// of every document. `check` gets a document, and returns the output of the command.
async fn compare(
    schema: &EditorSchema,
    files: Vec<(String, String)>,
    check: impl AsyncFn(&str) -> String,
) {
    let mut asked_at: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (place, text) in files {
        let document = yaml(&place, &text);
        let mappings = schema.mappings(&document);
        let asked = asked_keys(&check(&with_unknown_keys(&document, &mappings)).await);
        for (number, mapping) in mappings.into_iter().enumerate() {
            let asked = asked.get(&number);
            let asked = asked.unwrap_or_else(|| panic!("{place}: nothing is said of {mapping:?}"));
            asked_at.entry(mapping.object).or_default().extend(asked.iter().cloned());
        }
    }
    assert_eq!(asked_at, schema.objects(), "the reader (left) and the schema (right) differ");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_of_the_configuration_has_every_key_that_the_reader_asks_for_and_no_other() {
    compare(&config_schema(), configs(), async |text| {
        folder_of_examples(text).command(&["check", "--format", "json"]).await.output
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_of_rules_has_every_key_that_the_reader_asks_for_and_no_other() {
    compare(&rules_schema(), rule_files(), async |text| {
        let folder = Folder::new("", &[("a.yaml", text)]);
        folder.write("rules/sdn.csv", &super::file_in("docs/rules.md", "sdn.csv"));
        folder.command(&["check", "rules", "--format", "json"]).await.output
    })
    .await;
}
