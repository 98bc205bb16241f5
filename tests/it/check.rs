//! `tidings check`: its summary, the rules in canonical form, folders without rules, and phrases
//! that stand in no stored story.

use crate::support::http::Response;
use crate::support::setup::Setup;
use crate::support::tidings::Folder;
use crate::support::wire::{self, Entry};

const RULES: &str = "terms:
  kim: {label: Kim Jong Un, any: [Kim Jong Un, 김정은], stem: {ru: [Ким Чен Ын]}}
rules:
  - name: as YAML
    when: {all: [Russia, {any: [arms, “missile shell*”]}], not: [football]}
    forms: plural
  - name: by list
    when: \"$kim NEAR/5 (arms OR oil)\"
    stem: en
";

#[tokio::test]
async fn rules_are_printed_in_canonical_form_with_the_terms_of_their_lists() {
    let folder = Folder::new("", &[("a.yaml", RULES)]);
    let said = folder.command(&["check", "--canonical", &folder.place("rules")]).await;
    assert_eq!((said.code, said.errors.as_str()), (0, ""));
    insta::assert_snapshot!("canonical", said.output);
    let said = folder.command(&["check", &folder.place("rules")]).await;
    assert_eq!(said.output, "rules: valid; 1 file, 2 rules, all examples hold\n");
}

#[tokio::test]
async fn a_folder_without_rule_files_is_not_called_valid() {
    let folder = Folder::new("", &[]);
    std::fs::create_dir(folder.place("rules")).expect("a folder");
    let said = folder.command(&["check", &folder.place("rules")]).await;
    assert_eq!((said.code, said.output.as_str()), (0, "rules: no rule files\n"));
    assert!(said.errors.starts_with("warning: there is no rule file here"), "{}", said.errors);
    assert!(said.errors.contains("rule files end in .yaml or .yml"), "{}", said.errors);
}

#[tokio::test]
async fn a_path_that_does_not_exist_is_named() {
    let folder = Folder::new("", &[]);
    for command in [
        &["check", "nope"][..],
        &["backtest", "--stories", "-", "--against", "nope", "--when", "arms"],
    ] {
        let said = folder.bare_command(command).await;
        let expected =
            "error: nope does not exist\n  help: name a rule file, or a folder of *.yaml files\n";
        assert_eq!((said.output.as_str(), said.errors.as_str()), ("", expected), "{command:?}");
    }
    folder.write("config.yaml", "rules: rules\nnotify: []\nnotifiers: {}\nfeeds: []\n");
    let said = folder.command(&["check"]).await;
    assert!(said.code == 78 && said.errors.contains("which `rules:` in"), "{}", said.errors);
}

/// The words of the first phrase are in every story, those of the second together.
const PHRASES: &str = "rules:
  - name: phrase
    when: North Korea oil arms
  - name: other
    when: trade arms for kites OR closed rail cars
";

/// Serves a feed of this many stories, each with a text of its own, and polls it.
async fn poll_stories(setup: &Setup, count: usize) {
    let entry = |n: usize| {
        Entry::full(&format!("Story {n}"), &setup.server.url(&format!("/{n}")), &wire::long(n))
    };
    let entries: Vec<Entry> = (0..count).map(entry).collect();
    setup.server.serve("/feed.xml", Response::feed(&wire::feed(&entries)));
    let said = setup.folder.command(&["run", "--once"]).await;
    assert_eq!(said.code, 0, "{}", said.errors);
    let stored = setup.folder.query("SELECT count(*) FROM story").await;
    assert_eq!(stored, [count.to_string()]);
}

#[tokio::test]
async fn a_phrase_that_stands_in_none_of_a_thousand_stories_is_warned_of() {
    let setup = Setup::with_rules(&[("a.yaml", PHRASES)]).await;
    let folder = &setup.folder;
    let before = folder.command(&["check"]).await;
    assert_eq!((before.code, before.errors.as_str()), (0, ""));
    assert!(!folder.store().exists());

    poll_stories(&setup, 1000).await;
    let said = folder.command(&["check"]).await;
    assert_eq!((said.code, &said.output), (0, &before.output));
    insta::assert_snapshot!("phrase", said.errors);
    let alone = folder.command(&["check", &folder.place("rules")]).await;
    assert_eq!(alone.errors, "");
    let json = folder.command(&["check", "--format", "json"]).await;
    assert_eq!(
        json.output.matches("none of the newest 1000 stories").count(),
        1,
        "{}",
        json.output
    );

    // A phrase may be missing in fewer stories by chance.
    folder.change("UPDATE story SET purged = 0 WHERE id = 1").await;
    let few = folder.command(&["check"]).await;
    assert_eq!((few.errors.as_str(), &few.output), ("", &before.output));

    // A store that cannot be read is no fault of the rules.
    folder.write("tidings.db", "This is no store.");
    let damaged = folder.command(&["check"]).await;
    assert_eq!((damaged.code, damaged.errors.as_str()), (0, ""));
    let expected = format!("{}  phrases: not searched, because the store ", before.output);
    assert!(damaged.output.starts_with(&expected), "{}", damaged.output);
}
