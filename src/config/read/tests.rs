//! Tests of the configuration: what parses, and what is said of what does not.

use super::*;
use crate::fault::render;

const TOP: &str = "notifiers:\n  console: {type: console}\n";

fn loaded(text: &str) -> (Option<Config>, String) {
    let source = Arc::new(Source { name: "config.yaml".to_owned(), text: text.to_owned() });
    let env = |name: &str| (name == "TOKEN").then(|| "s3cr3t-from-env".to_owned());
    let mut faults = Vec::new();
    let config = load(&source, Path::new("/etc/tidings"), &env, &mut faults);
    (config, render(&faults, false))
}

fn sound(text: &str) -> Config {
    let (config, said) = loaded(text);
    config.unwrap_or_else(|| panic!("{said}"))
}

fn refused(text: &str) -> String {
    let (config, said) = loaded(text);
    assert!(config.is_none(), "it was accepted: {text}");
    said
}

#[test]
fn an_empty_configuration_has_the_defaults() {
    let config = sound("");
    assert_eq!(config.store, Path::new("/etc/tidings/tidings.db"));
    assert_eq!(config.rules, Path::new("/etc/tidings/rules"));
    assert_eq!((config.poll.min, config.poll.max), (Duration::from_mins(15), Duration::from_hours(6)));
    assert_eq!(config.poll.first_poll, FirstPoll::Within(Duration::from_hours(24)));
    assert_eq!((config.poll.connections, config.poll.per_host), (256, 1));
}

#[test]
fn every_part_is_read() {
    let config = sound(
        "store: sqlite:/var/lib/t.db\nzone: Europe/Berlin\nnotify: {critical: [hook], default: [desk, console]}\n\
         feeds:\n  - file:wire.xml\n  - {url: \"https://a.example/${TOKEN}\", tags: [wire], every: 10m, full_text: never}\n\
         notifiers:\n  console: {type: console, format: json}\n  \
         desk: {type: email, smtp: \"smtps://ana%40a.example@mail.example\", password: \"${TOKEN}\", \
         from: T <t@a.example>, to: [a@a.example]}\n  \
         hook: {type: webhook, url: \"https://hook.example/x\", secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}\n\
         poll: {min: 5m, first_poll: none}\nnetwork: {allow: [10.0.0.0/8, \"::1\"], contact: ana@a.example}\n",
    );
    assert_eq!(config.store, Path::new("/var/lib/t.db"));
    assert_eq!(config.feeds[0].url.as_str(), "file:///etc/tidings/wire.xml");
    assert_eq!(config.feeds[1].name.0, "https://a.example/${TOKEN}");
    assert_eq!(config.feeds[1].url.as_str(), "https://a.example/s3cr3t-from-env");
    assert_eq!(config.feeds[1].every, Some(Duration::from_mins(10)));
    assert_eq!(config.notify.by_severity[&Severity::Critical].len(), 1);
    let Notifier::Email(email) = &config.notifiers[&NotifierName("desk".to_owned())] else { panic!("no email") };
    assert_eq!((email.port, email.login.as_ref().expect("a login").0.as_str()), (465, "ana@a.example"));
    assert_eq!(config.network.allow.len(), 2);
    let shown = format!("{config:?}");
    for secret in ["MfKQ", "hook.example/x"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (name, text) in [
        ("unknown_key", "rulez: rules\n"),
        ("wrong_type", "rules: [a, b]\nfeeds: none\n"),
        ("unknown_notifier", &format!("{TOP}notify: [consol]\n")),
        ("missing_variable", "feeds:\n  - https://a.example/${NO_SUCH}/feed\n"),
        ("duplicate_feed", "feeds: [\"https://a.example/f\", \"https://a.example/f\"]\n"),
        ("no_address", "feeds: [\"ftp://a.example/f\", a.example]\n"),
        ("too_often", "feeds: [{url: \"https://a.example/f\", every: 10s}]\n"),
        ("poll", "poll: {min: 7h, connections: 0, gap: soon}\n"),
        (
            "later",
            &format!(
                "{TOP}limit: 30/h\nfeeds: [{{opml: a.opml}}, {{url: \"https://a.example\", full_text: hinted}}]\n"
            ),
        ),
        ("zone_and_ranges", "zone: Berlin/Europe\nnetwork: {allow: [10.0.0/8]}\n"),
        ("store", "store: postgres://db/tidings\n"),
        ("notifier_types", "notifiers:\n  a: {type: emial}\n  b: {typ: console}\n  c: {type: webhook}\n"),
        (
            "email",
            "notifiers:\n  a:\n    type: email\n    smtp: smtp://ana@mail.example\n    password: hunter2\n    from: nobody\n    to: [a@b.c, a@b.c]\n",
        ),
        ("hook", "notifiers:\n  a: {type: webhook, url: \"hooks.example/T0K3N\", secret: whsec_short}\n"),
    ] {
        insta::assert_snapshot!(name, refused(text));
    }
}

#[test]
fn keys_without_effect_on_what_is_sent_are_warned_about() {
    let (config, said) = loaded("web: {listen: 127.0.0.1:7300}\nretain: {stories: 90d}\n");
    assert!(config.is_some());
    assert_eq!(said.matches("has no effect yet").count(), 2, "{said}");
}

#[test]
fn no_fault_shows_a_secret() {
    for text in [
        "notifiers:\n  a: {type: email, smtp: \"smtp://ana:hunter2@mail.example\", from: x, to: []}\n",
        "notifiers:\n  a: {type: webhook, url: \"https://h.example/hunter2\", secret: hunter2, x: 1}\n",
        "notifiers:\n  a:\n    type: email\n    password: hunter2 ${NOPE}\n    smtp: x\n",
        "notifiers:\n  a:\n    type: email\n    password: \"hunter2\" hunter2\n",
        "notifiers:\n  a:\n    password: hunter2: x\n",
        "notifiers:\n  a: {password: [hunter2, {b: hunter2}], type: email}\n",
        "notifiers:\n  a: {type: email, password: hunter2, password: hunter2}\n",
        "notifiers:\n  a: {type: webhook, url: \"ftp://h.example/hunter2\"}\n",
    ] {
        let said = refused(text);
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_password_may_stand_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("password");
    std::fs::write(&path, "s3cr3t\n").expect("a file");
    let with = |path: &str| {
        format!(
            "notifiers:\n  a: {{type: email, smtp: \"smtps://u@h.example\", password_file: \"{path}\", from: a@b.example, to: c@d.example}}\n"
        )
    };
    let config = sound(&with(&path.display().to_string()));
    let Notifier::Email(email) = &config.notifiers[&NotifierName("a".to_owned())] else { panic!("no email") };
    assert_eq!(secrecy::ExposeSecret::expose_secret(&email.login.as_ref().expect("a login").1), "s3cr3t");
    assert!(refused(&with("/no/such/file")).contains("cannot be read: No such file"));
}
