//! Tests that no secret of a configuration is shown, even if its text is damaged.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

/// A configuration with a secret in every possible place.
const FULL: &str = "notify: [desk]
feeds:
  - {url: \"https://ana:S3CR3T@example.org/feed?key=S3CR3T\", name: Wire, every: 10m}
notifiers:
  desk:
    type: email
    smtp: smtps://ana:S3CR3T@mail.example.org
    from: Tidings <tidings@example.org>
    to: [desk@example.org]
  duty:
    type: email
    smtp: smtps://ana@mail.example.org
    password: 'S3CR3T and S3CR3T'   # was S3CR3T
    from: a@example.org
    to: [desk@example.org]
  ops: {type: webhook, url: \"https://example.org/S3CR3T\", secret: [whsec_S3CR3T, whsec_S3CR3T]}
  more:
    type: webhook
    url: https://example.org/S3CR3T
    secret:
    - whsec_S3CR3T
    - >-
      whsec_S3CR3T
    headers: {Authorization: Bearer S3CR3T, X-Key: S3CR3T}
    auth:
      basic: {user: S3CR3T, password: S3CR3T}
      bearer: S3CR3T   # S3CR3T
    chat: S3CR3T
    routing_key: S3CR3T
  paswd: S3CR3T
  last: {type: webhook, url: >
   S3CR3T}
web: {listen: \"127.0.0.1:1\", public: \"https://ana:S3CR3T@desk.example.org\", bearer: S3CR3T, auth: {bearer: S3CR3T, header: S3CR3T, tokens_file: token-S3CR3T}}
headers: {Authorization: Bearer S3CR3T}
heartbeat: {url: \"https://switch.example/S3CR3T\", every: 5m}
";

/// A fault at every line, the worst case for secrets.
pub(super) fn all_lines_of(text: &str) -> String {
    let source = Arc::new(Source { name: "config.yaml".to_owned(), text: text.to_owned() });
    let document = tidings_rules::yaml::parse(&source, &mut Vec::new());
    mask::masked(&source, document.as_ref()).text
}

#[test]
fn no_line_shows_a_secret_whether_it_is_yaml_or_not() {
    let sound = FULL.replace("  last: {type: webhook, url: >\n   S3CR3T}\n", "");
    assert!(!all_lines_of(&sound).contains("S3CR3T"), "{}", all_lines_of(&sound));
    assert!(!all_lines_of(FULL).contains("S3CR3T"), "{}", all_lines_of(FULL));
    insta::assert_snapshot!("masked", all_lines_of(&sound));
    insta::assert_snapshot!("masked_though_torn", all_lines_of(&format!("{sound}torn: [\n")));
}

#[test]
fn passwords_come_from_files_too() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("smtp"), "pa55w0rd\n").unwrap();
    let file = folder.path().join("smtp");
    let text = with_desk(&format!(
        "    smtp: smtps://ana@mail.example.org\n    password_file: {}\n    from: a@example.org\n    to: b@example.org",
        file.display()
    ));
    let config = sound(&text);
    let Notifier::Email(mail) = &config.notifiers[&NotifierName("desk".to_owned())] else {
        panic!("mail")
    };
    assert_eq!(mail.login.as_ref().expect("a login").1.0.expose_secret(), "pa55w0rd");
}

#[test]
fn the_query_of_an_address_whose_scheme_is_damaged_is_masked() {
    for scheme in ["https://", "https:/", "ttps:", "", "https//"] {
        let text = format!("feeds:\n  - {{url: \"{scheme}ana:x@a.example/feed?key=S3CR3T\"}}\n");
        assert!(!all_lines_of(&text).contains("S3CR3T"), "{}", all_lines_of(&text));
    }
    let text = "feeds:\n  - {url: \"file:a.xml\", name: What now? Nothing}\n";
    assert!(all_lines_of(text).contains("What now? Nothing"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn no_damage_to_a_configuration_shows_a_secret(at in prop::collection::vec((0.0..1.0_f64, "[ \\t\\n:'\"\\[{}\\-!&*|>a]{0,2}", 0..3_usize), 1..4)) {
        let mut text = FULL.to_owned();
        for (place, put, cut) in at {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a short text")]
            let start = (place * text.len() as f64) as usize;
            let end = (start + cut).min(text.len());
            let touches_secret = text[start.saturating_sub(10)..(end + 10).min(text.len())].contains("S3CR3T");
            if !touches_secret {
                text.replace_range(start..end, &put);
            }
        }
        let (_, said) = read(&text);
        prop_assert!(!said.contains("S3CR3T"), "{text}\n{said}");
    }

    #[test]
    fn no_text_makes_it_panic(text in "(feeds|notify|notifiers|poll|network|store|zone|: |\\n|  |- |\\[|\\]|\\{|\\}|\\$|\\$\\{A\\}|url|type|email|to|é|1m|'|\"|https://a.b/|@){0,40}") {
        let (config, said) = read(&text);
        prop_assert!(config.is_some() || !said.is_empty());
    }
}
