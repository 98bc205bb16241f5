//! `tidings check` without errors: its summary, and the rules in canonical form.

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
