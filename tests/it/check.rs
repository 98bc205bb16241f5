//! `tidings check`: its summary, the rules in canonical form, and folders without rules.

use crate::support::tidings::Folder;

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
