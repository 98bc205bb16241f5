//! `tidings ingest`: stories from elsewhere are stored once, matched by the run, and sent as those
//! of feeds.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::support::http::Response;
use crate::support::setup::{RULE, Setup, hook_payloads};
use crate::support::tidings::{Folder, Said};
use crate::support::wire::{self, Entry};

/// A rule for the feeds with the tag `social`.
const SOCIAL_RULE: &str =
    "rules:\n  - name: arms\n    when: Russia AND North Korea AND arms\n    feeds: tag:social\n";

/// The feed `telegram`, which receives stories.
const RECEIVING: &str = "  - {from: ingest, name: telegram, tags: [social]}\n";

/// Reads from standard input for the feed `telegram`.
const INGEST: [&str; 3] = ["ingest", "--feed", "telegram"];

/// The usual setup with the feed `telegram`, and a polled feed without stories.
async fn setup_with(rule: &str) -> Setup {
    let add = |config: &str| config.replace("feeds:\n", &format!("feeds:\n{RECEIVING}"));
    let setup = Setup::with_config(add, &[("arms.yaml", rule)]).await;
    setup.server.serve("/feed.xml", Response::feed(&wire::feed(&[])));
    setup
}

/// A line with a story that the rule matches.
fn line(id: usize) -> String {
    let title = format!("Russia and North Korea trade arms, part {id}");
    format!("{}\n", json!({"id": id, "title": title, "body": wire::long(id)}))
}

async fn ingest(folder: &Folder, lines: &str) -> Said {
    folder.command_with(&INGEST, lines).await
}

/// The titles of the alerts that were sent to the hook, sorted.
fn sent_titles(setup: &Setup) -> Vec<String> {
    let payloads = hook_payloads(&setup.server);
    let title = |payload: &Value| payload["story"]["title"].as_str().unwrap_or("none").to_owned();
    let mut titles: Vec<String> = payloads.iter().map(title).collect();
    titles.sort_unstable();
    titles
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_run_a_story_is_sent_within_seconds_and_a_known_one_is_not() {
    let setup = setup_with(SOCIAL_RULE).await;
    let Setup { server, folder, .. } = &setup;
    let mut tidings = folder.run(&[]);
    server.wait_for("/feed.xml", 1).await;
    let said = ingest(folder, &line(1)).await;
    assert_eq!(
        (said.code, said.output.as_str()),
        (0, "1 new, 0 edited, 0 known\n"),
        "{}",
        said.errors
    );
    let hook = server.wait_for("/hook", 1).await.remove(0);
    let payload: Value = serde_json::from_slice(&hook.body).expect("JSON");
    assert_eq!((&payload["type"], &payload["read"]["what"]), (&json!("alert"), &json!("full")));
    assert_eq!(payload["feeds"][0]["feed"], "telegram");

    let said = ingest(folder, &(line(1) + &line(2))).await;
    assert_eq!(
        (said.code, said.output.as_str()),
        (0, "1 new, 0 edited, 1 known\n"),
        "{}",
        said.errors
    );
    server.wait_for("/hook", 2).await;
    assert_eq!(tidings.terminate().await, 0);
    let expected = [1, 2].map(|id| format!("Russia and North Korea trade arms, part {id}"));
    assert_eq!(sent_titles(&setup), expected);
    let listed = folder.command(&["feeds", "list"]).await;
    let row = listed.output.lines().find(|line| line.starts_with("telegram")).expect("a row");
    assert!(row.contains("receives"), "{row}");
    assert!(listed.output.ends_with("2 feeds, 0 not well\n"), "{}", listed.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_run_a_story_waits_for_the_next_one() {
    let setup = setup_with(RULE).await;
    let Setup { server, folder, .. } = &setup;
    let said = ingest(folder, &line(1)).await;
    assert_eq!(said.code, 69, "{}", said.output);
    assert!(said.errors.contains("`tidings run` makes"), "{}", said.errors);
    assert_eq!(folder.command(&["run", "--once"]).await.code, 0);

    folder.write("stories.jsonl", &(line(1) + &line(2)));
    let said = folder.command(&["ingest", "stories.jsonl", "--feed", "telegram"]).await;
    assert_eq!(
        (said.code, said.output.as_str()),
        (0, "2 new, 0 edited, 0 known\n"),
        "{}",
        said.errors
    );
    assert_eq!(server.requests("/hook").len(), 0);
    assert_eq!(folder.command(&["run", "--once"]).await.code, 0);
    assert_eq!(server.requests("/hook").len(), 2);
    assert_eq!(folder.names().iter().filter(|name| name.starts_with("tidings.db-")).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_matched_and_a_copy_of_a_polled_story_is_no_second_message() {
    let setup = setup_with(RULE).await;
    let Setup { server, folder, .. } = &setup;
    let entry =
        Entry::full("Russia and North Korea trade arms", "https://wire.example/1", wire::LONG);
    server.serve("/feed.xml", Response::feed(&wire::feed(&[entry])));
    let mut tidings = folder.run(&[]);
    server.wait_for("/hook", 1).await;

    let copy = json!({"id": "a", "title": "Russia and North Korea trade arms", "body": wire::LONG});
    let link = json!({"id": "b", "title": "Arms", "body": "Russia sells North Korea arms.", "url": "https://wire.example/1"});
    let edited = |text: &str| json!({"id": "c", "title": "Harbour", "body": text});
    let lines = format!("{copy}\n{link}\n{}\n", edited("A ship leaves."));
    let said = ingest(folder, &lines).await;
    assert_eq!(said.output, "3 new, 0 edited, 0 known\n");
    let waits = "SELECT count(*) FROM story WHERE status = 'awaits_match'";
    folder.wait_until(waits, |waiting| waiting == "0").await;
    let alerts = "SELECT count(*) || ' of ' || count(DISTINCT event) FROM alert JOIN story ON story.id = alert.story";
    assert_eq!(folder.query(alerts).await, ["3 of 1"]);

    let lines = edited("A ship leaves with arms of Russia for North Korea.").to_string();
    assert_eq!(ingest(folder, &lines).await.output, "0 new, 1 edited, 0 known\n");
    server.wait_for("/hook", 2).await;
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(sent_titles(&setup), ["Harbour", "Russia and North Korea trade arms"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_in_the_middle_the_same_lines_lose_nothing_and_repeat_nothing() {
    const LINES: usize = 3000;
    let setup = setup_with(RULE).await;
    let Setup { folder, .. } = &setup;
    assert_eq!(folder.command(&["run", "--once"]).await.code, 0);
    let lines: Vec<String> = (0..LINES)
        .map(|id| {
            format!("{}\n", json!({"id": id, "title": format!("Part {id}"), "body": "Words."}))
        })
        .collect();
    for stored in [700, 1800] {
        let mut child = folder.spawn(&INGEST);
        let mut pipe = child.stdin.take().expect("piped");
        pipe.write_all(lines[..stored].concat().as_bytes()).await.expect("it reads");
        let is_stored = |count: &str| count.parse::<usize>().is_ok_and(|count| count >= stored);
        folder.wait_until("SELECT count(*) FROM story", is_stored).await;
        // The next lines may or may not be stored when it dies.
        pipe.write_all(lines[stored..stored + 600].concat().as_bytes()).await.expect("it reads");
        child.kill().await.expect("it runs");
    }
    let said = folder
        .command_with(&["ingest", "--feed", "telegram", "--format", "json"], &lines.concat())
        .await;
    let answer: Value = serde_json::from_str(&said.output).expect("JSON");
    let count = |key: &str| answer[key].as_u64().expect("a number");
    assert_eq!((count("new") + count("known"), count("refused"), said.code), (3000, 0, 0));
    assert!(count("known") >= 1800, "{answer}");
    let stories =
        "SELECT count(*) || ' ' || count(DISTINCT title) || ' ' || sum(revision) FROM story";
    assert_eq!(folder.query(stories).await, ["3000 3000 3000"]);
    let said = folder.command(&["run", "--once"]).await;
    assert_eq!(said.code, 0, "{}", said.errors);
    let matched = "SELECT DISTINCT status FROM story";
    assert_eq!(folder.query(matched).await, ["unmatched"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_line_is_answered_with_its_place_and_the_others_are_taken() {
    let setup = setup_with(RULE).await;
    let Setup { folder, .. } = &setup;
    assert_eq!(folder.command(&["run", "--once"]).await.code, 0);
    let lines = [
        line(1),
        "{\"title\": \"a\"}\n".to_owned(),
        "{\"title\": \"a\", \"body\": \"\", \"feed\": \"telegramm\"}\n".to_owned(),
        "{\"title\": \"a\", \"body\": \"\", \"feed\": \"wire-1\"}\n".to_owned(),
        line(2),
    ];
    folder.write("stories.jsonl", &lines.concat());
    let said = folder.command(&["ingest", "--feed", "telegram", "stories.jsonl"]).await;
    let expected = "2 new, 0 edited, 0 known; refused: 3 lines\n";
    assert_eq!((said.code, said.output.as_str()), (65, expected));
    let faults = "\
error: stories.jsonl:2:14: this is not a story: missing field `body`
error: stories.jsonl:3: no feed `telegramm` receives stories: did you mean `telegram`?
error: stories.jsonl:4: the feed `wire-1` is polled, and receives no stories
";
    assert_eq!(said.errors, faults);

    for (arguments, code, why) in [
        (&["ingest", "--feed", "wire-1"][..], 65, "is polled"),
        (&["ingest", "--feed", "tellegram"], 65, "did you mean `telegram`?"),
        (&["ingest", "missing.jsonl", "--feed", "telegram"], 74, "missing.jsonl cannot be read"),
        (&["feeds", "poll-now", "telegram"], 65, "receives stories, and is not polled"),
        (&["feeds", "poll", "telegram"], 65, "has no address"),
    ] {
        let said = folder.command(arguments).await;
        assert_eq!(said.code, code, "{arguments:?}: {}", said.errors);
        assert!(said.errors.contains(why), "{arguments:?}: {}", said.errors);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiving_feed_comes_and_leaves_while_tidings_runs() {
    let setup = Setup::new().await;
    let Setup { server, folder, .. } = &setup;
    server.serve("/feed.xml", Response::feed(&wire::feed(&[])));
    let mut tidings = folder.run(&[]);
    server.wait_for("/feed.xml", 1).await;
    let said = ingest(folder, &line(1)).await;
    assert_eq!(said.code, 65, "{}", said.output);
    assert!(said.errors.contains("from: ingest"), "{}", said.errors);

    let without = folder.read("config.yaml");
    folder.write("config.yaml", &without.replace("feeds:\n", &format!("feeds:\n{RECEIVING}")));
    folder.write("rules/arms.yaml", SOCIAL_RULE);
    tidings.wait_for_log(|line| line.ends_with("configuration in force: +1 feed")).await;
    tidings.wait_for_log(|line| line.contains("rules in force: 1")).await;
    assert_eq!(ingest(folder, &line(2)).await.code, 0);
    server.wait_for("/hook", 1).await;

    folder.write("rules/arms.yaml", RULE);
    folder.write("config.yaml", &without);
    tidings.wait_for_log(|line| line.ends_with("configuration in force: \u{2212}1 feed")).await;
    assert_eq!(ingest(folder, &line(3)).await.code, 65);
    assert_eq!(tidings.terminate().await, 0);
    assert_eq!(sent_titles(&setup), ["Russia and North Korea trade arms, part 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_feed_is_polled_the_time_of_a_run_is_watched() {
    for (is_polled, expected) in [(false, "1"), (true, "0")] {
        let keep = |line: &&str| is_polled || !line.contains("/feed.xml");
        let receive = |config: &str| {
            let lines: Vec<&str> = config.lines().filter(keep).collect();
            lines.join("\n").replace("feeds:\n", &format!("feeds:\n{RECEIVING}")) + "\n"
        };
        let Setup { folder, .. } = Setup::with_config(receive, &[("a.yaml", SOCIAL_RULE)]).await;
        let said = folder.command(&["run", "--once"]).await;
        assert_eq!(said.code, 0, "{}", said.errors);
        // The feed that is polled is not there.
        assert_eq!(folder.query("SELECT count(*) FROM watched").await, [expected]);
    }
}
