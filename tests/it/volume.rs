//! Bursts and silences through the real binary, and the digests that receivers get.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::support::http::{Response, Server};
use crate::support::setup::{Setup, hook_payloads, matching_stories};

const RULE: &str =
    "rules:\n  - name: arms\n    when: Russia AND North Korea AND arms\n    tags: [korea]\n";

async fn setup(rule: &str) -> Setup {
    let poll_all = |config: &str| config.replace("network:", "poll: {first_poll: all}\nnetwork:");
    Setup::with_config(poll_all, &[("arms.yaml", rule)]).await
}

/// A header of a mail.
fn header(mail: &str, name: &str) -> String {
    let line = mail.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.expect("the header").trim().to_owned()
}

fn payloads_of_type(server: &Server, kind: &str) -> Vec<Value> {
    hook_payloads(server).into_iter().filter(|payload| payload["type"] == kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_sent_three_times_and_then_as_one_digest() {
    let Setup { server, mail, folder } =
        setup(&format!("{RULE}    burst: {{first: 3, then: 30m}}\n")).await;
    server.serve("/feed.xml", matching_stories(&server, 1..=40));
    let mut tidings = folder.run(&[]);
    server.wait_for("/hook", 3).await;
    folder.wait_until("SELECT count(*) FROM alert", |count| count == "40").await;
    mail.wait_for(3).await;
    assert_eq!(tidings.terminate().await, 0);
    // Half an hour later.
    folder.change("UPDATE message SET due = due - 1800000 WHERE status = 'pending'").await;
    let mut tidings = folder.run(&[]);
    server.wait_for("/hook", 4).await;
    let received = mail.wait_for(4).await.remove(3);
    assert_eq!(tidings.terminate().await, 0);
    let digest = payloads_of_type(&server, "digest").remove(0);
    assert_eq!(
        (payloads_of_type(&server, "alert").len(), digest["reason"]["what"].as_str()),
        (3, Some("burst"))
    );
    assert_eq!(digest["rules"][0]["stories"].as_array().map(Vec::len), Some(37));
    assert!(received.text().contains("Subject: 37 more stories for arms"), "{}", received.text());
    // The feed lists the newest first.
    assert!(received.plain().contains("part 37"), "{}", received.plain());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_mutes_beside_a_running_tidings_and_its_end_brings_a_digest() {
    let Setup { server, mail, folder } = setup(RULE).await;
    server.serve("/feed.xml", matching_stories(&server, 1..=1));
    let mut tidings = folder.run(&[]);
    server.wait_for("/hook", 1).await;
    for (arguments, said, code) in [
        (["--rule", "arm", "--until", "3h"], "did you mean `arms`?", 65),
        (["--tag", "china", "--until", "3h"], "no rule with the tag `china`", 65),
        (["--feed", "wire-2", "--until", "3h"], "did you mean `wire-1`?", 65),
        (["--tag", "korea", "--until", "yesterday"], "is not a time in the future", 64),
    ] {
        let refused = folder.command(&[&["silence", "add"], &arguments[..]].concat()).await;
        assert_eq!(refused.code, code, "{arguments:?}");
        assert!(refused.errors.contains(said), "{}", refused.errors);
    }
    assert_eq!(folder.command(&["silence", "list"]).await.output, "nothing is muted\n");
    let added = folder
        .command(&["silence", "add", "--tag", "korea", "--until", "3h", "--why", "a parade"])
        .await;
    assert!(
        added.output.starts_with("silence 1: tag korea is muted until "),
        "{}{}",
        added.output,
        added.errors
    );

    server.serve("/feed.xml", matching_stories(&server, 1..=3));
    folder.wait_until("SELECT count(*) FROM alert", |count| count == "3").await;
    let listed = folder.command(&["silence", "list"]).await.output;
    assert!(
        listed.contains("1  tag korea, until ") && listed.ends_with(", 2 alerts muted: a parade\n"),
        "{listed}"
    );
    let ended = folder.command(&["silence", "end", "1"]).await;
    assert_eq!(ended.code, 0, "{}", ended.errors);
    server.wait_for("/hook", 2).await;
    mail.wait_for(2).await;
    assert_eq!(folder.command(&["silence", "end", "1"]).await.code, 65);
    assert_eq!(tidings.terminate().await, 0);
    let digest = payloads_of_type(&server, "digest").remove(0);
    assert_eq!(
        (payloads_of_type(&server, "alert").len(), digest["reason"]["why"].as_str()),
        (1, Some("a parade"))
    );
    assert_eq!(digest["rules"][0]["stories"].as_array().map(Vec::len), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_comes_in_parts_and_in_halves_where_its_receiver_takes_less() {
    let Setup { server, mail, folder } = setup(&format!("{RULE}    digest: 1h\n")).await;
    // A part of 65 stories is larger, and half of one is not.
    server.serve("/hook", Response::status(204).at_most(30_000));
    server.serve("/feed.xml", matching_stories(&server, 1..=130));
    let mut tidings = folder.run(&[]);
    folder.wait_until("SELECT count(*) FROM alert", |count| count == "130").await;
    assert_eq!(tidings.terminate().await, 0);
    // A week later.
    folder.change("UPDATE message SET created = created - 604800000, due = due - 604800000").await;
    let mut tidings = folder.run(&[]);
    folder
        .wait_until("SELECT count(*) FROM message WHERE status != 'sent'", |count| count == "0")
        .await;
    assert_eq!(tidings.terminate().await, 0);

    let taken: Vec<Value> = payloads_of_type(&server, "digest")
        .into_iter()
        .filter(|body| body.to_string().len() <= 30_000)
        .collect();
    let mut sent_stories = BTreeMap::<String, usize>::new();
    for body in &taken {
        for story in body["rules"][0]["stories"].as_array().expect("a list") {
            *sent_stories.entry(story["story"]["url"].to_string()).or_default() += 1;
        }
    }
    assert_eq!((sent_stories.len(), sent_stories.values().max()), (130, Some(&1)));
    let parts: Vec<&str> =
        taken.iter().map(|body| body["part"]["number"].as_str().expect("a number")).collect();
    assert!(parts.iter().all(|part| part.contains('.')), "{parts:?}");

    let received = mail.received();
    let mut subjects: Vec<String> =
        received.iter().map(|received| header(&received.text(), "Subject")).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, ["65 stories for arms, part 1 of 2", "65 stories for arms, part 2 of 2"]);
    let created: Timestamp = taken[0]["created"].as_str().expect("text").parse().expect("a time");
    let sent: Timestamp = taken[0]["sent"].as_str().expect("text").parse().expect("a time");
    let dated = mailparse::dateparse(&header(&received[0].text(), "Date")).expect("a date");
    assert!(sent.as_second() - created.as_second() >= 6 * 24 * 3600, "{created} {sent}");
    assert!((dated - sent.as_second()).abs() < 3600, "{dated} {sent}");
}
