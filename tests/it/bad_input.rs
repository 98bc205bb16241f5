//! Bad input of every kind: a message that names the place and the cure, the right exit code, and
//! nothing lost.

use crate::support::http::{Response, Server};
use crate::support::setup::{RULE, config, one_feed_config};
use crate::support::smtp::Sink;
use crate::support::tidings::{Folder, Said};
use crate::support::wire::{self, Entry};

const SOUND: &str = "rules: rules\nnotify: [console]\nfeeds: [\"file:wire.xml\"]\nnotifiers:\n  console: {type: console}\n";

/// The output of `tidings check` for a configuration and one rule file, without the folder's path.
async fn check(config: &str, rules: &str) -> Said {
    Folder::new(config, &[("bad.yaml", rules)]).command(&["check"]).await
}

async fn check_rule(rules: &str) -> Said {
    check(SOUND, rules).await
}

#[tokio::test]
async fn faults_of_the_configuration() {
    for (name, config, code) in [
        ("unknown_key", SOUND.replace("notify:", "notifi:"), 78),
        (
            "wrong_type",
            SOUND.replace("[console]", "{high: {a: b}}").replace("rules: rules", "rules: [a]"),
            78,
        ),
        ("unknown_notifier", SOUND.replace("[console]", "[consol]"), 78),
        (
            "missing_variable",
            SOUND.replace("file:wire.xml", "https://example.org/${NO_SUCH_TOKEN}/feed"),
            78,
        ),
        ("tab", SOUND.replace("  console: {", "\tconsole: {"), 78),
        ("unreadable_folder", SOUND.replace("rules: rules", "rules: no-such-folder"), 78),
        (
            "later_features",
            format!("{SOUND}cluster: {{nodes: 3}}\nretain: {{stories: 90d}}\nlimit: 30/h\n"),
            78,
        ),
    ] {
        let said = check(&config, RULE).await;
        insta::assert_snapshot!(format!("config_{name}"), said.errors);
        assert_eq!(said.code, code, "{name}");
    }
}

#[tokio::test]
async fn faults_of_rules() {
    for (name, rules) in [
        ("duplicate_name", "rules:\n  - {name: a, when: arms}\n  - {name: a, when: oil}\n"),
        (
            "unbalanced_parenthesis",
            "rules:\n  - name: a\n    when: |\n      Russia AND\n      (North Korea OR DPRK\n      AND arms\n",
        ),
        ("and_or_mixed", "rules:\n  - name: a\n    when: Russia AND arms OR missiles\n"),
        ("not_alone", "rules:\n  - name: a\n    when: NOT football\n"),
        ("unknown_notifier", "rules:\n  - name: a\n    when: arms\n    notify: [dsk]\n"),
        ("tag", "rules:\n  - name: a\n    when: !sport AND x\n"),
        ("quotes", "rules:\n  - name: a\n    when: \"interest rate\" AND fed\n"),
        ("unknown_key", "rules:\n  - name: a\n    wen: arms\n"),
        (
            "failing_examples",
            "rules:\n  - name: a\n    when: Russia AND arms\n    matches: [Russia has farms]\n    ignores: [\"Arms, Russia\"]\n",
        ),
    ] {
        let said = check_rule(rules).await;
        insta::assert_snapshot!(format!("rule_{name}"), said.errors);
        assert_eq!(said.code, 65, "{name}");
    }
}

#[tokio::test]
async fn every_fault_is_reported_in_one_go() {
    let said =
        check(&SOUND.replace("[console]", "[consol]").replace("feeds:", "feed:"), RULE).await;
    assert!(said.errors.contains("consol") && said.errors.contains("`feed`"), "{}", said.errors);
}

#[tokio::test]
async fn faults_can_be_read_by_machines() {
    let folder = Folder::new(SOUND, &[("bad.yaml", "rules:\n  - name: a\n    when: (arms\n")]);
    let said = folder.command(&["check", "--format", "json"]).await;
    let fault: serde_json::Value =
        serde_json::from_str(said.output.lines().next().expect("a line")).expect("JSON");
    assert_eq!(
        (&fault["line"], &fault["column"], &fault["level"]),
        (&3.into(), &11.into(), &"error".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_on_the_same_store_is_refused() {
    let folder =
        Folder::new(&SOUND.replace("file:wire.xml", "file:missing.xml"), &[("arms.yaml", RULE)]);
    let mut first = folder.run(&[]);
    first.wait_for_log(|line| line.contains("the store ")).await;
    let mut second = folder.run(&[]);
    assert_eq!(second.wait().await, 69);
    let said = second.log().join("\n");
    assert!(said.contains("another tidings is running on this store"), "{said}");
    assert_eq!(first.terminate().await, 0);
}

/// Runs until a feed's failure is logged, and returns that line.
async fn failure_of(response: Response) -> String {
    let server = Server::start().await;
    server.serve("/feed.xml", response);
    let config = one_feed_config(&server, 1);
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    let mut tidings = folder.run(&[]);
    let said = tidings.wait_for_log(|line| line.contains("wire-1")).await;
    assert_eq!(tidings.terminate().await, 0);
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_a_web_page_is_called_one() {
    let said = failure_of(Response::html(wire::PAGE)).await;
    assert!(said.contains("web page"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_of_50_mib_is_not_read_to_its_end() {
    let said = failure_of(Response::feed(&format!("<rss><channel>{}", " ".repeat(50 << 20)))).await;
    assert!(said.contains("larger than the limit of 10 MiB"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_refuses_is_said_to_refuse() {
    let refusing = format!("http://127.0.0.1:{}/feed.xml", Sink::reserve().port());
    let config = config(&[refusing], "http://127.0.0.1:1/hook", 1, &["ana@example.org"]);
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    let mut tidings = folder.run(&[]);
    let said = tidings.wait_for_log(|line| line.contains("wire-1")).await;
    assert!(said.contains("refused"), "{said}");
    assert_eq!(tidings.terminate().await, 0);
}

/// The alert's text about the page of a story whose teaser matches.
async fn why_only_the_teaser(page: &str, response: Response) -> String {
    let server = Server::start().await;
    let link = if page.starts_with('/') { server.url(page) } else { page.to_owned() };
    let entry = Entry::teaser("Russia and North Korea trade arms", &link);
    server.serve("/feed.xml", Response::feed(&wire::feed(&[entry])));
    server.serve("/page", response);
    server.serve("/hook", Response::status(200));
    let config = one_feed_config(&server, 1);
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    let mut tidings = folder.run(&[]);
    let hook = server.wait_for("/hook", 1).await.remove(0);
    assert_eq!(tidings.terminate().await, 0);
    let payload: serde_json::Value = serde_json::from_slice(&hook.body).expect("JSON");
    payload["read"]["why"].as_str().expect("a reason").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_50_000_nested_tags_is_not_read() {
    let why = why_only_the_teaser("/page", Response::html(&"<div>".repeat(50_000))).await;
    assert!(why.contains("nested"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_a_private_address_is_not_followed() {
    let why =
        why_only_the_teaser("http://169.254.169.254/latest/meta-data", Response::status(200)).await;
    assert!(why.contains("169.254.169.254") || why.contains("private"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_in_no_message_log_or_row() {
    let server = Server::start().await;
    let entry = Entry::full("Russia and North Korea trade arms", "relative/1", wire::LONG);
    server.serve("/feed.xml", Response::feed(&wire::feed(&[entry])));
    server.serve("/h00kt0ken", Response::status(500));
    let feed = server.url("/feed.xml?key=${FEED_TOKEN}").replace("//", "//ana:${FEED_PASSWORD}@");
    let config = config(&[feed], &server.url("/h00kt0ken"), 1, &["ana@example.org"]).replace(
        "smtp://127.0.0.1:1\",",
        "smtp://ana@127.0.0.1:1\", password: \"${MAIL_PASSWORD}\",",
    );
    let folder = Folder::new(&config, &[("arms.yaml", RULE)]);
    for (name, value) in
        [("MAIL_PASSWORD", "pa55w0rd"), ("FEED_TOKEN", "f33dt0ken"), ("FEED_PASSWORD", "f33dpa55")]
    {
        folder.set(name, value);
    }
    let mut tidings = folder.run(&[]);
    let hook = server.wait_for("/h00kt0ken", 1).await.remove(0);
    tidings.wait_for_log(|line| line.contains("hook") && line.contains("did not take")).await;
    tidings.wait_for_log(|line| line.contains("desk") && line.contains("did not take")).await;
    assert_eq!(tidings.terminate().await, 0);
    let store: Vec<u8> = folder.files("tidings.db").concat();
    for secret in
        ["pa55w0rd", "h00kt0ken", "f33dt0ken", "f33dpa55", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
    {
        let holds =
            |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(
            !tidings.log().iter().chain(&tidings.output()).any(|line| line.contains(secret)),
            "{secret} was logged"
        );
        assert!(!holds(&store), "{secret} was stored");
        assert!(!holds(&hook.body), "{secret} was sent");
    }
}
