//! The log of a run: events and fields as JSON, sentences for people, priorities for the journal.

use std::fs::File;
use std::os::unix::fs::MetadataExt;

use serde_json::Value;

use crate::support::http::Response;
use crate::support::setup::{self, RULE, Setup, matching_stories};
use crate::support::tidings::{Folder, RunningTidings};

/// A feed that fails and a console, beside what [`Setup`] has.
async fn setup_with_failing_feed(rule: &str) -> Setup {
    let change = |config: &str| {
        config
            .replace("feeds:\n", "feeds:\n  - {url: \"http://127.0.0.1:9/\", name: lost}\n")
            .replace("notifiers:\n", "notifiers:\n  console: {type: console}\n")
            .replace("notify: [", "notify: [console, ")
    };
    let setup = Setup::with_config(change, &[("arms.yaml", rule)]).await;
    setup.server.serve("/feed.xml", matching_stories(&setup.server, [1]));
    setup
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))
}

/// Waits for a line with that event and the text `holds`.
async fn line_of(tidings: &mut RunningTidings, event: &str, holds: &str) -> Value {
    let is_wanted = |line: &str| json(line)["event"] == event && line.contains(holds);
    json(&tidings.wait_for_log(is_wanted).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_in_json_name_their_event_and_whom_they_are_about() {
    let setup = setup_with_failing_feed(RULE).await;
    let Setup { server, folder, .. } = &setup;
    let mut tidings = folder.run(&["--log", "json"]);

    let failed = line_of(&mut tidings, "feed_failed", "").await;
    assert_eq!((&failed["feed"], &failed["level"]), (&"lost".into(), &"WARN".into()));
    let message = failed["message"].as_str().expect("a sentence");
    assert!(message.starts_with("lost: cannot be read: "), "{message}");

    let sent = line_of(&mut tidings, "message_sent", "hook").await;
    assert_eq!((&sent["notifier"], &sent["level"]), (&"hook".into(), &"INFO".into()));
    assert_eq!(sent.get("recipient"), None, "a webhook has one receiver");
    assert_eq!(sent["message_id"], setup::hook_payloads(server)[0]["id"]);
    assert!(sent["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{sent}");
    let mailed = line_of(&mut tidings, "message_sent", "desk").await;
    assert_eq!(mailed["recipient"], "ana@example.org");
    assert_eq!((&sent["rule"], &mailed["rule"]), (&"arms".into(), &"arms".into()));

    let config = folder.read("config.yaml");
    folder.write("config.yaml", &config.replace("name: wire-1", "name: renamed"));
    let edited = line_of(&mut tidings, "config_in_force", "").await;
    assert_eq!(edited["level"], "INFO");
    folder.write("rules/arms.yaml", "rules: [");
    let fault = line_of(&mut tidings, "fault_found", "").await;
    let file = fault["file"].as_str().expect("a file");
    assert!(file.ends_with("arms.yaml"), "{file}");
    assert_eq!(tidings.terminate().await, 0);

    let log = tidings.log();
    let of_console = log.iter().filter(|line| json(line)["notifier"] == "console").count();
    assert_eq!(of_console, 0, "the console is logged at level debug only: {log:#?}");
    assert!(log.iter().all(|line| json(line)["event"].is_string()), "{log:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_for_people_are_sentences_without_fields() {
    let setup = setup_with_failing_feed(RULE).await;
    setup.server.serve("/hook", Response::status(500));
    setup.folder.set("TIDINGS_LOG", "debug");
    let mut tidings = setup.folder.run(&[]);
    tidings.wait_for_log(|line| line.contains(" WARN hook did not take a message: ")).await;
    tidings.wait_for_log(|line| line.contains(" WARN lost: cannot be read: ")).await;
    tidings.wait_for_log(|line| line.contains(" to console: ")).await;
    assert_eq!(tidings.terminate().await, 0);
    for line in tidings.log() {
        assert!(!line.contains("event=") && !line.contains("notifier="), "{line}");
    }
}

/// The log of one round whose standard error is a file. `stream` makes the value of
/// `JOURNAL_STREAM` from the device and inode of that file.
async fn log_in_file(
    folder: &Folder,
    arguments: &[&str],
    stream: impl FnOnce(u64, u64) -> String,
) -> String {
    let file = File::create(folder.place("log")).expect("a file");
    let metadata = file.metadata().expect("an open file");
    folder.set("JOURNAL_STREAM", &stream(metadata.dev(), metadata.ino()));
    folder.set("TIDINGS_LOG", "debug");
    let arguments = [&["run", "--once"], arguments].concat();
    assert_eq!(folder.command_with_errors_into(&arguments, file).await.code, 0);
    folder.read("log")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_for_the_journal_begins_with_its_priority() {
    let doubtful = RULE.replace("AND arms\n", "AND (arms OR arms)\n");
    let setup = setup_with_failing_feed(&doubtful).await;
    let log = log_in_file(&setup.folder, &[], |device, inode| format!("{device}:{inode}")).await;
    let priorities = ["<3>", "<4>", "<6>", "<7>"];
    let has_priority = |line: &str| priorities.iter().any(|priority| line.starts_with(priority));
    assert!(log.lines().all(has_priority), "{log}");
    for start in
        ["<4>lost: cannot be read: ", "<4>warning: ", "<4>  ", "<6>started with", "<7>sent "]
    {
        assert!(log.lines().any(|line| line.starts_with(start)), "{start}: {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_elsewhere_and_lines_in_json_have_no_priority() {
    let setup = setup_with_failing_feed(RULE).await;
    let other = |device, inode| format!("{device}:{}", inode + 1);
    let log = log_in_file(&setup.folder, &[], other).await;
    assert!(log.contains(" INFO started with") && !log.contains("<6>"), "{log}");

    let same = |device, inode| format!("{device}:{inode}");
    let log = log_in_file(&setup.folder, &["--log", "json"], same).await;
    assert!(log.lines().map(json).any(|line| line["event"] == "run_started"), "{log}");
}
