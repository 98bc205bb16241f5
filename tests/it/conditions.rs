//! Rules over many stories as people meet them: `explain` and `status` say how far they are, and an
//! absence is told when the feeds were read, and not during an outage.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tidings::clock::now;

use crate::support::http::{Recorded, Response};
use crate::support::setup::{Setup, hook_payloads};
use crate::support::wire::{self, Entry};

const RULES: &str = "rules:
  - {name: Blast, when: refinery AND blast, tell: {publishers: 3, within: 6h}, notify: hook}
  - {name: Silent, when: heartbeat, absent: {for: 10m}, notify: hook, why: The ministry writes hourly}
";

const QUIET: &str = "rules:
  - {name: Silent, when: heartbeat, absent: {for: 10m}, notify: hook}
";

/// A feed whose pages are not read, and these rules.
async fn setup(rules: &str) -> Setup {
    let change = |config: &str| {
        let config = config.replace("every: 1s", "every: 1s, full_text: never");
        format!("{config}poll: {{first_poll: all}}\npublishers: {{BBC: bbc.example}}\n")
    };
    Setup::with_config(change, &[("rules.yaml", rules)]).await
}

/// A feed with a story of each of these publishers.
fn feed(publishers: &[&str]) -> Response {
    let entry = |publisher: &&str| {
        let link = format!("https://{publisher}/blast");
        Entry::full(&format!("A refinery blast, says {publisher}"), &link, "It is a blast.")
    };
    Response::feed(&wire::feed(&publishers.iter().map(entry).collect::<Vec<_>>()))
}

fn kinds(hooks: &[Recorded]) -> Vec<String> {
    let kind = |hook: &Recorded| {
        let payload: Value = serde_json::from_slice(&hook.body).expect("JSON");
        let reason = payload["reason"]["what"].as_str();
        reason.or(payload["kind"].as_str()).or(payload["type"].as_str()).expect("a type").to_owned()
    };
    hooks.iter().map(kind).collect()
}

/// A run with its clock ahead by so many minutes, until the feed was read.
async fn run_at(setup: &Setup, minutes: u64) {
    let before = setup.server.requests("/feed.xml").len();
    let mut tidings = setup.folder.run_ahead(Duration::from_mins(minutes));
    // The second poll begins when the first is recorded.
    setup.server.wait_for("/feed.xml", before + 2).await;
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_and_status_say_how_far_a_held_group_is() {
    let setup = setup(RULES).await;
    setup.server.serve("/feed.xml", feed(&["www.afp.example", "news.bbc.example"]));
    let said = setup.folder.command(&["run", "--once"]).await;
    assert_eq!(said.code, 0, "{}", said.errors);
    assert_eq!(setup.server.requests("/hook").len(), 0);

    setup.folder.write("story.txt", "A refinery blast\n\nIt is a blast.\n");
    let story = setup.folder.place("story.txt");
    let said = setup.folder.command(&["explain", &story]).await;
    let progress = "2 of 3 publishers: BBC, afp.example";
    assert!(said.output.contains("condition: 3 publishers within 6h"), "{}", said.output);
    assert!(said.output.contains(&format!("now: {progress}")), "{}", said.output);
    let said = setup.folder.command(&["explain", &story, "--format", "json"]).await;
    let answer: Value = serde_json::from_str(&said.output).expect("JSON");
    assert_eq!(answer["rules"][0]["condition"]["progress"], progress);
    let said = setup.folder.command(&["status"]).await;
    let line = said.output.lines().find(|line| line.starts_with("rules")).expect("a line");
    assert!(
        line.contains(&format!("Blast holds matches: {progress}; the last counts until")),
        "{line}"
    );
    let said = setup.folder.command(&["explain", "https://www.afp.example/blast"]).await;
    assert!(said.output.contains(", held)"), "{}", said.output);

    let all = ["www.afp.example", "news.bbc.example", "apnews.example"];
    setup.server.serve("/feed.xml", feed(&all));
    run_at(&setup, 1).await;
    assert_eq!(kinds(&setup.server.wait_for("/hook", 1).await), ["fired"]);
    let said = setup.folder.command(&["explain", &story]).await;
    assert!(said.output.contains("matches are told one by one"), "{}", said.output);
    let said = setup.folder.command(&["status"]).await;
    assert!(!said.output.contains("holds matches"), "{}", said.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_says_whether_the_publisher_of_a_story_is_known() {
    let rules = "rules:
  - {name: Source, when: refinery AND blast, tell: {first: source, in: 30d}}
  - {name: Author, when: refinery AND blast, tell: {first: author, in: 30d}}
  - {name: Match, when: refinery AND blastin*, tell: {first: match, in: 30d}}
";
    let setup = setup(rules).await;
    setup.server.serve("/feed.xml", feed(&["news.bbc.example"]));
    assert_eq!(setup.folder.command(&["run", "--once"]).await.code, 0);
    let story = |source: &str, author: &str| {
        let lines = format!("\"source\": \"{source}\", \"authors\": \"{author}\"");
        format!("{{\"title\": \"A refinery blast\", \"body\": \"Blasting.\", {lines}}}")
    };
    setup.folder.write("new.json", &story("AFP", "Kim"));
    setup.folder.write("known.json", &story("bbc", ""));
    setup.folder.write("nobody.txt", "A refinery blast\n\nIt is a blast.\n");
    let (new, known) = (setup.folder.place("new.json"), setup.folder.place("known.json"));
    let nobody = setup.folder.place("nobody.txt");
    for (arguments, expected) in [
        (&["explain", &new][..], "now: new source: AFP"),
        (&["explain", &new], "now: new author: Kim"),
        (&["explain", &new, "--rule", "Source"], "now: new source: AFP"),
        (&["explain", &new, "--rule", "Author"], "now: new author: Kim"),
        (&["explain", &known], "now: known source: BBC (last match "),
        (&["explain", &known], "now: the story has no author, and would be held"),
        (&["explain", &nobody], "now: the story has no source, and would be held"),
        (
            &["explain", "https://news.bbc.example/blast"],
            "now: source that was new with this story: BBC (last match ",
        ),
        (&["explain", &new, "--rule", "Match"], "now: new match: Blasting"),
    ] {
        let said = setup.folder.command(arguments).await;
        let output = said.output.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(output.contains(expected), "{arguments:?} lacks {expected}: {output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tests_of_rules_use_the_publishers_of_the_configuration() {
    let rules = "rules:
  - name: Blast
    when: refinery AND blast
    tell: {publishers: 2, within: 6h}
    notify: hook
    holds: [{at: 0, site: bbc.example, title: refinery blast}, {at: 1h, source: bbc, title: refinery blast}]
";
    let setup = setup(rules).await;
    let folder = &setup.folder;
    let alias = |name: &str| format!("publishers: {{{name}: bbc.example}}");
    let edit = |from: &str, to: &str| {
        folder.write("config.yaml", &folder.read("config.yaml").replace(&alias(from), &alias(to)));
    };
    let refused = "the condition should not be met, but is here: 2 publishers";
    assert_eq!(folder.command(&["check"]).await.code, 0);
    for command in [&["check"][..], &["rules"], &["backtest"], &["explain", "-"]] {
        edit("BBC", "Beeb");
        let said = folder.command(command).await;
        assert!(said.errors.contains(refused), "{command:?}: {}", said.errors);
        edit("Beeb", "BBC");
    }
    let alone = folder.command(&["check", &folder.place("rules")]).await;
    assert!(alone.errors.contains(refused), "{}", alone.errors);

    let mut tidings = folder.run(&[]);
    tidings.wait_for_log(|line| line.contains("started with the store")).await;
    edit("BBC", "Beeb");
    tidings.wait_for_log(|line| line.contains("rules need what the new configuration lacks")).await;
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absence_is_told_after_a_poll_and_the_next_match_says_present() {
    let setup = setup(QUIET).await;
    setup.server.serve("/feed.xml", feed(&[]));
    run_at(&setup, 0).await;
    // It is due, and no feed was read since.
    run_at(&setup, 20).await;
    assert_eq!(kinds(&setup.server.requests("/hook")), [""; 0]);
    let said = setup.folder.command(&["explain", "-", "--rule", "Silent"]).await;
    assert!(said.errors.contains("empty"), "{}", said.errors);
    run_at(&setup, 21).await;
    let mut tidings = setup.folder.run_ahead(Duration::from_mins(40));
    assert_eq!(kinds(&setup.server.wait_for("/hook", 1).await), ["absent"]);
    assert_eq!(tidings.terminate().await, 0);
    let said = setup.folder.command(&["status", "--format", "json"]).await;
    let status: Value = serde_json::from_str(&said.output).expect("JSON");
    assert_eq!(status["absent_groups"][0]["rule"], "Silent");

    let heartbeat = Entry::full("A heartbeat", "https://mod.example/1", "A heartbeat.");
    setup.server.serve("/feed.xml", Response::feed(&wire::feed(&[heartbeat])));
    run_at(&setup, 41).await;
    let hooks = setup.server.wait_for("/hook", 2).await;
    assert_eq!(kinds(&hooks), ["absent", "alert"]);
    let alert: Value = serde_json::from_slice(&hooks[1].body).expect("JSON");
    let condition = &alert["rules"][0]["condition"];
    let progress = condition["progress"].as_str().expect("a text");
    assert!(progress.starts_with("the first match since"), "{progress}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absence_that_a_silence_put_off_is_not_sent_after_the_match_that_ended_it() {
    let setup = setup(QUIET).await;
    setup.server.serve("/feed.xml", feed(&[]));
    run_at(&setup, 0).await;
    run_at(&setup, 21).await;
    let silence = ["silence", "add", "--rule", "Silent", "--until", "1h"];
    let said = setup.folder.command(&silence).await;
    assert_eq!(said.code, 0, "{}", said.errors);
    let mut tidings = setup.folder.run_ahead(Duration::from_mins(40));
    tidings.wait_for_log(|line| line.contains("no match for 10m")).await;
    assert_eq!(tidings.terminate().await, 0);

    let heartbeat = Entry::full("A heartbeat", "https://mod.example/1", "A heartbeat.");
    setup.server.serve("/feed.xml", Response::feed(&wire::feed(&[heartbeat])));
    run_at(&setup, 41).await;
    assert_eq!(kinds(&setup.server.requests("/hook")), [""; 0]);
    let mut tidings = setup.folder.run_ahead(Duration::from_mins(65));
    setup.server.wait_for("/hook", 1).await;
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(kinds(&setup.server.requests("/hook")), ["silence"]);
    let said = setup.folder.command(&["deliveries"]).await;
    assert!(!said.output.contains("Silent"), "{}", said.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_senders_kept_back_during_an_outage_is_waited_for() {
    let setup = setup(
        "rules:
  - {name: A sender is silent, when: heartbeat, feeds: telegram, absent: {for: 10m}, notify: hook}
  - {name: Silent, when: heartbeat, feeds: wire-1, absent: {for: 10m}, notify: hook}
",
    )
    .await;
    let receiving = "feeds:\n  - {from: ingest, name: telegram}\n";
    let config = setup.folder.read("config.yaml").replace("feeds:\n", receiving);
    setup.folder.write("config.yaml", &config);
    setup.server.serve("/feed.xml", feed(&[]));
    run_at(&setup, 0).await;
    run_at(&setup, 20).await;
    // The first absence is decided before the second, which is told.
    let mut tidings = setup.folder.run_ahead(Duration::from_mins(21));
    tidings.wait_for_log(|line| line.contains("Silent")).await;
    setup.server.wait_for("/hook", 1).await;
    assert_eq!(tidings.terminate().await, 0);
    let told = "SELECT rule FROM absence WHERE told IS NOT NULL ORDER BY rule";
    assert_eq!(setup.folder.query(told).await, ["Silent"]);
    // A single round waits for nobody.
    setup.folder.change("UPDATE absence SET last = last - 3600000").await;
    assert_eq!(setup.folder.command(&["run", "--once"]).await.code, 0);
    assert_eq!(setup.folder.query(told).await, ["A sender is silent", "Silent"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_never_told_as_an_absence_and_the_rule_is_blind() {
    let setup = setup(QUIET).await;
    setup.server.serve("/feed.xml", feed(&[]));
    run_at(&setup, 0).await;
    setup.server.serve("/feed.xml", Response::status(503));
    let blind = "SELECT count(*) FROM message WHERE notification LIKE '%\"kind\":\"blind\"%'";
    for (minutes, told) in [(12, "0"), (15, "0"), (33, "1"), (34, "1")] {
        let before = setup.server.requests("/feed.xml").len();
        let mut tidings = setup.folder.run_ahead(Duration::from_mins(minutes));
        setup.server.wait_for("/feed.xml", before + 1).await;
        let failed = "SELECT count(*) FROM feed WHERE failures > 0";
        setup.folder.wait_until(failed, |failed| failed == "1").await;
        setup.folder.wait_until(blind, |blind| blind == told).await;
        assert_eq!(tidings.terminate().await, 0);
    }
    assert_eq!(setup.folder.query(blind).await, ["1"], "it is told once");
    let absent = "SELECT count(*) FROM message WHERE notification LIKE '%\"kind\":\"absent\"%'";
    assert_eq!(setup.folder.query(absent).await, ["0"]);
}

const AFTER: &str = "rules:
  - {name: Mobilised, when: mobilisation, notify: hook}
  - {name: Closed, when: airspace AND closed, tell: {after: Mobilised, within: 48h}, notify: hook}
";

/// The rules of the messages that came, in their order.
fn rules_told(setup: &Setup) -> Vec<String> {
    let payloads = hook_payloads(&setup.server);
    let rule = |payload: &Value| payload["rules"][0]["rule"].as_str().unwrap_or("none").to_owned();
    payloads.iter().map(rule).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_stories_of_one_poll_the_one_that_was_published_first_comes_first() {
    let mobilised = || Entry::full("A mobilisation", "https://a.example/1", "It has begun.");
    let closed = || Entry::full("The airspace is closed", "https://a.example/2", "It is.");
    let date = |hours| {
        let at = now() - SignedDuration::from_hours(hours);
        at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    };
    let (early, late) = (&date(2), &date(1));
    for (entries, told) in [
        ([closed().published(late), mobilised().published(early)], true),
        ([mobilised().published(early), closed().published(late)], true),
        ([closed().published(early), mobilised().published(late)], false),
        // The newest is listed first.
        ([closed(), mobilised()], true),
        ([mobilised(), closed()], false),
    ] {
        let setup = setup(AFTER).await;
        setup.server.serve("/feed.xml", Response::feed(&wire::feed(&entries)));
        assert_eq!(setup.folder.command(&["run", "--once"]).await.code, 0);
        let mut rules = rules_told(&setup);
        rules.sort();
        let expected: &[&str] = if told { &["Closed", "Mobilised"] } else { &["Mobilised"] };
        assert_eq!(rules, expected);
        let said = setup.folder.command(&["explain", "https://a.example/2"]).await.output;
        assert!(said.contains("now: Mobilised matched at"), "{said}");
        assert_eq!(said.contains("when this story matched: no"), !told, "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stories_that_come_from_elsewhere_together_are_recorded_as_they_were_published() {
    let setup = setup(AFTER).await;
    let receiving = "feeds:\n  - {from: ingest, name: a}\n  - {from: ingest, name: b}\n";
    let config = setup.folder.read("config.yaml").replace("feeds:\n", receiving);
    setup.folder.write("config.yaml", &config);
    setup.server.serve("/feed.xml", feed(&[]));
    // The long text takes longer to match, and the first feed is recorded first.
    let mobilised = (0..20).map(|one| (one, "b", "A mobilisation", wire::LONG.repeat(50)));
    let closed = (0..20).map(|one| (one, "a", "The airspace is closed", "It is.".to_owned()));
    let lines = closed.chain(mobilised).map(|(one, feed, title, text)| {
        let minutes = if feed == "a" { 20 } else { 40 };
        let published = now() - SignedDuration::from_mins(minutes - one);
        let (title, text) = (format!("{title}, part {one}"), format!("{text} {one}"));
        let line = json!({"feed": feed, "title": title, "body": text, "published": published});
        format!("{line}\n")
    });
    assert_eq!(setup.folder.command(&["run", "--once"]).await.code, 0);
    let said = setup.folder.command_with(&["ingest"], &lines.collect::<String>()).await;
    assert_eq!(said.output, "40 new, 0 edited, 0 known\n", "{}", said.errors);
    assert_eq!(setup.folder.command(&["run", "--once"]).await.code, 0);
    let held = "SELECT count(*) FROM alert WHERE held";
    assert_eq!(setup.folder.query(held).await, ["0"]);
    let alerts = "SELECT count(*) FROM alert WHERE rule = 'Closed'";
    assert_eq!(setup.folder.query(alerts).await, ["20"]);
}
